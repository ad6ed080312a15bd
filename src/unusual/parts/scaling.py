"""Columns brought to mean 0 and spread 1, so that their units do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unusual.parts.rows import wide_blocks

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
        d = X.shape[1]
        count, mean, squares = 0, np.zeros(d), np.zeros(d)
        for block in wide_blocks(X):
            Z = block.astype(np.float64)  # (m, k d), k rows side by side
            side = Z.shape[1] // d
            size = len(Z) * side
            own = Z.sum(axis=0).reshape(side, d).sum(axis=0) / size
            Z -= np.tile(own, side)
            gap = own - mean
            squares += np.einsum("ij,ij->j", Z, Z).reshape(side, d).sum(axis=0)
            squares += gap * gap * (count * size / (count + size))
            mean += gap * (size / (count + size))
            count += size
        scale = np.sqrt(squares / count)
        flat = scale <= 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
        return cls(mean, np.where(flat, 1.0, scale))

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
