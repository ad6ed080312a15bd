"""Precision and recall of ranges: how much of each range is covered, where in it, and in how many pieces.

A labelled range earns alpha for being touched at all, and 1 - alpha for the weighted share of it that is covered,
divided by the number of predicted ranges that cover it. A predicted range earns only the second, against the labels.
Source: Tatbul et al., Precision and Recall for Time Series, 2018.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector
from unusual.evaluate.cuts import Best, Mask, PrecisionRecall, best_f1
from unusual.evaluate.runs import Index, Runs, labels_and_predictions, meetings, runs_of, segments

BIASES = ("flat", "front", "middle", "back")
CARDINALITIES = ("reciprocal", "one")


def range_precision_recall(
    labels: ArrayLike,
    predictions: ArrayLike,
    alpha: float = 0.2,
    bias: str = "flat",
    cardinality: str = "reciprocal",
) -> PrecisionRecall:
    """Range precision, recall and F1 of a prediction.

    Parameters
    ----------
    labels, predictions : (n,) of 0 and 1
    alpha : float in [0, 1]
        What a labelled range earns for being touched in one row; 1 - alpha is for how much of it is covered.
    bias : "flat", "front", "middle" or "back"
        Which rows of a labelled range count most; all rows of a predicted range count the same.
    cardinality : "reciprocal" or "one"
        Whether the covered share is divided by the number of ranges that cover it, or fragments cost nothing.

    Raises
    ------
    InputError
        If lengths differ, values are not 0 and 1, the labels hold one class only, or an option is unknown.
    """
    y, p = labels_and_predictions(labels, predictions)
    precision, recall = _rates(y, p[None], alpha, bias, cardinality)
    return PrecisionRecall.of(precision[0], recall[0])


def best_range_f1(
    labels: ArrayLike,
    scores: ArrayLike,
    thresholds: int = 100,
    alpha: float = 0.2,
    bias: str = "flat",
    cardinality: str = "reciprocal",
) -> Best:
    """The highest range F1 over evenly spaced thresholds of the scores (n,); options of `range_precision_recall`.

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold one class, NaN or infinity, or an option is unknown.
    """

    def rates(y: Labels, masks: Mask) -> tuple[Vector, Vector]:
        return _rates(y, masks, alpha, bias, cardinality)

    return best_f1(rates, labels, scores, thresholds, "range F1")


def _rates(y: Labels, masks: Mask, alpha: float, bias: str, cardinality: str) -> tuple[Vector, Vector]:
    """Range precision and recall (T,) of predictions (T, n)."""
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; give a number from 0 (coverage alone) to 1 (existence alone)")
    for name, given, known in (("bias", bias, BIASES), ("cardinality", cardinality, CARDINALITIES)):
        if given not in known:
            raise InputError(f"{name} is {given!r}; choose one of: {', '.join(known)}")
    parts, runs = segments(y), runs_of(masks)
    run, part = meetings(runs, parts)
    low, high = np.maximum(runs.start[run], parts[part, 0]), np.minimum(runs.stop[run], parts[part, 1])
    labelled = runs.vector[run] * len(parts) + part  # each labelled range once for each vector
    touched, covered = _earned(low, high, parts[part], labelled, len(masks) * len(parts), bias, cardinality)
    recall = (alpha * touched + (1 - alpha) * covered).reshape(-1, len(parts)).mean(axis=1)
    predicted = np.column_stack([runs.start, runs.stop])
    _, right = _earned(low, high, predicted[run], run, len(runs), "flat", cardinality)
    return _means(right, runs, len(masks)), recall


def _earned(
    low: Index, high: Index, bounds: Index, owner: Index, owners: int, bias: str, cardinality: str
) -> tuple[Vector, Vector]:
    """Whether each of the ranges is touched, and its covered share, from the pieces [low, high) of the owners in it."""
    length = bounds[:, 1] - bounds[:, 0]
    begin = bounds[:, 0]
    weight = _weight(high - begin, length, bias) - _weight(low - begin, length, bias)
    pieces = np.bincount(owner, minlength=owners)
    share = np.bincount(owner, weight / _weight(length, length, bias), minlength=owners)
    divisor = np.maximum(pieces, 1) if cardinality == "reciprocal" else 1
    return np.minimum(pieces, 1).astype(np.float64), share / divisor


def _weight(k: Index, length: Index, bias: str) -> Index:
    """Weight of the first k rows of a range: row i of L counts 1, L + 1 - i, min(i, L + 1 - i), or i."""
    if bias == "flat":
        return k
    if bias == "back":
        return k * (k + 1) // 2
    if bias == "front":
        return k * length - k * (k - 1) // 2
    rising = np.minimum(k, length // 2)
    rest = k - rising  # rows of the falling half, the first of which counts L - L // 2
    weight: Index = rising * (rising + 1) // 2 + rest * (length - length // 2) - rest * (rest - 1) // 2
    return weight


def _means(values: Vector, runs: Runs, vectors: int) -> Vector:
    """Mean over the runs of each vector (T,), NaN where it has none."""
    count = np.bincount(runs.vector, minlength=vectors)
    total = np.bincount(runs.vector, values, minlength=vectors)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
