"""Bags: the rows that each member of an ensemble is grown on, chosen so that every row is outside of some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def bag_size(count: int, most: int) -> int:
    """`most` rows, or half of a small table: a row that is in every bag could not be scored as if left out."""
    return max(2, min(most, count // 2))


def draw_bags(count: int, members: int, size: int, rng: np.random.Generator) -> Rows:
    """For each member `size` of `count` row numbers, none twice: int64 (members, size)."""
    bags = np.empty((members, size), dtype=np.int64)
    for bag in bags:
        bag[:] = rng.choice(count, size, replace=False, shuffle=False)
    return bags


def numbered_within(bags: Rows, rows: Rows, count: int) -> Rows:
    """The bags with row numbers of the whole table (of `count` rows) turned into positions in `rows`.

    What is not among `rows` becomes len(rows), so that a table of X[rows] and one more row stands in for the whole.
    """
    position = np.full(count, len(rows), dtype=np.int64)
    position[rows] = np.arange(len(rows))
    return position[bags]
