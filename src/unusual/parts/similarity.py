"""How alike explanations of the same items are under several settings: ranks, values, leading parts, structure.

Each function takes k settings of n items and returns the similarity (n, k, k) of every pair of settings; 1 exactly
where two are equal, NaN where one is constant.
Sources: Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004; Dalal, Triggs,
Histograms of Oriented Gradients for Human Detection, 2005.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

Stack = NDArray[np.float64]

WINDOW = 5  # pixels, of structural similarity
CELL, BINS, BLOCK = 16, 9, 3  # pixels of a cell, directions, cells of a block
CLIP = 0.2  # of a normalised histogram


def pearson(values: Stack) -> Stack:
    """Correlation of the values (k, n, ...)."""
    Z = np.moveaxis(values.reshape(*values.shape[:2], -1), 1, 0)  # (n, k, P)
    Z = Z - Z.mean(axis=2, keepdims=True)
    length = np.linalg.norm(Z, axis=2, keepdims=True)
    flat = length <= 1e-12 * np.abs(values).max(initial=0.0)
    unit = np.where(flat, np.nan, Z / np.where(flat, 1.0, length))
    return _exact(values, np.clip(unit @ np.swapaxes(unit, 1, 2), -1, 1))


def spearman(values: Stack) -> Stack:
    """Correlation of the ranks of the values (k, n, ...), ties at their mean rank."""
    flat = values.reshape(*values.shape[:2], -1)
    return pearson(rankdata(flat, axis=2))


def top_overlap(values: Stack, top: int = 3) -> Stack:
    """Share of the `top` largest of the values (k, n, ...) that two settings have in common; ties in their order."""
    flat = values.reshape(*values.shape[:2], -1)
    place = np.argsort(np.argsort(-flat, axis=2, kind="stable"), axis=2, kind="stable")
    chosen = np.moveaxis(place < top, 1, 0).astype(np.float64)  # (n, k, P)
    share: Stack = chosen @ np.swapaxes(chosen, 1, 2) / min(top, flat.shape[2])
    constant = np.moveaxis(np.ptp(flat, axis=2) == 0, 1, 0)  # (n, k)
    share[constant[:, :, None] | constant[:, None, :]] = np.nan
    return share


def structural(maps: Stack) -> Stack:
    """Mean structural similarity of the maps (k, n, H, W), window 5, range of values of both maps together."""
    return _pairs(maps, ssim)


def ssim(a: Stack, b: Stack) -> Stack:
    """Structural similarity (n,) of maps a and b (n, H, W), both sides at least 5, over windows that lie inside."""

    def window(x: Stack) -> Stack:
        inner = slice(WINDOW // 2, -(WINDOW // 2))
        return np.asarray(uniform_filter(x, (1, WINDOW, WINDOW))[:, inner, inner])

    both = np.concatenate([a, b], axis=1)
    L = np.ptp(both.reshape(len(both), -1), axis=1)[:, None, None]
    c1, c2 = (0.01 * L) ** 2, (0.03 * L) ** 2
    n = WINDOW**2 / (WINDOW**2 - 1)  # sample covariance
    ma, mb = window(a), window(b)
    va, vb, vab = n * (window(a * a) - ma * ma), n * (window(b * b) - mb * mb), n * (window(a * b) - ma * mb)
    with np.errstate(invalid="ignore"):  # two constant maps
        local = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return np.asarray(local.mean(axis=(1, 2)))


def outlines(maps: Stack) -> Stack:
    """Correlation of the histograms of oriented gradients of the maps (k, n, H, W)."""
    return pearson(hog(maps))


def hog(maps: Stack) -> Stack:
    """Histograms of oriented gradients (..., F) of maps (..., H, W).

    Cells of 16 x 16 pixels, or a quarter of the shorter side; nine directions without sign; blocks of 3 x 3 cells
    brought to length 1, cut at 0.2 and brought to length 1 again.
    """
    H, W = maps.shape[-2:]
    cell = cell_size(H, W)
    down, right = np.zeros_like(maps), np.zeros_like(maps)
    down[..., 1:-1, :] = maps[..., 2:, :] - maps[..., :-2, :]
    right[..., :, 1:-1] = maps[..., :, 2:] - maps[..., :, :-2]
    size, angle = np.hypot(down, right), np.rad2deg(np.arctan2(down, right)) % 180
    direction = np.minimum((angle * BINS / 180).astype(np.int64), BINS - 1)
    rows, columns = H // cell, W // cell
    inside = (..., slice(0, rows * cell), slice(0, columns * cell))
    counts = np.stack([np.where(direction == b, size, 0.0)[inside] for b in range(BINS)], axis=-1)
    cells = counts.reshape(*maps.shape[:-2], rows, cell, columns, cell, BINS).mean(axis=(-4, -2))
    block = min(BLOCK, rows, columns)
    view = np.lib.stride_tricks.sliding_window_view(cells, (block, block), axis=(-3, -2))
    blocks = view.reshape(*view.shape[:-3], -1)  # (..., rows, columns, BINS * block * block)
    cut = np.minimum(_to_length_one(blocks), CLIP)
    return _to_length_one(cut).reshape(*maps.shape[:-2], -1)


def cell_size(height: int, width: int) -> int:
    """Side of a cell of `hog`, in pixels."""
    return int(np.clip(min(height, width) // 4, 2, CELL))


def _to_length_one(vectors: Stack) -> Stack:
    return np.asarray(vectors / np.sqrt(np.square(vectors).sum(axis=-1, keepdims=True) + 1e-10))


def _pairs(values: Stack, measure: Callable[[Stack, Stack], Stack]) -> Stack:
    k, n = values.shape[:2]
    found = np.ones((n, k, k))
    for i, j in combinations(range(k), 2):
        found[:, i, j] = found[:, j, i] = measure(values[i], values[j])
    constant = np.moveaxis(np.ptp(values.reshape(k, n, -1), axis=2) == 0, 1, 0)
    found[constant[:, :, None] | constant[:, None, :]] = np.nan
    return _exact(values, found)


def _exact(values: Stack, found: Stack) -> Stack:
    """Similarity 1, not almost, where two settings agree to the last digit."""
    flat = values.reshape(*values.shape[:2], -1)
    for i, j in combinations(range(len(flat)), 2):
        same = (flat[i] == flat[j]).all(axis=1) & np.isfinite(found[:, i, j])
        found[same, i, j] = found[same, j, i] = 1.0
    k = np.arange(len(flat))
    found[:, k, k] = np.where(np.isnan(found[:, k, k]), np.nan, 1.0)
    return found
