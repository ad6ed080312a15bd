"""Axes of pictures: numbers to pixels, linear or bent for long tails, with round ticks and short labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]

LARGEST = 1e300  # numbers beyond are drawn at this one, so that differences stay finite
LONG_TAIL = 40.0  # an axis is bent when its range is so many times the spread of the middle half


@dataclass(frozen=True)
class Axis:
    """Numbers from `low` to `high` on pixels `start` to `end`.

    Where `spread` is above 0 the axis is asinh((x - centre) / spread): linear in the middle, logarithmic in both tails.
    """

    low: float
    high: float
    start: float
    end: float
    centre: float = 0.0
    spread: float = 0.0

    @classmethod
    def of(cls, values: ArrayLike, start: float, end: float) -> Axis:
        """The axis for finite values (n,), bent if they have a long tail."""
        v = np.clip(np.asarray(values, dtype=np.float64), -LARGEST, LARGEST)
        low, high = float(v.min()), float(v.max())
        if low == high:
            margin = max(0.5, abs(low) * 0.1)
            return cls(low - margin, high + margin, start, end)
        q1, centre, q3 = (float(q) for q in np.quantile(v, [0.25, 0.5, 0.75]))
        spread = max(q3 - q1, 1e-6 * (high - low))
        bent = high - low > LONG_TAIL * spread
        return cls(low, high, start, end, centre, spread if bent else 0.0)

    def bent(self, values: ArrayLike) -> Vector:
        """Values as they lie along the axis, before they are pixels."""
        v = np.clip(np.asarray(values, dtype=np.float64), -LARGEST, LARGEST)
        return np.arcsinh(v / self.spread - self.centre / self.spread) if self.spread else v

    def at(self, bent: float) -> float:
        """The pixel of a number that `bent` gave."""
        low, high = (float(b) for b in self.bent([self.low, self.high]))
        share = (bent / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def __call__(self, value: float) -> float:
        return self.at(float(self.bent(value)))

    def edges(self, cut: float | None, bins: int) -> Vector:
        """About `bins` bins of equal width as edges on the bent axis, one of them at `cut`."""
        low, high = (float(b) for b in self.bent([self.low, self.high]))
        if cut is None or not self.low < cut < self.high:
            return np.linspace(low, high, bins + 1)
        middle = float(self.bent(cut))
        left = min(bins - 1, max(1, round(bins * (middle / 2 - low / 2) / (high / 2 - low / 2))))
        return np.concatenate([np.linspace(low, middle, left + 1), np.linspace(middle, high, bins - left + 1)[1:]])

    def ticks(self, most: int) -> list[tuple[float, float]]:
        """Round numbers and their pixels, about `most` of them, never closer than the labels need."""
        steps = _decades(self.low, self.high) if self.spread else _even(self.low, self.high, most)
        apart = 0.8 * (self.end - self.start) / max(1, most)
        kept: list[tuple[float, float]] = []
        for value in steps:
            x = self(value)
            if all(abs(x - other) >= apart for _, other in kept):
                kept.append((value, x))
        return sorted(kept)


def _even(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten between low and high."""
    width = high / most - low / most
    if width <= 0 or not math.isfinite(width):
        return [low]
    power = 10.0 ** math.floor(math.log10(width))
    step = next((m * power for m in (1, 2, 2.5, 5) if m * power >= width), 10 * power)
    first = math.ceil(low / step)
    ticks = [(first + i) * step for i in range(most + 2)]
    return [t for t in ticks if low <= t <= high and math.isfinite(t)]


def _decades(low: float, high: float) -> list[float]:
    """0 and the powers of ten on both sides, the largest first; then twice and five times those."""
    top = math.floor(math.log10(max(abs(low), abs(high))))
    powers = [10.0**k for k in range(top, top - 12, -1) if k > -300]
    numbers = [0.0, *powers, *(-p for p in powers), *(m * p for p in powers for m in (5, 2, -5, -2))]
    return [n for n in numbers if low <= n <= high]


def counts_to_rule(most: int, log: bool) -> list[int]:
    """Round counts to rule a picture with, up to `most`."""
    if log:
        return [10**k for k in range(math.floor(math.log10(most)) + 1)]
    return sorted({int(t) for t in _even(0, most, 4) if t >= 1 and t == int(t)})


def brief(value: float) -> str:
    """A number for an axis: 0.25, 12, 1,200, 35k, 2.5M, 1e+09."""
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        return f"{value:.2g}"
    for unit, sign in ((1e6, "M"), (1e4, "k")):
        if size >= unit:
            return f"{value / (1e6 if sign == 'M' else 1e3):.3g}{sign}"
    return f"{value:,.0f}" if size >= 1000 or value == round(value) else f"{value:.4g}"
