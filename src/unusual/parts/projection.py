"""Many columns as fifty principal components and what they leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating[Any]]

WIDE, KEPT = 100, 50


@dataclass(frozen=True)
class Projection:
    """Centre (d,) and axes (d, k) of the leading principal components; no axes where the table is narrow."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, Z: Rows) -> Projection:
        """Learn from the rows of Z (n, d); tables of up to 100 columns are left as they are."""
        d = Z.shape[1]
        centre = Z.mean(axis=0, dtype=np.float64)
        if d <= WIDE:
            return cls(centre, np.zeros((d, 0)))
        axes = np.linalg.svd(Z - centre, full_matrices=False)[2][:KEPT].T
        return cls(centre, np.ascontiguousarray(axes))

    def __call__(self, Z: Rows) -> Rows:
        """Components and the length of the rest (n, k + 1), or Z itself."""
        if not self.axes.shape[1]:
            return Z
        centred = Z - self.centre
        along = centred @ self.axes
        rest = np.sqrt(np.maximum(np.square(centred).sum(axis=1) - np.square(along).sum(axis=1), 0))
        return np.column_stack([along, rest])
