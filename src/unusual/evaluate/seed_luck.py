"""How results vary with the seed: one method's distribution, and two methods against each other.

Sources: Welch, The Generalization of Student's Problem when Several Different Population Variances are Involved, 1947;
Blom, Statistical Estimates and Transformed Beta-Variables, 1958 (expected largest of normal draws); Bouthillier et al.,
Accounting for Variance in Machine Learning Benchmarks, 2021 (probability of outperforming, 0.75).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtri

from unusual.errors import InputError
from unusual.study import Block, Cell, Distribution, Lines, Study, Table

Vector = NDArray[np.float64]

FEWEST = 5  # seeds, below which no interval is given
OUTPERFORMS = 0.75  # chance of the better result from which a method is called better
DRAWS = 20_000  # of the law of the best of several
LAW_SEED = 221


@dataclass(frozen=True)
class SeedDistribution:
    """Results of one method under many seeds.

    Attributes
    ----------
    name, metric : str
    values : (S,) array
        In the order of `seeds`, failures left out.
    seeds : tuple of int
    failures : tuple of int
        Seeds whose result was not a finite number.
    noise_floor : float or None
        Standard deviation of results of the same seed run twice; None where that was not tried.
    """

    name: str
    metric: str
    values: Vector = field(repr=False)
    seeds: tuple[int, ...] = field(repr=False)
    failures: tuple[int, ...] = ()
    noise_floor: float | None = None

    @property
    def mean(self) -> float:
        return float(self.values.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds (n - 1); 0 where all results are equal."""
        return float(self.values.std(ddof=1)) if len(self.values) > 1 and np.ptp(self.values) > 0 else 0.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % limits of the mean by Student's law, None for fewer than five seeds."""
        if len(self.values) < FEWEST:
            return None
        half = float(stats.t.ppf(0.975, len(self.values) - 1)) * self.deviation / math.sqrt(len(self.values))
        return self.mean - half, self.mean + half

    @property
    def normality(self) -> float | None:
        """p-value of Shapiro's and Wilk's test, None for fewer than five seeds or equal results."""
        if len(self.values) < FEWEST or self.deviation == 0:
            return None
        return float(stats.shapiro(self.values[:5000]).pvalue)

    @property
    def expected_best(self) -> float:
        """The largest of as many draws from a normal law of this mean and deviation, on average."""
        return expected_maximum(self.mean, self.deviation, len(self.values))

    def study(self) -> Study:
        """How far the seed alone moves the result."""
        v = self.values
        low, high = np.quantile(v, [0.025, 0.975])
        if self.deviation == 0:
            answer = f"The seed has no effect on {self.name}: {self.metric} is {self.mean:.4g} for all {len(v)} seeds."
        else:
            answer = (
                f"The seed alone moves {self.metric} of {self.name} from {v.min():.4g} to {v.max():.4g}: mean "
                f"{self.mean:.4g}, standard deviation {self.deviation:.2g}, 95 % of {len(v)} seeds within {low:.4g} to "
                f"{high:.4g}."
            )
        limits = self.interval or (None, None)
        rows: list[list[Cell]] = [
            ["seeds", len(v)],
            ["mean", self.mean],
            ["95 % interval of the mean, from", limits[0]],
            ["to", limits[1]],
            ["standard deviation", self.deviation],
            ["lowest", float(v.min())],
            ["highest", float(v.max())],
            ["highest expected of so many normal draws", self.expected_best],
            ["same seed again, standard deviation", self.noise_floor],
            ["normal? (Shapiro-Wilk p-value)", self.normality],
        ]
        blocks: list[Block] = [Table("What the seed does", ("figure", "value"), rows)]
        if self.deviation > 0:
            blocks = [Distribution(f"{self.metric} of {self.name}", self.metric, v), self._growth(), *blocks]
        return Study(f"How much of {self.name}'s result is the seed?", answer, blocks, self._notes())

    def _growth(self) -> Lines:
        """The best of the first k seeds, against what luck lets one expect."""
        k = np.arange(1, len(self.values) + 1)
        expected = [expected_maximum(self.mean, self.deviation, int(i)) for i in k]
        lines = {"found": (k, np.maximum.accumulate(self.values)), "expected by luck": (k, np.array(expected))}
        return Lines("The best result grows with the seeds tried", "seeds tried", self.metric, lines)

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.failures:
            notes.append(
                f"{len(self.failures)} of {len(self.failures) + len(self.values)} seeds failed (no finite result): "
                f"{', '.join(map(str, self.failures[:8]))}; they are left out of all figures."
            )
        if len(self.values) < FEWEST:
            notes.append(f"{len(self.values)} seeds are too few for an interval; {FEWEST} are the least.")
        if self.noise_floor:
            notes.append(
                f"The same seed does not give the same result again (standard deviation {self.noise_floor:.2g}): "
                "something that draws is not seeded, or the arithmetic depends on the order of threads."
            )
        notes.append("A seed chosen because its test result is high makes that result too high; report the mean.")
        return tuple(notes)


