"""How much explanations of the same items change with harmless settings: the figures, and the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unusual.parts.bootstrap import Interval, bootstrap_interval
from unusual.study import Block, Distribution, Intervals, Study, Table

Vector = NDArray[np.float64]
Stack = NDArray[np.float64]

STABLE, CAUTION = 0.9, 0.7
MAIN = "rank correlation"


class Spread(NamedTuple):
    """How a measure of accuracy varies over settings.

    Attributes
    ----------
    by_setting : (k,) array
        Its mean over the items under each setting.
    of_items, of_mean : float
        Standard deviation over settings: of single items, on average, and of the mean over items.
    """

    by_setting: Vector
    of_items: float
    of_mean: float

    @property
    def ratio(self) -> float:
        """How many times more single items vary than their mean, which is what a table of results shows."""
        return self.of_items / self.of_mean if self.of_mean > 0 else float("nan")


@dataclass(frozen=True)
class Stability:
    """Explanations under k settings, compared.

    Attributes
    ----------
    settings : sequence of str
        The first is the default.
    similarity : dict of str to (n, k, k) array
        Between the explanations of an item, by rank correlation, correlation, and overlap of the leading parts or, for
        maps, structure (SSIM) and outlines (HOG); NaN where an explanation is constant.
    null : float
        Mean rank correlation between explanations of different items under the default; NaN for one item.
    ceiling : float
        The same between two runs with the default settings: 1 unless something is drawn beyond them.
    accuracy : dict of str to (k, n) array
        Measures of accuracy of each explanation, where there is something to measure by.
    notes : sequence of str
    values : (k, n, ...) array
        The explanations themselves.
    """

    settings: Sequence[str]
    similarity: Mapping[str, Stack]
    null: float
    ceiling: float
    accuracy: Mapping[str, Vector] = field(default_factory=dict)
    notes: Sequence[str] = ()
    values: Stack = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def per_item(self) -> Vector:
        """Mean rank correlation of the pairs of settings, for each item (n,); NaN where none is defined."""
        return _pair_mean(self.similarity[MAIN])

    @property
    def index(self) -> float:
        """Its mean over the items: the stability index; NaN if all explanations are constant."""
        return _mean(self.per_item)

    @property
    def interval(self) -> Interval | None:
        """95 % interval of the index from resampled items; None for fewer than two."""
        known = self.per_item[~np.isnan(self.per_item)]
        return bootstrap_interval(known, method="percentile") if len(known) > 1 else None

    @property
    def verdict(self) -> str:
        """Stable from 0.9, caution from 0.7, below that unstable; undefined for constant explanations."""
        if np.isnan(self.index):
            return "undefined"
        return "stable" if self.index >= STABLE else "caution" if self.index >= CAUTION else "unstable"

    def spread(self, measure: str) -> Spread:
        """How an accuracy varies over settings, by items where it is known under all of them."""
        values = self.accuracy[measure]
        known = values[:, ~np.isnan(values).any(axis=0)]  # (k, n)
        if not known.size:
            return Spread(np.full(len(values), np.nan), float("nan"), float("nan"))
        means = known.mean(axis=1)
        return Spread(means, float(known.std(axis=0, ddof=1).mean()), float(means.std(ddof=1)))

    def study(self) -> Study:
        """The figures as one reads them."""
        blocks: list[Block] = [self._levels(), self._measures()]
        if len(self.per_item) > 1:
            chart = "Agreement of the settings on each item; below 0.7 an explanation is not to be trusted"
            blocks.append(
                Distribution(chart, "mean rank correlation", self.per_item[~np.isnan(self.per_item)], CAUTION)
            )
        if self.accuracy:
            blocks.append(self._accuracies())
        return Study("Does the explanation depend on its settings?", self.answer, blocks, self.notes)

    @property
    def answer(self) -> str:
        """The verdict in a sentence."""
        if self.verdict == "undefined":
            return "Undefined: the explanations are constant, so there is nothing to compare."
        said = {
            "stable": "Stable: the order of contributions hardly changes",
            "caution": "Caution: the order of contributions changes",
            "unstable": "Unstable: the order of contributions is largely a matter of the settings",
        }[self.verdict]
        between = "" if np.isnan(self.null) else f"; explanations of different items correlate by {self.null:.2f}"
        shared = [f"; {name}: {_mean(_pair_mean(S)):.0%}" for name, S in self.similarity.items() if "overlap" in name]
        figures = f"rank correlation {self.index:.2f} over {len(self.settings)} settings{''.join(shared)}{between}"
        return f"{said} ({figures})."

    def _levels(self) -> Intervals:
        found = self.interval
        low, high = (self.index, self.index) if found is None else (found.low, found.high)
        rows = [
            ("same settings again", self.ceiling, self.ceiling, self.ceiling),
            ("other settings", self.index, low, high),
            ("other items", self.null, self.null, self.null),
        ]
        known = [row for row in rows if not np.isnan(row[1])]
        return Intervals("Similarity of explanations, against ceiling and null", MAIN, known, STABLE)

    def _measures(self) -> Table:
        """Similarity of each setting to the default, by each measure."""
        head = ("setting", *(f"{name}, mean (sd)" for name in self.similarity))
        rows = [
            (name, *(_with_spread(S[:, 0, k]) for S in self.similarity.values()))
            for k, name in enumerate(self.settings)
            if k
        ]
        pairs = [_with_spread(_pair_mean(S)) for S in self.similarity.values()]
        return Table("Similarity to the default, and of all pairs", head, [*rows, ("all pairs", *pairs)])

    def _accuracies(self) -> Table:
        head = ("measure", *self.settings, "sd of one item", "sd of the mean", "ratio")
        found = {name: self.spread(name) for name in self.accuracy}
        rows = [
            (name, *(_cell(v) for v in (*s.by_setting, s.of_items, s.of_mean, s.ratio))) for name, s in found.items()
        ]
        return Table("Accuracy under each setting: means hide what happens to single items", head, rows)


def _pair_mean(similarity: Stack) -> Vector:
    """Mean (n,) over the pairs of settings of similarities (n, k, k), those that are defined."""
    i, j = np.triu_indices(similarity.shape[1], 1)
    pairs = similarity[:, i, j]
    known = ~np.isnan(pairs)
    return np.where(
        known.any(axis=1), np.where(known, pairs, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan
    )


def _mean(values: Vector) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _with_spread(values: Vector) -> str:
    known = values[~np.isnan(values)]
    return f"{known.mean():.2f} ({known.std():.2f})" if len(known) else "undefined"


def _cell(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
