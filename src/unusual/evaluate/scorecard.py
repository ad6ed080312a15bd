"""All metrics of a ranking on one page: each with its interval, its chance level, and what to beware of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.evaluate.bootstrapped import formula_of
from unusual.evaluate.checks import labels_and_scores
from unusual.evaluate.intervals import metric_intervals
from unusual.evaluate.metrics import (
    aupr,
    auroc,
    average_precision,
    f1_max,
    fpr_at_recall,
    max_significance_improvement,
    partial_auc,
    precision_at_n,
)
from unusual.evaluate.ranking import Ranking
from unusual.evaluate.resamples import Labels, groups_of, rarest
from unusual.parts.bootstrap import Interval
from unusual.study import Intervals, Lines, Study, Table

Vector = NDArray[np.float64]

FEW = 10  # anomalies under which every interval is too short
ENOUGH_FOR_95 = 100  # anomalies under which a recall of 95 % hangs on five of them or fewer
MOST_POINTS = 400  # of a curve in a chart
SHUFFLED_LABELS = 4_000_000  # as many as are drawn for the chance level, in 20 to 1,000 shuffles
SIGNIFICANCE = "max significance improvement"

METRICS: dict[str, Callable[..., float]] = {
    "AUROC": auroc,
    "partial AUC (FPR ≤ 0.1, McClish)": partial(partial_auc, max_fpr=0.1, convention="mcclish"),
    "average precision": average_precision,
    "AUPR, anomalies positive (trapezoid)": aupr,
    "AUPR, normal positive (trapezoid)": partial(aupr, positive="normal"),
    "FPR at 95 % recall of anomalies": partial(fpr_at_recall, positive="anomalous"),
    "anomalies passed at 95 % recall of normal": partial(fpr_at_recall, positive="normal"),
    "F1 max (oracle threshold)": f1_max,
    "precision at n": precision_at_n,
    SIGNIFICANCE: max_significance_improvement,
}
LOWER_IS_BETTER = ("FPR at 95 % recall of anomalies", "anomalies passed at 95 % recall of normal")


@dataclass(frozen=True)
class Figure:
    """A metric of one ranking: its value, what shuffled labels give on average, and an interval where there is one."""

    name: str
    value: float
    chance: float
    interval: Interval | None


@dataclass(frozen=True)
class Scorecard:
    """All metrics of one ranking.

    Attributes
    ----------
    figures : tuple of Figure
    items, anomalous : int
    groups : int or None
        How many groups were resampled, None where items were.
    notes : tuple of str
        What limits the figures.
    ranking : Ranking
    """

    figures: tuple[Figure, ...]
    items: int
    anomalous: int
    groups: int | None
    notes: tuple[str, ...]
    ranking: Ranking = field(repr=False)

    def __getitem__(self, name: str) -> Figure:
        return {figure.name: figure for figure in self.figures}[name]

    def study(self) -> Study:
        """The ranking in one sentence, then the figures and both curves."""
        first = self.figures[0]
        i = first.interval
        sure = f" ({100 * i.level:g} % interval {i.low:.1%} to {i.high:.1%})" if i else ""
        answer = (
            f"An anomaly scores above a normal item in {first.value:.1%} of all pairs{sure}; 50 % is chance. "
            f"{self.anomalous:,} of {self.items:,} items are anomalous."
        )
        rows = [
            [f.name, f.value, *((f.interval.low, f.interval.high) if f.interval else (None, None)), f.chance,
             "lower" if f.name in LOWER_IS_BETTER else "higher"]
            for f in self.figures
        ]  # fmt: skip
        table = Table("All figures", ["metric", "value", "low", "high", "by chance", "better"], rows)
        known = [(f.name, f.value, f.interval.low, f.interval.high) for f in self.figures if f.interval]
        shares = [row for row in known if row[0] != SIGNIFICANCE]
        chart = [Intervals("Figures between 0 and 1 with their intervals", "value", shares)] if shares else []
        return Study("How good is the ranking?", answer, [*chart, table, *self._curves()], self.notes)

    def _curves(self) -> list[Lines]:
        r = self.ranking
        some = np.unique(np.linspace(0, len(r.thresholds) - 1, MOST_POINTS).round().astype(np.int64))
        fpr, recall = (np.append(0.0, values[some]) for values in (r.fpr, r.recall))
        roc = {"ranking": (fpr, recall), "chance": (np.array([0.0, 1.0]), np.array([0.0, 1.0]))}
        precision = {"ranking": (r.recall[some], r.precision[some])}
        level = {"share of anomalies": self.anomalous / self.items}
        return [
            Lines("ROC curve", "share of normal items flagged", "share of anomalies found", roc),
            Lines("Precision and recall", "share of anomalies found", "precision", precision, levels=level),
        ]


def summary(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    random_state: int = 0,
) -> Scorecard:
    """All metrics of a ranking (n,) with bootstrap intervals and chance levels.

    What is resampled, and the options, are as in `metric_interval`. The chance level is the mean over shuffled labels:
    for maxima over thresholds and for trapezoids it lies well above what the share of anomalies suggests.

    Raises
    ------
    InputError
        If lengths differ, labels are not 0 and 1, only one class occurs, or scores are NaN.
    """
    y, s = labels_and_scores(labels, scores)
    related = groups_of(y, groups)
    ranking = Ranking.of(y, s)
    known = {name: f for name, f in METRICS.items() if name != SIGNIFICANCE or (~y).sum() >= 25}
    chance = _chance(list(known.values()), y, ranking, np.random.default_rng(random_state))
    intervals: list[Interval | None] = [None] * len(known)
    if rarest(y, related)[1] >= 2:
        options: dict[str, Any] = {"level": level, "resamples": resamples, "random_state": random_state}
        intervals = [*metric_intervals(list(known.values()), y, s, related, **options)]
    figures = tuple(
        Figure(name, metric(y, s), float(by_chance), interval)
        for (name, metric), by_chance, interval in zip(known.items(), chance, intervals, strict=True)
    )
    count = None if related is None else len(np.unique(related))
    return Scorecard(figures, len(y), int(y.sum()), count, _notes(y, related, ranking, figures[0]), ranking)


def _chance(metrics: list[Callable[..., float]], y: Labels, ranking: Ranking, rng: np.random.Generator) -> list[float]:
    """Mean of each metric over shuffled labels, the ties of the scores kept; exactly 1/2 for AUROC."""
    sizes = np.diff(ranking.true + ranking.false, prepend=0).astype(np.int64)
    ends = np.cumsum(sizes) - 1
    formulas = [formula_of(metric) for metric in metrics]
    values = []
    for _ in range(int(np.clip(SHUFFLED_LABELS // len(y), 20, 1000))):
        true = np.cumsum(rng.permutation(y), dtype=np.float64)[ends]
        shuffled = Ranking(ranking.thresholds, true, ends + 1.0 - true)
        values.append([float(formula(shuffled)) for formula in formulas if formula])
    return [0.5 if metric is auroc else float(v) for metric, v in zip(metrics, np.mean(values, axis=0), strict=True)]


def _notes(y: Labels, groups: NDArray[Any] | None, ranking: Ranking, area: Figure) -> tuple[str, ...]:
    """Sentences for what a reader of the figures must know."""
    m, n = int(y.sum()), int((~y).sum())
    tied = float(np.diff(ranking.true, prepend=0) @ np.diff(ranking.false, prepend=0)) / (m * n)
    name, fewest = rarest(y, groups)
    unit = "item" if groups is None else "group"
    high = area.interval.high if area.interval else area.value + 0.1
    notes: dict[str, bool] = {
        f"Only {fewest} {unit} is {name}: nothing can be resampled, so there are no intervals.": fewest < 2,
        "All scores are equal: the ranking says nothing.": len(ranking.thresholds) == 1,
        f"In {tied:.0%} of all pairs both scores are equal; they count half.": 0.01 < tied < 1,
        f"There are only {m} anomalies: intervals from so few are too short.": 2 <= m < FEW,
        f"95 % of {m} anomalies hangs on the few with the lowest scores: its interval is rough.": m < ENOUGH_FOR_95,
        "The ranking looks inverted: normal items score higher than anomalies. Check the sign of the score.": high
        < 0.5,
        "Every anomaly scores above every normal item here: resamples cannot show how sure that is.": area.value == 1,
        f"Items were resampled in their {0 if groups is None else len(np.unique(groups)):,} groups.": groups is not None
        and fewest > 1,
        "F1 max uses the best threshold for these very labels; one chosen beforehand does worse.": True,
    }
    return tuple(sentence for sentence, holds in notes.items() if holds)
