"""SlotValues: numbers, names and delays that are unusual for the kind of line they stand in.

role: detector
data: events
names: SlotValues
system: -
paper: Du et al., DeepLog: Anomaly Detection and Diagnosis from System Logs through Deep Learning, 2017
needs: -
checkpoint: none
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.log_events import LogEvents
from unusual.detector import Vector
from unusual.parts.slots import MOST_PLACES
from unusual.parts.value_tails import FEWEST, NameTails, NumberTails, by_group
from unusual.sequence_detector import Index, LineDetector

NUMERIC = 0.95  # share of a slot's values that must be numbers for it to be read as one
SAME_KIND, SAME_KEY = MOST_PLACES + 1, MOST_PLACES + 2  # places of the two delays, behind those of words
PLACES = MOST_PLACES + 3
LAST, OUTSIDE = 5, 0.2  # share of the last fifth of a place's numbers that must lie beyond the earlier ones


class SlotValues(LineDetector):
    """-log p of the most unusual value of a line, corrected for how many it has.

    Values are what stands in the places where the lines of a template differ, the time since the last line of the same
    template, and, where something ties lines together, the time since the last line of the same request or session.
    A number gets a two-sided tail probability among the numbers of that place in the fit (beyond them a
    generalised-Pareto tail goes on; counters and identifiers are left out), a name the share of values whose name is
    as rare.

    Parameters
    ----------
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of lines one accepts as false alarms.

    Attributes
    ----------
    numbers_, names_ : NumberTails, NameTails
        What is known of each place of each template.
    numeric_ : int64 (k,)
        The places (template and place as one number) that hold numbers.
    """

    numbers_: NumberTails
    names_: NameTails
    numeric_: Index

    def __init__(self, alarm_rate: float = 0.01) -> None:
        self.alarm_rate = alarm_rate

    def _learn(self, X: LogEvents) -> None:
        row, place, number, name = values(X)
        group = X.template[row] * PLACES + place
        groups, which, counts = np.unique(group, return_inverse=True, return_counts=True)
        share = np.bincount(which, ~np.isnan(number), len(groups)) / counts
        self.numeric_ = groups[share >= NUMERIC]
        is_number = np.isin(group, self.numeric_)
        used = is_number & ~np.isin(group, _counters(group[is_number], number[is_number], row[is_number]))
        self.numbers_ = NumberTails.of(group[used], number[used])
        self.names_ = NameTails.of(group[~is_number], name[~is_number])

    def _rate(self, X: LogEvents) -> Vector:
        return self._least(X, own=False)

    def _train_score(self, X: LogEvents, rows: Index) -> Vector:
        """Scores of lines of the fit, each value among the others."""
        return self._least(X, own=True)[rows]

    def _least(self, X: LogEvents, own: bool) -> Vector:
        row, _, p = self.value_p(X, own=own)
        least = np.ones(len(X))
        np.minimum.at(least, row, p)
        many = np.maximum(np.bincount(row, minlength=len(X)), 1)
        with np.errstate(divide="ignore"):
            return np.asarray(-np.log(-np.expm1(many * np.log1p(-np.minimum(least, 1 - 1e-12)))))

    def _explain(self, X: LogEvents) -> Vector:
        """The score itself (n,): each line stands alone."""
        return self._rate(X)

    def value_p(self, X: LogEvents, *, own: bool = False) -> tuple[Index, Index, Vector]:
        """Line, place and p-value (m,) of each value; with `own` those of the fit."""
        row, place, number, name = values(X)
        group = X.template[row] * PLACES + place
        is_number = np.isin(group, self.numeric_)
        p = np.where(is_number, self.numbers_.p_value(group, number, own), self.names_.p_value(group, name, own))
        return row, place, p


def _counters(group: Index, number: Vector, row: Index) -> Index:
    """Places whose last numbers lie beyond all earlier ones: the size of counters and identifiers says nothing."""
    order = np.argsort(row, kind="stable")
    found = []
    for name, rows in by_group(group[order]):
        x = number[order][rows]
        x = x[~np.isnan(x)]
        cut = len(x) * (LAST - 1) // LAST
        if cut < 1 or len(x) < FEWEST:
            continue
        early, late = x[:cut], x[cut:]
        if ((late > early.max()) | (late < early.min())).mean() > OUTSIDE:
            found.append(name)
    return np.array(found, dtype=np.int64)


def values(X: LogEvents) -> tuple[Index, Index, Vector, NDArray[np.uint64]]:
    """Line, place, number and name (m,) of everything in a log that varies, with the delays as numbers."""
    slots = X.slots
    parts: list[tuple[Any, ...]] = [(slots.owner(), slots.place.astype(np.int64), slots.number, slots.name)]
    if np.isfinite(X.time).all() and np.ptp(X.time) > 0:
        for tie, key, row in _tied(X):
            order = np.lexsort((row, key))
            same = np.flatnonzero(key[order][1:] == key[order][:-1]) + 1
            later, before = row[order][same], row[order][same - 1]
            delay = np.log1p(np.maximum(X.time[later] - X.time[before], 0))
            parts.append((later, np.full(len(later), tie), delay, np.zeros(len(later), dtype=np.uint64)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]


def _tied(X: LogEvents) -> list[tuple[int, Index, Index]]:
    """Place, key and line of what follows something else."""
    tied = [(SAME_KIND, X.template, np.arange(len(X)))]
    if X.member is not None and X.member_of is not None:
        tied.append((SAME_KEY, X.member_of, X.member))
    return tied
