"""Stratified resamples of items or groups, as counts in the tie groups of a ranking.

The numbers of anomalous and normal items are kept, and so are those of groups that hold one class, the other, or both:
every resample has both classes. Source: Davison, Hinkley, Bootstrap Methods and Their Application, 1997.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from unusual.errors import InputError
from unusual.evaluate.ranking import Ranking

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
Labels = NDArray[np.bool_]

BLOCK_VALUES = 4_000_000  # counts held at once: 32 MB in float64
COARSE = 300  # cells per class for AUROC, of whose variance under 1 / COARSE^2 is then lost
FINE, TOP = 1000, 1000  # cells per class, and foremost tie groups kept as they are, for the other metrics
MOST_LEFT_OUT = 400  # units left out in turn, spread over the strata, for the skewness of a metric


@dataclass(frozen=True)
class Units:
    """What is drawn: units that each stand for `many` alike (u,), within strata (u,)."""

    many: Index
    stratum: Index

    def draws(self, resamples: int, width: int, rng: np.random.Generator) -> Iterator[Vector]:
        """How often each unit is drawn, in blocks (r, u) such that r `width` values fit into memory."""
        block = max(1, BLOCK_VALUES // max(width, len(self.many)))
        for start in range(0, resamples, block):
            drawn = np.empty((min(block, resamples - start), len(self.many)))
            for stratum in np.unique(self.stratum):
                members = np.flatnonzero(self.stratum == stratum)
                drawn[:, members] = _multinomial(self.many[members], len(drawn), rng)
            yield drawn

    def left_out(self) -> Index:
        """Units to leave out in turn: all, or some of each stratum, evenly spaced."""
        chosen = []
        for stratum in np.unique(self.stratum):
            members = np.flatnonzero(self.stratum == stratum)
            some = max(2, MOST_LEFT_OUT * len(members) // len(self.many))
            chosen.append(members[np.unique(np.linspace(0, len(members) - 1, some).round().astype(np.int64))])
        return np.concatenate(chosen)

    def acceleration(self, chosen: Index, values: Vector) -> float:
        """Efron's acceleration from the metric without each of the chosen units (j,)."""
        second = third = 0.0
        for stratum in np.unique(self.stratum):
            here = self.stratum[chosen] == stratum
            weight = self.many[chosen[here]] * (
                self.many[self.stratum == stratum].sum() / self.many[chosen[here]].sum()
            )
            gap = np.average(values[here], weights=weight) - values[here]
            second += float(weight @ gap**2)
            third += float(weight @ gap**3)
        return third / (6 * second**1.5) if second > 0 else 0.0


@dataclass(frozen=True)
class Counted:
    """A ranking as counts: anomalous and normal items of each unit in each tie group, or cell of them (u, k)."""

    true: Any  # sparse (u, k)
    false: Any
    within: Vector

    def ranking(self, drawn: Vector) -> Ranking:
        """The rankings of resamples in which the units are drawn so often (r, u)."""
        true, false = (np.cumsum(drawn @ counts, axis=-1) for counts in (self.true, self.false))
        return Ranking(-np.arange(len(self.within), dtype=np.float64), true, false, self.within)


def rarest(y: Labels, groups: NDArray[Any] | None) -> tuple[str, int]:
    """The class that occurs in the fewest items, or groups of them (n,), and in how many."""
    classes = {"anomalous": y, "normal": ~y}
    found = {name: int(of.sum()) if groups is None else len(np.unique(groups[of])) for name, of in classes.items()}
    return min(found.items(), key=lambda pair: pair[1])


def groups_of(y: Labels, groups: ArrayLike | None) -> NDArray[Any] | None:
    """Labels of related items as an array (n,), or None.

    Raises
    ------
    InputError
        If there is not one per item.
    """
    if groups is None:
        return None
    labels = np.asarray(groups)
    if labels.shape != y.shape:
        raise InputError(f"groups has shape {labels.shape} for {len(y):,} items; give one label per item")
    return labels


def units_of(y: Labels, groups: ArrayLike | None, cells: list[Index]) -> tuple[Units, Index]:
    """Units and the number of the unit of each item (n,): groups, or items of one class in the same cells.

    Raises
    ------
    InputError
        If groups has another length, or a class occurs in one unit only.
    """
    labels = groups_of(y, groups)
    name, count = rarest(y, labels)
    if count < 2:
        what = "item is" if labels is None else "group holds all that is"
        raise InputError(f"one {what} {name}; an interval needs at least two to resample")
    if labels is not None:
        unit = np.unique(labels, return_inverse=True)[1]
        stratum = (np.bincount(unit, y) > 0) + 2 * (np.bincount(unit, ~y) > 0) - 1
        return Units(np.ones(len(stratum), dtype=np.int64), stratum.astype(np.int64)), unit
    unit = y.astype(np.int64)
    for cell in cells:
        unit = np.unique(unit * (int(cell.max()) + 1) + cell, return_inverse=True)[1]
    stratum = np.zeros(int(unit.max()) + 1, dtype=np.int64)
    stratum[unit] = y
    return Units(np.bincount(unit), stratum), unit


def cells_of(ranking: Ranking, most: int, top: int) -> tuple[Index, Vector]:
    """Cell of each tie group (k,) and the chance `within` each cell (c,) that the anomalous item stands above.

    Up to 2 `most` + `top` groups are cells of their own. Of more, the first `top` are, and so are those that hold more
    than 1 / most of a class; the others are pooled with neighbours into cells of less than 2 / most of either class.
    """
    p, q = np.diff(ranking.true, prepend=0), np.diff(ranking.false, prepend=0)
    new = np.ones(len(p), dtype=bool)
    if len(p) > 2 * most + top:
        alone = (p > p.sum() / most) | (q > q.sum() / most) | (np.arange(len(p)) < top)
        at = np.floor(most * (ranking.true - p) / p.sum()) + np.floor(most * (ranking.false - q) / q.sum())
        new = (np.diff(at, prepend=-1) != 0) | alone | np.append(False, alone[:-1])
    cell = np.cumsum(new) - 1
    above = ranking.true - p - (ranking.true - p)[new][cell]  # anomalous items of the same cell above each group
    pairs = np.bincount(cell, p) * np.bincount(cell, q)
    ordered = np.bincount(cell, q * (above + p / 2))
    return cell, np.divide(ordered, pairs, out=np.full(len(pairs), 0.5), where=pairs > 0)


def counted(y: Labels, item_cell: Index, within: Vector, units: Units, unit: Index) -> Counted:
    """Counts of units in cells; `item_cell` and `unit` (n,) say where each item belongs."""

    def tally(rows: Labels) -> Any:
        each = 1 / units.many[unit[rows]]
        return sparse.csr_array((each, (unit[rows], item_cell[rows])), shape=(len(units.many), len(within)))

    return Counted(tally(y), tally(~y), within)


def _multinomial(many: Index, resamples: int, rng: np.random.Generator) -> NDArray[Any]:
    """Counts (r, u) of as many draws as there are, by whichever of two ways draws fewer numbers."""
    total = int(many.sum())
    if total > 4 * len(many):
        return rng.multinomial(total, many / total, size=resamples)
    counts = np.empty((resamples, len(many)))
    of_draw = None if total == len(many) else np.repeat(np.arange(len(many)), many)
    for row in counts:
        picks = rng.integers(total, size=total, dtype=np.int32)
        row[:] = np.bincount(picks if of_draw is None else of_draw[picks], minlength=len(many))
    return counts
