"""MatrixProfile: how far the window of the reference is whose shape is most alike.

role: detector
data: series
names: MatrixProfile
system: -
paper: Yeh et al., Matrix Profile I: All Pairs Similarity Joins for Time Series, 2016
needs: -
checkpoint: none

Every window is brought to mean 0 and variance 1 in each channel, so level and size do not matter, only shape; the
squared distances of the channels are added. In the series learned from, windows up to a quarter of a window apart are
no neighbours. A step's score is the mean over the windows that cover it or, where only what came before counts, that of
the window that ends there. Of long series each window is compared with about 50,000 others.
"""

from __future__ import annotations

from sklearn.utils.validation import check_is_fitted

from unusual.detector import Matrix, Vector
from unusual.errors import InputError
from unusual.parts.neighbour_windows import WindowStream, earlier, joined, look_up, over_parts, settled, shown
from unusual.parts.period import whole_periods
from unusual.parts.windows import at_last_step, spread_back
from unusual.series_detector import SeriesDetector, Steps


class MatrixProfile(SeriesDetector):
    """Root mean squared difference between a window and the most similar of the reference, both standardised.

    Parameters
    ----------
    window : int or None
        Steps of a window, at least 2; None takes whole periods of the series, at least 64 steps.
    left : bool, default False
        Whether a window is compared only with those that ended before: the reference and the earlier windows of its own
        series, as in `stream`. Whatever comes again is then no longer unusual.
    n_jobs : int or None, default None
        Threads, as in scikit-learn.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.

    Attributes
    ----------
    reference_ : float64 (R, C)
        The series learned from in standard units, one after another with a missing step between.
    """

    def __init__(
        self, window: int | None = None, left: bool = False, n_jobs: int | None = None, alarm_rate: float = 0.01
    ) -> None:
        self.window = window
        self.left = left
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def stream(self, keep: int | None = None) -> MatrixProfileStream:
        """Scores of a series step by step, the same as `anomaly_score` gives where `left` is set.

        Parameters
        ----------
        keep : int, optional
            The latest steps kept beside the reference; all unless given. Forgetting bounds memory and time, and then
            the scores are those of a series whose older steps are not known.
        """
        check_is_fitted(self)
        return MatrixProfileStream(self, keep)

    def _usual_window(self, Z: Steps) -> int:
        return whole_periods(Z)

    def _learn(self, parts: list[Steps]) -> None:
        if self.window_ < 2:
            raise InputError("window is 1, and one step has no shape; give at least 2")
        self.reference_ = joined(parts)

    def _steps(self, Z: Steps) -> Vector:
        m = self.window_
        if self.left:
            return at_last_step(settled(earlier(Z, m, self.reference_, self.n_jobs)), m)
        distance, _ = look_up(Z, m, 1, True, self.reference_, n_jobs=self.n_jobs)
        return spread_back(settled(distance), m)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        m = self.window_
        if self.left:
            return over_parts(earlier(self.reference_, m, None, self.n_jobs), parts, m, at_last_step)
        distance, _ = look_up(self.reference_, m, 1, True, n_jobs=self.n_jobs)
        return over_parts(distance, parts, m, spread_back)

    def _expected(self, Z: Steps) -> Steps:
        """The nearest shapes (T, C) at the level of Z; a series that was learned from may be its own."""
        _, index = look_up(Z, self.window_, 1, True, self.reference_, n_jobs=self.n_jobs)
        return shown(Z, index, self.reference_, self.window_, levelled=True)


class MatrixProfileStream:
    """Takes the steps of a series as they come; see `MatrixProfile.stream`."""

    def __init__(self, detector: MatrixProfile, keep: int | None) -> None:
        self._detector = detector
        self._windows = WindowStream(detector.reference_, detector.window_, keep, detector.n_jobs)

    @property
    def ready(self) -> bool:
        """Whether the next step will have a score: a window is full with it."""
        return self._windows.ready

    def append(self, X: Matrix) -> Vector:
        """Scores (r,) of the last r of the new steps X (t, C): r is t but for the first window of a stream less one."""
        return self._windows.append(self._detector._standard(self._detector._matrix(X, reset=False)))
