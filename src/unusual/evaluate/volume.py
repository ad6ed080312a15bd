"""VUS-ROC and VUS-PR: area under ROC and precision-recall curves of a series, averaged over widths of a soft border.

Around each labelled segment lies a border of half the window whose label falls from 1 with the square root of the
distance; the true-positive rate is multiplied by the share of segments that are touched at all. Windows from 0 to L
make a surface, the volume under it is the mean of its areas.
Source: Paparrizos et al., Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly
Detection, 2022. Liu, Paparrizos, The Elephant in the Room: Towards A Reliable Time-Series Anomaly Detection Benchmark,
2024, takes 250 thresholds at equal ranks. Those reward plateaus: of a short anomaly in a long series a score without
ties reaches few points at any of them, so that even a perfect one stays well below 1. With `thresholds=None` every
distinct score is a threshold, and a perfect score gets 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector, labels_and_scores, scores_of
from unusual.evaluate.runs import Index, segments
from unusual.parts.period import leading_lag
from unusual.study import Lines, Study

Matrix = NDArray[np.float64]

BLOCK_CELLS = 60_000  # windows times thresholds worked on at once: they stay in cache


@dataclass(frozen=True)
class VUS:
    """Volumes under the surface, and the areas they are the means of.

    Attributes
    ----------
    roc, pr : float
        VUS-ROC and VUS-PR, in [0, 1].
    roc_by_window, pr_by_window : (L + 1,) arrays
        Range-AUC-ROC and range-AUC-PR of windows 0 to L.
    thresholds : int or None
        How many ranks were thresholds; None for every distinct score.
    """

    roc: float
    pr: float
    roc_by_window: Vector
    pr_by_window: Vector
    thresholds: int | None

    def study(self) -> Study:
        """Both volumes, and the areas over the window."""
        windows = np.arange(len(self.roc_by_window))
        cuts = "every distinct score" if self.thresholds is None else f"{self.thresholds} equal ranks"
        return Study(
            "Volume under the surface",
            f"VUS-PR is {self.pr:.3f} and VUS-ROC {self.roc:.3f} over windows of 0 to {windows[-1]} rows.",
            [
                Lines(
                    "Area under the curves as the border around the labels grows",
                    "window (rows)",
                    "area",
                    {"range-AUC-ROC": (windows, self.roc_by_window), "range-AUC-PR": (windows, self.pr_by_window)},
                )
            ],
            [f"Thresholds are {cuts}; chance is not the share of anomalies, compare with chance level and ceiling."],
        )


def vus(labels: ArrayLike, scores: ArrayLike, window: int, thresholds: int | None = 250) -> VUS:
    """Volume under the surface of ranges, exact for the thresholds taken.

    Parameters
    ----------
    labels : (n,) of 0 normal and 1 anomalous
    scores : (n,) numbers, higher is more unusual; infinite ones are allowed, only ranks count
    window : int
        Widest window L in rows, such as the period of the series (`default_window`).
    thresholds : int or None
        Number of thresholds at equal ranks (250 in TSB-AD), or None for every distinct score.

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold one class or NaN, the window is negative or longer than the
        series, or thresholds are fewer than two.
    """
    y, s = labels_and_scores(labels, scores)
    if not 0 <= window <= len(y) or window != int(window):
        raise InputError(f"window is {window} and the series has {len(y):,} rows; give a whole number from 0 to that")
    if thresholds is not None and thresholds < 2:
        raise InputError(f"thresholds is {thresholds}; give at least 2, or None for every distinct score")
    border = _Border.of(y, int(window))
    ranked = np.sort(-s)  # descending scores, negated
    cuts = _telling(ranked, -s[y | border.mask]) if thresholds is None else _at_ranks(ranked, thresholds)
    roc, pr = _areas(-s, y, border, cuts, np.searchsorted(ranked, cuts, side="right"))
    return VUS(float(roc.mean()), float(pr.mean()), roc, pr, thresholds)


def default_window(values: ArrayLike) -> int:
    """The period of a series by TSB-AD's rule: the lag from 6 to 303 rows at which its autocorrelation peaks highest.

    The highest of the strict peaks between lags 3 and 400 of the first 20,000 values (n,) is taken. Without a peak, or
    with one out of that range, it is 125; never more than the length of the series.

    Raises
    ------
    InputError
        If values are not one list of numbers, or some are NaN or infinite.
    """
    x = scores_of(values, "values")
    if np.isinf(x).any():
        raise InputError("values hold infinity; leave those rows out or replace them before asking for the period")
    return min(leading_lag(x[:, None]), len(x))


def _at_ranks(ranked: Vector, thresholds: int) -> Vector:
    return np.asarray(ranked[np.linspace(0, len(ranked) - 1, thresholds).astype(np.int64)])


def _telling(ranked: Vector, relevant: Vector) -> Vector:
    """The distinct scores at which a labelled row or one of the border enters, each with the one before, and the last.

    Between them the true-positive rate stays, so that all other thresholds add nothing to either area.
    """
    distinct = np.unique(ranked)
    at = np.searchsorted(distinct, np.unique(relevant))
    return np.asarray(distinct[np.unique(np.concatenate([at, np.maximum(at - 1, 0), [len(distinct) - 1]]))])


@dataclass(frozen=True)
class _Border:
    """Rows within half the widest window of a segment, and how far they are from it."""

    parts: Index  # (S, 2) labelled segments
    window: int
    rows: Index  # (K,) rows outside all segments, one entry per segment they are near to, in order
    distance: Index  # (K,) in rows
    mask: Labels  # (n,)

    @classmethod
    def of(cls, y: Labels, window: int) -> _Border:
        parts, half = segments(y), window // 2
        steps = np.arange(1, half + 1)
        rows = np.concatenate([parts[:, :1] - steps, parts[:, 1:] - 1 + steps], axis=1)  # (S, 2 half)
        distance = np.broadcast_to(np.concatenate([steps, steps]), rows.shape)
        kept = (rows >= 0) & (rows < len(y))
        kept[kept] = ~y[rows[kept]]
        flat, far = rows[kept], distance[kept]
        order = np.argsort(flat, kind="stable")
        mask = np.zeros(len(y), dtype=bool)
        mask[flat] = True
        return cls(parts, window, flat[order], far[order], mask)


def _areas(low: Vector, y: Labels, border: _Border, cuts: Vector, predicted: Index) -> tuple[Vector, Vector]:
    """Area under both curves for each window (L + 1,); `low` are negated scores (n,), `predicted` counts (T,)."""
    n, positives, windows = len(y), int(y.sum()), border.window + 1
    core = np.searchsorted(np.sort(low[y]), cuts, side="right")  # (T,) labelled rows predicted
    touched = _Touched.of(low, border, cuts)
    soft = _Soft.of(low, border, cuts)
    roc, pr = np.zeros(windows), np.zeros(windows)
    step = max(1, BLOCK_CELLS // len(cuts))
    for start in range(0, windows, step):
        w = np.arange(start, min(start + step, windows))
        true = soft.of_windows(w)  # (T, w) soft labels of the predicted rows of the border
        labelled = true / 2  # half of the predicted border counts as labelled
        labelled += positives
        true += core[:, None]
        tpr = true / labelled
        np.minimum(tpr, 1, out=tpr)
        tpr *= touched.share(w)
        fpr = predicted[:, None] - true
        fpr /= np.subtract(n, labelled, out=labelled)
        true /= predicted[:, None]  # precision
        ends = fpr[0] * tpr[0] + (1 - fpr[-1]) * (1 + tpr[-1])
        roc[w] = (np.einsum("ij,ij->j", fpr[1:] - fpr[:-1], tpr[1:] + tpr[:-1]) + ends) / 2
        pr[w] = np.einsum("ij,ij->j", tpr[1:] - tpr[:-1], true[1:]) + tpr[0] * true[0]
    return roc, pr


@dataclass(frozen=True)
class _Soft:
    """Where the rows of the border enter, as sparse counts and lists: those near one segment, and near several."""

    half: int
    near_one: sparse.csr_array  # (T, half) rows at each distance that enter at each threshold
    distance: Index  # (J,) of the rows near several segments, row by row
    begin: Index  # (M,) where each of these rows begins in `distance`
    near_many: sparse.csr_array  # (T, M) a 1 where a row enters

    @classmethod
    def of(cls, low: Vector, border: _Border, cuts: Vector) -> _Soft:
        half = border.window // 2
        _, begin, near = np.unique(border.rows, return_index=True, return_counts=True)
        enters = np.searchsorted(cuts, low[border.rows[begin]], side="left")
        one, many = begin[near == 1], np.repeat(near > 1, near)
        near_one = _counts(enters[near == 1], border.distance[one] - 1, (len(cuts), half))
        several = near[near > 1]
        near_many = _counts(enters[near > 1], np.arange(len(several)), (len(cuts), len(several)))
        return cls(half, near_one, border.distance[many], np.cumsum(several) - several, near_many)

    def of_windows(self, windows: Index) -> Matrix:
        """Sum of the soft labels of the predicted rows (T, w) for windows (w,)."""
        steps, w = np.arange(1, self.half + 1)[:, None], np.maximum(windows, 1)
        label = np.where(steps <= w // 2, np.sqrt(np.maximum(1 - steps / w, 0)), 0)  # (half, w)
        entering = self.near_one @ label
        if len(self.begin):
            sums = np.add.reduceat(label[self.distance - 1], self.begin, axis=0)  # (M, w)
            entering += self.near_many @ np.minimum(sums, 1)
        return np.asarray(np.cumsum(entering, axis=0, out=entering))


def _counts(threshold: Index, column: Index, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((np.ones(len(column)), (threshold, column)), shape=shape).tocsr()


@dataclass(frozen=True)
class _Touched:
    """At which threshold each segment, widened by 0 to half a window, is first touched."""

    enters: Index  # (half + 1, S)
    gaps: Index  # (S - 1,) rows from the last of a segment to the first of the next
    thresholds: int

    @classmethod
    def of(cls, low: Vector, border: _Border, cuts: Vector) -> _Touched:
        parts, steps = border.parts, np.arange(1, border.window // 2 + 1)[:, None]
        inside = np.minimum.reduceat(np.append(low, np.inf), parts.ravel())[::2]
        framed = np.concatenate([[np.inf], low, [np.inf]])  # rows beyond either end never enter
        left = framed[np.maximum(parts[:, 0] - steps, -1) + 1]  # (half, S)
        right = framed[np.minimum(parts[:, 1] - 1 + steps, len(low)) + 1]
        lowest = np.minimum.accumulate(np.vstack([inside[None], np.minimum(left, right)]), axis=0)
        gaps = parts[1:, 0] - parts[:-1, 1] + 1
        return cls(np.searchsorted(cuts, lowest, side="left"), gaps, len(cuts))

    def share(self, windows: Index) -> Matrix:
        """Share of the widened segments, joined where they overlap, that is touched (T, w)."""
        halves, back = np.unique(windows // 2, return_inverse=True)
        apart = np.ones((len(halves), len(self.gaps) + 1), dtype=bool)
        apart[:, 1:] = self.gaps > 2 * halves[:, None]
        starts = np.flatnonzero(apart)
        first = np.minimum.reduceat(self.enters[halves].ravel(), starts)  # of each joined segment
        cell = first * len(halves) + starts // apart.shape[1]
        count = np.bincount(cell, minlength=self.thresholds * len(halves)).reshape(self.thresholds, -1)
        share = np.cumsum(count, axis=0) / apart.sum(axis=1)
        return np.asarray(share[:, back])
