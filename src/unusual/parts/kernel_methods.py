"""Gaussian kernels, and the map to features whose inner products approximate them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]


def gaussian_kernel(Q: Rows, C: Rows, gamma: float) -> Matrix:
    """exp(-gamma |q - c|^2) for each row of Q (m, d) and of C (n, d): float64 (m, n)."""
    Q, C = Q.astype(np.float64, copy=False), C.astype(np.float64, copy=False)
    exponents = Q @ C.T
    exponents *= 2
    exponents -= np.einsum("ij,ij->i", Q, Q)[:, None]
    exponents -= np.einsum("ij,ij->i", C, C)
    np.minimum(exponents, 0, out=exponents)  # rounding must not make a distance negative
    exponents *= gamma
    return np.asarray(np.exp(exponents, out=exponents))


@dataclass(frozen=True)
class Nystroem:
    """Features (n, r) of rows (n, d) from their kernels with a few landmarks (m, d), r <= m.

    Source: Williams and Seeger, Using the Nystroem Method to Speed Up Kernel Machines, 2001.
    """

    landmarks: Matrix
    whitening: Matrix  # (m, r)
    gamma: float

    @classmethod
    def of(cls, landmarks: Rows, gamma: float) -> Nystroem:
        centres = landmarks.astype(np.float64)
        values, vectors = np.linalg.eigh(gaussian_kernel(centres, centres, gamma))
        kept = values > 1e-10 * values[-1]  # repeated landmarks span nothing new
        return cls(centres, vectors[:, kept] / np.sqrt(values[kept]), gamma)

    def __call__(self, X: Rows) -> Matrix:
        return gaussian_kernel(X, self.landmarks, self.gamma) @ self.whitening
