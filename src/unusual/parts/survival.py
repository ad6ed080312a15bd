"""Times to an event of which some are censored: Kaplan-Meier, Nelson-Aalen, and two-sample statistics in matrices.

P pooled pairs of samples lie in the order of their times, (P, n); B ways to tell the first sample from the second are
0/1 matrices (P, B, n), be they permutations of one pair or the one labelling of many simulated pairs. Items with the
same time form a block: its counts stand at the first place of the block and zeros at the others, so that sums and
products over places are sums and products over distinct times. Events come before censorings of the same time.
Sources: Kaplan, Meier, Nonparametric Estimation from Incomplete Observations, 1958; Gehan, A Generalized Wilcoxon Test
for Comparing Arbitrarily Singly-Censored Samples, 1965; Peto, Peto, Asymptotically Efficient Rank Invariant Test
Procedures, 1972; Tarone, Ware, On Distribution-Free Tests for Equality of Survival Distributions, 1977; Pepe, Fleming,
Weighted Kaplan-Meier Statistics, 1989; Bagdonavicius, Kruopis, Nikulin, Nonparametric Tests for Censored Data, 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Labels = NDArray[np.bool_]
Index = NDArray[np.int64]

SINGULAR = 1e-9  # share of its variance that a basis function must keep once those before it are accounted for


@dataclass(frozen=True)
class Pooled:
    """What is known of P pooled pairs (P, n) before anybody says which item belongs to which sample.

    Attributes
    ----------
    time : (P, n), ascending in each row
    event : (P, n), 1.0 where the event was seen, 0.0 where the item was censored
    start, last : (P, n), first and last place of the block of equal times
    at_risk, events, exits : (P, n)
        Items with at least this time; events and censorings of the block, at its first place.
    before, after : (P, n)
        Kaplan-Meier estimate just before and at this time.
    hazard : (P, n)
        Nelson-Aalen estimate just before this time.
    tied : bool
        Whether any two times of a pair are equal.
    """

    time: Matrix
    event: Matrix
    start: Index
    last: Index
    at_risk: Matrix
    events: Matrix
    exits: Matrix
    before: Matrix
    after: Matrix
    hazard: Matrix
    tied: bool

    @classmethod
    def of(cls, time: Matrix, event: Matrix) -> Self:
        """From times (P, n) in ascending order and their event flags (P, n)."""
        n = time.shape[1]
        place = np.broadcast_to(np.arange(n), time.shape)
        new = np.diff(time, axis=1, prepend=-np.inf) > 0
        start = np.maximum.accumulate(np.where(new, place, 0), axis=1)
        ends = np.concatenate([new[:, 1:], np.ones((len(time), 1), dtype=bool)], axis=1)
        last = np.minimum.accumulate(np.where(ends, place, n - 1)[:, ::-1], axis=1)[:, ::-1]
        at_risk = (n - start).astype(np.float64)
        events = _at_start(event, start, last)
        exits = _at_start(1 - event, start, last)
        after = np.cumprod(1 - events / at_risk, axis=1)
        hazard = _shifted(np.cumsum(events / at_risk, axis=1), 0.0)
        return cls(
            time, event, start, last, at_risk, events, exits, _shifted(after, 1.0), after, hazard, not bool(new.all())
        )

    def labelled(self, first: Matrix) -> Labelled:
        """The same with the first sample told from the second by `first` (P, B, n), 1.0 for the first."""
        size = first.sum(axis=-1, keepdims=True)
        at_risk = size - np.cumsum(first, axis=-1) + first
        events = first * self.event[:, None]
        exits = first - events
        if self.tied:
            start, last = self.start[:, None], self.last[:, None]
            at_risk = np.take_along_axis(at_risk, np.broadcast_to(start, at_risk.shape), axis=-1)
            events, exits = _at_start(events, start, last), _at_start(exits, start, last)
        return Labelled(self, size[..., 0], at_risk, events, exits)


@dataclass(frozen=True)
class Labelled:
    """Sizes (P, B) of the first sample, and its at-risk numbers, events and censorings (P, B, n) at pooled times."""

    pooled: Pooled
    size: Matrix
    at_risk: Matrix
    events: Matrix
    exits: Matrix

    def curves(self) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Kaplan-Meier estimates (P, B, n) at each time: survival of first and second, censoring of first, second."""
        p = self.pooled
        others = p.at_risk[:, None] - self.at_risk, p.events[:, None] - self.events, p.exits[:, None] - self.exits
        survival: list[Matrix] = []
        censoring: list[Matrix] = []
        for at_risk, events, exits in ((self.at_risk, self.events, self.exits), others):
            survival.append(np.asarray(np.cumprod(1 - events / np.maximum(at_risk, 1), axis=-1)))
            censoring.append(np.asarray(np.cumprod(1 - exits / np.maximum(at_risk - events, 1), axis=-1)))
        return survival[0], survival[1], censoring[0], censoring[1]


