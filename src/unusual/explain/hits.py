"""How right explanations are: what hiding the parts they name does to the score, and whether they name the truth.

Sources: Petsiuk et al., RISE, 2018 (deletion); Zhang et al., Top-down Neural Attention by Excitation Backprop, 2018
(pointing game); Choe et al., Evaluating Weakly Supervised Object Localization Methods Right, 2020 (overlap over
thresholds).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unusual.parts.masking import Game
from unusual.parts.surrogate import area

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEPS = 32  # of hiding
THRESHOLDS = np.arange(1, 10) / 10  # of the largest value


def deletion_area(games: Sequence[Game], values: Vector) -> Vector:
    """Area (n,) under the score as parts are hidden, those of the highest values (n, ...) first, in 32 steps.

    Scores count from that with everything hidden (0) to that of the item as it is (1): low is good. NaN for an item
    whose score is no higher than with everything hidden.
    """
    return np.array([_deletion(game, v.ravel()) for game, v in zip(games, values, strict=True)])


def _deletion(game: Game, values: Vector) -> float:
    place = np.argsort(np.argsort(-values, kind="stable"), kind="stable")
    hidden = np.unique(np.linspace(0, len(values), min(STEPS, len(values)) + 1).round())
    curve = game(place >= hidden[:, None])
    span = curve[0] - curve[-1]
    return area((curve - curve[-1]) / span) if span > 1e-12 * np.abs(curve).max() else float("nan")


def pointing_game(truth: Mask, values: Vector) -> Vector:
    """1 where the largest of the values (n, ...) lies in the truth (n, ...), else 0: (n,); NaN where truth is empty."""
    flat, inside = values.reshape(len(values), -1), truth.reshape(len(truth), -1)
    hit = inside[np.arange(len(flat)), flat.argmax(axis=1)].astype(np.float64)
    return np.where(inside.any(axis=1), hit, np.nan)


def overlap(truth: Mask, values: Vector) -> Vector:
    """Intersection over union (n,) of truth and values above 0.1, ..., 0.9 of the largest, mean over thresholds."""
    flat, inside = values.reshape(len(values), -1), truth.reshape(len(truth), -1)
    largest = flat.max(axis=1)
    above = (flat[:, None] >= THRESHOLDS[:, None] * largest[:, None, None]) & (largest[:, None, None] > 0)  # (n, 9, P)
    both, either = (above & inside[:, None]).sum(axis=2), (above | inside[:, None]).sum(axis=2)
    return np.where(inside.any(axis=1), (both / np.maximum(either, 1)).mean(axis=1), np.nan)
