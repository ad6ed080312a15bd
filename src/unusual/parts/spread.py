"""Scores of different detectors made comparable, their magnitudes kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Median and interquartile range of the scores of the fit: what a score is worth among its own kind."""

    middle: float
    width: float

    @classmethod
    def of(cls, scores: Vector) -> Spread:
        low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
        return cls(float(middle), max(float(high - low), 1e-9))

    def __call__(self, scores: Vector) -> Vector:
        """Distance from the median in interquartile ranges (n,), large ones taken by their logarithm, sign kept."""
        u = (scores - self.middle) / self.width
        return np.asarray(np.sign(u) * np.log1p(np.abs(u)))
