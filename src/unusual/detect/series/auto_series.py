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
series. The more channels, the less nearest windows say: one odd channel moves their distance less. All of this scores
whole windows. Where what stands out are single steps, they are lifted out of the windows that score high.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unusual.detect.series.auto_regression import AutoRegression
from unusual.detect.series.change_points import ChangePoints
from unusual.detect.series.sub_knn import SubKNN
from unusual.detector import Vector
from unusual.parts.period import whole_periods
from unusual.parts.spread import Spread
from unusual.parts.windows import block_maxima, smoothed
from unusual.series_detector import SeriesDetector, Steps

NEIGHBORS = 8  # more than one: an odd beat that comes back a few times is still far from the eighth
NEAR = 3.0  # weight of nearest windows beside forecast and change points, for one channel
LENGTHS = (1, 2)  # windows of nearest windows, in whole periods
FAR = 3.0  # interquartile ranges above the third quartile of its like: far out, by Tukey's rule
CLOSE = 2  # steps to either side that belong to a single odd step
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
    point_ : float
        From 0 to 1: how much of the errors of the forecast, about those far out, lies in a step and its neighbours.
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
        self.forecast_ = AutoRegression(m)
        self.members_ = [*near_ones, self.forecast_, ChangePoints(m)]
        self.weights_, self.scales_ = [near] * len(lengths) + [1.0, 1.0], []
        for member, length in zip(self.members_, [*lengths, m, m], strict=True):
            member.window_ = length
            member._learn([part for part in parts if len(part) >= length])
        errors = self.forecast_._own_errors(parts)
        own = [_own_of(member, parts) for member in near_ones]
        own += [[smoothed(one, m) for one in errors], self.members_[-1]._own_steps(parts)]
        self._own = list(zip(*own, strict=True))  # of each series the scores by each member
        for scores in own:
            self.scales_.append(Spread.of(np.concatenate([one for one in scores if one is not None])))
        self._learn_points(errors)
        self.why_ = self._told(lengths, channels)

    def _learn_points(self, errors: list[Vector]) -> None:
        """Whether single steps stand out among the errors (T_i,) of the forecast, and how large these are."""
        self._own_sharp = [smoothed(one, 2 * CLOSE - 1) for one in errors]
        self.sharp_scale_ = Spread.of(np.concatenate(self._own_sharp))
        self.sharpest_ = max(float(self.sharp_scale_(np.concatenate(self._own_sharp)).max()), 1e-9)
        self.point_ = _point_character(np.concatenate(errors), self.window_)

    def _steps(self, Z: Steps) -> Vector:
        sharp = smoothed(self.forecast_._errors(Z), 2 * CLOSE - 1)
        return self._combined([m._steps(Z) if len(Z) >= m.window_ else None for m in self.members_], sharp)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        """Sums of the members' own scores, for which each leaves a step's own surroundings out."""
        return [self._combined(own, sharp) for own, sharp in zip(self._own, self._own_sharp, strict=True)]

    def _combined(self, scores: Sequence[Vector | None], sharp: Vector) -> Vector:
        """Weighted mean of the members that could score, each in its own units; single steps lifted out of it."""
        said = [(w, scale(s)) for w, scale, s in zip(self.weights_, self.scales_, scores, strict=True) if s is not None]
        mean = np.asarray(sum(w * s for w, s in said) / sum(w for w, _ in said))
        lift = np.clip(self.sharp_scale_(sharp) / self.sharpest_, 0, 1)
        return np.asarray(mean + self.point_ * lift * np.maximum(mean, 0))

    def _expected(self, Z: Steps) -> Steps:
        return np.asarray(self.members_[0]._expected(Z))

    def _told(self, lengths: list[int], channels: int) -> str:
        share = sum(self.weights_[: len(lengths)]) / sum(self.weights_)
        counted = f"{channels} channel{'s' * (channels > 1)}"
        points = f"; single steps stand out ({self.point_:.0%}), and are lifted out of them" if self.point_ else ""
        return (
            f"windows of {' and '.join(map(str, lengths))} steps, compared with those most like them, decide by "
            f"{share:.0%} ({counted}); errors of a forecast and change points by the rest{points}"
        )


def _own_of(member: SubKNN, parts: list[Steps]) -> list[Vector | None]:
    """Own scores of a member for each series; None for those shorter than its window, which it did not learn."""
    found = iter(member._own_steps([part for part in parts if len(part) >= member.window_]))
    return [next(found) if len(part) >= member.window_ else None for part in parts]


def _point_character(errors: Vector, m: int) -> float:
    """Median share of squared errors (T,) within CLOSE steps of the highest of a block of m, of those within m / 2.

    Only blocks whose highest error is far out among those of all blocks are asked; 0 where there are none.
    """
    highest = block_maxima(errors, m)
    low, high = np.quantile(highest, [0.25, 0.75])
    odd = np.flatnonzero(highest > high + FAR * (high - low))
    if not len(odd):
        return 0.0
    excess = np.maximum(errors - np.quantile(errors, 0.75), 0) ** 2
    ends = np.append(np.arange(1, len(highest)) * m, len(errors))
    peaks = [b * m + int(np.argmax(errors[b * m : ends[b]])) for b in odd.tolist()]
    reach = max(m // 2, CLOSE)
    shares = [_within(excess, t, CLOSE) / _within(excess, t, reach) for t in peaks]
    return float(np.median(shares))


def _within(excess: Vector, t: int, reach: int) -> float:
    return float(excess[max(0, t - reach) : t + reach + 1].sum())
