"""NAB score: detections of labelled windows count more the earlier they come, false ones count against it.

Within a window only the earliest detection counts: 2 / (1 + exp(5 p)) - 1, p from -1 at its first row to just below 0,
scaled so that the first row is worth 1. A detection outside costs the false-positive weight, less right after a window;
a window without detection costs the false-negative weight. The first rows, in which a detector may warm up, do not
count. One threshold serves all series, and the sum is stretched so that a detector that never alarms gets 0, and one
that alarms at the first row of each window and nowhere else gets 100.
Source: Lavin, Ahmad, Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark, 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector
from unusual.evaluate.runs import Index, segments
from unusual.evaluate.several import OneOrMore, each_series
from unusual.study import Study, Table

PROBATION, PROBATION_ROWS = 0.15, 5000  # 15 % of the rows, of at most 5,000
WINDOWS_SHARE = 0.1  # of the rows of a series, shared by its anomalies
STEEPNESS, FAR = 5.0, 3.0  # of the sigmoid; so many window lengths past a window a detection costs everything
PROFILES = {  # weights of a window found, of a false detection, of a window missed
    "standard": (1.0, 0.11, 1.0),
    "reward_low_FP_rate": (1.0, 0.22, 1.0),
    "reward_low_FN_rate": (1.0, 0.11, 2.0),
}


@dataclass(frozen=True)
class NABScore:
    """The NAB score of one detector on one or several series.

    Attributes
    ----------
    score : float
        0 for a detector that never alarms, 100 for a perfect one; negative for many false alarms.
    threshold : float
        Rows with score >= threshold are detections, in all series; +inf where silence is best.
    raw : float
        Sum of `by_series` before it is stretched.
    by_series : tuple of float
    windows, found : int
        Windows in all series, and those with a detection.
    true, false : int
        Detections inside and outside of windows.
    profile : str
    chosen : bool
        Whether the threshold was chosen on these labels.
    """

    score: float
    threshold: float
    raw: float
    by_series: tuple[float, ...]
    windows: int
    found: int
    true: int
    false: int
    profile: str
    chosen: bool

    def study(self) -> Study:
        """The score, what it is made of, and the sum of each series."""
        answer = (
            f"The NAB score ({self.profile}) is {self.score:.1f} of 100: {self.found} of {self.windows} windows found."
        )
        rows = [
            ("windows found", self.found),
            ("windows", self.windows),
            ("detections in windows", self.true),
            ("detections outside", self.false),
            ("threshold", self.threshold if math.isfinite(self.threshold) else None),
        ]
        parts = [(f"series {i}", value) for i, value in enumerate(self.by_series)]
        blocks = [Table("Made of", ("what", "value"), rows), Table("Raw score", ("series", "sum"), parts)]
        chosen = "The threshold is the best for these labels, as the benchmark's protocol has it."
        return Study("NAB score", answer, blocks, [chosen] if self.chosen else [])


def nab_score(
    labels: OneOrMore, scores: OneOrMore, profile: str = "standard", threshold: float | None = None
) -> NABScore:
    """NAB score of one or several series under one threshold.

    Parameters
    ----------
    labels, scores : (n,) of 0 and 1, and numbers; or one of each per series
        Each run of ones is a window, such as those of `nab_windows`.
    profile : "standard", "reward_low_FP_rate" or "reward_low_FN_rate"
    threshold : float, optional
        Detections are scores at or above it; the best of all for these labels unless given.

    Raises
    ------
    InputError
        If labels and scores do not fit together, no window has a row after the probation, or the profile is unknown.
    """
    if profile not in PROFILES:
        raise InputError(f"profile is {profile!r}; choose one of: {', '.join(PROFILES)}")
    rows = [_Rows.of(y, s, *PROFILES[profile][:2]) for y, s in each_series(labels, scores)]
    hit, _, miss = PROFILES[profile]
    windows = sum(one.windows for one in rows)
    if not windows:
        raise InputError("no window has a row after the probation (15 % of the rows, at most 750); give longer series")
    cut = _best_threshold(rows, miss) if threshold is None else threshold
    sums = [one.at(cut, miss) for one in rows]
    raw = math.fsum(part.raw for part in sums)
    return NABScore(
        score=100 * (raw + windows * miss) / (windows * (hit + miss)),
        threshold=float(cut),
        raw=raw,
        by_series=tuple(part.raw for part in sums),
        windows=windows,
        found=sum(part.found for part in sums),
        true=sum(part.true for part in sums),
        false=sum(part.false for part in sums),
        profile=profile,
        chosen=threshold is None,
    )


def nab_windows(anomalies: Any, n: int) -> NDArray[np.int64]:
    """Labels (n,) whose windows, a tenth of the rows in all, are centred on the rows of the anomalies (k,).

    Raises
    ------
    InputError
        If an anomaly is not a row of the series.
    """
    rows = np.asarray(anomalies)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not ((rows >= 0) & (rows < n)).all():
        raise InputError(f"anomalies are {anomalies!r}; give row numbers from 0 to {n - 1:,}")
    half = int(WINDOWS_SHARE * n / max(len(rows), 1)) // 2
    labels = np.zeros(n, dtype=np.int64)
    for row in rows.tolist():
        labels[max(row - half, 0) : row + half + 1] = 1
    return labels


@dataclass(frozen=True)
class _Sum:
    raw: float
    found: int
    true: int
    false: int


@dataclass(frozen=True)
class _Rows:
    """The rows of one series after the probation, in order: scores, which window, what a detection is worth."""

    scores: Vector  # (m,)
    window: Index  # (m,) -1 outside
    worth: Vector  # (m,)
    windows: int

    @classmethod
    def of(cls, y: Labels, s: Vector, hit: float, false: float) -> _Rows:
        start = probation(len(y))
        bounds = segments(y)
        window = np.where(y, np.cumsum(np.diff(y, prepend=False) & y) - 1, -1)
        worth = np.where(y, hit, false) * row_worth(y)
        return cls(s[start:], window[start:], worth[start:], int((bounds[:, 1] > start).sum()))

    def at(self, threshold: float, miss: float) -> _Sum:
        """The raw score at one threshold."""
        hit = self.scores >= threshold
        inside = self.window >= 0
        _, first = np.unique(self.window[hit & inside], return_index=True)
        gained = float(self.worth[hit & inside][first].sum())
        lost = float(self.worth[hit & ~inside].sum())
        raw = gained + lost - miss * (self.windows - len(first))
        return _Sum(raw, len(first), int((hit & inside).sum()), int((hit & ~inside).sum()))


def probation(n: int) -> int:
    """How many of the first of n rows do not count."""
    return int(min(PROBATION * n, PROBATION * PROBATION_ROWS))


def row_worth(labels: Labels) -> Vector:
    """What a detection at each row (n,) is worth before weights: (0, 1] in windows, [-1, 0) outside."""
    bounds, rows = segments(labels), np.arange(len(labels))
    worth = np.full(len(labels), -1.0)
    if not len(bounds):
        return worth
    width = bounds[:, 1] - bounds[:, 0]
    before = np.searchsorted(bounds[:, 0], rows, side="right") - 1  # the last window that has begun
    begun = before >= 0
    past = np.where(begun, rows - bounds[before, 1] + 1, 0)  # rows after its last one
    inside, after = begun & (past <= 0), begun & (past > 0)
    worth[inside] = _sigmoid((past[inside] - 1) / width[before[inside]]) / _sigmoid(np.array(-1.0))
    place = past[after] / np.maximum(width[before[after]] - 1, 1)
    worth[after] = np.where(place > FAR, -1.0, _sigmoid(place))
    return worth


def _sigmoid(place: Vector) -> Vector:
    return np.asarray(2 * expit(-STEEPNESS * place) - 1)


def _best_threshold(series: list[_Rows], miss: float) -> float:
    """The threshold of the highest raw sum: one sweep over all scores from the highest, one gain or cost a row."""
    scores = np.concatenate([one.scores for one in series])
    change = np.concatenate([_changes(one, miss) for one in series])
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # tied rows become detections at once
    raw = np.append(0.0, np.cumsum(change[order])[ends])  # above that of silence
    return float(np.append(np.inf, scores[order][ends])[int(np.argmax(raw))])


def _changes(one: _Rows, miss: float) -> Vector:
    """By how much the raw score of a series changes as each row (m,) becomes a detection, highest score first."""
    change = one.worth.copy()
    inside = np.flatnonzero(one.window >= 0)
    if not len(inside):
        return change
    order = inside[np.lexsort((-one.scores[inside], one.window[inside]))]  # by window, then as they become detections
    new = np.append(True, np.diff(one.window[order]) != 0)
    earliest = np.minimum.accumulate(order - one.window[order] * len(change)) + one.window[order] * len(change)
    best = one.worth[earliest]  # worth falls along a window
    change[order] = np.where(new, best + miss, best - np.append(0.0, best[:-1]))
    return change
