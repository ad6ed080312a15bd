"""F1 of whole events: found if touched; and the point-adjusted F1, kept because others report it.

Sources: Garg et al., An Evaluation of Anomaly Detection and Diagnosis in Multivariate Time Series, 2021 (event recall
with point precision); Xu et al., Unsupervised Anomaly Detection via Variational Auto-Encoder for Seasonal KPIs in Web
Applications, 2018 (point adjustment); Kim et al., Towards a Rigorous Evaluation of Time-Series Anomaly Detection, 2022
(why it rewards chance).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unusual.evaluate.checks import Labels, Vector
from unusual.evaluate.cuts import Best, Mask, PrecisionRecall, best_f1
from unusual.evaluate.runs import labels_and_predictions, segments


def event_precision_recall(labels: ArrayLike, predictions: ArrayLike) -> PrecisionRecall:
    """Share of events touched by a prediction (recall), and share of predicted rows that are anomalous (precision).

    Parameters
    ----------
    labels, predictions : (n,) of 0 and 1

    Raises
    ------
    InputError
        If lengths differ, values are not 0 and 1, or the labels hold one class only.
    """
    y, p = labels_and_predictions(labels, predictions)
    precision, recall = _event_rates(y, p[None])
    return PrecisionRecall.of(precision[0], recall[0])


def best_event_f1(labels: ArrayLike, scores: ArrayLike, thresholds: int = 100) -> Best:
    """The highest F1 of event recall and point precision over evenly spaced thresholds of the scores (n,).

    Raises
    ------
    InputError
        If labels and scores do not fit together, or hold one class, NaN or infinity.
    """
    return best_f1(_event_rates, labels, scores, thresholds, "event F1")


def point_adjusted_precision_recall(labels: ArrayLike, predictions: ArrayLike) -> PrecisionRecall:
    """Point precision and recall after every event touched in one row counts as predicted in all of its rows.

    It rewards chance: where events are long, scores drawn at random touch most of them and reach an F1 of 0.8 and
    more. Use it only beside its chance level, or to compare with figures that were published so.

    Raises
    ------
    InputError
        If lengths differ, values are not 0 and 1, or the labels hold one class only.
    """
    y, p = labels_and_predictions(labels, predictions)
    precision, recall = _adjusted_rates(y, p[None])
    return PrecisionRecall.of(precision[0], recall[0])


def best_point_adjusted_f1(labels: ArrayLike, scores: ArrayLike, thresholds: int = 100) -> Best:
    """The highest point-adjusted F1 over evenly spaced thresholds of the scores (n,).

    It rewards chance: see `point_adjusted_precision_recall`.

    Raises
    ------
    InputError
        If labels and scores do not fit together, or hold one class, NaN or infinity.
    """
    return best_f1(_adjusted_rates, labels, scores, thresholds, "point-adjusted F1")


def _touched(y: Labels, masks: Mask) -> tuple[Mask, Vector]:
    """Which events are touched by each prediction (T, S), and the rows of each event (S,)."""
    length = np.diff(segments(y), axis=1)[:, 0]
    first = np.cumsum(length) - length
    return np.logical_or.reduceat(masks[:, y], first, axis=1), length.astype(np.float64)


def _event_rates(y: Labels, masks: Mask) -> tuple[Vector, Vector]:
    touched, _ = _touched(y, masks)
    true = np.count_nonzero(masks[:, y], axis=1)
    return _share(true, np.count_nonzero(masks, axis=1)), touched.mean(axis=1)


def _adjusted_rates(y: Labels, masks: Mask) -> tuple[Vector, Vector]:
    touched, length = _touched(y, masks)
    true = touched @ length
    false = np.count_nonzero(masks, axis=1) - np.count_nonzero(masks[:, y], axis=1)
    return _share(true, true + false), true / length.sum()


def _share(part: Vector, whole: Vector) -> Vector:
    """part / whole, NaN where nothing is predicted."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
