"""How well what an explanation blames covers what is truly wrong: intersection over union, and what chance reaches.

Every part of an item has a weight, a size (its cells) and hits (its cells inside the ground truth).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

RANDOM = 200  # random explanations of each item
CHANCE = 0.95  # share of them that a located explanation must equal or beat


def max_iou(weights: Vector, sizes: Vector, hits: Vector) -> Vector:
    """Best intersection over union (...) of the truth with the parts above a threshold, over all thresholds.

    Parameters
    ----------
    weights : (..., p) array
        Only positive weights blame; parts of equal weight are taken together.
    sizes, hits : (p,) arrays
        Cells of each part, and those of them inside the truth.
    """
    order = np.argsort(-weights, axis=-1, kind="stable")
    w = np.take_along_axis(weights, order, axis=-1)
    inside, taken = np.cumsum(hits[order], axis=-1), np.cumsum(sizes[order], axis=-1)
    iou = inside / (taken + hits.sum() - inside)
    last = np.concatenate([w[..., 1:] < w[..., :-1], np.ones((*w.shape[:-1], 1), dtype=bool)], axis=-1)
    return np.asarray(np.where(last & (w > 0), iou, 0.0).max(axis=-1))


def blamed(weights: Vector, share: float) -> Mask:
    """The fewest parts (p,) that hold a share of the positive weight; none if no weight is positive."""
    positive = np.maximum(weights, 0.0)
    order = np.argsort(-positive, kind="stable")
    before = np.cumsum(positive[order]) - positive[order]  # weight of the parts ahead of each
    mask = np.zeros(len(weights), dtype=bool)
    mask[order] = (before < share * positive.sum() * (1 - 1e-12)) & (positive[order] > 0)
    return mask


def iou(mask: Mask, sizes: Vector, hits: Vector) -> float:
    """Intersection over union of the chosen parts (p,) with the truth."""
    return float(hits[mask].sum() / (sizes[mask].sum() + hits[~mask].sum()))


def best_iou(sizes: Vector, hits: Vector) -> float:
    """The highest that any choice of whole parts reaches: those with the largest share inside the truth."""
    return float(max_iou(hits / sizes, sizes, hits))


def random_iou(sizes: Vector, hits: Vector, rng: np.random.Generator) -> tuple[float, float]:
    """Mean of the best intersection over union of random weights, and what 95 % of them stay at or below."""
    values = max_iou(rng.normal(size=(RANDOM, len(sizes))), sizes, hits)
    return float(values.mean()), float(np.quantile(values, CHANCE, method="lower"))
