"""All that is reported of the scores of a series, each figure with its interval, its chance level and its ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError
from unusual.evaluate.affiliation import best_affiliation_f1
from unusual.evaluate.budget import event_recall_at
from unusual.evaluate.chance import AgainstChance, between, perfect_scores, shifts
from unusual.evaluate.checks import Labels, Vector, labels_and_scores
from unusual.evaluate.cuts import OPTIMISTIC
from unusual.evaluate.events import best_event_f1, best_point_adjusted_f1
from unusual.evaluate.nab import nab_score, probation
from unusual.evaluate.ranges import best_range_f1
from unusual.evaluate.ranking import Ranking
from unusual.evaluate.runs import Index, event_pieces, segments
from unusual.evaluate.volume import vus
from unusual.study import Block, Intervals, Study, Table

EDGES = (0.025, 0.975)
FEW_EVENTS = 10
ON_A_BUDGET = "events found at 1 alarm a day"
NAB = "NAB score"
ADJUSTED = "F1 point-adjusted, best"
MAIN = "VUS-PR"


@dataclass(frozen=True)
class SeriesFigure:
    """One metric: its value, the interval it lies in by resampling (NaN where none is known), chance and ceiling."""

    metric: str
    value: float
    low: float
    high: float
    against: AgainstChance


@dataclass(frozen=True)
class SeriesSummary:
    """Every metric of the scores of one series.

    Attributes
    ----------
    figures : tuple of SeriesFigure
    rows, events : int
    share : float
        Of rows that are anomalous.
    window : int
        Widest window of the volume under the surface.
    notes : tuple of str
        What limits the figures.
    """

    figures: tuple[SeriesFigure, ...]
    rows: int
    events: int
    share: float
    window: int
    notes: tuple[str, ...]

    def __getitem__(self, metric: str) -> SeriesFigure:
        """The figure of a metric by its name, such as "VUS-PR"."""
        return next(figure for figure in self.figures if figure.metric == metric)

    def study(self) -> Study:
        """All figures in a table, those from 0 to 1 as a chart on the way from chance to ceiling."""
        main = self[MAIN]
        answer = (
            f"VUS-PR is {main.value:.3f}, where chance gives {main.against.chance:.3f} and a perfect score "
            f"{main.against.ceiling:.3f} ({self.events} events, {self.share:.1%} of {self.rows:,} rows)."
        )
        head = ("metric", "value", "low", "high", "chance", "ceiling", "rescaled", "p")
        rows = [
            (
                f.metric,
                f.value,
                f.low,
                f.high,
                f.against.chance,
                f.against.ceiling,
                f.against.rescaled,
                f.against.p_value,
            )
            for f in self.figures
        ]
        blocks: list[Block] = [Table("Every figure, its chance level and its ceiling", head, rows)]
        bars = [(f.metric, f.value, f.low, f.high) for f in self.figures if not math.isnan(f.low)]
        if bars:
            blocks.append(Intervals("Figures and the intervals they lie in", "figure", bars))
        return Study("Scores of a series", answer, blocks, self.notes)


def series_summary(
    labels: ArrayLike,
    scores: ArrayLike,
    steps_per_day: float | None = None,
    window: int | None = None,
    resamples: int = 200,
    draws: int = 100,
    random_state: int = 0,
) -> SeriesSummary:
    """Metrics of ranking, ranges, events and alarms, with intervals, chance level and ceiling.

    The interval is a bootstrap over events: the series is cut half-way between events, and the pieces, an event with
    the rows around it, are drawn with replacement and put one after the other. Chance shifts the scores round the
    series.

    Parameters
    ----------
    labels, scores : (n,) of 0 and 1, and finite numbers
    steps_per_day : float, optional
        Rows in a day; without it nothing is said of alarms a day.
    window : int, optional
        Widest window of VUS, such as the `default_window` of the values; else the median length of the events.
    resamples, draws : int
        How often events are resampled (0: no intervals), and scores are shifted.
    random_state : int

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold one class, NaN or infinity, or an option is out of range.
    """
    y, s = labels_and_scores(labels, scores)
    if resamples < 0:
        raise InputError(f"resamples is {resamples}; give 0 for no intervals, or some hundreds")
    events = segments(y)
    widest = int(np.median(np.diff(events, axis=1))) if window is None else window
    with_nab = bool((events[:, 1] > probation(len(y))).any())
    ways = _Ways(widest, steps_per_day, with_nab)
    value, tied, untied = (ways.figures(y, one) for one in (s, *perfect_scores(y, s)))
    moved = [ways.figures(y, np.roll(s, k)) for k in shifts(len(y), draws, random_state)]
    drawn = _resampled(ways, y, s, events, resamples, random_state)
    figures = []
    for name in value:
        chance = np.array([one[name] for one in moved])
        low, high = np.quantile([one[name] for one in drawn], EDGES) if drawn and name != NAB else (math.nan, math.nan)
        against = between(value[name], chance, tied[name], untied[name])
        figures.append(SeriesFigure(name, value[name], float(low), float(high), against))
    notes = _notes(s, events, len(drawn), window is None, ways)
    return SeriesSummary(tuple(figures), len(y), len(events), float(y.mean()), widest, notes)


@dataclass(frozen=True)
class _Ways:
    """How a series is judged."""

    window: int
    steps_per_day: float | None
    with_nab: bool

    def figures(self, y: Labels, s: Vector) -> dict[str, float]:
        """Every metric by its name."""
        window = min(self.window, len(y))
        ranking, volume = Ranking.of(y, s), vus(y, s, window)
        found = {
            "AUROC": float(ranking.auroc()),
            "average precision": float(ranking.average_precision()),
            "VUS-ROC": volume.roc,
            MAIN: volume.pr,
            "VUS-PR, every threshold": vus(y, s, window, None).pr,
            "F1 of points, best": float(ranking.f1_max()),
            "F1 of events, best": best_event_f1(y, s).value,
            "F1 of ranges, best": best_range_f1(y, s).value,
            "F1 by affiliation, best": best_affiliation_f1(y, s).value,
            ADJUSTED: best_point_adjusted_f1(y, s).value,
        }
        if self.steps_per_day is not None:
            found[ON_A_BUDGET] = event_recall_at(y, s, 1.0, self.steps_per_day).recall
        if self.with_nab:
            found[NAB] = nab_score(y, s).score
        return found


def _resampled(
    ways: _Ways, y: Labels, s: Vector, events: Index, resamples: int, random_state: int
) -> list[dict[str, float]]:
    """The figures of series put together from pieces drawn with replacement, each an event with the rows around it."""
    if len(events) < 2:
        return []
    pieces = event_pieces(y)
    rng = np.random.default_rng(random_state)
    rows = [np.concatenate([pieces[i] for i in rng.integers(len(pieces), size=len(pieces))]) for _ in range(resamples)]
    without_nab = replace(ways, with_nab=False)  # its probation hangs on the order of the pieces
    return [without_nab.figures(y[row], s[row]) for row in rows if not y[row].all()]


def _notes(s: Vector, events: Index, drawn: int, chosen: bool, ways: _Ways) -> tuple[str, ...]:
    """What limits the figures, in sentences."""
    several, count = drawn > 0, len(events)
    notes = {
        f"Intervals (95 %) draw the {count} events, each with the rows around it, with replacement {drawn} times; they "
        "say how much hangs on which events there were.": several,
        "There is one event only, so that no interval can be given: a second might be found or missed.": count == 1,
        f"With {count} events the intervals are rough, and rather too narrow.": several and count < FEW_EVENTS,
        "The scores are constant: they rank nothing, and every figure is that of chance.": bool(np.ptp(s) == 0),
        "An event begins at the first row: no detector can see it begin.": bool(events[0, 0] == 0),
        "No event reaches past the probation of the NAB score, which is left out.": not ways.with_nab,
        "Without steps_per_day nothing is said of alarms a day.": ways.steps_per_day is None,
        f"The window of VUS is the median length of the events, {ways.window} rows; the period of the values "
        "(`default_window`) is what others take.": chosen,
        OPTIMISTIC.replace(
            "The threshold was", "Thresholds of the F1 values, of the NAB score and of alarms were"
        ): True,
        "The point-adjusted F1 rewards chance: read it only against its chance level.": True,
    }
    return tuple(sentence for sentence, holds in notes.items() if holds)
