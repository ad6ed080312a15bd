"""NumPy twins of the forest kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.kernels.checks import Array

ROWS = 16384  # rows of a block whose columns and masks stay in cache
FEW = 512  # below this many rows, walking down beats evaluating every node
PAIRS = 1 << 16  # of a row and a tree, walked down together
EVERY_NODE = 10  # deepest heap whose every node is evaluated


def grow(
    X: Array, sample: Array, depth: int, uniform: Array, path: Array
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """All trees at once, level by level; see `forest_fit`."""
    trees, psi = sample.shape
    inner = 2**depth - 1
    feature = np.zeros((trees, inner), np.int32)
    threshold = np.full((trees, inner), np.inf, np.float32)
    value = np.full((trees, 2 * inner + 1), np.nan)  # of the node where a branch ended, by heap position
    Z = X[sample.ravel()]  # (T psi, d)
    node = np.zeros(trees * psi, np.int64)
    tree = np.repeat(np.arange(trees), psi)
    for level in range(depth + 1):
        order = np.lexsort((node, tree))  # stable: rows of a node stand together
        Z, node, tree = Z[order], node[order], tree[order]
        starts = np.flatnonzero(np.r_[True, (np.diff(tree) != 0) | (np.diff(node) != 0)])
        size = np.diff(np.r_[starts, len(node)])
        here = tree[starts], node[starts]
        low, high = np.minimum.reduceat(Z, starts), np.maximum.reduceat(Z, starts)  # (nodes, d)
        varies = high > low
        split = varies.any(axis=1) & (size > 1) & (level < depth)
        value[here[0][~split], here[1][~split]] = level + path[size[~split]]
        if not split.any():
            break
        column, cut = _split(low[split], high[split], varies[split], uniform[here[0][split], here[1][split]])
        feature[here[0][split], here[1][split]] = column
        threshold[here[0][split], here[1][split]] = cut
        keep = np.repeat(split, size)
        Z, node, tree = Z[keep], node[keep], tree[keep]
        each = np.repeat(np.arange(len(column)), size[split])
        node = 2 * node + 1 + (Z[np.arange(len(node)), column[each]] > cut[each])
    for i in range(inner):  # values sink to the leaves below
        for child in (2 * i + 1, 2 * i + 2):
            value[:, child] = np.where(np.isnan(value[:, i]), value[:, child], value[:, i])
    return feature, threshold, value[:, inner:].astype(np.float32)


def _split(low: Array, high: Array, varies: Array, uniform: Array) -> tuple[Array, Array]:
    count = varies.sum(axis=1)
    pick = np.minimum((uniform[:, 0] * count).astype(np.int64), count - 1)
    column = np.argmax(np.cumsum(varies, axis=1) == pick[:, None] + 1, axis=1)
    one = np.arange(len(column))
    lo, hi = low[one, column].astype(np.float64), high[one, column].astype(np.float64)
    cut = (lo + uniform[:, 1] * (hi - lo)).astype(np.float32)
    return column, np.where(cut >= high[one, column], low[one, column], cut)  # rounding must not empty the right side


def walk(X: Array, rows: Array, tree: Array, feature: Array, threshold: Array, leaf: Array) -> NDArray[np.float64]:
    """Leaf value of row rows[p] in tree tree[p], for every pair p; float64 (p,)."""
    inner = feature.shape[1]
    node = np.zeros(np.broadcast(rows, tree).shape, np.int64)
    while node.size and node.flat[0] < inner:
        node = 2 * node + 1 + (X[rows, feature[tree, node]] > threshold[tree, node])
    result: NDArray[np.float64] = leaf[tree, node - inner].astype(np.float64)
    return result


def total(X: Array, feature: Array, threshold: Array, leaf: Array) -> NDArray[np.float64]:
    """Sum over trees of the leaf value of each row; see `forest_score`."""
    trees, inner = feature.shape
    out = np.zeros(len(X))
    if len(X) < FEW or inner >= 2**EVERY_NODE:
        step = max(1, PAIRS // trees)
        for start in range(0, len(X), step):
            rows = np.arange(start, min(start + step, len(X)))[:, None]
            values = walk(X, rows, np.arange(trees)[None], feature, threshold, leaf)  # (rows, T)
            for t in range(trees):  # one tree after the other, as for many rows: the same bits
                out[start : start + step] += values[:, t]
        return out
    for start in range(0, len(X), ROWS):
        columns = np.ascontiguousarray(X[start : start + ROWS].T)  # (d, rows)
        for t in range(trees):
            out[start : start + ROWS] += leaf[t][_leaf_number(columns, feature[t], threshold[t])]
    return out


def _leaf_number(columns: Array, feature: Array, threshold: Array) -> NDArray[np.int64]:
    """Leaf of each row of the block, from one comparison per node instead of a gather per row and level."""
    inner = len(feature)
    reach: dict[int, Array] = {0: np.ones(columns.shape[1], bool)}
    bits = np.zeros(columns.shape[1], np.int64)
    first, depth = 0, (inner + 1).bit_length() - 1
    for level in range(depth):
        right_any = np.zeros(columns.shape[1], bool)
        for i in range(first, 2 * first + 1):
            if i not in reach:
                continue
            below = reach.pop(i)
            if threshold[i] == np.inf:
                reach[2 * i + 1] = below
                continue
            right = columns[feature[i]] > threshold[i]
            right &= below
            reach[2 * i + 1], reach[2 * i + 2] = below ^ right, right
            right_any |= right
        bits |= right_any.astype(np.int64) << (depth - 1 - level)
        first = 2 * first + 1
    return bits
