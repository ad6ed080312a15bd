"""Explanations under several settings, and what they are judged by, brought into one form and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from unusual.errors import InputError
from unusual.parts.masking import Game, filled_game
from unusual.parts.similarity import spearman

Vector = NDArray[np.float64]

MOST_ITEMS = 200  # whose explanations are compared with each other


def stacked(given: Mapping[str, Any], count: int, notes: list[str], shape: tuple[int, ...] | None = None) -> Vector:
    """Explanations (k, n, ...) of `count` items, finite, maps of other sizes brought to the first's."""
    made = []
    for name, explanations in given.items():
        values = np.asarray(explanations, dtype=np.float64)
        if values.ndim not in (2, 3) or len(values) != count:
            raise InputError(
                f"explanations under {name!r} have shape {values.shape} for {count} items; (n, d) or (n, H, W) is due"
            )
        bad = np.flatnonzero(~np.isfinite(values.reshape(count, -1)).all(axis=1))
        if len(bad):
            raise InputError(
                f"explanations under {name!r} of {len(bad)} of {count} items hold NaN or infinity, the first is item "
                f"{bad[0]}; leave those items out or mend the explainer"
            )
        shape = values.shape[1:] if shape is None else shape
        if values.shape[1:] != shape:
            values = _resized(values, shape, name)
            notes.append(f"maps under {name!r} were resized, which makes them look more alike than they are")
        made.append(values)
    return np.stack(made)


def _resized(maps: Vector, shape: tuple[int, ...], name: str) -> Vector:
    """Maps (n, h, w) at another size (n, H, W), bicubic."""
    if maps.ndim != 3 or len(shape) != 2:
        raise InputError(f"explanations under {name!r} have shape {maps.shape[1:]}, before {shape}; one shape is due")
    size = (shape[1], shape[0])
    return np.stack(
        [np.asarray(Image.fromarray(m.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)) for m in maps]
    )


def games_of(
    score: Callable[[Any], Any], X: Vector, fill: ArrayLike | Mapping[str, ArrayLike]
) -> dict[str, list[Game]]:
    """For each fill one game for each item, whose parts are the single cells."""
    cells = np.arange(X[0].size).reshape(X[0].shape)
    fills = fill if isinstance(fill, Mapping) else {"": fill}
    made = {}
    for name, shown in fills.items():
        filled = np.broadcast_to(np.asarray(shown, dtype=X.dtype), X.shape)
        made[f"deletion, {name}" if name else "deletion"] = [
            filled_game(score, x, f, cells) for x, f in zip(X, filled, strict=True)
        ]
    return made


def truth_of(truth: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = np.asarray(truth)
    if inside.shape != shape or not np.isin(inside, (0, 1)).all():
        raise InputError(f"truth has shape {inside.shape} for explanations of shape {shape}; give 0 or 1 for each part")
    return inside.astype(bool)


def between_items(explanations: Vector, others: Vector | None = None) -> float:
    """Mean rank correlation between explanations (n, ...) and those of other items, by default among themselves."""
    one = explanations[:MOST_ITEMS]
    other = one if others is None else others[:MOST_ITEMS]
    found = spearman(np.concatenate([one, other])[:, None])[0][: len(one), len(one) :]
    if others is None:
        np.fill_diagonal(found, np.nan)
    return known_mean(found)


def known_mean(values: Vector) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
