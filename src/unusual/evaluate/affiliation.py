"""Affiliation precision and recall: how near predictions and events are, against what a random place would give.

The series is cut into zones half-way between events. In each zone a predicted point counts the chance that a point
drawn from the zone lies farther from the event than it does; a point of the event counts the chance that a drawn point
lies farther from it than the nearest prediction does. Both are averaged over points by exact integrals, then by zones.
Source: Huet, Navarro, Rossi, Local Evaluation of Time Series Anomaly Detection Algorithms, 2022.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unusual.evaluate.checks import Labels, Vector
from unusual.evaluate.cuts import Best, Mask, PrecisionRecall, best_f1
from unusual.evaluate.runs import Index, labels_and_predictions, meetings, runs_of, segments


def affiliation_precision_recall(labels: ArrayLike, predictions: ArrayLike) -> PrecisionRecall:
    """Affiliation precision, recall and F1 of a prediction; chance is near 0.5 in each, not near 0.

    Parameters
    ----------
    labels, predictions : (n,) of 0 and 1; a row is the stretch of time from it to the next one

    Returns
    -------
    PrecisionRecall
        Precision is the mean over the zones in which something is predicted, recall over all zones.

    Raises
    ------
    InputError
        If lengths differ, values are not 0 and 1, or the labels hold one class only.
    """
    y, p = labels_and_predictions(labels, predictions)
    precision, recall = _rates(y, p[None])
    return PrecisionRecall.of(precision[0], recall[0])


def best_affiliation_f1(labels: ArrayLike, scores: ArrayLike, thresholds: int = 100) -> Best:
    """The highest affiliation F1 over evenly spaced thresholds of the scores (n,); weak scores get 0.7 and more.

    Raises
    ------
    InputError
        If labels and scores do not fit together, or hold one class, NaN or infinity.
    """
    return best_f1(_rates, labels, scores, thresholds, "affiliation F1")


def _rates(y: Labels, masks: Mask) -> tuple[Vector, Vector]:
    """Affiliation precision and recall (T,) of predictions (T, n)."""
    events = segments(y).astype(np.float64)  # (S, 2): a, b
    middle = (events[:-1, 1] + events[1:, 0]) / 2
    zones = np.column_stack([np.append(0, middle), np.append(middle, len(y))])  # (S, 2): A, B
    runs = runs_of(masks)
    run, j = meetings(runs, zones)
    p, q = np.maximum(runs.start[run], zones[j, 0]), np.minimum(runs.stop[run], zones[j, 1])  # pieces, in order
    cell = runs.vector[run] * len(events) + j  # one for each vector and zone
    cells = len(masks) * len(events)
    size = np.bincount(cell, q - p, minlength=cells)
    near = _nearness(p, q, cell, j, events, zones, cells)
    filled = (size > 0).reshape(len(masks), -1)
    with_any = filled.sum(axis=1)
    precision = (near / np.where(size > 0, size, 1)).reshape(filled.shape).sum(axis=1)
    precision = np.where(with_any > 0, precision / np.maximum(with_any, 1), np.nan)
    lost = _lost(p, q, cell, j, events, zones, cells) + _lost(  # the second time in a mirror
        -q[::-1], -p[::-1], cell[::-1], j[::-1], -events[:, ::-1], -zones[:, ::-1], cells
    )
    length = (np.diff(events, axis=1) * np.diff(zones, axis=1))[:, 0]
    recall = np.where(filled, 1 - lost.reshape(filled.shape) / length, 0).mean(axis=1)
    return precision, recall


def _nearness(p: Vector, q: Vector, cell: Index, j: Index, events: Vector, zones: Vector, cells: int) -> Vector:
    """Integral over the pieces [p, q] of each cell (cells,) of the chance to be farther from the event than there."""
    a, b = events.T
    total = np.bincount(cell, np.maximum(np.minimum(q, b[j]) - np.maximum(p, a[j]), 0), minlength=cells)
    after, before = q > b[j], p < a[j]
    least = np.concatenate([(p - b[j])[after], (a[j] - q)[before]])
    d, e = np.maximum(least, 0), np.concatenate([(q - b[j])[after], (a[j] - p)[before]])  # from and to this distance
    owner, k = np.concatenate([cell[after], cell[before]]), np.concatenate([j[after], j[before]])
    room = np.minimum(a - zones[:, 0], zones[:, 1] - b)[k]
    near_d, near_e = np.minimum(d, room), np.minimum(e, room)
    own = (e - d) * (e + d) / 2  # as many points are nearer on the same side
    other = (near_e - near_d) * (near_e + near_d) / 2 + room * ((e - near_e) - (d - near_d))
    width = (zones[:, 1] - zones[:, 0])[k]
    outside = (e - d) * (1 - (b - a)[k] / width) - (own + other) / width
    return np.asarray(total + np.bincount(owner, outside, minlength=cells))


def _lost(p: Vector, q: Vector, cell: Index, j: Index, events: Vector, zones: Vector, cells: int) -> Vector:
    """Integral over the points y of the event nearest to the piece before them of the length of zone nearer to y.

    Summed for each cell (cells,): what its recall misses of the points that lie between a piece and half-way to the
    next one, or the end of the event.
    """
    last = np.append(cell[1:] != cell[:-1], True)[: len(cell)]
    following = np.where(last, np.inf, np.append(p[1:], np.inf)[: len(p)])
    low, high = np.maximum(events[j, 0], q), np.minimum(events[j, 1], (q + following) / 2)
    some = low < high
    low, high, anchor, owner, end = low[some], high[some], q[some], cell[some], zones[j[some], 1]
    turn = np.clip((anchor + end) / 2, low, high)  # beyond it the end of the zone is nearer to y than the piece
    left = (high - low) * ((high + low) / 2 - anchor)
    right = (turn - low) * ((turn + low) / 2 - anchor) + (high - turn) * (end - (high + turn) / 2)
    return np.asarray(np.bincount(owner, left + right, minlength=cells), dtype=np.float64)
