"""RobustRandomCutForest: how many of the latest windows a window would displace in trees of random cuts.

role: detector
data: series
names: RobustRandomCutForest
system: -
paper: Guha et al., Robust Random Cut Forest Based Anomaly Detection on Streams, 2016
needs: -
checkpoint: none

A step is scored by the window that ends with it: mean over the trees of the collusive displacement, the largest, over
the nodes above its leaf, of the windows on the other side per window on its own. It is then put in, and the oldest
taken out.
"""

from __future__ import annotations

import numpy as np

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.kernels import CutForest
from unusual.parts.windows import at_last_step, rows_of
from unusual.series_detector import SeriesDetector, Steps


class RobustRandomCutForest(SeriesDetector):
    """Collusive displacement among the latest windows; learns on with `learn`.

    Parameters
    ----------
    window : int or None, default 4
        Steps of a window, the paper's shingle; None takes the period of the series.
    n_estimators : int, default 10
        Trees.
    memory : int, default 128
        Latest windows that the trees hold.
    random_state : int
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(
        self,
        window: int | None = 4,
        n_estimators: int = 10,
        memory: int = 128,
        random_state: int = 0,
        alarm_rate: float = 0.01,
    ) -> None:
        self.window = window
        self.n_estimators = n_estimators
        self.memory = memory
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        self._own = self._own_scores_of(parts)  # the forest holds the last windows

    def _steps(self, Z: Steps) -> Vector:
        return at_last_step(self.forest_.score(rows_of(Z, self.window_)), self.window_)

    def _learn_more(self, Z: Steps) -> Vector:
        return at_last_step(self.forest_.learn(rows_of(Z, self.window_)), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return self._own

    def _own_scores_of(self, parts: list[Steps]) -> list[Vector]:
        """Each step by what came before it, and then learned; the first ones displace little."""
        if not (self.n_estimators >= 1 and self.memory >= 2):
            raise InputError(
                f"n_estimators is {self.n_estimators} and memory {self.memory}; give at least 1 tree and 2 windows"
            )
        d = self.window_ * parts[0].shape[1]
        self.forest_ = CutForest.empty(self.n_estimators, self.memory, d, np.random.default_rng(self.random_state))
        return [self._learn_more(part) for part in parts]