def log_rank_types(labelled: Labelled, bases: Sequence[Sequence[Matrix]]) -> list[Matrix]:
    """One quadratic form U' E^-1 U (P, B) for each family of K weight functions g_k (P, n).

    U_k = sum of g_k (dN1 - Y1 dN / Y): events of the first sample beyond those expected; its covariance E under equal
    laws is that of the hypergeometric law, which counts ties. One constant weight gives the log-rank statistic. Under
    equal laws and many events the form has a chi-squared law with K degrees of freedom.
    """
    p = labelled.pooled
    share = p.events / p.at_risk
    spread = share * (p.at_risk - p.events) / (p.at_risk * np.maximum(p.at_risk - 1, 1))  # (P, n)
    single = np.stack([g for basis in bases for g in basis], axis=2)  # (P, n, sum of K)
    pairs = np.stack([spread * g * h for basis in bases for g in basis for h in basis], axis=2)  # (P, n, sum of K^2)
    U = (labelled.events - labelled.at_risk * share[:, None]) @ single
    E = (labelled.at_risk * (p.at_risk[:, None] - labelled.at_risk)) @ pairs
    forms, u, e = [], 0, 0
    for K in map(len, bases):
        square = E[..., e : e + K * K].reshape(*E.shape[:-1], K, K)
        forms.append(quadratic_form(U[..., u : u + K], square))
        u, e = u + K, e + K * K
    return forms


def quadratic_form(U: Matrix, E: Matrix) -> Matrix:
    """U' E^-1 U (...) for U (..., K), E (..., K, K) by elimination; directions without variance count nothing."""
    U, E = U.copy(), E.copy()
    total = np.zeros(U.shape[:-1])
    own = np.einsum("...kk->...k", E).copy()
    for k in range(U.shape[-1]):
        pivot = E[..., k, k]
        safe = pivot > SINGULAR * own[..., k]
        inverse = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=safe)
        total += U[..., k] ** 2 * inverse
        row = E[..., k, :].copy()  # (..., K)
        U -= row * (U[..., k] * inverse)[..., None]
        E -= row[..., :, None] * row[..., None, :] * inverse[..., None, None]
    return total


def gehan_scores(pooled: Pooled) -> Matrix:
    """How many items surely failed before each (P, n), less how many surely fail after it."""
    through = np.cumsum(pooled.events, axis=1)  # events up to and at this time
    strictly = through - np.take_along_axis(pooled.events, pooled.start, axis=1)
    censored_here = np.take_along_axis(pooled.exits, pooled.start, axis=1)
    after = pooled.time.shape[1] - 1 - pooled.last + censored_here
    return np.asarray(np.where(pooled.event > 0, strictly - after, through))


def peto_scores(pooled: Pooled) -> Matrix:
    """S(t) + S(t-) - 1 for an event at t, S(t) - 1 for a censoring (P, n), S the pooled Kaplan-Meier estimate."""
    before = np.take_along_axis(pooled.before, pooled.start, axis=1)
    return np.asarray(np.where(pooled.event > 0, pooled.after + before - 1, pooled.after - 1))


def score_test(first: Matrix, scores: Matrix) -> Matrix:
    """Sum of the scores (P, n) of the first sample (P, B, n), standardised by its law over all permutations (P, B)."""
    n = scores.shape[1]
    n1 = first.sum(axis=-1)
    centred = scores - scores.mean(axis=1, keepdims=True)
    variance = n1 * (n - n1) / (n * (n - 1)) * (centred**2).sum(axis=1)[:, None]
    total = (first @ centred[:, :, None])[..., 0]
    return np.asarray(np.divide(total, np.sqrt(variance), out=np.zeros_like(total), where=variance > 0))


