"""What an explainer gives back, whatever it explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """Contributions to scores; positive pushes towards unusual.

    Attributes
    ----------
    values : float64
        (n, d) for rows of a table, (T, C) for a series, (H, W) for an image, one weight per event for a log.
    names : sequence of str
        What the last axis is: columns, channels; empty for images.
    stability : float or None
        Mean rank correlation between explanations of the same items under other seeds, 1 where nothing is drawn.
    """

    values: Vector
    names: Sequence[str] = ()
    stability: float | None = None


class Explainer(Protocol):
    """Anything that explains the scores of a fitted detector."""

    def explain(self, detector: Any, X: Any) -> Explanation:
        """Contributions to the score of each item of X."""
        ...
