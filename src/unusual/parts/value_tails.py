"""Tail probabilities of values that come in groups: numbers by how far out they lie, names by how seldom they occur."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.parts.rows import some_rows
from unusual.parts.upper_tail import SHAPE, SHARE

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
Names = NDArray[np.uint64]

MOST = 2000  # values kept of each group
FEWEST = 5  # values that make a group


@dataclass(frozen=True)
class NumberTails:
    """Ascending numbers of k groups, those of group i being values[first[i]:first[i + 1]]; `groups` are ascending."""

    groups: Index
    first: Index
    values: Vector

    @classmethod
    def of(cls, group: Index, number: Vector) -> NumberTails:
        """From the group and the number (m,) of each value; NaN are left out, and groups with fewer than 5."""
        kept: list[tuple[int, Vector]] = []
        there = np.flatnonzero(~np.isnan(number))
        for name, rows in by_group(group[there]):
            if len(rows) >= FEWEST:
                values = number[there[rows]]
                kept.append((name, np.sort(values[some_rows(len(values), MOST)])))
        first = np.concatenate([[0], np.cumsum([len(values) for _, values in kept])]).astype(np.int64)
        values = np.concatenate([np.zeros(0), *(values for _, values in kept)])
        return cls(np.array([name for name, _ in kept], dtype=np.int64), first, values)

    def p_value(self, group: Index, number: Vector, own: bool = False) -> Vector:
        """Two-sided p (m,): 1 where nothing is known of the group or the number is NaN.

        With `own` the numbers are those of the fit: each counts once, not as one more.
        """
        p = np.ones(len(group))
        there = np.flatnonzero(~np.isnan(number) & np.isin(group, self.groups))
        for name, rows in by_group(group[there]):
            at = there[rows]
            p[at] = _two_sided(self.of_group(name), number[at], own)
        return p

    def of_group(self, name: int) -> Vector:
        """The numbers kept of one group, ascending; none where it is unknown."""
        i = int(np.searchsorted(self.groups, name))
        if i == len(self.groups) or self.groups[i] != name:
            return np.zeros(0)
        return self.values[self.first[i] : self.first[i + 1]]


def _two_sided(known: Vector, x: Vector, own: bool) -> Vector:
    n = len(known)
    itself = 0 if own else 1
    low = (itself + np.searchsorted(known, x, "right")) / (n + itself)
    high = (itself + n - np.searchsorted(known, x, "left")) / (n + itself)
    if own:
        low, high = (
            np.maximum(low, 1 / n),
            np.maximum(high, 1 / n),
        )  # one that was not kept may lie beyond all that were
    else:
        low, high = low * _beyond(-known[::-1], -x), high * _beyond(known, x)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(low, high)))


def _beyond(known: Vector, x: Vector) -> Vector:
    """The factor by which a generalised-Pareto tail makes a number above all known ones less probable."""
    start = known[int((1 - SHARE) * (len(known) - 1))]
    highest = known[-1]
    excess = known[known > start] - start
    scale = float(excess.mean()) * (1 - SHAPE) if len(excess) else 0.0
    scale = max(scale, float(known[-1] - known[0]) / len(known))
    if scale <= 0:  # all known numbers are one and the same: how far off another is cannot be said
        return np.ones(len(x))
    far = np.maximum(x - highest, 0) / (scale + SHAPE * (highest - start))
    return np.asarray((1 + SHAPE * far) ** (-1 / SHAPE))


@dataclass(frozen=True)
class NameTails:
    """How often each name occurred in k groups: `pairs` are (group, name) as ascending columns, `times` their counts.

    `tail` is the share of values of a group whose name occurs at most so often, `once` whether the name occurs once,
    `fresh` the chance of a new name.
    """

    groups: Index
    fresh: Vector
    pair_group: Index
    pair_name: Names
    tail: Vector
    once: NDArray[np.bool_]

    @classmethod
    def of(cls, group: Index, name: Names) -> NameTails:
        """From the group and the name (m,) of each value; groups with fewer than 5 are left out.

        A name never seen has the chance that Good and Turing give it: the share of names seen once.
        """
        groups, fresh, pairs = [], [], []
        for one, rows in by_group(group):
            if len(rows) < FEWEST:
                continue
            names, times = np.unique(name[rows], return_counts=True)
            groups.append(one)
            fresh.append(((times == 1).sum() + 1) / (len(rows) + 2))
            if len(names) <= MOST:
                order = np.sort(times)
                upto = np.cumsum(order)[np.searchsorted(order, times, "right") - 1]
                pairs.append((np.full(len(names), one), names, (upto + 1) / (len(rows) + 1), times == 1))
            else:
                fresh[-1] = 1.0  # so many names say nothing
        parts: list[Any] = list(zip(*pairs, strict=True)) if pairs else [()] * 4
        return cls(
            np.array(groups, dtype=np.int64), np.array(fresh, dtype=np.float64),
            np.concatenate([np.zeros(0, dtype=np.int64), *parts[0]]),
            np.concatenate([np.zeros(0, dtype=np.uint64), *parts[1]]),
            np.concatenate([np.zeros(0), *parts[2]]),
            np.concatenate([np.zeros(0, dtype=bool), *parts[3]]),
        )  # fmt: skip

    def p_value(self, group: Index, name: Names, own: bool = False) -> Vector:
        """Chance (m,) of a name as rare in its group; 1 where nothing is known of the group.

        With `own` the names are those of the fit: one that occurs once is new to all the others.
        """
        p = np.ones(len(group))
        there = np.flatnonzero(np.isin(group, self.groups))
        for one, rows in by_group(group[there]):
            at = there[rows]
            a, b = np.searchsorted(self.pair_group, [one, one + 1])
            fresh = self.fresh[np.searchsorted(self.groups, one)]
            names = self.pair_name[a:b]
            if not len(names):
                continue
            place = np.minimum(np.searchsorted(names, name[at]), len(names) - 1)
            known = (names[place] == name[at]) & ~(own & self.once[a:b][place])
            p[at] = np.where(known, self.tail[a:b][place], fresh)
        return p


def by_group(group: Index) -> Iterator[tuple[int, Index]]:
    """Each group once, ascending, with the rows that have it."""
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    for rows in np.split(order, cuts) if len(order) else []:
        yield int(group[rows[0]]), rows
