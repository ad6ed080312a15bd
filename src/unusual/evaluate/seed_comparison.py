"""Is the gain of one method over another larger than what the seeds of both do?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unusual.errors import InputError
from unusual.evaluate.seed_luck import FEWEST, OUTPERFORMS, SeedDistribution, seeds_needed
from unusual.study import Block, Cell, Distribution, Intervals, Study, Table

Vector = NDArray[np.float64]

RESAMPLES = 2000


@dataclass(frozen=True)
class SeedComparison:
    """Two methods under their seeds.

    Attributes
    ----------
    statistic, p_value : float
        Welch's t of the means and its two-sided p-value, or Student's of the differences of pairs; NaN where the seed
        has no effect on either.
    effect, interval : float, (low, high) or None
        Mean of the first less that of the second, and its 95 % limits; None for fewer than five seeds.
    probability, probability_interval : float, (low, high) or None
        Chance that the first gives the higher result under a seed of each, ties counted half, and its bootstrap limits.
    seeds_needed : int or None
        Of each method, to find a gap of this size with a chance of 0.8; None where there is no gap.
    paired : bool
    first, second : SeedDistribution
    """

    statistic: float
    p_value: float
    effect: float
    interval: tuple[float, float] | None
    probability: float
    probability_interval: tuple[float, float] | None
    seeds_needed: int | None
    paired: bool
    first: SeedDistribution = field(repr=False)
    second: SeedDistribution = field(repr=False)

    @property
    def beyond_luck(self) -> bool:
        """Whether zero lies outside of the interval of the gain."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def outperforms(self) -> bool:
        """Whether the better of both also wins under three in four pairs of seeds."""
        return self.beyond_luck and max(self.probability, 1 - self.probability) >= OUTPERFORMS

    def study(self) -> Study:
        """The answer in a sentence, both means with their intervals, and the results of all seeds."""
        bars = [(d.name, d.mean, *(d.interval or (d.mean, d.mean))) for d in (self.first, self.second)]
        figures: list[list[Cell]] = [
            ["gain", self.effect],
            ["from", self.interval[0] if self.interval else None],
            ["to", self.interval[1] if self.interval else None],
            [f"chance that {self.first.name} gives the higher result", self.probability],
            ["t", self.statistic],
            ["p-value", self.p_value],
            ["seeds of each that would show such a gain", self.seeds_needed],
        ]
        head = ("figure", "value")
        blocks: list[Block] = [Intervals("Means over the seeds", self.first.metric, bars)]
        blocks += [
            Distribution(f"{d.metric} of {d.name}", d.metric, d.values)
            for d in (self.first, self.second)
            if d.deviation
        ]
        blocks.append(Table("The comparison", head, figures))
        title = f"Is {self.first.name} better than {self.second.name}, or luckier?"
        return Study(title, self._answer(), blocks, self._notes())

    def _answer(self) -> str:
        a, b = (self.first, self.second) if self.effect >= 0 else (self.second, self.first)
        gain = f"the gain of {a.name} over {b.name} ({abs(self.effect):.3g} in {a.metric})"
        if a.deviation == b.deviation == 0:
            return f"The seed has no effect on either, so {gain} is no luck of seeds; other rows may still undo it."
        if self.interval is None:
            return f"{gain[0].upper()}{gain[1:]} rests on too few seeds to be told from seed luck."
        low, high = sorted(abs(x) for x in self.interval) if self.beyond_luck else self.interval
        if not self.beyond_luck:
            return f"{gain[0].upper()}{gain[1:]} is not larger than seed luck (interval {low:.3g} to {high:.3g})."
        wins = max(self.probability, 1 - self.probability)
        rest = (
            f"{a.name} gives the higher result under {wins:.0%} of the pairs of seeds"
            f"{'' if wins >= OUTPERFORMS else f', fewer than the {OUTPERFORMS:.0%} asked of a better method'}"
        )
        return f"{gain[0].upper()}{gain[1:]} is larger than seed luck (interval {low:.3g} to {high:.3g}); {rest}."

    def _notes(self) -> tuple[str, ...]:
        notes = []
        for d in (self.first, self.second):
            if d.deviation == 0:
                notes.append(f"The seed has no effect on {d.name}.")
            if d.failures:
                notes.append(f"{len(d.failures)} seeds of {d.name} failed and are left out.")
        if self.interval is None:
            notes.append(f"An interval needs at least {FEWEST} seeds of each method.")
        notes.append(
            "Only the seeds were varied: other rows, another split or another data set may turn the result around."
        )
        if self.paired:
            notes.append("Seeds were taken as pairs: right only where both methods draw the same things by them.")
        return tuple(notes)


