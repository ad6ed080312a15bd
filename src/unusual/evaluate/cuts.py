"""Precision and recall of a prediction, and the best F1 that any of some thresholds of a score would reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector, labels_and_scores
from unusual.study import Study, Table

Mask = NDArray[np.bool_]
Rates = Callable[[Labels, Mask], tuple[Vector, Vector]]  # labels (n,), predictions (T, n) -> precision, recall (T,)

BLOCK_CELLS = 4_000_000  # predictions held at once
OPTIMISTIC = "The threshold was chosen on these labels: one set beforehand reaches less."


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision, recall and their harmonic mean, each in [0, 1]; precision is NaN where nothing is predicted."""

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, precision: float, recall: float) -> PrecisionRecall:
        return cls(float(precision), float(recall), float(harmonic(precision, recall)))


@dataclass(frozen=True)
class Best:
    """The highest F1 over thresholds, with precision and recall there; an item is predicted if score > threshold."""

    value: float
    threshold: float
    precision: float
    recall: float
    metric: str = "F1"

    def study(self) -> Study:
        """The figure, and where on the score it is reached."""
        head = ("metric", "best F1", "threshold", "precision", "recall")
        row = (self.metric, self.value, self.threshold, self.precision, self.recall)
        answer = f"{self.metric} is at most {self.value:.3f}, at scores above {self.threshold:.4g}."
        return Study(self.metric, answer, [Table("Best over thresholds", head, [row])], [OPTIMISTIC])


def harmonic(precision: ArrayLike, recall: ArrayLike) -> Vector:
    """2 P R / (P + R), and 0 where both are 0 or precision is not defined."""
    p, r = np.nan_to_num(np.asarray(precision, dtype=np.float64)), np.asarray(recall, dtype=np.float64)
    return np.asarray(2 * p * r / np.where(p + r > 0, p + r, 1))


def best_f1(rates: Rates, labels: ArrayLike, scores: ArrayLike, thresholds: int, metric: str) -> Best:
    """The highest F1 of `rates` over evenly spaced thresholds from the lowest score (n,) to the highest.

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold one class, NaN or infinity, or there are no thresholds.
    """
    y, s = labels_and_scores(labels, scores)
    if np.isinf(s).any():
        raise InputError("scores hold infinity, between which no thresholds can be spaced evenly; clip or rank them")
    if thresholds < 1:
        raise InputError(f"thresholds is {thresholds}; give at least 1")
    cuts = np.linspace(s.min(), s.max(), thresholds)
    rows = max(1, BLOCK_CELLS // len(y))
    blocks = [rates(y, s > cuts[i : i + rows, None]) for i in range(0, thresholds, rows)]
    precision, recall = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    f1 = harmonic(precision, recall)
    k = int(np.argmax(f1))
    at = float(precision[k]) if not math.isnan(precision[k]) else 0.0
    return Best(float(f1[k]), float(cuts[k]), at, float(recall[k]), metric)
