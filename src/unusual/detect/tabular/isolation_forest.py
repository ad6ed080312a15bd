"""IsolationForest: rows that random cuts separate early from the others.

role: detector
data: table
system: -
paper: Liu, Ting and Zhou, Isolation Forest, 2008
needs: -
checkpoint: none
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.kernels import average_path_length, forest_fit, forest_score, forest_score_oob
from unusual.parts.bags import bag_size, draw_bags, numbered_within
from unusual.parts.scaling import Standardizer

LARGEST_SAMPLE = 1 << 16  # trees are stored as heaps of at most 16 levels


class IsolationForest(Detector):
    """2 ** (-E[h] / c(psi)): h is the path length of the row in a tree grown on psi rows, c(psi) its mean in a tree.

    Trees grow to ceil(log2(psi)) levels; a leaf that still holds s rows counts as c(s) further steps. Rows that the
    forest was grown on are judged by the trees that did not see them (`fit_anomaly_score`, calibration).

    Parameters
    ----------
    n_estimators : int, default 300
        Trees. Scores of 100 trees still change visibly with the seed.
    max_samples : int, default 256
        psi, the rows a tree is grown on; never more than half of the table, so that every row is outside of some trees.
    random_state : int, default 0
        Seed of samples and cuts.
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    column_, cut_, length_ : arrays (trees, 2 ** levels - 1), the same, (trees, 2 ** levels)
        Trees as heaps: column and position of each cut, path length of each leaf.
    expected_length_ : float
        c(psi).
    scaling_ : Standardizer or None
        Applied to float64 rows before they become float32, so that large offsets do not cost digits.
    """

    def __init__(
        self,
        n_estimators: int = 300,
        max_samples: int = 256,
        random_state: int = 0,
        n_jobs: int | None = None,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._check()
        rng = np.random.default_rng(self.random_state)
        psi = bag_size(len(X), self.max_samples)
        self._bags = draw_bags(len(X), self.n_estimators, psi, rng)  # (trees, psi)
        self.scaling_ = None if X.dtype == np.float32 else Standardizer.of(X)
        drawn, place = np.unique(self._bags, return_inverse=True)
        levels = math.ceil(math.log2(psi))
        self.column_, self.cut_, self.length_ = forest_fit(
            self._in_float32(X[drawn]), place.reshape(self._bags.shape), levels, rng
        )
        self.expected_length_ = float(average_path_length(np.array(psi)))

    def _score(self, X: Matrix) -> Vector:
        return self._from_length(forest_score(self._in_float32(X), *self._trees(), n_jobs=self.n_jobs))

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        bags = numbered_within(self._bags, rows, len(X))
        Z = self._in_float32(X[np.append(rows, 0)])  # the last row stands for all that are not asked for
        return self._from_length(
            forest_score_oob(Z, *self._trees(), inbag=bags, rows=np.arange(len(rows)), n_jobs=self.n_jobs)
        )

    def _trees(self) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        return self.column_, self.cut_, self.length_

    def _from_length(self, length: Vector) -> Vector:
        return np.exp2(-length / self.expected_length_)

    def _in_float32(self, X: Matrix) -> NDArray[np.float32]:
        """Rows as the trees see them."""
        if self.scaling_ is None:
            return X.astype(np.float32, copy=False)
        return self.scaling_(X).astype(np.float32, copy=False)

    def _check(self) -> None:
        if self.n_estimators < 1:
            raise InputError(f"n_estimators is {self.n_estimators}; a forest needs at least one tree, such as 300")
        if not 2 <= self.max_samples <= LARGEST_SAMPLE:
            raise InputError(f"max_samples is {self.max_samples}; give from 2 to {LARGEST_SAMPLE}, such as 256")
