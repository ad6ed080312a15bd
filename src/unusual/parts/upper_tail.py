"""How far out a score lies: minus the logarithm of its tail probability, also beyond everything that was seen.

Within the reference it is the conformal p-value; beyond its highest score a generalised-Pareto tail of fixed shape
goes on, so that scores of different methods can be added: far out each grows with the logarithm of the distance.
Source: Pickands, Statistical Inference Using Extreme Order Statistics, 1975.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.parts.rows import some_rows

Vector = NDArray[np.float64]

SHARE = 0.1  # of the scores, from which the scale of the tail is read
SHAPE = 0.25  # of the tail: far between the exponential law and those without a variance
MOST = 10_000  # scores kept
TIE = 0.01  # part by which scores may differ and still be tied: leaving an item out moves its score a little


@dataclass(frozen=True)
class UpperTail:
    """Ascending scores (n,) of a reference, and start and scale of what goes on beyond them."""

    scores: Vector
    start: float
    scale: float

    @classmethod
    def of(cls, scores: ArrayLike) -> UpperTail:
        """The tail of scores (n,) in any order; at most 10,000 of them are kept."""
        values = np.asarray(scores, dtype=np.float64)
        values = np.sort(values[some_rows(len(values), MOST)])
        start = float(values[int((1 - SHARE) * (len(values) - 1))])
        excess = values[values > start] - start
        return cls(values, start, float(excess.mean()) * (1 - SHAPE) if len(excess) else 0.0)

    def p_value(self, scores: ArrayLike) -> Vector:
        """(1 + scores of the reference at or above, up to ties) / (n + 1), and less beyond the highest of them."""
        values = np.asarray(scores, dtype=np.float64)
        n = len(self.scores)
        at_least = n - np.searchsorted(self.scores, values - TIE * np.abs(values), side="left")
        found = (1 + at_least) / (n + 1)
        if self.scale > 0:
            highest = self.scores[-1]
            beyond = np.maximum(values - highest, 0) / (self.scale + SHAPE * (highest - self.start))
            found = np.where(values > highest, found * (1 + SHAPE * beyond) ** (-1 / SHAPE), found)
        return np.asarray(found, dtype=np.float64)

    def magnitude(self, scores: ArrayLike) -> Vector:
        """-log p, in nats."""
        return np.asarray(-np.log(self.p_value(scores)))