def expected_maximum(mean: float, deviation: float, seeds: int) -> float:
    """Expected largest of `seeds` normal draws, by Blom's approximation of the quantile."""
    if seeds < 1:
        raise InputError(f"seeds is {seeds}; the best of at least one is expected")
    return mean + deviation * float(ndtri((seeds - 0.375) / (seeds + 0.25)))


def seeds_needed(deviation: float, gap: float, level: float = 0.05, power: float = 0.8) -> int:
    """Seeds of each method with which a gap between means is found with chance `power`, two-sided at `level`."""
    if not (gap != 0 and deviation >= 0 and 0 < level < 1 and 0 < power < 1):
        raise InputError(f"gap is {gap}, deviation {deviation}, level {level}, power {power}; give a gap other than 0")
    z = float(ndtri(1 - level / 2) + ndtri(power))
    return max(2, math.ceil(2 * (z * deviation / gap) ** 2))


@dataclass(frozen=True)
class BestOfMany:
    """The best of several seeds against other results: what is left once the luck of choosing is taken off.

    `effect` is the best less the expected gain of choosing it, less the mean of the others; `p_value` is one-sided.
    """

    statistic: float
    p_value: float
    effect: float
    interval: tuple[float, float]


def best_of_many(values: ArrayLike, others: ArrayLike) -> BestOfMany:
    """Compare the highest of `values` (S,), all of which are known, with the mean of `others` (m,).

    (highest - mean of the others) / deviation of the values has one law if both methods are one normal law, whatever
    its mean and spread; it is simulated.

    Raises
    ------
    InputError
        If there are fewer than three values or no others, or all values are equal.
    """
    v, o = np.asarray(values, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if v.ndim != 1 or len(v) < 3 or o.ndim != 1 or not len(o) or not (np.isfinite(v).all() and np.isfinite(o).all()):
        raise InputError("give at least three values of the method whose best is reported, and one of the other")
    spread = float(v.std(ddof=1))
    if np.ptp(v) == 0:
        raise InputError("all values are equal: the seed has no effect, so there is no luck to take off")
    luck = expected_maximum(0.0, 1.0, len(v))
    statistic = float((v.max() - o.mean()) / spread)
    law = _best_law(len(v), len(o))
    p_value = float((1 + (law >= statistic).sum()) / (1 + len(law)))
    effect = float(v.max() - luck * spread - o.mean())
    low, high = np.quantile(law - luck, [0.025, 0.975])
    return BestOfMany(statistic, p_value, effect, (effect - float(high) * spread, effect - float(low) * spread))


@lru_cache(maxsize=32)
def _best_law(values: int, others: int) -> Vector:
    """Draws of the statistic where both methods are the same."""
    rng = np.random.default_rng([LAW_SEED, values, others])
    v = rng.standard_normal((DRAWS, values))
    return np.asarray((v.max(axis=1) - rng.standard_normal(DRAWS) / math.sqrt(others)) / v.std(axis=1, ddof=1))
