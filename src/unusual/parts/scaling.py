"""Columns brought to mean 0 and spread 1, so that their units do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unusual.kernels import column_spread

Float = TypeVar("Float", np.float32, np.float64)


@dataclass(frozen=True)
class Standardizer:
    """Mean (d,) and population standard deviation (d,) of the columns of the reference, in float64.

    A column without spread keeps the scale 1: nothing is known of what a deviation in it is worth.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[np.floating[Any]]) -> Standardizer:
        """Mean and spread of the rows of X (n, d)."""
        return cls.and_range(X)[0]

    @classmethod
    def and_range(cls, X: NDArray[Float]) -> tuple[Standardizer, NDArray[Float], NDArray[Float]]:
        """The standardizer of X (n, d), and the smallest and largest value (d,) of each column."""
        mean, squares, low, high = column_spread(X)
        scale = np.sqrt(squares / len(X))
        flat = scale <= 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
        return cls(mean, np.where(flat, 1.0, scale)), low.astype(X.dtype), high.astype(X.dtype)

    def __call__(self, X: NDArray[Float]) -> NDArray[Float]:
        """(X - mean) / scale, in the precision of X (n, d)."""
        Z = X - self.mean.astype(X.dtype) if X.dtype == np.float64 else self._in_float32(X)
        if X.dtype == np.float64:
            Z /= self.scale
        return Z

    def _in_float32(self, X: NDArray[Float]) -> NDArray[Float]:
        Z = np.empty_like(X)
        for start in range(0, len(X), 65536):  # the difference is taken in float64: large offsets must not eat digits
            Z[start : start + 65536] = (X[start : start + 65536] - self.mean) / self.scale
        return Z
