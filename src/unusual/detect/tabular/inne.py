"""INNE: isolation by balls around a few random rows that reach to their nearest neighbour.

role: detector
data: table
system: -
paper: Bandaragoda et al., Isolation-Based Anomaly Detection Using Nearest-Neighbor Ensembles, 2018
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.kernels import ball_radii, isolation_balls, isolation_balls_oob
from unusual.parts.bags import bag_size, draw_bags, numbered_within
from unusual.parts.scaling import Standardizer

TINY = float(np.finfo(np.float64).eps)  # two equal centres: their balls have no radius to divide by


class INNE(Detector):
    """Mean over sets of the isolation of the smallest ball that covers the row, 1 where none does.

    A set is psi random rows; the ball around each reaches to its nearest neighbour in the set. The isolation of a ball
    is 1 - r'^2 / r^2, with r its radius and r' that of its nearest neighbour's ball. (The paper writes the ratio of the
    radii themselves; squares order the balls of a set alike.) Columns are brought to equal spread before.

    Parameters
    ----------
    n_estimators : int, default 200
        Sets of balls.
    max_samples : int, default 8
        psi, the rows of a set; never more than half of the table, so that every row is outside of some sets.
    random_state : int, default 0
        Seed of the draws.
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
    centres_ : float32 array (sets, psi, d)
    radius2_ : float32 array (sets, psi)
        Squared radii.
    isolation_ : array (sets, psi)
        What a ball says about the rows it covers.
    """

    def __init__(
        self,
        n_estimators: int = 200,
        max_samples: int = 8,
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
        if self.n_estimators < 1 or self.max_samples < 2:
            raise InputError(
                f"n_estimators is {self.n_estimators} and max_samples {self.max_samples}; "
                "INNE needs at least one set of at least two rows, such as 200 and 8"
            )
        rng = np.random.default_rng(self.random_state)
        self.scaling_ = Standardizer.of(X)
        self._bags = draw_bags(len(X), self.n_estimators, bag_size(len(X), self.max_samples), rng)
        self._grow(self._scaled(X[self._bags.ravel()]).reshape(*self._bags.shape, X.shape[1]))

    def _grow(self, centres: NDArray[np.float32]) -> None:
        """Balls around the centres (sets, psi, d), each as wide as its nearest neighbour in the set is far."""
        self.centres_ = centres
        self.radius2_, neighbour = ball_radii(centres)
        own = self.radius2_.astype(np.float64)
        self.isolation_ = 1 - (np.take_along_axis(own, neighbour, axis=1) + TINY) / (own + TINY)

    def _score(self, X: Matrix) -> Vector:
        return isolation_balls(self._scaled(X), self.centres_, self.radius2_, self.isolation_, self.n_jobs)

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        bags = numbered_within(self._bags, rows, len(X))
        Z = self._scaled(X[np.append(rows, 0)])  # the last row stands for all that are not asked for
        balls = self.centres_, self.radius2_, self.isolation_
        return isolation_balls_oob(Z, *balls, inbag=bags, rows=np.arange(len(rows)), n_jobs=self.n_jobs)

    def _scaled(self, X: Matrix) -> NDArray[np.float32]:
        return self.scaling_(X).astype(np.float32, copy=False)
