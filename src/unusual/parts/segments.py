"""Cutting one item into parts: stretches of a series, superpixels of an image. A part is a number for each cell.

Source of superpixels by local k-means in colour and place: Achanta et al., SLIC Superpixels Compared to
State-of-the-art Superpixel Methods, 2012; one assignment among nine fixed neighbours for each pixel: Ren et al.,
gSLICr: SLIC Superpixels at over 250Hz, 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError, need

Index = NDArray[np.int64]
Image = NDArray[Any]
Vector = NDArray[np.float64]

ROUNDS = 10
COMPACTNESS = 0.5  # weight of a grid cell's width against one standard deviation of the colours


def stretches(shape: tuple[int, ...], count: int) -> Index:
    """The part of each step of a series of shape (T,) or (T, C): about `count` parts, channels apart."""
    steps, channels = shape[0], int(np.prod(shape[1:], dtype=np.int64))
    pieces = min(steps, max(1, _at_least_two(count) // channels))
    piece = np.arange(steps) * pieces // steps  # (T,)
    return (piece[:, None] + pieces * np.arange(channels)).reshape(shape)


def grid(shape: tuple[int, ...], count: int) -> Index:
    """The part (H, W) of each pixel of an image: rectangles of about equal sides, about `count` of them."""
    rows, columns = _grid_size(shape, count)
    down, across = np.arange(shape[0]) * rows // shape[0], np.arange(shape[1]) * columns // shape[1]
    return np.asarray(down[:, None] * columns + across)


def clusters(image: Image, count: int) -> Index:
    """The part (H, W) of each pixel of an image (H, W) or (H, W, C): rectangles drawn towards edges of colour.

    Each pixel goes to the nearest of the nine grid cells around it, in place and in colour; cells then move to the mean
    of their pixels. Parts need not be connected.
    """
    rows, columns = _grid_size(image.shape, count)
    cell = grid(image.shape, count)
    features = _features(image, rows, columns)  # (H, W, C + 2)
    near = _neighbours(cell, rows, columns)  # (9, H, W)
    flat, part = features.reshape(-1, features.shape[-1]), cell
    for _ in range(ROUNDS):
        centres = _means(flat, part.ravel(), rows * columns)  # (k, C + 2); nan where a cell is empty
        gap = np.stack([np.square(features - centres[candidates]).sum(axis=-1) for candidates in near])
        chosen = np.argmin(np.where(np.isnan(gap), np.inf, gap), axis=0)  # (H, W)
        moved = np.take_along_axis(near, chosen[None], axis=0)[0]
        if np.array_equal(moved, part):
            break
        part = moved
    return _numbered(part)


def slic(image: Image, count: int) -> Index:
    """The part (H, W) of each pixel by scikit-image's SLIC: connected parts.

    Raises
    ------
    MissingExtra
        If scikit-image is not installed.
    """
    segmentation = need("skimage.segmentation", "superpixels")
    channels = -1 if image.ndim == 3 else None
    found = segmentation.slic(
        _colours(image)[..., 0] if channels is None else _colours(image),
        n_segments=_at_least_two(count),
        compactness=COMPACTNESS,
        channel_axis=channels,
        convert2lab=False,
        start_label=0,
    )
    return _numbered(np.asarray(found))


def _features(image: Image, rows: int, columns: int) -> Vector:
    """Colour in units of its spread, and place in units of grid cells times the compactness: (H, W, C + 2)."""
    height, width = image.shape[:2]
    place = np.moveaxis(np.indices((height, width)), 0, -1) * [rows / height, columns / width] * COMPACTNESS
    return np.concatenate([_colours(image), place], axis=-1)


def _colours(image: Image) -> Vector:
    """Colours (H, W, C) in units of their spread over the image."""
    colour = image.reshape(*image.shape[:2], -1).astype(np.float64)
    return np.asarray(colour / (np.sqrt(colour.var(axis=(0, 1)).mean()) or 1.0))


def _neighbours(cell: Index, rows: int, columns: int) -> Index:
    """The nine cells (9, H, W) around the own cell of each pixel; at the border some occur twice."""
    down, across = cell // columns, cell % columns
    near = [
        (down + i).clip(0, rows - 1) * columns + (across + j).clip(0, columns - 1)
        for i, j in ((0, 0), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
    ]
    return np.stack(near)


def _means(flat: Vector, part: Index, count: int) -> Vector:
    sizes = np.bincount(part, minlength=count)
    totals = np.stack([np.bincount(part, weights=feature, minlength=count) for feature in flat.T], axis=1)
    means: Vector = np.full_like(totals, np.nan)
    np.divide(totals, sizes[:, None], out=means, where=sizes[:, None] > 0)
    return means


def _grid_size(shape: tuple[int, ...], count: int) -> tuple[int, int]:
    height, width = shape[:2]
    rows = int(np.clip(round(np.sqrt(_at_least_two(count) * height / width)), 1, height))
    return rows, int(np.clip(round(count / rows), 1, width))


def _numbered(part: Index) -> Index:
    """The same parts numbered 0 and up without gaps."""
    return np.unique(part, return_inverse=True)[1].reshape(part.shape).astype(np.int64)


def _at_least_two(count: int) -> int:
    if count < 2:
        raise InputError(f"an item cut into {count} parts explains nothing; give at least 2, better 20 to 100")
    return count
