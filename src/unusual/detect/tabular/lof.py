"""LOF: how much thinner the reference is around a row than around the row's neighbours.

role: detector
data: table
system: -
paper: Breunig, Kriegel, Ng, Sander, LOF: Identifying Density-Based Local Outliers, 2000
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.neighbours import Neighbours
from unusual.parts.scaling import Standardizer

TINY = 1e-10  # added to a mean distance, as scikit-learn does: the density among equal rows stays finite


class LOF(Detector):
    """Local outlier factor by Euclidean distance in standardised columns; about 1 inside, larger outside.

    Rows of the reference are scored by their neighbours without themselves, as in the paper.

    Parameters
    ----------
    n_neighbors : int, default 20
        How many rows k make a neighbourhood; a reference of n rows has at most n - 1.
    approximate : bool or "auto", default "auto"
        Whether only the surroundings of a row are searched; "auto" does so beyond 200,000 reference rows.
    n_jobs : int or None, default None
        Threads, as in scikit-learn.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    neighbours_ : Neighbours
        The reference in standardised units.
    k_distance_ : (n,) array
        Distance of each reference row to its k-th neighbour.
    density_ : (n,) array
        Local reachability density of each reference row.
    """

    def __init__(
        self,
        n_neighbors: int = 20,
        approximate: bool | str = "auto",
        n_jobs: int | None = None,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.approximate = approximate
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.n_neighbors < 1:
            raise InputError(f"n_neighbors is {self.n_neighbors}; give a number from 1")
        self.scaling_ = Standardizer.of(X)
        Z = self.scaling_(X)
        self.neighbours_ = Neighbours.build(Z, self.approximate)
        k = min(self.n_neighbors, len(Z) - 1)
        distance, index = self.neighbours_.query(Z, k, np.arange(len(Z)), self.n_jobs)  # (n, k)
        self.k_distance_ = distance[:, -1].copy()
        self.density_ = self._density(distance, index)
        self._own_factor = self._factor(self.density_, index)  # (n,), kept to calibrate: the search is the whole cost

    def _score(self, X: Matrix) -> Vector:
        k = min(self.n_neighbors, len(self.neighbours_) - 1)
        distance, index = self.neighbours_.query(self.scaling_(X), k, None, self.n_jobs)
        return self._factor(self._density(distance, index), index)

    def _train_score(self, X: Matrix, rows: NDArray[np.int64]) -> Vector:
        return self._own_factor[rows]

    def _density(self, distance: Vector, index: NDArray[np.int64]) -> Vector:
        """One over the mean reachability distance (n,) to the k neighbours (n, k)."""
        reach = np.maximum(distance, self.k_distance_[index])
        return np.asarray(1 / (reach.mean(axis=1) + TINY))

    def _factor(self, density: Vector, index: NDArray[np.int64]) -> Vector:
        """Mean density of the neighbours (n, k) over the own density (n,)."""
        return np.asarray(self.density_[index].mean(axis=1) / density)
