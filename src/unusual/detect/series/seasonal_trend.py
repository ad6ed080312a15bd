"""SeasonalTrend: what neither the trend nor the time of the period explains.

role: detector
data: series
names: SeasonalTrend
system: -
paper: Cleveland et al., STL: A Seasonal-Trend Decomposition Procedure Based on Loess, 1990
needs: -
checkpoint: none

Medians instead of loess: the trend is the median of the steps around, the season the median at each step of the period.
A new series is laid along the season where it fits best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from unusual.detector import Vector
from unusual.parts.windows import smoothed
from unusual.series_detector import SeriesDetector, Steps

AROUND = 2  # periods over which the trend is a median
LEAST_SPREAD = 1e-3  # of a remainder, in units of its channel


class SeasonalTrend(SeriesDetector):
    """Windowed size of the robust remainder.

    Parameters
    ----------
    window : int or None
        Steps of the period; None finds it.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.

    Attributes
    ----------
    season_ : (window_, C) array
        The usual course of a period about its trend, in standard units.
    """

    def __init__(self, window: int | None = None, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        m = self.window_
        self.season_ = np.zeros((m, parts[0].shape[1]))
        about = [part - self._trend(part) for part in parts]
        longest = max(about, key=len)
        self.season_ = _season(longest, m)
        if len(about) > 1:  # all series laid along the season of the longest, then the median of all
            laid = [np.concatenate([np.full((self._start(one), one.shape[1]), np.nan), one]) for one in about]
            self.season_ = _season(np.concatenate([_whole_periods(one, m) for one in laid]), m)
        rest = np.concatenate([np.abs(one - self._seasonal(one)) for one in about])
        self.spread_ = np.maximum(np.median(rest, axis=0), LEAST_SPREAD)  # (C,)

    def _steps(self, Z: Steps) -> Vector:
        return smoothed(np.abs((Z - self._expected(Z)) / self.spread_).mean(axis=1), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [self._steps(part) for part in parts]  # a median hardly feels one step

    def _expected(self, Z: Steps) -> Steps:
        trend = self._trend(Z)
        return trend + self._seasonal(Z - trend)

    def _trend(self, Z: Steps) -> Steps:
        half = min(AROUND * self.window_ + 1, len(Z)) // 2
        trend = np.stack([median_filter(z, 2 * half + 1, mode="nearest") for z in Z.T], axis=1)
        inside = np.clip(np.arange(len(Z)), half, len(Z) - 1 - half)  # at the ends the last full window counts
        return np.asarray(trend[inside])

    def _seasonal(self, about: Steps) -> Steps:
        return self.season_[(np.arange(len(about)) + self._start(about)) % self.window_]

    def _start(self, about: Steps) -> int:
        """The step of the period at which a series (T, C) about its trend begins."""
        m = self.window_
        mine = np.fft.rfft(_season(about, m), axis=0)
        likeness = np.fft.irfft((mine.conj() * np.fft.rfft(self.season_, axis=0)).sum(axis=1), m)
        return int(np.argmax(likeness))


def _season(about: Steps, m: int) -> NDArray[np.float64]:
    """Median (m, C) at each step of the period."""
    return np.asarray(np.nanmedian(_whole_periods(about, m).reshape(-1, m, about.shape[1]), axis=0))


def _whole_periods(about: Steps, m: int) -> Steps:
    missing = -len(about) % m
    return np.concatenate([about, np.full((missing, about.shape[1]), np.nan)])
