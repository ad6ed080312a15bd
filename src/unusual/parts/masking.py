"""Hiding parts of one item: the game whose players are columns, stretches of time or superpixels.

An explanation by hiding asks the same question many times: what is the score if only these parts are kept? The hidden
ones are filled with something ordinary, since a grey patch or a zero is itself unusual and would be explained instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from unusual.errors import InputError

Vector = NDArray[np.float64]
Masks = NDArray[np.bool_]
Index = NDArray[np.int64]
Items = NDArray[Any]
Score = Callable[[Items], ArrayLike]

AT_ONCE = 4_000_000  # values of filled items held at once: 32 MB in float64
BLUR = 1 / 8  # standard deviation of the blur, of the shorter side of an image


@dataclass
class Game:
    """Scores of one item with some of its parts hidden; each set of parts is scored once and remembered.

    Attributes
    ----------
    parts : int
        How many parts the item has.
    value : callable
        Masks (m, parts), True where a part is kept, to scores (m,).
    at_once : int
        Most masks given to `value` in one call.
    """

    parts: int
    value: Callable[[Masks], Vector]
    at_once: int = 1024
    _known: dict[bytes, float] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.parts < 2:
            raise InputError(f"the item has {self.parts} part that can be hidden; cut it into at least 2, better 20")

    def __call__(self, masks: ArrayLike) -> Vector:
        """Scores (m,) of the item with only the parts kept where `masks` (m, parts) is True."""
        Z = np.ascontiguousarray(masks, dtype=bool)
        if Z.ndim != 2 or Z.shape[1] != self.parts:
            raise InputError(f"masks have shape {Z.shape} for an item of {self.parts} parts; give (m, {self.parts})")
        keys = [row.tobytes() for row in np.packbits(Z, axis=1)]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        names, rows = list(new), list(new.values())
        for first in range(0, len(rows), self.at_once):
            block = slice(first, first + self.at_once)
            self._known.update(zip(names[block], self.value(Z[rows[block]]).tolist(), strict=True))
        return np.array([self._known[key] for key in keys])

    @property
    def whole(self) -> float:
        """Score of the item as it is."""
        return float(self(np.ones((1, self.parts), dtype=bool))[0])

    @property
    def hidden(self) -> float:
        """Score when all its parts are hidden."""
        return float(self(np.zeros((1, self.parts), dtype=bool))[0])

    @property
    def evaluations(self) -> int:
        """How many different sets of parts were scored so far."""
        return len(self._known)

    @property
    def levels(self) -> int:
        """How many different scores they gave."""
        return len(set(self._known.values()))


def table_game(score: Score, row: Items, background: Items, index: Index | None = None) -> Game:
    """Parts are columns or groups of them; hidden ones take the values of each background row, scores are averaged.

    Parameters
    ----------
    score : maps rows (m, d) to (m,)
    row : (d,) array
    background : (b, d) array of ordinary rows; one typical row where the mean is too dear
    index : int array (d,), the part of each column, 0 and up; None: each column is its own
    """
    part = np.arange(len(row)) if index is None else index
    rows = checked(score)

    def value(masks: Masks) -> Vector:
        filled = np.where(masks[:, None, part], row, background)  # (m, b, d)
        return np.asarray(rows(filled.reshape(-1, len(row))).reshape(len(masks), -1).mean(axis=1))

    return Game(_count(part), value, _at_once(background.size))


def filled_game(score: Score, item: Items, filled: Items, index: Index) -> Game:
    """Parts are regions of an item of any shape; hidden ones show what `filled` shows there.

    Parameters
    ----------
    score : maps items (m, *shape) to (m,)
    item, filled : arrays of the same shape, such as an image (H, W) or (H, W, C) and its blurred copy
    index : int array, the part of each cell; shape of the item, or without its last axis (channels)
    """
    if filled.shape != item.shape:
        raise InputError(f"what hidden parts show has shape {filled.shape} for an item of shape {item.shape}")
    items = checked(score)
    trailing = (1,) * (item.ndim - index.ndim)

    def value(masks: Masks) -> Vector:
        kept = masks[:, index].reshape(len(masks), *index.shape, *trailing)  # by look-up: the item is never copied
        return items(np.where(kept, item, filled))

    return Game(_count(index), value, _at_once(item.size))


def bridged_game(score: Score, series: Items, index: Index) -> Game:
    """Parts are stretches of a series; hidden ones become a straight line between the kept steps around them.

    Parameters
    ----------
    score : maps series (m, T) or (m, T, C) to (m,)
    series : (T,) or (T, C) array
    index : int array of the shape of the series, the part of each step and channel
    """
    channels = series.reshape(len(series), -1)  # (T, C)
    part = index.reshape(channels.shape)
    items = checked(score)

    def value(masks: Masks) -> Vector:
        return items(_bridged(channels, masks[:, part]).astype(series.dtype).reshape(-1, *series.shape))

    return Game(_count(index), value, _at_once(6 * series.size))


def _bridged(values: Items, kept: Masks) -> Vector:
    """Series (m, T, C) that equal values (T, C) where kept (m, T, C), and run straight in between; ends stay level."""
    steps, channel = len(values), np.arange(values.shape[1])
    t = np.arange(steps)[:, None]
    left = np.maximum.accumulate(np.where(kept, t, -1), axis=1)  # last kept step, -1 if none
    right = np.minimum.accumulate(np.where(kept, t, steps)[:, ::-1], axis=1)[:, ::-1]  # next one, T if none
    before = np.where(left < 0, values[right.clip(max=steps - 1), channel], values[left.clip(min=0), channel])
    after = np.where(right == steps, before, values[right.clip(max=steps - 1), channel])
    along = np.where(right > left, (t - left) / np.maximum(right - left, 1), 0.0)
    line = before + (after - before) * along
    return np.asarray(np.where((left < 0) & (right == steps), values.mean(axis=0), line))


def blurred(image: Items) -> Items:
    """The image (H, W) or (H, W, C) without its details, in its own type."""
    sigma = max(1.0, BLUR * min(image.shape[:2]))
    smooth = gaussian_filter(image.astype(np.float64), (sigma, sigma, *[0.0] * (image.ndim - 2)), mode="nearest")
    return _as_type(smooth, image)


def part_means(item: Items, index: Index) -> Items:
    """Each part of an item shown as its own mean; with channels, one mean for each."""
    flat = item.reshape(index.size, -1).astype(np.float64)  # (cells, C)
    part = index.ravel()
    sizes = np.bincount(part)
    means = np.stack([np.bincount(part, weights=channel) / sizes for channel in flat.T], axis=1)
    return _as_type(means[part].reshape(item.shape), item)


def checked(score: Score) -> Callable[[Items], Vector]:
    """A score function whose answers are one finite float64 per item.

    Raises
    ------
    InputError
        When called: if it gives another number of scores, or some that are not finite.
    """

    def scores(items: Items) -> Vector:
        """Scores (m,) of items (m, ...)."""
        given = np.asarray(score(items), dtype=np.float64)
        if given.shape != (len(items),):
            raise InputError(f"the detector gave scores of shape {given.shape} for {len(items)} items; one each is due")
        if not np.isfinite(given).all():
            bad = np.flatnonzero(~np.isfinite(given))
            raise InputError(
                f"the detector gave {given[bad[0]]} for {len(bad)} of {len(items)} items with parts hidden; "
                "fill hidden parts with something it can score"
            )
        return given

    return scores


def _as_type(values: Vector, like: Items) -> Items:
    return (np.rint(values) if like.dtype.kind in "iu" else values).astype(like.dtype)


def _count(index: Index) -> int:
    return int(index.max()) + 1


def _at_once(size: int) -> int:
    return max(1, AT_ONCE // size)
