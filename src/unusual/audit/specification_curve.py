"""What came of running every choice: how far results differ, which choice does it, what the best is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from unusual.errors import InputError
from unusual.parts.bootstrap import Interval
from unusual.study import Study

Vector = NDArray[np.float64]

TWO_SIDED = 1.96


@dataclass(frozen=True)
class Held:
    """The best configuration on one half of the data, and what it is worth on the other, over all halvings.

    Attributes
    ----------
    chosen, reported : float
        Mean value on the half it was chosen on, and on the other.
    worse : float
        Share of halvings where the other half gave the worse value; 0.5 where choosing overstates nothing.
    """

    chosen: float
    reported: float
    worse: float


@dataclass(frozen=True)
class SpecificationCurve:
    """Criteria of n configurations.

    Attributes
    ----------
    choices : mapping of factor to tuple of str, length n
        Which level of each factor a configuration has.
    criteria : mapping of criterion to (n,) array
        As measured; NaN where a configuration has no such value.
    lower_is_better : tuple of str
        Criteria of which small values are good; the rest are better high.
    halves : mapping of criterion to (n, s, 2) array
        Values on both halves of the data for s halvings, where the analysis gave them.
    ceilings : mapping of criterion to Interval
        What the data reach against themselves: nothing better can be told from perfect.
    details : mapping of name to (n,) array
        Further figures that are shown but not judged by.
    notes : tuple of str
    """

    choices: Mapping[str, tuple[str, ...]]
    criteria: Mapping[str, Vector]
    lower_is_better: tuple[str, ...] = ()
    halves: Mapping[str, Vector] = field(default_factory=dict)
    ceilings: Mapping[str, Interval] = field(default_factory=dict)
    details: Mapping[str, Vector] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        configurations: Sequence[Mapping[str, Any]],
        results: Sequence[Mapping[str, Vector]],
        lower_is_better: Sequence[str] = (),
    ) -> SpecificationCurve:
        """The curve of results, one mapping of criterion to a number, or to values (s, 2), for each configuration.

        Raises
        ------
        InputError
            If criteria or their shapes differ between configurations, or one has no value at all.
        """
        _check(configurations, results, lower_is_better)
        tables = {name: np.array([result[name] for result in results]) for name in results[0]}
        halves = {name: values for name, values in tables.items() if values.ndim == 3}
        criteria = {name: values.reshape(len(values), -1).mean(axis=1) for name, values in tables.items()}
        gaps = {name: int(np.isnan(values).sum()) for name, values in criteria.items()}
        nothing = [name for name, count in gaps.items() if count == len(results)]
        if nothing:
            raise InputError(f"criterion {nothing[0]!r} has no value in any configuration; leave it out")
        notes = tuple(f"{name} has no value in {n} configurations; it leaves them out" for name, n in gaps.items() if n)
        choices = {factor: tuple(str(c[factor]) for c in configurations) for factor in configurations[0]}
        return cls(choices, criteria, tuple(lower_is_better), halves, notes=notes)

    def __len__(self) -> int:
        return len(next(iter(self.criteria.values())))

    @property
    def sentence(self) -> str:
        """What belongs beside any result that is taken from here."""
        return f"Chosen after looking at {len(self)} configurations."

    def oriented(self, criterion: str) -> Vector:
        """Values (n,) of a criterion, turned so that higher is better."""
        values = self.criteria[criterion]
        return -values if criterion in self.lower_is_better else values

    def best(self, criterion: str) -> int:
        """Number of the configuration that is best on a criterion."""
        return int(np.nanargmax(self.oriented(criterion)))

    def intervals(self, criterion: str) -> Vector | None:
        """Limits (n, 2) of 95 % intervals, or None where the analysis gave no halves.

        From the spread of values on half samples drawn without replacement, whose variance is that of the whole sample
        (delete-half jackknife). A bootstrap draws rows twice, and any distance between samples grows by such ties.
        Source: Shao, Wu, A General Theory for Jackknife Variance Estimation, 1989.
        """
        if criterion not in self.halves:
            return None
        spread = TWO_SIDED * self.halves[criterion].reshape(len(self), -1).std(axis=1, ddof=1)
        return np.column_stack([self.criteria[criterion] - spread, self.criteria[criterion] + spread])

    def eta_squared(self, criterion: str) -> dict[str, float]:
        """Share of the variance of a criterion between the levels of each factor alone.

        By chance a factor of L levels has about (L - 1) / (n - 1). What no factor has, their interplay has.
        """
        values = self.criteria[criterion]
        kept = np.isfinite(values)
        y = values[kept] - values[kept].mean() if kept.any() else values[kept]
        total = float((y**2).sum())
        shares = {}
        for factor, levels in self.choices.items():
            _, level = np.unique(np.array(levels)[kept], return_inverse=True)
            sums, counts = np.bincount(level, y), np.bincount(level)
            shares[factor] = float((sums**2 / counts).sum() / total) if total > 0 else 0.0
        return shares

    def kendall(self) -> Vector:
        """Kendall's tau (c, c) between criteria over configurations, all turned so that higher is better."""
        values = [self.oriented(name) for name in self.criteria]
        tau = np.eye(len(values))
        for i, a in enumerate(values):
            for j, b in enumerate(values[:i]):
                tau[i, j] = tau[j, i] = kendalltau(a, b, nan_policy="omit").statistic
        return tau

    def pareto(self) -> NDArray[np.int64]:
        """Numbers of the configurations that no other one beats on one criterion while being as good on all."""
        V = np.column_stack([self.oriented(name) for name in self.criteria])
        V = np.where(np.isfinite(V), V, -np.inf)
        as_good = (V[:, None, :] >= V[None, :, :]).all(axis=2)  # [i, j]: i is at least as good as j everywhere
        better = (V[:, None, :] > V[None, :, :]).any(axis=2)
        return np.flatnonzero(~(as_good & better).any(axis=0))

    def ranks_of_best(self) -> NDArray[np.int64]:
        """Rank (c, c), 1 for the best, on each criterion (column) of the configuration best on another (row)."""
        best = [self.best(name) for name in self.criteria]
        ranks = []
        for name in self.criteria:
            values = self.oriented(name)
            ranks.append([1 + int((values > values[i]).sum()) for i in best])
        return np.array(ranks).T

    def inside(self, criterion: str) -> NDArray[np.bool_]:
        """Which configurations (n,) reach the noise ceiling of a criterion: no worse than its worse end."""
        ceiling = self.ceilings[criterion]
        limit = -ceiling.high if criterion in self.lower_is_better else ceiling.low
        return self.oriented(criterion) >= limit

    def inside_all(self) -> NDArray[np.bool_]:
        """Which configurations (n,) reach every ceiling there is."""
        return np.asarray(np.all([self.inside(name) for name in self.ceilings], axis=0))

    def held_out(self, criterion: str) -> Held | None:
        """What choosing the best on one half is worth on the other half, or None where there are no halves."""
        if criterion not in self.halves:
            return None
        sign = -1.0 if criterion in self.lower_is_better else 1.0
        values = sign * self.halves[criterion]  # (n, s, 2)
        both = np.concatenate([values, values[:, :, ::-1]], axis=1)  # (n, 2 s, [chosen on, reported on])
        both = np.where(np.isfinite(both).all(axis=2, keepdims=True), both, -np.inf)
        best = both[:, :, 0].argmax(axis=0)
        pair = both[best, np.arange(both.shape[1])]  # (2 s, 2)
        ties = (pair[:, 1] == pair[:, 0]).mean() / 2
        worse = float((pair[:, 1] < pair[:, 0]).mean() + ties)
        chosen, reported = sign * pair.mean(axis=0)
        return Held(float(chosen), float(reported), worse)

    def study(self) -> Study:
        """The answer, a specification curve for each criterion, and what each choice does."""
        from unusual.audit.specification_study import study_of

        return study_of(self)


def _check(
    configurations: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Vector]], lower: Sequence[str]
) -> None:
    first = results[0]
    for choices, result in zip(configurations, results, strict=True):
        if not result or set(result) != set(first):
            raise InputError(f"with {named(choices)} the criteria are {sorted(result)}, with another {sorted(first)}")
        for name, value in result.items():
            if value.shape != first[name].shape or (value.ndim and value.shape[1:] != (2,)):
                raise InputError(
                    f"with {named(choices)} {name!r} has shape {value.shape}; give one number, or an array (s, 2) of "
                    "the same s everywhere"
                )
    odd = sorted(set(lower) - set(first))
    if odd:
        raise InputError(f"lower_is_better names {odd[0]!r}, which is no criterion; there are: {', '.join(first)}")


def named(choices: Mapping[str, Any]) -> str:
    """Choices in a message."""
    return ", ".join(f"{factor}={level}" for factor, level in choices.items())
