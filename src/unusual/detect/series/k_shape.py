"""KShape: how far the shape of windows lies from the few shapes that the series is made of.

role: detector
data: series
names: KShape
system: -
paper: Paparrizos, Gravano, k-Shape: Efficient and Accurate Clustering of Time Series, 2015
needs: -
checkpoint: none

Two windows are as far apart as one minus their highest cross-correlation over all shifts, level and size left out.
Windows are clustered by it, each centre being the shape that correlates best with its aligned windows. A window is
scored by its distances to all centres, weighted by how many windows they stand for, so that a centre of few odd windows
excuses none; a step by the mean of the windows that cover it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.parts.rows import some_rows
from unusual.parts.windows import spread_back, windows
from unusual.series_detector import SeriesDetector, Steps

Shapes = NDArray[np.float64]  # (n, C, m), of mean 0 in each channel and length 1 together
Index = NDArray[np.int64]

MOST_WINDOWS = 2000  # learned from
ROUNDS = 20  # of assignment and refinement
POWER = 10  # steps of the power iteration that refines a centre
CELLS = 1 << 21  # values of cross-correlations held at a time
FLAT = 1e-6  # spread below which a window has no shape


class KShape(SeriesDetector):
    """Weighted shape-based distance of windows to k centres.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    n_clusters : int, default 6
    random_state : int
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(
        self, window: int | None = None, n_clusters: int = 6, random_state: int = 0, alarm_rate: float = 0.01
    ) -> None:
        self.window = window
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        if self.n_clusters < 1:
            raise InputError(f"n_clusters is {self.n_clusters}; give a number of shapes from 1")
        found = np.concatenate([windows(part, self.window_) for part in parts])
        shapes = _shapes(found[some_rows(len(found), MOST_WINDOWS)])
        rng = np.random.default_rng(self.random_state)
        centres = shapes[rng.choice(len(shapes), min(self.n_clusters, len(shapes)), replace=False)]
        nearest = np.full(len(shapes), -1)
        for _ in range(ROUNDS):
            before = nearest
            distance, shift = _distances(shapes, centres)
            nearest = distance.argmin(axis=1)
            if (nearest == before).all():
                break
            centres = np.stack([self._refined(shapes, nearest == k, shift[:, k], c) for k, c in enumerate(centres)])
        self.centres_ = centres  # (k, C, m)
        self.weights_ = np.bincount(nearest, minlength=len(centres)) / len(shapes)

    def _steps(self, Z: Steps) -> Vector:
        distance, _ = _distances(_shapes(windows(Z, self.window_)), self.centres_)
        return spread_back(distance @ self.weights_, self.window_)

    def _refined(self, shapes: Shapes, own: NDArray[np.bool_], shift: Index, centre: Shapes) -> Shapes:
        """The shape that correlates best, squared and summed, with the windows of a cluster once aligned to it."""
        if not own.any():
            return centre
        aligned = _shapes(_moved(shapes[own], shift[own])).reshape(int(own.sum()), -1)
        best = centre.ravel()
        for _ in range(POWER):
            best = aligned.T @ (aligned @ best)
            best /= max(float(np.linalg.norm(best)), FLAT)
        return np.asarray(_shapes(best.reshape(1, *centre.shape))[0])


def _shapes(found: NDArray[np.float64]) -> Shapes:
    """Windows (n, C, m) without level and size; those that hardly move become 0."""
    centred = found - found.mean(axis=2, keepdims=True)
    length = np.sqrt(np.einsum("ncm,ncm->n", centred, centred))
    some = length > FLAT * np.sqrt(centred[0].size)
    return np.asarray(centred * np.where(some, 1 / np.where(some, length, 1.0), 0.0)[:, None, None])


def _distances(shapes: Shapes, centres: Shapes) -> tuple[NDArray[np.float64], Index]:
    """One minus the highest cross-correlation (n, k), and the shift of a window to its centre that reaches it."""
    m, (n, k) = shapes.shape[2], (len(shapes), len(centres))
    size = next_fast_len(2 * m - 1, real=True)
    of_centres = rfft(centres, size)
    distance, shift = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    step = max(1, CELLS // (k * shapes.shape[1] * size))
    for start in range(0, n, step):
        part = slice(start, start + step)
        spectrum = np.einsum("kcf,ncf->nkf", of_centres, rfft(shapes[part], size).conj())
        likeness = irfft(spectrum, size)  # [s] holds the correlation of the centre with the window moved by s
        best = likeness.argmax(axis=2)
        distance[part] = 1 - np.take_along_axis(likeness, best[:, :, None], 2)[:, :, 0]
        shift[part] = np.where(best < m, best, best - size)
    return distance, shift


def _moved(shapes: Shapes, shift: Index) -> Shapes:
    """Windows moved by so many steps, with 0 where nothing moves in."""
    m = shapes.shape[2]
    at = np.arange(m) - shift[:, None]  # (n, m)
    inside = (at >= 0) & (at < m)
    found = np.take_along_axis(shapes, np.clip(at, 0, m - 1)[:, None, :], 2)
    return np.asarray(np.where(inside[:, None, :], found, 0.0))
