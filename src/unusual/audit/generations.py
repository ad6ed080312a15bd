"""A model retrained on what it made: the loop, what is measured of each generation, and what chance alone does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.parts.rows import some_rows
from unusual.parts.two_sample import (
    Cloud,
    Vector,
    cloud_distances,
    column_distances,
    histogram_divergence,
    modes,
)

Matrix = NDArray[np.float64]
FitSample = Callable[[Matrix, int, int], Matrix]

POLICIES = ("replace", "mix", "accumulate", "accumulate-subsample")
CLOUD_ROWS = 500  # of each sample, for what compares all rows with all
LEVEL = 0.05  # chance that a fresh real sample leaves the band of any distance
SIDES = {  # which values are bad: too high, too low, or both
    "mean shift": "high",
    "sd": "both",
    "spread": "both",
    "skewness": "both",
    "kurtosis": "both",
    "tail mass": "both",
    "modes": "both",
    "distinct": "low",
    "near-duplicates": "high",
    "Wasserstein-1": "high",
    "Kolmogorov-Smirnov": "high",
    "energy": "high",
    "Kullback-Leibler": "high",
    "precision": "low",
    "recall": "low",
    "coverage": "low",
}
MEASURES = tuple(SIDES)
DISTANCES = MEASURES[MEASURES.index("Wasserstein-1") :]
KL_NOTE = "Kullback-Leibler is counted in 20 bins and is never 0 by chance; compare it with its band only."


def generations(
    X: Matrix, fit_sample: FitSample, count: int, policy: str, real_share: float, rng: np.random.Generator
) -> Iterator[Matrix]:
    """Yield the data sets (n, d) of generations 1 to `count`, each made by a model of the one before.

    Parameters
    ----------
    X : (n, d) real rows, generation 0
    fit_sample : callable (X, n, random_state) -> (n, d)
    policy : str
        "replace": only new rows; "mix": `real_share` of the rows are real ones, drawn anew each time; "accumulate": the
        model sees every generation so far, of which n rows are yielded; "accumulate-subsample": it sees those n rows.
    """
    n = len(X)
    kept = round(real_share * n) if policy == "mix" else 0
    current, pool = X, [X]
    for _ in range(count):
        train = np.vstack(pool) if policy == "accumulate" else current
        made = _made(fit_sample, train, n - kept, int(rng.integers(2**31)))
        if policy in ("replace", "mix"):
            current = np.vstack([X[rng.choice(n, kept, replace=False)], made]) if kept else made
        else:
            pool.append(made)
            everything = np.vstack(pool)
            current = everything[rng.choice(len(everything), n, replace=False)]
        yield current


def _made(fit_sample: FitSample, train: Matrix, count: int, seed: int) -> Matrix:
    rows = np.asarray(fit_sample(train, count, seed), dtype=np.float64)
    if rows.shape != (count, train.shape[1]) or not np.isfinite(rows).all():
        raise InputError(
            f"the fitter gave rows of shape {rows.shape}{'' if np.isfinite(rows).all() else ' with NaN or infinity'}; "
            f"it must give {count} finite rows of {train.shape[1]} columns for (X, n, random_state)"
        )
    return rows


class Reference:
    """Real rows X (n, d) against which samples of as many rows are measured, columns in units of their own spread."""

    def __init__(self, X: Matrix) -> None:
        q1, self._centre, q3 = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        width = (q3 - q1) / 1.349  # of a normal law this is the standard deviation; heavy tails do not move it
        self._scale = np.where(width > 0, width, X.std(axis=0))
        self._X = Z = self._standard(X)
        self._tails = np.quantile(Z, [0.01, 0.99], axis=0)
        self._sd, self._spread = Z.std(axis=0), _spread(Z)
        self._cloud = Cloud.of(Z[some_rows(len(Z), CLOUD_ROWS)])

    def _standard(self, X: Matrix) -> Matrix:
        return np.asarray((X - self._centre) / self._scale)

    def measure(self, X: Matrix) -> Vector:
        """Every one of MEASURES for the rows of X (m, d): means over columns, ratios to the reference."""
        Y = self._standard(X)
        apart = column_distances(self._X, Y)
        cloud = cloud_distances(self._cloud, Cloud.of(Y[some_rows(len(Y), CLOUD_ROWS)]))
        sd = Y.std(axis=0)
        U = (Y - Y.mean(axis=0)) / np.where(sd > 1e-12, sd, 1.0)  # a constant is said to have no skewness
        of_column = [
            np.abs(Y.mean(axis=0) - self._X.mean(axis=0)),
            sd / self._sd,
            _spread(Y) / self._spread,
            (U**3).mean(axis=0),
            (U**4).mean(axis=0) - 3 * (sd > 1e-12),
            (self._tails[0] > Y) | (self._tails[1] < Y),
            np.array([modes(y) for y in Y.T]),
        ]
        distances = [apart.wasserstein, apart.kolmogorov, apart.energy, histogram_divergence(self._X, Y)]
        if Y.shape[1] > 1:
            distances[2] = np.array(cloud.energy)
        return np.array(
            [
                *(values.mean() for values in of_column),
                len(np.unique(Y, axis=0)) / len(Y),
                cloud.near_duplicates,
                *(values.mean() for values in distances),
                cloud.precision,
                cloud.recall,
                cloud.coverage,
            ]
        )


def _spread(Z: Matrix) -> Vector:
    """Width (d,) of the middle 90 % of each column: says more than the variance where tails are heavy."""
    low, high = np.quantile(Z, [0.05, 0.95], axis=0)
    return np.asarray(np.maximum(high - low, np.finfo(np.float64).tiny))


@dataclass(frozen=True)
class Band:
    """Where fresh real samples lie: limits (M,) of every measure, infinite where only the other side is bad.

    The limits of the distances hold for all of them together: a fresh real sample leaves any with a chance of 5 %.
    """

    low: Vector
    high: Vector
    middle: Vector

    @classmethod
    def of(cls, null: Matrix) -> Band:
        """The band of measures (B, M) of fresh real samples."""
        sides = np.array(list(SIDES.values()))
        rate = np.where(sides == "both", LEVEL / 2, LEVEL)
        low, high = (
            np.array([np.quantile(values, r) for values, r in zip(null.T, share, strict=True)])
            for share in (rate, 1 - rate)
        )
        joint = np.isin(MEASURES, DISTANCES)
        spread = np.maximum(null.std(axis=0), 1 / CLOUD_ROWS)  # the shares among them move in steps of that
        away = np.where(sides == "low", -1.0, 1.0) * (null - null.mean(axis=0)) / spread
        farthest = np.sort(away[:, joint].max(axis=1))  # one number per fresh sample: its limit holds for all distances
        reach = farthest[min(len(null) - 1, math.ceil((1 - LEVEL) * (len(null) + 1)) - 1)] * spread
        low = np.where(joint, null.mean(axis=0) - reach, low)
        high = np.where(joint, null.mean(axis=0) + reach, high)
        return cls(
            np.where(sides == "high", -np.inf, low), np.where(sides == "low", np.inf, high), np.median(null, axis=0)
        )

    def left(self, values: Matrix) -> NDArray[np.bool_]:
        """Which of the measures (..., M) lie outside."""
        return (values < self.low) | (values > self.high)


def null_measures(X: Matrix, n: int, repeats: int, rng: np.random.Generator) -> Matrix:
    """Measures (repeats, M) of n real rows against n other real rows, drawn from X (N >= 2n, d) without overlap."""
    halves = (rng.permutation(len(X))[: 2 * n] for _ in range(repeats))
    return np.array([Reference(X[half[:n]]).measure(X[half[n:]]) for half in halves])
