"""How sure a mean difference between images is, had other pairs of images and other observers been taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unusual.data.fixations import GazeRecords
from unusual.evaluate.gaze_statistics import Gaze, figures

Vector = NDArray[np.float64]

BLOCK_VALUES = 2_000_000  # resampled differences held at once


def observer_noise(
    records: GazeRecords,
    names: Sequence[str],
    pairs: NDArray[np.int64],
    draws: int,
    sigma: float | None,
    random_state: int,
) -> Vector:
    """How far differences (draws, p, s) move when observers are drawn anew, the same ones for all images.

    Only deviations from their mean are used: people who were drawn twice agree with themselves, which would shift it.
    One draw of zeros where there is one observer, or none is wanted.
    """
    rng = np.random.default_rng([random_state, 1])
    if not draws or len(records.observers) < 2:
        return np.zeros((1, len(pairs), len(names)))
    sizes = np.bincount(records.observer, minlength=len(records.observers))
    of_observer = np.split(np.argsort(records.observer, kind="stable"), np.cumsum(sizes)[:-1])
    moved = []
    for _ in range(draws):
        drawn = rng.integers(len(of_observer), size=len(of_observer))
        again = records.take(np.concatenate([of_observer[o] for o in drawn]))
        number = np.repeat(np.arange(len(drawn)), sizes[drawn])
        values = figures(Gaze.of(replace(again, observer=number), random_state, sigma), names)
        moved.append(values[pairs[:, 1]] - values[pairs[:, 0]])
    noise = np.array(moved)
    known = np.isfinite(noise)
    mean = np.where(known, noise, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, noise - mean, 0.0)


def mean_interval(differences: Vector, noise: Vector, resamples: int, random_state: int) -> tuple[float, float]:
    """Limits of the mean of differences (p,) when pairs, and what observers do (draws, p), are drawn anew."""
    rng = np.random.default_rng([random_state, 2])
    n = len(differences)
    means = []
    block = max(1, BLOCK_VALUES // n)
    for start in range(0, resamples, block):
        count = min(block, resamples - start)
        pick = rng.integers(n, size=(count, n))
        draw = rng.integers(len(noise), size=(count, 1))
        means.append((differences[pick] + noise[draw, pick]).mean(axis=1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return float(low), float(high)
