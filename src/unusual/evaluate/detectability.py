"""What would a detector catch? The smallest damage to a normal item that raises an alarm with a chance of 90 %.

Damage of growing size is done to normal items, and the share caught is drawn over its size: a probability-of-detection
curve, as non-destructive testing has it. No labels are needed. Every item is damaged in the same place at all sizes,
and whole items (or groups of them) are resampled, so the sizes of one item stay together.
Source: Berens, NDE Reliability Data Analysis, ASM Handbook 17, 1989 (hit/miss data); the curve here is only taken to
rise (isotonic regression), not to be logistic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.study import Block, Intervals, Lines, Study, Table

Vector = NDArray[np.float64]
Caught = NDArray[np.bool_]
RESAMPLES = 1000


@dataclass(frozen=True)
class DetectionCurve:
    """How often damage of each size is caught.

    Attributes
    ----------
    kind, unit : str
        What is done to an item, and what its size is measured in.
    sizes : (s,) ascending; the first is 0, the undamaged item
    share : (s,) share of items caught, rising
    low, high : (s,) 95 % interval of that share
    smallest, interval : float, (float, float)
        Smallest size caught with a chance of `wanted`, inf where no size is, and its 95 % interval.
    wanted : float
    items : int
    """

    kind: str
    unit: str
    sizes: Vector
    share: Vector
    low: Vector
    high: Vector
    smallest: float
    interval: tuple[float, float]
    wanted: float
    items: int

    def said(self) -> str:
        """ "3.1 spreads (2.8 to 3.6)", or that no size is caught."""
        if math.isinf(self.smallest):
            return f"not even {self.sizes[-1]:.3g} {self.unit}"
        low, high = (f"{v:.3g}" if math.isfinite(v) else "beyond the largest" for v in self.interval)
        return f"{self.smallest:.3g} {self.unit} ({low} to {high})"


def detection_curve(
    caught: ArrayLike,
    sizes: ArrayLike,
    *,
    kind: str,
    unit: str,
    wanted: float = 0.9,
    groups: ArrayLike | None = None,
    random_state: int = 0,
) -> DetectionCurve:
    """The curve of alarms (n, s) of n items at s ascending sizes, the first of which is 0.

    Raises
    ------
    InputError
        If there are fewer than two items (or groups), shapes do not fit, or sizes do not ascend from 0.
    """
    hits, at = np.asarray(caught, dtype=bool), np.asarray(sizes, dtype=np.float64)
    if hits.ndim != 2 or hits.shape[1] != len(at) or at[0] != 0 or not (np.diff(at) > 0).all():
        raise InputError(
            f"caught has shape {hits.shape} for {len(at)} sizes; give (items, sizes), sizes from 0 upwards"
        )
    if not 0 < wanted < 1:
        raise InputError(f"wanted is {wanted}; give the chance of being caught as a share, such as 0.9")
    counts, members = _per_group(hits, groups)
    if len(counts) < 2:
        raise InputError("there is one item or group only; an interval needs at least two to resample")
    share = rising(counts.sum(axis=0, keepdims=True) / members.sum())[0]
    picks = np.random.default_rng(random_state).multinomial(len(counts), [1 / len(counts)] * len(counts), RESAMPLES)
    draws = rising((picks @ counts) / (picks @ members)[:, None])  # (RESAMPLES, s)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    edges = np.sort(first_size(draws, at, wanted))
    limits = (float(edges[int(0.025 * RESAMPLES)]), float(edges[int(0.975 * RESAMPLES)]))
    smallest = float(first_size(share[None], at, wanted)[0])
    return DetectionCurve(kind, unit, at, share, low, high, smallest, limits, wanted, len(hits))


def rising(shares: Vector) -> Vector:
    """Isotonic regression of each row of (r, s), equal weights: max over i <= j of min over k >= j of mean(i..k)."""
    s = shares.shape[1]
    sums = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    best = np.full(shares.shape, -np.inf)
    for i in range(s):
        means = (sums[:, i + 1 :] - sums[:, [i]]) / np.arange(1, s - i + 1)  # of i..k, k = i..s-1
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]  # over k >= j, j = i..s-1
        best[:, i:] = np.maximum(best[:, i:], least)
    return best


def first_size(shares: Vector, sizes: Vector, wanted: float) -> Vector:
    """Where each rising row of (r, s) first reaches `wanted`, straight between sizes; inf where it never does."""
    reached = shares >= wanted - 1e-12
    k = reached.argmax(axis=1)
    before = np.maximum(k - 1, 0)
    row = np.arange(len(shares))
    rise = shares[row, k] - shares[row, before]
    part = np.where(rise > 0, (wanted - shares[row, before]) / np.where(rise > 0, rise, 1), 1.0)
    size = np.where(k == 0, sizes[0], sizes[before] + part * (sizes[k] - sizes[before]))
    return np.where(reached.any(axis=1), size, np.inf)


@dataclass(frozen=True)
class Detectability:
    """What a detector would catch.

    Attributes
    ----------
    curves : list of DetectionCurve
        One for each kind of damage.
    places : list of DetectionCurve
        One for each column, channel or region damaged alone.
    name, data : str
        Of the model and of the normal items, for the page.
    alarm_rate : float
    notes : list of str
    """

    curves: list[DetectionCurve]
    places: list[DetectionCurve]
    name: str
    data: str
    alarm_rate: float
    notes: list[str]

    def study(self) -> Study:
        """The page: what is caught, the curves, and where the detector is blind."""
        wanted = self.curves[0].wanted
        first, *others = (f"{curve.kind}: {curve.said()}" for curve in self.curves)
        answer = f"Caught in {wanted:.0%} of cases, at the smallest: {'; '.join([first, *others])}"
        blocks: list[Block] = []
        for unit in dict.fromkeys(curve.unit for curve in self.curves):
            alike = [curve for curve in self.curves if curve.unit == unit]
            blocks.append(
                Lines(
                    "How often damage is caught",
                    f"size in {unit}",
                    "share caught",
                    {c.kind: (c.sizes, c.share) for c in alike},
                    {c.kind: (c.low, c.high) for c in alike},
                    {f"{wanted:.0%}": wanted},
                )
            )
        blocks.append(_table("The smallest damage caught", "damage", self.curves))
        if self.places:
            ordered = sorted(self.places, key=lambda curve: -curve.smallest)
            drawn = [c for c in ordered if math.isfinite(c.smallest)][:20]
            rows = [(c.kind, c.smallest, *c.interval) for c in drawn]
            blocks.append(Intervals("Where the detector sees least", f"smallest {self.places[0].unit} caught", rows))
            blocks.append(_table("Each place damaged alone", "where", ordered))
        return Study(f"What would `{self.name}` catch? Damage done to {self.data}", answer, blocks, self.notes)


def _table(caption: str, what: str, curves: Sequence[DetectionCurve]) -> Table:
    head = [what, "smallest caught", "from", "to", "unit", "alarms undamaged", "caught at the largest"]
    rows = [
        (
            c.kind,
            _or_none(c.smallest),
            _or_none(c.interval[0]),
            _or_none(c.interval[1]),
            c.unit,
            float(c.share[0]),
            float(c.share[-1]),
        )
        for c in curves
    ]
    return Table(caption, head, rows)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _per_group(hits: Caught, groups: ArrayLike | None) -> tuple[Vector, Vector]:
    """How many items of each group are caught at each size (g, s), and how many it has (g,)."""
    if groups is None:
        return hits.astype(np.float64), np.ones(len(hits))
    labels = np.asarray(groups)
    if labels.shape != (len(hits),):
        raise InputError(f"groups has shape {labels.shape} for {len(hits)} items; give one label per item")
    _, label = np.unique(labels, return_inverse=True)
    counts = np.zeros((label.max() + 1, hits.shape[1]))
    np.add.at(counts, label, hits)
    return counts, np.bincount(label).astype(np.float64)
