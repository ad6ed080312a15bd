"""The generalised-Pareto law of what exceeds a high level, and its maximum-likelihood fit.

Sources: Pickands, Statistical Inference Using Extreme Order Statistics, 1975; the reduction to one unknown and its
bounds: Grimshaw, Computing Maximum Likelihood Estimates for the Generalized Pareto Distribution, 1993.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from unusual.errors import InputError

Vector = NDArray[np.float64]

SERIES_BELOW = 0.05  # |y| under which power series replace differences that cancel
TERMS = 13
LEFT, RIGHT = 60, 12  # points of the search left of 0, and per decade right of it
AT_ONCE = 100_000  # numbers of a block of the grid: bounds memory
TOLERANCE = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class ParetoLaw:
    """P(X > x) = (1 + shape x / scale)^(-1 / shape) for x >= 0, exp(-x / scale) where the shape is 0."""

    shape: float
    scale: float

    def survival(self, x: ArrayLike) -> Vector:
        """P(X > x) of x (n,), all at least 0; 0 beyond the end of the law."""
        beyond = np.asarray(x, dtype=np.float64) / self.scale
        if self.shape == 0:
            return np.asarray(np.exp(-beyond))
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(-np.log1p(np.maximum(self.shape * beyond, -1.0)) / self.shape))

    def exceeded_by(self, share: float) -> float:
        """The x that a `share` of the law exceeds; negative for shares above 1, which lie below the start."""
        log = math.log(share)
        return self.scale * (-log if self.shape == 0 else math.expm1(-self.shape * log) / self.shape)

    def log_likelihood(self, x: ArrayLike) -> float:
        """Sum of the log density at x (n,), minus infinity if one of them lies beyond the end."""
        values = np.asarray(x, dtype=np.float64) / self.scale
        if self.shape == 0:
            return float(-values.sum() - len(values) * math.log(self.scale))
        inside = 1 + self.shape * values
        if self.shape == -1:
            return -len(values) * math.log(self.scale) if inside.min() >= -1e-12 else -math.inf
        if inside.min() <= 0:
            return -math.inf
        return float(-(1 + 1 / self.shape) * np.log(inside).sum() - len(values) * math.log(self.scale))


def most_likely_pareto(excess: ArrayLike) -> ParetoLaw:
    """The most likely law of excesses (n,) above 0 among all shapes of at least -1, below which there is no maximum.

    With theta = shape / scale the likelihood has one unknown. Every stationary point is found: the score is divided by
    theta in closed form, so that it does not vanish at 0 as Grimshaw's function does, and its changes of sign are
    bracketed on a grid over the whole range that can hold one. The uniform law (shape -1) is the only other candidate;
    the exponential law is theta = 0. Excesses are measured in their mean, so units do not matter.

    Raises
    ------
    InputError
        If there are none, or one is not a finite number above 0.
    """
    x = np.asarray(excess, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not (x > 0).all() or not np.isfinite(x).all():
        raise InputError("excesses must be a list of finite numbers above 0; subtract the start of the tail first")
    unit = float(np.exp2(np.floor(np.log2(x.max()))))  # a power of two loses no digit, and no sum overflows
    x = x / unit
    mean = float(x.mean())
    x = x / mean
    laws = [ParetoLaw(-1.0, float(x.max())), ParetoLaw(0.0, 1.0)]
    laws += [_law_of(theta, x) for theta in _stationary(x)]
    best = max((law for law in laws if law.shape >= -1), key=lambda law: law.log_likelihood(x))
    return ParetoLaw(best.shape, best.scale * mean * unit)


def _law_of(theta: float, x: Vector) -> ParetoLaw:
    if theta == 0:
        return ParetoLaw(0.0, float(x.mean()))
    shape = float(np.log1p(theta * x).mean())
    return ParetoLaw(shape, shape / theta)


def _stationary(x: Vector) -> list[float]:
    """All theta at which the likelihood of x (n,), of mean 1, is stationary."""
    low, high = float(x.min()), float(x.max())
    last = min(2 * max(1 - low, 0.0) / low**2 if low > 1e-100 else 1e200, 1e200)  # Grimshaw's bound
    left = -(1 - np.geomspace(1e-12, 1.0, LEFT)[:-1]) / high  # close to the end, and close to 0
    decades = max(1, math.ceil(math.log10(max(last, 1e-3) / 1e-4)))
    right = np.geomspace(1e-4, max(last, 1e-3) * 1.01, RIGHT * decades + 1)
    grid = np.concatenate([left, [0.0], right])
    slopes = np.concatenate([_slopes(part, x) for part in np.array_split(grid, 1 + grid.size * len(x) // AT_ONCE)])
    slope = lambda theta: float(_slopes(np.array([theta]), x)[0])  # noqa: E731 - what brentq asks for
    found = [float(theta) for theta in grid[slopes == 0]]
    for (a, b), (slope_a, slope_b) in zip(pairwise(grid), pairwise(slopes), strict=True):
        if slope_a * slope_b < 0:
            found.append(float(brentq(slope, a, b, xtol=1e-300, rtol=TOLERANCE, maxiter=500)))
    return found


def _slopes(theta: Vector, x: Vector) -> Vector:
    """Derivative of the profile likelihood of x (n,) at theta (g,), up to a factor above 0.

    It is (1 + L) mean(1 / (1 + theta x)) - 1 with L = mean(log(1 + theta x)), Grimshaw's function, over theta squared.
    """
    y = theta[:, None] * x  # (g, n)
    log = _log_ratio(y)  # log(1 + y) / y
    return np.asarray((x * x * _rest(y, log)).mean(axis=1) - (x / (1 + y)).mean(axis=1) * (x * log).mean(axis=1))


def _log_ratio(y: Vector) -> Vector:
    """log(1 + y) / y, 1 at y = 0."""
    return np.asarray(np.divide(np.log1p(y), y, out=np.ones_like(y), where=y != 0))


def _rest(y: Vector, log: Vector) -> Vector:
    """(log(1 + y) / y - 1 / (1 + y)) / y, 1/2 at y = 0."""
    near = np.abs(y) < SERIES_BELOW
    safe = np.where(near, 1.0, y)
    found = (log - 1 / (1 + y)) / safe
    if near.any():
        k = np.arange(1, TERMS + 1)
        found[near] = np.polynomial.polynomial.polyval(y[near], (-1.0) ** (k + 1) * k / (k + 1))
    return np.asarray(found)
