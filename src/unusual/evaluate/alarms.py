"""Alarms as one receives them: how many there are a day, and how long after the start of an event the first comes.

An alarm is a run of predicted rows; runs with no more than `cool_down` rows between them are one alarm. An event is
found if a row of it, or of the `early` rows before it, is predicted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector, binary
from unusual.evaluate.runs import Index, labels_and_predictions, merged, segments
from unusual.study import Distribution, Study

DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Delays:
    """How long after its start each event is first predicted.

    Attributes
    ----------
    delays : (S,) float64
        In rows, or seconds where time stamps are given; negative if early, NaN if missed.
    median : float
        Over the events found; NaN if none is.
    missed, early : float
        Share of events never predicted, and share predicted before they start.
    unit : "rows" or "seconds"
    """

    delays: Vector
    median: float
    missed: float
    early: float
    unit: str

    def study(self) -> Study:
        """Median and spread of the delay, and how many events are missed."""
        found = self.delays[~np.isnan(self.delays)]
        answer = (
            f"{len(found)} of {len(self.delays)} events are found, half of them within {self.median:.3g} {self.unit}."
        )
        if not len(found):
            return Study("Detection delay", f"None of {len(self.delays)} events is found.")
        chart = Distribution("Delay of the events that are found", self.unit, found)
        return Study("Detection delay", answer, [chart], ["The median is over events found; read it with the missed."])


def detection_delay(labels: ArrayLike, predictions: ArrayLike, early: int = 0, time: ArrayLike | None = None) -> Delays:
    """Rows or seconds from the start of each event to its first predicted row.

    Parameters
    ----------
    labels, predictions : (n,) of 0 and 1
    early : int
        Rows before an event in which a prediction already finds it; those of an event before do not count.
    time : (n,) datetime64 or seconds, optional, never falling

    Raises
    ------
    InputError
        If lengths differ, values are not 0 and 1, the labels hold one class only, or time falls.
    """
    y, p = labels_and_predictions(labels, predictions)
    events = segments(y)
    first, found = first_rows(p, events, opened(events, early))
    stamps = np.arange(len(y), dtype=np.float64) if time is None else seconds(time, len(y))
    delays = np.where(found, stamps[np.where(found, first, 0)] - stamps[events[:, 0]], np.nan)
    median = float(np.median(delays[found])) if found.any() else math.nan
    soon = float((first < events[:, 0])[found].sum() / len(events))
    return Delays(delays, median, float(1 - found.mean()), soon, "rows" if time is None else "seconds")


def alarm_runs(predictions: ArrayLike, cool_down: int = 0) -> Index:
    """First row and row after the last of each alarm: int64 (k, 2).

    Raises
    ------
    InputError
        If predictions (n,) are not 0 and 1, or cool_down is negative.
    """
    return merged(segments(binary(predictions, "predictions")), cool_down)


def alarms_per_day(
    predictions: ArrayLike,
    steps_per_day: float | None = None,
    time: ArrayLike | None = None,
    cool_down: int = 0,
) -> float:
    """How many alarms a prediction (n,) raises a day, by the number of steps in a day or by time stamps (n,).

    Raises
    ------
    InputError
        If predictions are not 0 and 1, cool_down is negative, or the length of the series in days is not known.
    """
    p = binary(predictions, "predictions")
    return len(alarm_runs(p, cool_down)) / days_of(len(p), steps_per_day, time)


def opened(events: Index, early: int) -> Index:
    """Row from which a prediction finds each event (S,): up to `early` rows before it, after the event before."""
    if early < 0:
        raise InputError(f"early is {early}; give the number of rows, 0 or more, before an event that still find it")
    after = np.append(0, events[:-1, 1])[: len(events)]
    return np.asarray(np.maximum(events[:, 0] - early, after))


def first_rows(p: Labels, events: Index, opened: Index) -> tuple[Index, Labels]:
    """First predicted row from where each event opens (S,), and whether it lies before the event ends (S,)."""
    rows = np.append(np.flatnonzero(p), len(p))
    first = rows[np.searchsorted(rows, opened)]
    return first, first < events[:, 1]


def days_of(n: int, steps_per_day: float | None, time: ArrayLike | None) -> float:
    """Length of n rows in days, by time stamps (n,) if there are any; the last row lasts as long as the median."""
    if time is not None:
        t = seconds(time, n)
        step = float(np.median(np.diff(t))) if n > 1 else 0.0
        length = t[-1] - t[0] + step
    elif steps_per_day is not None and steps_per_day > 0:
        length = n / steps_per_day * DAY
    else:
        raise InputError(
            f"steps_per_day is {steps_per_day} and there are no time stamps; one of them tells what a day is"
        )
    if not length > 0:
        raise InputError("all time stamps are the same; give some that rise, or steps_per_day")
    return float(length / DAY)


def seconds(time: ArrayLike, n: int) -> Vector:
    """Time stamps as float64 seconds (n,) that never fall."""
    given = np.asarray(time)
    if given.shape != (n,) or given.dtype.kind not in "Mfiu":
        raise InputError(
            f"time has shape {given.shape} and type {given.dtype}; give {n:,} datetime64 values or seconds"
        )
    if given.dtype.kind == "M":
        given = (given - given[0]) / np.timedelta64(1, "s")
    t = given.astype(np.float64)
    if not (np.diff(t) >= 0).all():
        raise InputError("time stamps fall or are missing; sort the rows by time first")
    return t
