"""Contributions of the columns to a score, for any detector: sampled Shapley values.

The contributions of one row add up to its score minus the mean score of the background rows.
Source: Strumbelj and Kononenko, Explaining Prediction Models and Individual Predictions with Feature Contributions,
2014; antithetic permutations: Mitchell et al., Sampling Permutations for Shapley Value Estimation, 2022.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
Score = Callable[[Rows], Matrix]


def contributions(score: Score, X: Rows, background: Rows, evaluations: int) -> Matrix:
    """Sampled Shapley values (n, d) of the rows of X (n, d) against the rows of `background` (b, d).

    Parameters
    ----------
    score : maps (m, d) to (m,)
    evaluations : how many scored rows one explained row may cost; walks are added until it is used up, at least one
        pair of walks (an order of the columns and its reverse).
    """
    d = X.shape[1]
    pairs = int(np.clip(evaluations // (2 * (d + 1)), 1, len(background)))
    chosen = background[np.linspace(0, len(background) - 1, pairs).round().astype(int)]
    return np.stack([_one(score, x, chosen) for x in X]) if len(X) else np.zeros((0, d))


def _one(score: Score, x: Rows, background: Rows) -> Matrix:
    d = len(x)
    rng = np.random.default_rng(d)  # the same orders for every row: batches do not matter
    walks, orders = [], []
    for b in background:
        order = rng.permutation(d)
        for walk_order in (order, order[::-1]):
            rank = np.empty(d, dtype=int)
            rank[walk_order] = np.arange(d)
            walks.append(np.where(rank < np.arange(d + 1)[:, None], x, b))  # (d + 1, d), from b to x
            orders.append(walk_order)
    scores = score(np.concatenate(walks).astype(x.dtype, copy=False)).reshape(len(orders), d + 1)
    gains = np.zeros(d)
    for order, step in zip(orders, np.diff(scores, axis=1), strict=True):
        gains[order] += step
    return gains / len(orders)