def compare_seeds(first: SeedDistribution, second: SeedDistribution, *, paired: bool = False) -> SeedComparison:
    """Compare two methods whose higher result is better.

    Parameters
    ----------
    first, second : SeedDistribution
    paired : bool
        Whether a seed means the same for both, such as the split of the data: then differences seed by seed are taken.
        Seeds that only start each method's own draws are no pairs.

    Raises
    ------
    InputError
        If metrics differ, a method has fewer than two results, or paired methods share fewer than two seeds.
    """
    if first.metric != second.metric:
        raise InputError(f"{first.name} was judged by {first.metric}, {second.name} by {second.metric}; use one metric")
    if min(len(first.values), len(second.values)) < 2:
        raise InputError("a method has fewer than two results; run at least two seeds of each")
    a, b = _pairs(first, second) if paired else (first.values, second.values)
    statistic, p_value, interval = _paired(a - b) if paired else _welch(a, b)
    enough = min(len(a), len(b)) >= FEWEST or (_constant(a) and _constant(b))
    effect = float(a.mean() - b.mean())
    spread = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    probability, limits = _outperforming(a, b, paired)
    return SeedComparison(
        statistic,
        p_value,
        effect,
        interval if enough else None,
        probability,
        limits if enough else None,
        seeds_needed(spread, effect) if effect else None,
        paired,
        first,
        second,
    )


def _pairs(first: SeedDistribution, second: SeedDistribution) -> tuple[Vector, Vector]:
    both = sorted(set(first.seeds) & set(second.seeds))
    if len(both) < 2:
        raise InputError(f"{first.name} and {second.name} share {len(both)} seeds; pairs need at least two")
    values = [dict(zip(d.seeds, d.values.tolist(), strict=True)) for d in (first, second)]
    return np.array([values[0][s] for s in both]), np.array([values[1][s] for s in both])


def _constant(values: Vector) -> bool:
    return bool(np.ptp(values) == 0)


def _paired(difference: Vector) -> tuple[float, float, tuple[float, float]]:
    n, gap = len(difference), float(difference.mean())
    if _constant(difference):
        return math.nan, math.nan, (gap, gap)
    error = float(difference.std(ddof=1)) / math.sqrt(n)
    return _by_student(gap, error, n - 1)


def _welch(a: Vector, b: Vector) -> tuple[float, float, tuple[float, float]]:
    gap = float(a.mean() - b.mean())
    if _constant(a) and _constant(b):
        return math.nan, math.nan, (gap, gap)
    parts = np.array([0.0 if _constant(v) else v.var(ddof=1) / len(v) for v in (a, b)])
    freedom = parts.sum() ** 2 / (parts**2 / [len(a) - 1, len(b) - 1]).sum()
    return _by_student(gap, math.sqrt(parts.sum()), float(freedom))


def _by_student(gap: float, error: float, freedom: float) -> tuple[float, float, tuple[float, float]]:
    half = float(stats.t.ppf(0.975, freedom)) * error
    return gap / error, float(2 * stats.t.sf(abs(gap / error), freedom)), (gap - half, gap + half)


def _outperforming(a: Vector, b: Vector, paired: bool) -> tuple[float, tuple[float, float]]:
    """Share of pairs of seeds in which a is higher, and its limits when seeds are drawn again."""
    rng = np.random.default_rng(0)
    if paired:
        wins = np.where(a > b, 1.0, np.where(a == b, 0.5, 0.0))
        drawn = wins[rng.integers(len(wins), size=(RESAMPLES, len(wins)))].mean(axis=1)
    else:
        table = np.where(a[:, None] > b, 1.0, np.where(a[:, None] == b, 0.5, 0.0))  # (Sa, Sb)
        weights = [rng.multinomial(len(v), np.full(len(v), 1 / len(v)), RESAMPLES) / len(v) for v in (a, b)]
        drawn = ((weights[0] @ table) * weights[1]).sum(axis=1)
        wins = table
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(wins.mean()), (float(low), float(high))
