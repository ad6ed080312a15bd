"""AutoRegression: what the steps before do not foretell.

role: detector
data: series
names: AutoRegression
system: -
paper: Box and Jenkins, Time Series Analysis: Forecasting and Control, 1970
needs: -
checkpoint: none

Each channel is foretold from the last steps of all channels by ridge regression, in closed form. The surprise of a step
is averaged over a window, for an event that lasts is foretold badly again and again.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.parts.windows import smoothed, windows
from unusual.series_detector import FOLDS, SeriesDetector, Steps

MOST_COLUMNS = 400  # lags times channels
LEAST_SPREAD = 1e-6  # of a residual, in units of its channel


class AutoRegression(SeriesDetector):
    """Windowed error of a linear forecast of one step.

    Parameters
    ----------
    window : int or None
        Steps over which errors are averaged; None takes the period of the series.
    lags : int, default 20
        Steps a forecast looks back: fewer where the window, or many channels, ask for it.
    ridge : float, default 0.001
        Penalty on squared coefficients, for each step learned from.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(
        self, window: int | None = None, lags: int = 20, ridge: float = 1e-3, alarm_rate: float = 0.01
    ) -> None:
        self.window = window
        self.lags = lags
        self.ridge = ridge
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        if self.lags < 1 or self.ridge <= 0:
            raise InputError(f"lags is {self.lags} and ridge {self.ridge}; give lags from 1 and a ridge above 0")
        C = parts[0].shape[1]
        self.lags_ = max(1, min(self.lags, MOST_COLUMNS // C, min(map(len, parts)) // 4))
        self._sums = [_sums(*self._rows(cut)) for part in parts for cut in self._folds(part)]
        A, b = (np.sum(one, axis=0) for one in zip(*self._sums, strict=True))
        self.coefficients_ = self._solved(A, b)
        gaps = np.concatenate([self._gaps(part, self.coefficients_) for part in parts])
        self.spread_ = np.maximum(np.median(np.abs(gaps), axis=0), LEAST_SPREAD)  # (C,)

    def _steps(self, Z: Steps) -> Vector:
        return smoothed(self._errors(Z), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [smoothed(errors, self.window_) for errors in self._own_errors(parts)]

    def _errors(self, Z: Steps) -> Vector:
        """Mean error (T,) over channels, in median errors of each."""
        return self._sized(self._gaps(Z, self.coefficients_))

    def _own_errors(self, parts: list[Steps]) -> list[Vector]:
        """Each fifth of a series foretold by what was learned from all others: sums less its own."""
        A, b = (np.sum(one, axis=0) for one in zip(*self._sums, strict=True))
        sums = iter(self._sums)
        scores = []
        for part in parts:
            gaps, at = [], 0
            for cut in self._folds(part):
                own = next(sums)
                gap = self._gaps(part, self._solved(A - own[0], b - own[1]))
                gaps.append(gap[at : at + len(cut) - (self.lags_ if at else 0)])
                at += len(gaps[-1])
            scores.append(self._sized(np.concatenate(gaps)))
        return scores

    def _folds(self, part: Steps) -> list[Steps]:
        """Fifths of a series, each with the steps before it that its forecasts look back on."""
        edges = np.linspace(0, len(part), FOLDS + 1).astype(int)
        return [part[max(0, a - self.lags_) : b] for a, b in pairwise(edges.tolist())]

    def _rows(self, Z: Steps) -> tuple[Steps, Steps]:
        """The steps before (n, lags C + 1) and the step (n, C)."""
        if len(Z) <= self.lags_:
            return np.empty((0, self.lags_ * Z.shape[1] + 1)), np.empty((0, Z.shape[1]))
        before = windows(Z[:-1], self.lags_).reshape(len(Z) - self.lags_, -1)
        return np.column_stack([before, np.ones(len(before))]), Z[self.lags_ :]

    def _solved(self, A: Steps, b: Steps) -> NDArray[np.float64]:
        return np.linalg.solve(A + self.ridge * max(A[-1, -1], 1.0) * np.eye(len(A)), b)

    def _gaps(self, Z: Steps, coefficients: Steps) -> Steps:
        """Errors (T, C) of the forecasts; the first steps, before which there is too little, count as foretold."""
        before, now = self._rows(Z)
        return np.concatenate([np.zeros((min(self.lags_, len(Z)), Z.shape[1])), now - before @ coefficients])

    def _sized(self, gaps: Steps) -> Vector:
        return np.asarray(np.abs(gaps / self.spread_).mean(axis=1))

    def _expected(self, Z: Steps) -> Steps:
        return Z - self._gaps(Z, self.coefficients_)


def _sums(before: Steps, now: Steps) -> tuple[Steps, Steps]:
    return before.T @ before, before.T @ now
