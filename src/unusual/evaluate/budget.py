"""How many events are found when only so many alarms a day may be raised.

An alarm is a run of predicted rows; runs with no more than `cool_down` rows between them are one alarm. An event is
found if a row of it, or of the `early` rows before it, is predicted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import maximum_filter1d

from unusual.errors import InputError
from unusual.evaluate.alarms import alarm_runs, days_of, first_rows, opened
from unusual.evaluate.checks import Labels, Vector
from unusual.evaluate.runs import segments
from unusual.evaluate.several import OneOrMore, each_series
from unusual.study import Study, Table


@dataclass(frozen=True)
class EventRecall:
    """Events found by the lowest threshold that keeps a budget of alarms.

    Attributes
    ----------
    recall : float
        Share of all events found (micro); `macro` is the mean share over series.
    macro : float
    by_series : tuple of float, NaN for a series without an event
    threshold : float
        Alarms are rows with score > threshold, the same for all series.
    alarms_per_day, false_alarms_per_day : float
        Reached at that threshold; a false alarm touches no event.
    median_delay : float
        In rows, over the events found; NaN if none is.
    events : int
    budget : float
    """

    recall: float
    macro: float
    by_series: tuple[float, ...]
    threshold: float
    alarms_per_day: float
    false_alarms_per_day: float
    median_delay: float
    events: int
    budget: float

    def study(self) -> Study:
        """What a person on duty would see at this budget."""
        rows = [
            ("events found", self.recall),
            ("events found, mean over series", self.macro),
            ("alarms a day", self.alarms_per_day),
            ("false alarms a day", self.false_alarms_per_day),
            ("median delay (rows)", self.median_delay),
            ("threshold", self.threshold),
        ]
        table = Table("At the lowest threshold that keeps the budget", ("what", "value"), rows)
        answer = f"{self.recall:.0%} of {self.events} events are found on a budget of {self.budget:g} a day for alarms."
        return Study("Events found on a budget", answer, [table], ["The threshold was set on these very series."])


def event_recall_at(
    labels: OneOrMore,
    scores: OneOrMore,
    per_day: float = 1.0,
    steps_per_day: float | None = None,
    time: OneOrMore | None = None,
    cool_down: int = 0,
    early: int = 0,
) -> EventRecall:
    """Share of events found when at most `per_day` alarms a day are raised, all series under one threshold.

    The threshold is lowered from the highest score until one more step would break the budget. It stops there, though
    a far lower one may raise fewer alarms again, since all that it flags runs together; the lowest score is never
    flagged. A score that stays high raises one long alarm that finds whatever lies under it: compare with chance.

    Parameters
    ----------
    labels, scores : (n,) of 0 and 1, and numbers; or one of each per series
    per_day : float
        Alarms a day, true and false, that one can look at.
    steps_per_day : float, or time : (n,) datetime64 or seconds, as many as there are series
        How long a day is.
    cool_down, early : int
        Rows; see above.

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold no event or NaN, or the length of a day is not known.
    """
    if not per_day > 0:
        raise InputError(f"per_day is {per_day}; give the number of alarms a day one can look at, above 0")
    pairs = each_series(labels, scores)
    stamps: list[ArrayLike | None] = [None] * len(pairs)
    if time is not None:
        stamps = [time] if np.ndim(scores[0]) == 0 else list(time)
    if len(stamps) != len(pairs):
        raise InputError(f"there are time stamps of {len(stamps)} series and scores of {len(pairs)}; give one of each")
    days = math.fsum(days_of(len(y), steps_per_day, t) for (y, _), t in zip(pairs, stamps, strict=True))
    threshold = _lowest_threshold([s for _, s in pairs], per_day * days, cool_down)
    seen = [_seen(y, s > threshold, cool_down, early) for y, s in pairs]
    found = np.concatenate([one.found for one in seen])
    delays = np.concatenate([one.delays for one in seen])
    shares = tuple(float(one.found.mean()) if len(one.found) else math.nan for one in seen)
    return EventRecall(
        recall=float(found.mean()),
        macro=float(np.nanmean(shares)),
        by_series=shares,
        threshold=threshold,
        alarms_per_day=sum(one.alarms for one in seen) / days,
        false_alarms_per_day=sum(one.false_alarms for one in seen) / days,
        median_delay=float(np.median(delays)) if len(delays) else math.nan,
        events=len(found),
        budget=per_day,
    )


@dataclass(frozen=True)
class _Seen:
    """Of one series: which events are found (S,), how late those are, and how many alarms there are."""

    found: Labels
    delays: Vector
    alarms: int
    false_alarms: int


def _seen(y: Labels, p: Labels, cool_down: int, early: int) -> _Seen:
    if not p.any():
        return _Seen(np.zeros(len(segments(y)), dtype=bool), np.empty(0), 0, 0)
    events, raised = segments(y), alarm_runs(p, cool_down)
    begin = opened(events, early)
    first, found = first_rows(p, events, begin)
    next_event = np.searchsorted(events[:, 1], raised[:, 0], side="right")  # the first that ends after the alarm starts
    false = raised[:, 1] <= np.append(begin, len(y))[next_event]
    return _Seen(found, (first - events[:, 0])[found].astype(np.float64), len(raised), int(false.sum()))


def _lowest_threshold(series: list[Vector], most: float, cool_down: int) -> float:
    """The lowest score t for which no t' >= t has more than `most` runs of scores > t', over all series.

    A row starts an alarm at cuts above the highest of the cool_down + 1 scores before it, up to its own score.
    """
    if cool_down < 0:
        raise InputError(
            f"cool_down is {cool_down}; give the number of rows, 0 or more, across which alarms are joined"
        )
    own = np.sort(np.concatenate(series))
    joined = np.sort(np.concatenate([np.minimum(s, _highest_before(s, cool_down + 1)) for s in series]))
    cuts = np.unique(own)[::-1]
    raised = np.searchsorted(joined, cuts, side="left") - np.searchsorted(own, cuts, side="left")  # at scores >= cut
    over = np.flatnonzero(raised > most * (1 + 1e-12))
    kept = int(over[0]) if len(over) else len(cuts)  # how many of the highest cuts are within the budget
    return float(cuts[min(kept, len(cuts) - 1)])


def _highest_before(s: Vector, rows: int) -> Vector:
    """The highest of the `rows` scores before each one, -inf where there are none."""
    rows = min(rows, len(s))
    framed = np.concatenate([np.full(rows, -np.inf), s])
    return np.asarray(maximum_filter1d(framed, rows, origin=(rows - 1) // 2)[rows - 1 : -1])
