"""PolynomialResidual: how far a stretch leaves the smooth course of what lies around it.

role: detector
data: series
names: PolynomialResidual
system: -
paper: Cleveland, Robust Locally Weighted Regression and Smoothing Scatterplots, 1979
needs: -
checkpoint: none

A polynomial is fitted to the steps around each step, its own window left out; the energy of the differences is averaged
over windows. Nothing is carried from one series to the next but the units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.parts.windows import smoothed
from unusual.series_detector import SeriesDetector, Steps

NEIGHBOURHOOD = 5  # windows to either side
RIDGE = 1e-9  # keeps the equations solvable where an end leaves too few steps


class PolynomialResidual(SeriesDetector):
    """Windowed energy of the differences from a local polynomial.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    degree : int, default 3
        Of the polynomial, fitted to five windows on either side.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, degree: int = 3, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.degree = degree
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        if not 0 <= self.degree <= 5:
            raise InputError(f"degree is {self.degree}; give a whole number from 0 (a moving mean) to 5")

    def _steps(self, Z: Steps) -> Vector:
        gap = Z - local_polynomial(Z, self.window_, self.degree)
        return np.sqrt(smoothed((gap**2).mean(axis=1), self.window_))

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [self._steps(part) for part in parts]  # each step's own window is left out of its polynomial

    def _expected(self, Z: Steps) -> Steps:
        return local_polynomial(Z, self.window_, self.degree)


def local_polynomial(Z: Steps, m: int, degree: int) -> NDArray[np.float64]:
    """The course (T, C) of Z (T, C): at each step a polynomial through the steps around, the own window left out.

    Its normal equations hold sums of powers of the distance, which are convolutions; ends have one side only.
    """
    half = max(NEIGHBOURHOOD * m, 2 * degree + 2)
    half = min(half, len(Z) - 1)
    away = np.arange(-half, half + 1)
    weight = (np.abs(away) > min(m // 2, half - degree - 1)).astype(np.float64)
    u = away / half
    powers = [(weight * u**k)[::-1] for k in range(2 * degree + 1)]  # a convolution turns its kernel round
    sums = [fftconvolve(np.ones(len(Z)), kernel, "same") for kernel in powers]
    left = np.stack([np.stack([sums[i + j] for j in range(degree + 1)], -1) for i in range(degree + 1)], -1)
    left += RIDGE * (1 + sums[0][:, None, None]) * np.eye(degree + 1)
    right = np.stack([fftconvolve(Z, kernel[:, None], "same", axes=0) for kernel in powers[: degree + 1]], 1)
    return np.asarray(np.linalg.solve(left, right)[:, 0])  # the value at distance 0
