"""HalfSpaceTrees: how few of the latest windows lie in the same small boxes, cut in halves without looking at data.

role: detector
data: series
names: HalfSpaceTrees
system: -
paper: Tan et al., Fast Anomaly Detection for Streaming Data, 2011
needs: -
checkpoint: none

A step is scored by the window that ends with it. Each tree halves a random box again and again; the mass of a node is
how many of the last `memory` windows fell into it. The window walks down to the first node with at most a tenth of
them, whose mass times 2^level says how dense it is there; the score is minus the logarithm of the mean over the trees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.kernels import half_space_mass
from unusual.kernels.half_space import DEEPEST
from unusual.parts.windows import at_last_step, rows_of
from unusual.series_detector import SeriesDetector, Steps

FEW = 0.1  # of the memory: nodes with so little mass are not looked into


class HalfSpaceTrees(SeriesDetector):
    """Mass of half-space trees over the latest windows; learns on with `learn`.

    Parameters
    ----------
    window : int or None, default 4
        Steps of a window; None takes the period of the series.
    n_estimators : int, default 25
        Trees.
    depth : int, default 10
        Levels of a tree below its root, at most 16.
    memory : int, default 250
        Windows after which the masses are those of the latest so many.
    random_state : int
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.

    Attributes
    ----------
    column_, cut_ : (trees, 2^depth - 1) arrays
        Of the inner nodes as a heap: up to the cut goes left.
    mass_, latest_ : (trees, 2^(depth + 1) - 1) int32
        Windows in each node: of the last full memory, and of the one that fills up.
    filled_ : int
        Windows in `latest_`.
    """

    mass_: NDArray[np.int32]
    latest_: NDArray[np.int32]
    filled_: int

    def __init__(
        self,
        window: int | None = 4,
        n_estimators: int = 25,
        depth: int = 10,
        memory: int = 250,
        random_state: int = 0,
        alarm_rate: float = 0.01,
    ) -> None:
        self.window = window
        self.n_estimators = n_estimators
        self.depth = depth
        self.memory = memory
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        self._own = self._own_scores_of(parts)  # its masses are those after the last step

    def _steps(self, Z: Steps) -> Vector:
        return at_last_step(self._scored(rows_of(Z, self.window_), keep=False), self.window_)

    def _learn_more(self, Z: Steps) -> Vector:
        rows, scores = rows_of(Z, self.window_), []
        while len(rows):  # masses change only where a memory is full
            room = self.memory_ - self.filled_
            scores.append(self._scored(rows[:room], keep=True))
            rows = rows[room:]
            if self.filled_ == self.memory_:
                self.mass_, self.latest_, self.filled_ = self.latest_, np.zeros_like(self.mass_), 0
        return at_last_step(np.concatenate(scores), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return self._own

    def _own_scores_of(self, parts: list[Steps]) -> list[Vector]:
        """Each step by the full memory before it, the first memory by itself; all are learned."""
        self._grow(parts)
        m = self.window_
        first = rows_of(parts[0], self.window_)
        self.memory_ = min(self.memory, len(first))
        first = first[: self.memory_]
        self._scored(first, keep=True)
        self.mass_, self.latest_, self.filled_ = self.latest_, np.zeros_like(self.mass_), 0
        own = at_last_step(self._scored(first, keep=False), m)
        rest = parts[0][len(own) - m + 1 :]
        if len(rest) >= m:
            own = np.concatenate([own, self._learn_more(rest)[m - 1 :]])
        return [own, *(self._learn_more(part) for part in parts[1:])]

    def _grow(self, parts: list[Steps]) -> None:
        """Boxes around the data, random columns, and the middles of what is left of them on the way down."""
        if not (self.n_estimators >= 1 and 1 <= self.depth <= DEEPEST and self.memory >= 2):
            raise InputError(
                f"n_estimators is {self.n_estimators}, depth {self.depth} and memory {self.memory}; "
                f"give at least 1 tree, a depth from 1 to {DEEPEST} and a memory of at least 2"
            )
        rng = np.random.default_rng(self.random_state)
        everything = np.concatenate(parts)
        low = np.repeat(everything.min(axis=0), self.window_)  # (d,), channels one after the other, as in `_rows`
        span = np.repeat(np.ptp(everything, axis=0), self.window_)
        middle = rng.random((self.n_estimators, len(low)))  # (trees, d)
        reach = 2 * np.maximum(middle, 1 - middle)
        inner = 2**self.depth - 1
        self.column_ = rng.integers(len(low), size=(self.n_estimators, inner)).astype(np.int32)
        self.cut_ = np.empty((self.n_estimators, inner))
        for level in range(self.depth):
            heap = np.arange(2**level, 2 ** (level + 1))  # the number of a node, plus 1
            column = self.column_[:, heap - 1]
            a, b = (np.take_along_axis(middle + side * reach, column, axis=1) for side in (-1, 1))
            for up in range(level, 0, -1):  # what cuts above left of the box
                above, right = (heap >> up) - 1, (heap >> (up - 1)) & 1 == 1
                same, cut = self.column_[:, above] == column, self.cut_[:, above]
                a, b = np.where(same & right, cut, a), np.where(same & ~right, cut, b)
            self.cut_[:, heap - 1] = (a + b) / 2
        self.cut_ = low[self.column_] + span[self.column_] * self.cut_
        self.mass_ = np.zeros((self.n_estimators, 2 * inner + 1), np.int32)
        self.latest_, self.filled_ = self.mass_.copy(), 0

    def _scored(self, rows: Steps, *, keep: bool) -> Vector:
        """Scores (n,) of windows; with `keep` they are added to the latest."""
        latest = self.latest_ if keep else None
        total = half_space_mass(rows, self.column_, self.cut_, self.mass_, FEW * self.memory_, latest)
        self.filled_ += len(rows) if keep else 0
        return np.asarray(np.log(self.n_estimators * self.memory_) - np.log1p(total))
