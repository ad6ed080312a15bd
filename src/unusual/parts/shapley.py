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


AT_ONCE = 200_000  # rows scored in one call: large enough to cost nothing per call, small enough for memory


def contributions(score: Score, X: Rows, background: Rows, evaluations: int, random_state: int | None = None) -> Matrix:
    """Sampled Shapley values (n, d) of the rows of X (n, d) against the rows of `background` (b, d).

    Parameters
    ----------
    score : maps (m, d) to (m,)
    evaluations : how many scored rows one explained row may cost; walks are added until it is used up, at least one
        pair of walks (an order of the columns and its reverse).
    random_state : draws background rows and orders anew; None takes rows evenly and always the same orders. Results
        of several seeds differ as far as the sampling leaves room.
    """
    n, d = X.shape
    pairs = int(np.clip(evaluations // (2 * (d + 1)), 1, len(background)))
    rng = np.random.default_rng(d if random_state is None else [d, random_state])
    rows = np.linspace(0, len(background) - 1, pairs).round().astype(int)
    chosen = background[rows if random_state is None else rng.choice(len(background), pairs, replace=False)]
    orders = _orders(pairs, d, rng)  # (2 pairs, d)
    taken = np.argsort(orders, axis=1)[:, None, :] < np.arange(d + 1)[:, None]  # (2 pairs, d + 1, d) from b to x
    starts = np.repeat(chosen, 2, axis=0)[:, None, :]  # (2 pairs, 1, d)
    gains = np.zeros((n, d))
    step = max(1, AT_ONCE // taken[..., 0].size)
    for first in range(0, n, step):
        block = X[first : first + step]
        walks = np.where(taken, block[:, None, None, :], starts)  # (m, 2 pairs, d + 1, d)
        scores = score(walks.reshape(-1, d)).reshape(walks.shape[:3])
        steps = np.diff(scores, axis=2)  # (m, 2 pairs, d), the k-th is the gain of column orders[., k]
        for order, gain in zip(orders, np.moveaxis(steps, 1, 0), strict=True):
            gains[first : first + step, order] += gain
    return gains / len(orders)


def _orders(pairs: int, d: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Random orders of d columns, each followed by its reverse; the same for every row, so batches do not matter."""
    forward = np.stack([rng.permutation(d) for _ in range(pairs)])
    return np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, d)
