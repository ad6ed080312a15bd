"""Robust random cut trees over the latest points of a stream: what a point displaces, put in and taken out.

Guha, Mishra, Roy, Schrijvers, Robust Random Cut Forest Based Anomaly Detection on Streams, 2016. A node holds the box
of its points; a point walks down from the root, and at each node a random cut through the box stretched to hold the
point either parts it from all below, and a new node stands there, or it goes on to a child.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import cut_forest_twin
from unusual.kernels.checks import Array, array
from unusual.kernels.dispatch import compiled

MOST_POINTS = 8192  # a tree may be as deep


@dataclass
class CutForest:
    """Trees over the same latest points, at most `points` of them.

    Attributes
    ----------
    links : int32 (trees, nodes, 5)
        Left, right, parent (-1 for none), points below, column of the cut; nodes = 2 points + 2.
    cut : float64 (trees, nodes)
        At most this goes left.
    box : float64 (trees, nodes, 2, d)
        Lowest and highest of the points below.
    leaves : int32 (trees, points + 1)
        Leaf of the point that came as number i modulo points + 1.
    spare : int32 (trees, nodes + 1)
        Free nodes, and last how many they are.
    root : int32 (trees,)
    seeds : uint64 (trees,)
    count : int
        Points learned so far.
    """

    links: NDArray[np.int32]
    cut: NDArray[np.float64]
    box: NDArray[np.float64]
    leaves: NDArray[np.int32]
    spare: NDArray[np.int32]
    root: NDArray[np.int32]
    seeds: NDArray[np.uint64]
    count: int = 0

    @classmethod
    def empty(cls, trees: int, points: int, d: int, generator: np.random.Generator) -> CutForest:
        """Trees without points, their randomness drawn.

        Raises
        ------
        InputError
            If a size is below 1, or there are more than 8192 points.
        """
        if min(trees, points, d) < 1 or points > MOST_POINTS:
            raise InputError(
                f"a forest of {trees} trees on {points} points of {d} numbers was asked for; "
                f"give at least 1 of each, and at most {MOST_POINTS:,} points"
            )
        nodes = 2 * points + 2
        return cls(
            np.full((trees, nodes, 5), -1, np.int32),
            np.zeros((trees, nodes)),
            np.zeros((trees, nodes, 2, d)),
            np.zeros((trees, points + 1), np.int32),
            np.tile(np.append(np.arange(nodes - 1, -1, -1), nodes).astype(np.int32), (trees, 1)),
            np.full(trees, -1, np.int32),
            generator.integers(2**64, size=trees, dtype=np.uint64),
        )

    def score(self, X: Array) -> NDArray[np.float64]:
        """Collusive displacement (n,) of points X (n, d), mean over the trees, as if each came next; none is kept."""
        return self._displaced(X, keep=False)

    def learn(self, X: Array) -> NDArray[np.float64]:
        """The same of points X (n, d) that come one after the other: each is kept, and the oldest leaves."""
        return self._displaced(X, keep=True)

    def _displaced(self, X: Array, *, keep: bool) -> NDArray[np.float64]:
        trees, points, d = len(self.root), self.leaves.shape[1] - 1, self.box.shape[3]
        X = array(X, "X", (None, d), (np.float64,))
        out = np.zeros(len(X))
        found = compiled()
        if found is None:
            cut_forest_twin.displaced(self, X, out, keep)
        else:
            state = self.links, self.cut, self.box, self.leaves, self.spare, self.root
            found[0].cut_forest(X, state, self.seeds, out, (points, d, trees), self.count, keep)
        self.count += len(X) if keep else 0
        return out / trees
