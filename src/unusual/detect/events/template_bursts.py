"""TemplateBursts: lines of one kind that come far more often than usual for a while, at any scale of time.

role: detector
data: events
names: TemplateBursts
system: -
paper: Kulldorff, A Spatial Scan Statistic, 1997
needs: -
checkpoint: none
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import nbinom, poisson

from unusual.data.log_events import LogEvents
from unusual.detector import Vector
from unusual.parts.time_windows import TimedLines, Windows, burst_number, followed_closely
from unusual.parts.value_tails import by_group
from unusual.sequence_detector import Index, LineDetector

OFFSETS = (0.0, 0.5)  # of a window's length
FEWEST_WINDOWS = 8  # of a scale: with fewer there is no telling what is usual
LARGEST = 2.0**24  # seconds, or lines
PRIOR = 0.5  # of a line more in all windows together, so that no kind is impossible
FARTHEST = 700.0  # -log p is cut there: beyond it is rounding


@dataclass(frozen=True)
class Burst:
    """Lines `rows` of one template between two times, how many were usual, and -log p of so many."""

    template: int
    rows: Index
    start: float
    end: float
    usual: float
    magnitude: float


class TemplateBursts(LineDetector):
    """-log p of the burst that begins with a line: as many lines of its template in so short a time, or more.

    A line within a burst, or in none, scores 0, so that a burst is listed once and not for each of its lines.
    Windows are 1, 2, 4, ... seconds long (lines, where there are no times), each at two offsets. The number of lines
    of a template in a window follows a negative binomial law with the mean and variance that the template has in the
    windows of the fit in which anything was written at all; so a kind that always comes in bursts raises no alarm.

    Parameters
    ----------
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of lines one accepts as false alarms.

    Attributes
    ----------
    scales_ : list of dicts
        For each length: `windows`, those with anything in them, and sums and squared sums of each template's lines.
    start_ : float
        Time of the first line of the fit, from which windows are counted.
    """

    scales_: list[dict[str, Any]]
    start_: float

    def __init__(self, alarm_rate: float = 0.01) -> None:
        self.alarm_rate = alarm_rate

    def _learn(self, X: LogEvents) -> None:
        self.start_, self.scales_ = float(_times(X)[0]), []
        lines = TimedLines.of(X.template, _times(X) - self.start_)
        length = 1.0
        while length <= LARGEST:
            sums, squares, windows = np.zeros(self.known_), np.zeros(self.known_), 0
            for offset in OFFSETS:
                cut = Windows.of(lines, length, offset)
                sums += np.bincount(cut.template, cut.counts, self.known_)
                squares += np.bincount(cut.template, cut.counts.astype(np.float64) ** 2, self.known_)
                windows += cut.windows
            if windows < len(OFFSETS) * FEWEST_WINDOWS:
                break
            self.scales_.append({"length": length, "windows": windows, "sums": sums, "squares": squares})
            length *= 2

    def _rate(self, X: LogEvents) -> Vector:
        return self._onsets(X, own=False)

    def _train_score(self, X: LogEvents, rows: Index) -> Vector:
        """Scores of lines of the fit, each window judged by all the others."""
        return self._onsets(X, own=True)[rows]

    def _explain(self, X: LogEvents) -> Vector:
        """The score itself (n,): that of the window around the line."""
        return self._rate(X)

    def bursts(self, X: Any, magnitude: float, *, own: bool = False) -> list[Burst]:
        """The bursts with -log p of at least `magnitude`, strongest first; of windows that overlap only the strongest.

        With `own` the lines are those of the fit, and each window is judged by all the others.
        """
        return self._bursts(self._matrix(X, reset=False), magnitude, own)

    def _bursts(self, X: LogEvents, magnitude: float, own: bool) -> list[Burst]:
        score, scale, window, usual = self._best(X, own)
        time = _times(X)
        rows = np.flatnonzero(score >= magnitude)
        found = []
        burst = burst_number(X.template, scale, window)
        close = followed_closely(time, burst)
        for _, part in by_group(burst[rows]):
            at = rows[part][int(close[rows[part]].argmax()) :]
            ends = float(time[at[0]]), float(time[at[-1]])
            found.append(Burst(int(X.template[at[0]]), at, *ends, float(usual[at[0]]), float(score[at[0]])))
        return sorted(found, key=lambda burst: -burst.magnitude)

    def _onsets(self, X: LogEvents, own: bool) -> Vector:
        """The magnitude of each burst at the line with which it begins (n,), 0 elsewhere."""
        score, scale, window, _ = self._best(X, own)
        burst = burst_number(X.template, scale, window)
        within = np.flatnonzero(followed_closely(_times(X), burst))
        _, first = np.unique(burst[within], return_index=True)
        onset = np.zeros(len(X))
        onset[within[first]] = score[within[first]]
        return onset

    def _best(self, X: LogEvents, own: bool) -> tuple[Vector, Index, Index, Vector]:
        """For each line the magnitude of its most surprising window, its scale, its number, and what is usual in it."""
        score, usual = np.zeros(len(X)), np.zeros(len(X))
        scale, window = np.zeros(len(X), dtype=np.int64), np.zeros(len(X), dtype=np.int64)
        lines = TimedLines.of(X.template, _times(X) - self.start_)
        for j, known in enumerate(self.scales_):
            for k, offset in enumerate(OFFSETS):
                cut = Windows.of(lines, known["length"], offset)
                pairs, which = np.unique(cut.template * (len(X) + 1) + cut.counts, return_inverse=True)
                found = _surprise(known, pairs // (len(X) + 1), pairs % (len(X) + 1), own)
                magnitude, mean = found[0][which], found[1][which]
                better = magnitude[cut.place] > score
                at = cut.place[better]
                score[better], usual[better], window[better] = magnitude[at], mean[at], at
                scale[better] = len(OFFSETS) * j + k
        return self._without_stronger(X, scale, window, own), scale, window, usual

    def _without_stronger(self, X: LogEvents, scale: Index, window: Index, own: bool) -> Vector:
        """Magnitudes (n,) of bursts by their own lines alone: those of a stronger one they overlap count only there."""
        _, burst, size = np.unique(burst_number(X.template, scale, window), return_inverse=True, return_counts=True)
        score = np.zeros(len(X))
        for j, known in enumerate(self.scales_):
            rows = np.flatnonzero(scale // len(OFFSETS) == j)
            pairs, which = np.unique(X.template[rows] * (len(X) + 1) + size[burst[rows]], return_inverse=True)
            score[rows] = _surprise(known, pairs // (len(X) + 1), pairs % (len(X) + 1), own)[0][which]
        return score


def _surprise(scale: dict[str, Any], template: Index, counts: Index, own: bool) -> tuple[Vector, Vector]:
    """-log P(at least so many) (w,) of windows of one length, and what is usual (w,)."""
    known = template < len(scale["sums"])
    safe = np.where(known, template, 0)
    sums, squares = np.where(known, scale["sums"][safe], 0.0), np.where(known, scale["squares"][safe], 0.0)
    windows = scale["windows"]
    if own:  # both offsets were summed, so the lines of this window stand in the sums about twice
        sums, squares, windows = np.maximum(sums - 2 * counts, 0), np.maximum(squares - 2.0 * counts**2, 0), windows - 2
    mean = (sums + PRIOR) / windows
    spread = np.maximum((squares + PRIOR) / windows - mean**2, mean)
    size = mean**2 / np.maximum(spread - mean, 1e-12 * mean)
    with np.errstate(divide="ignore"):
        poissonian = size > 1e6 * np.maximum(mean, 1)
        tail = np.where(
            poissonian,
            poisson.logsf(counts - 1, mean),
            nbinom.logsf(counts - 1, np.minimum(size, 1e9), 1 / (1 + mean / size)),
        )
    return np.minimum(-tail, FARTHEST) + 0.0, mean


def _times(X: LogEvents) -> Vector:
    """Seconds, made to run forward; line numbers where some are missing."""
    if not np.isfinite(X.time).all():
        return X.line.astype(np.float64)
    return np.asarray(np.maximum.accumulate(X.time))
