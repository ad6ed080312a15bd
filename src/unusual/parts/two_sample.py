"""How far two samples lie apart: column by column, in their correlations, and as clouds of points.

Sources: Szekely, Rizzo, Energy Statistics, 2013; Kynkaanniemi et al., Improved Precision and Recall Metric for
Assessing Generative Models, 2019; Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models, 2020
(coverage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.distance import cdist

from unusual.parts.neighbours import Neighbours

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

KL_BINS = 20
MODE_BINS = 256
MODE_HEIGHT = 0.05  # of the highest mode: in tails, lower ones are a few rows
CLOSE = 0.1  # of the median distance to the nearest row, below which rows are near-duplicates


@dataclass(frozen=True)
class ColumnDistances:
    """Distances between the margins of two samples, one per column (d,).

    Attributes
    ----------
    wasserstein : (d,) integral of |F - G|, in the unit of the column
    kolmogorov : (d,) largest |F - G|
    energy : (d,) square root of 2 times the integral of (F - G)^2, as SciPy has it
    """

    wasserstein: Vector
    kolmogorov: Vector
    energy: Vector


def column_distances(X: Matrix, Y: Matrix) -> ColumnDistances:
    """Compare each column of X (n, d) with that of Y (m, d), exactly and with ties, from one sort of both."""
    n, m = len(X), len(Y)
    both = np.concatenate([X, Y])  # (n + m, d)
    order = np.argsort(both, axis=0, kind="stable")
    steps = np.diff(np.take_along_axis(both, order, axis=0), axis=0)
    counts = np.cumsum(np.where(order < n, m, -n), axis=0, dtype=np.int64)[:-1]  # whole numbers: no rounding adds up
    gap = np.abs(counts) / (n * m)  # |F - G| between one value and the next
    return ColumnDistances(
        (gap * steps).sum(axis=0),
        np.where(steps > 0, gap, 0.0).max(axis=0),
        np.sqrt(2 * (gap**2 * steps).sum(axis=0)),
    )


def correlations(X: Matrix) -> Matrix:
    """Correlation matrix (d, d) of the columns of X (n, d); NaN where a column is constant."""
    Z = X - X.mean(axis=0)
    length = np.sqrt((Z**2).sum(axis=0))
    flat = length <= 1e-12 * np.maximum(np.abs(X).max(axis=0), np.finfo(np.float64).tiny) * np.sqrt(len(X))
    Z = Z / np.where(flat, np.nan, length)
    return np.asarray(Z.T @ Z)


def correlation_gap(X: Matrix, Y: Matrix) -> tuple[float, float]:
    """Mean |r_X - r_Y| over pairs of columns of X (n, d), Y (m, d), and the correlation of those two lists.

    Pairs with a constant column have no correlation and are left out; NaN where no pair (or for the second figure fewer
    than three pairs, or lists without spread) are left.
    """
    upper = np.triu_indices(X.shape[1], 1)
    pair = np.stack([correlations(X)[upper], correlations(Y)[upper]])  # (2, pairs)
    pair = pair[:, np.isfinite(pair).all(axis=0)]
    if not pair.shape[1]:
        return float("nan"), float("nan")
    varies = pair.shape[1] > 2 and pair.std(axis=1).min() > 1e-12
    alike = float(correlations(pair.T)[0, 1]) if varies else float("nan")
    return float(np.abs(pair[0] - pair[1]).mean()), alike


def histogram_divergence(X: Matrix, Y: Matrix, bins: int = KL_BINS) -> Vector:
    """Kullback-Leibler divergence (d,) of each column of Y (m, d) from that of X (n, d), in nats.

    Bins hold equal shares of X; half a row is added to each bin of both. Biased: for equal laws it is on average about
    (bins - 1)(1/n + 1/m)/2, so compare it with other samples of the same sizes only.
    """
    out = np.empty(X.shape[1])
    for j in range(X.shape[1]):
        edges = np.unique(np.quantile(X[:, j], np.linspace(0, 1, bins + 1)[1:-1]))
        p, q = (np.bincount(np.searchsorted(edges, A[:, j], "right"), minlength=len(edges) + 1) + 0.5 for A in (X, Y))
        p, q = p / p.sum(), q / q.sum()
        out[j] = (p * np.log(p / q)).sum()
    return out


def modes(x: Vector) -> int:
    """Number of modes of the Gaussian kernel density of x (n,), bandwidth by Silverman's rule of thumb."""
    low, q1, q3, high = np.quantile(x, [0, 0.25, 0.75, 1])
    width = 0.9 * min(x.std(), (q3 - q1) / 1.349 or np.inf) * len(x) ** -0.2
    if width <= 0:
        return 1
    low, high = max(low, q1 - 10 * (q3 - q1 + width)), min(high, q3 + 10 * (q3 - q1 + width))  # far rows: no resolution
    step = (high - low + 6 * width) / MODE_BINS
    counts = np.histogram(x, MODE_BINS, (low - 3 * width, high + 3 * width))[0].astype(np.float64)
    density = gaussian_filter1d(counts, max(width / step, 1.0), mode="constant")
    rises = np.sign(np.diff(np.where(density > MODE_HEIGHT * density.max(), density, 0.0)))
    rises = rises[rises != 0]
    return int(((rises[:-1] > 0) & (rises[1:] < 0)).sum())


@dataclass(frozen=True)
class Cloud:
    """A sample as points, with what comparing it to another needs.

    Attributes
    ----------
    rows : (n, d) array
    radius : (n,) distance of each row to its k-th nearest other row
    nearest : (n,) distance of each row to its nearest other row
    within : float
        Mean distance between two of its rows, itself counted: the V-statistic.
    """

    rows: Matrix
    radius: Vector
    nearest: Vector
    within: float

    @classmethod
    def of(cls, X: Matrix, k: int = 5) -> Cloud:
        """The rows of X (n, d), k < n; keeps n^2 distances while it runs, so give at most a few thousand rows."""
        near = Neighbours(X).query(X, k, exclude=np.arange(len(X)))[0]  # (n, k)
        return cls(X, near[:, -1], near[:, 0], float(cdist(X, X).mean()))


@dataclass(frozen=True)
class CloudDistances:
    """A sample Y against a sample X of what is real.

    Attributes
    ----------
    energy : float
        Square root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|.
    precision : float
        Share of rows of Y within reach of a row of X: its distance to its k-th nearest in X.
    recall : float
        Share of rows of X within reach of a row of Y, by the reaches in Y.
    coverage : float
        Share of rows of X with a row of Y within their reach.
    near_duplicates : float
        Share of rows of Y closer to a row of X than a tenth of the median distance to the nearest in X.
    """

    energy: float
    precision: float
    recall: float
    coverage: float
    near_duplicates: float


def cloud_distances(X: Cloud, Y: Cloud) -> CloudDistances:
    """Compare two clouds of points in the same columns and units."""
    D = cdist(X.rows, Y.rows)  # (n, m)
    return CloudDistances(
        float(np.sqrt(max(2 * D.mean() - X.within - Y.within, 0.0))),
        float((X.radius[:, None] >= D).any(axis=0).mean()),
        float((Y.radius >= D).any(axis=1).mean()),
        float((X.radius >= D.min(axis=1)).mean()),
        float((D.min(axis=0) <= CLOSE * np.median(X.nearest)).mean()),
    )
