"""AutoSeries: the default for series: nearest windows of two lengths, forecast errors and change points, added up.

role: detector
data: series
names: AutoSeries
system: -
paper: a combination made for this library, of SubKNN, AutoRegression and ChangePoints
needs: -
checkpoint: none

Each member sees what the others do not: nearest windows an odd shape or level, the forecast a break of what usually
follows, change points a new regime that looks ordinary at every step. Scores are brought to interquartile ranges above
their median and added by their logarithm: ranks would forget how far out a step lies. Windows are whole periods of the
series. The more channels, the less nearest windows say: one odd channel moves their distance less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unusual.detect.series.auto_regression import AutoRegression
from unusual.detect.series.change_points import ChangePoints
from unusual.detect.series.sub_knn import SubKNN
from unusual.detector import Vector
from unusual.parts.spread import Spread
from unusual.parts.whole_periods import whole_periods
from unusual.series_detector import SeriesDetector, Steps

NEIGHBORS = 8  # more than one: an odd beat that comes back a few times is still far from the eighth
NEAR = 3.0  # weight of nearest windows beside forecast and change points, for one channel
LENGTHS = (1, 2)  # windows of nearest windows, in whole periods
FITS = 6  # windows a series holds at least, for windows of a length to be compared


class AutoSeries(SeriesDetector):
    """Unusual steps of any series, without a choice to make; `why_` says what it did.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes whole periods of the series, at least 64 steps.
    n_jobs : int or None, default None
        Threads of the search for nearest windows; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.

    Attributes
    ----------
    members_ : list of SeriesDetector
    weights_, scales_ : what each member says, and median and spread of its scores of the fit.
    why_ : str
        What was done, in a sentence.
    """

    def __init__(self, window: int | None = None, n_jobs: int | None = None, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _usual_window(self, Z: Steps) -> int:
        return whole_periods(Z)

    def _learn(self, parts: list[Steps]) -> None:
        m, channels = self.window_, parts[0].shape[1]
        longest = max(map(len, parts))
        lengths = [q * m for q in LENGTHS if q == 1 or FITS * q * m <= longest]
        near = NEAR / np.sqrt(channels)  # what befalls one of C channels moves their distance by a part in sqrt(C)
        near_ones = [SubKNN(length, NEIGHBORS, self.n_jobs) for length in lengths]
        self.members_ = [*near_ones, AutoRegression(m), ChangePoints(m)]
        self.weights_ = [near] * len(lengths) + [1.0, 1.0]
        own = []
        for member, length in zip(self.members_, [*lengths, m, m], strict=True):
            member.window_ = length
            member._learn([part for part in parts if len(part) >= member.window_])
            own.append(member._own_steps(parts))
        self._own = [np.stack(scores) for scores in zip(*own, strict=True)]  # (members, T) of each series
        self.scales_ = [Spread.of(scores) for scores in np.concatenate(self._own, axis=1)]
        self.why_ = self._told(lengths, channels)

    def _steps(self, Z: Steps) -> Vector:
        return self._combined([m._steps(Z) if len(Z) >= m.window_ else None for m in self.members_])

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        """Sums of the members' own scores, for which each leaves a step's own surroundings out.

        Series shorter than a window were not learned from, and get the lowest score.
        """
        found = iter([self._combined(list(own)) for own in self._own])
        scores = [next(found) if len(part) >= self.window_ else None for part in parts]
        lowest = min(s.min() for s in scores if s is not None)
        return [np.full(len(p), lowest) if s is None else s for p, s in zip(parts, scores, strict=True)]

    def _told(self, lengths: list[int], channels: int) -> str:
        share = sum(self.weights_[: len(lengths)]) / sum(self.weights_)
        counted = f"{channels} channel{'s' * (channels > 1)}"
        return (
            f"windows of {' and '.join(map(str, lengths))} steps, compared with those most like them, decide by "
            f"{share:.0%} ({counted}); errors of a forecast and change points by the rest"
        )

    def _combined(self, scores: Sequence[Vector | None]) -> Vector:
        """Weighted mean of the members that could score, each in its own units."""
        said = [(w, scale(s)) for w, scale, s in zip(self.weights_, self.scales_, scores, strict=True) if s is not None]
        return np.asarray(sum(w * s for w, s in said) / sum(w for w, _ in said))

    def _expected(self, Z: Steps) -> Steps:
        return np.asarray(self.members_[0]._expected(Z))
