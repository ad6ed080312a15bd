"""Anomaly maps and masks image by image, and the regions of a mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unusual.errors import InputError

Map = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Maps = Sequence[Any] | NDArray[Any]


def pairs_of(maps: Maps, masks: Maps) -> Iterator[tuple[Map, Mask | None]]:
    """Map (H, W) and mask (H, W), None without defect, of each image.

    Raises
    ------
    InputError
        As `pixel_curve`.
    """
    if not hasattr(maps, "__len__") or not hasattr(masks, "__len__"):
        raise InputError("maps and masks are read more than once; give lists or arrays, not generators")
    if len(maps) != len(masks) or not len(maps):
        raise InputError(f"there are {len(maps):,} maps for {len(masks):,} masks; give one mask, or None, per map")
    for i, (one, mask) in enumerate(zip(maps, masks, strict=True)):
        scores = map_of(one, i)
        given = np.asarray(False if mask is None else mask)
        if mask is not None and given.shape != scores.shape:
            raise InputError(f"mask {i} has shape {given.shape} for a map of {scores.shape}; resize one to the other")
        if given.dtype != bool and not np.isin((low := given.min(), high := given.max()), (0, 1)).all():
            raise InputError(f"mask {i} holds values from {low} to {high}; give 0 and 1, such as mask > 0")
        flags = given.astype(bool)
        yield scores, flags if flags.any() else None


def regions_of(mask: Mask, connectivity: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the region of each defect pixel (p,), from 0 in the order of `mask`, and the sizes (r,) in pixels."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    region = labels[mask].astype(np.int64) - 1
    return region, np.bincount(region)


def map_of(one: Any, i: int) -> Map:
    """Scores (H, W) of image `i` in float32 or float64, none of them NaN."""
    scores = np.asarray(one)
    if scores.ndim != 2 or scores.dtype.kind not in "fiub" or not scores.size:
        raise InputError(f"map {i} has shape {scores.shape} and type {scores.dtype}; give (H, W) numbers")
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    if np.isnan(scores).any():
        raise InputError(f"map {i} holds NaN; give a score for every pixel")
    return scores
