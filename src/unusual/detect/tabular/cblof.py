"""CBLOF: distance to the centre of the nearest large cluster.

role: detector
data: table
system: -
paper: He, Xu, Deng, Discovering Cluster-Based Local Outliers, 2003
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.kmeans import kmeans, nearest_centre
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

CLUSTER_ROWS = 100_000  # centres are found among so many rows
BLOCK = 16_384


class CBLOF(Detector):
    """Distance to the own cluster's centre in a large cluster, to the nearest large cluster's from a small one.

    Clusters are large, by size, up to the first that covers a share `alpha` of the rows and is `beta` times as large
    as the next; where there is no such cluster, up to the first that covers `alpha`, else up to the first that is
    `beta` times as large. Where clusters are so even that neither occurs, all are large.

    Parameters
    ----------
    n_clusters : int, default 8
        Clusters that k-means looks for.
    alpha : float in (0, 1), default 0.9
        Share of the rows that large clusters hold.
    beta : float > 1, default 5
        Ratio of sizes at the boundary between large and small.
    use_weights : bool, default False
        Whether distances are multiplied by the size of the row's cluster, as in the paper.
    random_state : int, default 0
        Seed of the clusters.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    centres_ : (k, d) array
        Centres of the clusters, in standardised units.
    sizes_ : (k,) array
        Rows in each cluster.
    large_ : (k,) bool array
        Which clusters are large.
    """

    def __init__(
        self,
        n_clusters: int = 8,
        alpha: float = 0.9,
        beta: float = 5.0,
        use_weights: bool = False,
        random_state: int = 0,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_clusters = n_clusters
        self.alpha = alpha
        self.beta = beta
        self.use_weights = use_weights
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._check()
        self.scaling_ = Standardizer.of(X)
        some = self.scaling_(X[some_rows(len(X), CLUSTER_ROWS)])
        rng = np.random.default_rng(self.random_state)
        self.centres_ = kmeans(some, self.n_clusters, rng)[0].astype(np.float64)  # (k, d)
        nearest = np.concatenate(
            [nearest_centre(self.scaling_(X[i : i + BLOCK]), self.centres_)[0] for i in range(0, len(X), BLOCK)]
        )
        self.sizes_ = np.bincount(nearest, minlength=len(self.centres_))
        self.large_ = self._split(self.sizes_)

    def _score(self, X: Matrix) -> Vector:
        scores = np.empty(len(X))
        for start in range(0, len(X), BLOCK):
            distance = cdist(self.scaling_(X[start : start + BLOCK]), self.centres_)  # (b, k)
            own = distance.argmin(axis=1)
            score = distance[:, self.large_].min(axis=1)  # in a large cluster this is the distance to its own centre
            scores[start : start + BLOCK] = score * self.sizes_[own] if self.use_weights else score
        return scores

    def _check(self) -> None:
        if self.n_clusters < 1:
            raise InputError(f"n_clusters is {self.n_clusters}; give a number from 1")
        if not 0 < self.alpha < 1:
            raise InputError(f"alpha is {self.alpha}; give the share of rows in large clusters, between 0 and 1")
        if not self.beta > 1:
            raise InputError(f"beta is {self.beta}; give a ratio of sizes above 1")

    def _split(self, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which clusters (k,) are large."""
        order = np.argsort(-sizes, kind="stable")
        ranked = sizes[order]
        covers = np.cumsum(ranked)[:-1] >= self.alpha * sizes.sum()  # (k - 1,), for a cut after each cluster
        drops = ranked[:-1] >= self.beta * ranked[1:]
        large = np.ones(len(sizes), dtype=bool)
        for cut in (covers & drops, covers, drops):
            if cut.any():
                large[order[int(cut.argmax()) + 1 :]] = False
                break
        return large