def weighted_kaplan_meier(labelled: Labelled, curves: tuple[Matrix, Matrix, Matrix, Matrix]) -> Matrix:
    """Standardised area (P, B) between the survival curves, first less second, weighted down where many are censored.

    The weight is n C1 C2 / (n1 C1 + n2 C2), C the Kaplan-Meier estimates of censoring: zero where one sample is no
    longer watched. The variance is Pepe's and Fleming's for equal laws.
    """
    p = labelled.pooled
    S1, S2, C1, C2 = curves
    n = p.time.shape[1]
    n1 = labelled.size[..., None]
    below = n1 * C1 + (n - n1) * C2
    weight = np.divide(n * C1 * C2, below, out=np.zeros_like(below), where=below > 0)  # from this time to the next
    length = (np.diff(p.time, axis=1, append=p.time[:, -1:]) / p.time[:, -1:])[:, None]  # in units of the whole
    step = weight * length
    area = (step * (S1 - S2)).sum(axis=-1)
    ahead = np.cumsum((step * p.after[:, None])[..., ::-1], axis=-1)[..., ::-1]  # integral of w S from here on
    weight_before = _shifted(weight, 1.0)
    fall = np.divide(p.before - p.after, p.after * p.before, out=np.zeros_like(p.after), where=p.after > 0)
    terms = np.divide(ahead**2 * fall[:, None], weight_before, out=np.zeros_like(ahead), where=weight_before > 0)
    deviation = np.sqrt(terms.sum(axis=-1))
    scale = np.sqrt(labelled.size * (n - labelled.size) / n)
    return np.asarray(np.divide(scale * area, deviation, out=np.zeros_like(area), where=deviation > 0))


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier estimate of one sample: distinct `time`, `survival` at and after it, `deviation` of it (m,).

    `at_risk` and `events` (m,) are the counts at these times; the deviation is Greenwood's.
    """

    time: Vector
    survival: Vector
    deviation: Vector
    at_risk: Vector
    events: Vector

    @classmethod
    def of(cls, time: Vector, event: Labels) -> SurvivalCurve:
        """From times (n,) and whether the event was seen (n,)."""
        times, block = np.unique(time, return_inverse=True)
        leaving = np.bincount(block).astype(np.float64)
        at_risk: Vector = len(time) - np.cumsum(leaving) + leaving
        events = np.bincount(block, weights=event).astype(np.float64)
        survival = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
        deviation = survival * np.sqrt(np.cumsum(_greenwood(at_risk, events)))
        return cls(times, survival, deviation, at_risk, events)

    def band(self, z: float = 1.96) -> tuple[Vector, Vector]:
        """Pointwise limits (m,), kept inside 0 and 1."""
        return np.maximum(self.survival - z * self.deviation, 0.0), np.minimum(self.survival + z * self.deviation, 1.0)

    def at(self, time: Vector) -> Vector:
        """Survival at each time (k,)."""
        return np.asarray(np.append(1.0, self.survival)[np.searchsorted(self.time, time, side="right")])

    def restricted_mean(self, until: float) -> tuple[float, float]:
        """Mean time lived within [0, until], and its standard error."""
        inside = self.time < until
        edges = np.concatenate([[0.0], self.time[inside], [until]])
        areas = np.diff(edges) * np.append(1.0, self.survival[inside])
        ahead = areas.sum() - np.cumsum(areas)[:-1]  # area from each event time to the end
        variance = (ahead**2 * _greenwood(self.at_risk, self.events)[inside]).sum()
        return float(areas.sum()), float(np.sqrt(variance))


def _greenwood(at_risk: Vector, events: Vector) -> Vector:
    """dN / (Y (Y - dN)), 0 where nobody is left: the curve is at zero from there on."""
    left = at_risk - events
    return np.divide(events, at_risk * left, out=np.zeros_like(at_risk), where=left > 0)


def _at_start(values: Matrix, start: Index, last: Index) -> Matrix:
    """Totals of the blocks at their first place, zeros elsewhere; start and last broadcast to values (..., n)."""
    start, last = np.broadcast_to(start, values.shape), np.broadcast_to(last, values.shape)
    sums = np.cumsum(values, axis=-1)
    totals = np.take_along_axis(sums, last, axis=-1) - np.take_along_axis(sums - values, start, axis=-1)
    return np.asarray(np.where(start == np.arange(values.shape[-1]), totals, 0.0))


def _shifted(values: Matrix, first: float) -> Matrix:
    """Values (..., n) one place later, `first` at the head."""
    return np.concatenate([np.full((*values.shape[:-1], 1), first), values[..., :-1]], axis=-1)
