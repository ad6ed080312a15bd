"""Twin of the cut-forest kernel, in Python: the same draws and the same sums in the same order, a node at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from unusual.kernels.cut_forest import CutForest

Vector = NDArray[np.float64]

LEFT, RIGHT, PARENT, BELOW, COLUMN = range(5)
WORD = 2**64 - 1


class _Cut(NamedTuple):
    column: int
    at: float
    apart: bool


def displaced(forest: CutForest, X: Vector, out: Vector, keep: bool) -> None:
    """Add to out (n,) what each point of X (n, d) displaces in each tree; see `CutForest`."""
    for t, seed in enumerate(forest.seeds.tolist()):
        tree = _Tree(forest, t)
        for i, x in enumerate(X):
            if keep:
                out[i] += tree.put_in(x, seed, forest.count + i)
                if forest.count + i >= tree.points:
                    tree.take_out(int(tree.leaves[(forest.count + i + 1) % (tree.points + 1)]))
            elif tree.root[0] >= 0:
                out[i] += tree.place(x, seed, forest.count)[2]


def _mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
    return z ^ (z >> 31)


def _uniform(seed: int, count: int, level: int) -> float:
    """A number of [0, 1) for a level of the way of point number `count`."""
    z = (seed + count * 0x9E3779B97F4A7C15 + level * 0xD1B54A32D192ED03) & WORD
    return (_mixed(_mixed(z)) >> 11) * 2.0**-53


class _Tree:
    """Views of one tree of a forest."""

    def __init__(self, forest: CutForest, t: int) -> None:
        self.links, self.cut, self.box = forest.links[t], forest.cut[t], forest.box[t]
        self.leaves, self.spare, self.root = forest.leaves[t], forest.spare[t], forest.root[t : t + 1]
        self.points = len(self.leaves) - 1

    def put_in(self, x: Vector, seed: int, count: int) -> float:
        slot = count % (self.points + 1)
        if self.root[0] < 0:
            self.leaves[slot] = self.root[0] = self._leaf(x)
            return 0.0
        node, cut, score = self.place(x, seed, count)
        if cut.apart:
            self.leaves[slot] = self._parted(node, cut, x)
        else:
            self.leaves[slot] = node
            self.links[node, BELOW] += 1
        at = int(self.links[self.leaves[slot], PARENT])
        while at >= 0:
            self.links[at, BELOW] += 1
            np.minimum(self.box[at, 0], x, out=self.box[at, 0])
            np.maximum(self.box[at, 1], x, out=self.box[at, 1])
            at = int(self.links[at, PARENT])
        return score

    def place(self, x: Vector, seed: int, count: int) -> tuple[int, _Cut, float]:
        """Where x parts from all below or meets its equal, the cut there, and the collusive displacement."""
        node, most, level = int(self.root[0]), 0.0, 0
        while True:
            links: Any = self.links[node].tolist()
            cut = self._drawn(node, x, _uniform(seed, count, level))
            if cut.apart:
                return node, cut, max(most, float(links[BELOW]))
            if links[LEFT] < 0:
                return node, cut, most
            right = bool(x[links[COLUMN]] > self.cut[node])
            following, other = (links[RIGHT], links[LEFT]) if right else (links[LEFT], links[RIGHT])
            most = max(most, float(self.links[other, BELOW]) / float(self.links[following, BELOW] + 1))
            node, level = following, level + 1

    def take_out(self, leaf: int) -> None:
        parent = int(self.links[leaf, PARENT])
        if self.links[leaf, BELOW] > 1:
            while leaf >= 0:
                self.links[leaf, BELOW] -= 1
                leaf = int(self.links[leaf, PARENT])
            return
        self._give_back(leaf)
        if parent < 0:
            self.root[0] = -1
            return
        up = int(self.links[parent, PARENT])
        side = RIGHT if self.links[parent, LEFT] == leaf else LEFT
        self._replace_child(up, parent, int(self.links[parent, side]))
        self._give_back(parent)
        while up >= 0:
            self.links[up, BELOW] -= 1
            a, b = self.box[self.links[up, LEFT]], self.box[self.links[up, RIGHT]]
            self.box[up, 0], self.box[up, 1] = np.minimum(a[0], b[0]), np.maximum(a[1], b[1])
            up = int(self.links[up, PARENT])

    def _drawn(self, node: int, x: Vector, u: float) -> _Cut:
        low, high = self.box[node].tolist()
        point = x.tolist()
        sides = [(min(p, a), max(p, b)) for p, a, b in zip(point, low, high, strict=True)]
        total = 0.0
        for a, b in sides:
            total += b - a
        left, column, at = u * total, -1, 0.0
        for j, (a, b) in enumerate(sides):
            if b > a:
                column, at = j, a + left if a + left < b else a
                if left < b - a:
                    break
            left -= b - a
        if column < 0:
            return _Cut(-1, 0.0, False)
        p = point[column]
        return _Cut(column, at, p <= at < low[column] or p > at >= high[column])

    def _taken(self) -> int:
        self.spare[-1] -= 1
        return int(self.spare[self.spare[-1]])

    def _give_back(self, node: int) -> None:
        self.spare[self.spare[-1]] = node
        self.spare[-1] += 1

    def _leaf(self, x: Vector) -> int:
        leaf = self._taken()
        self.links[leaf] = -1, -1, -1, 1, 0
        self.box[leaf] = x
        return leaf

    def _replace_child(self, parent: int, old: int, now: int) -> None:
        if parent < 0:
            self.root[0] = now
        else:
            self.links[parent, LEFT if self.links[parent, LEFT] == old else RIGHT] = now
        self.links[now, PARENT] = parent

    def _parted(self, node: int, cut: _Cut, x: Vector) -> int:
        leaf, above = self._leaf(x), self._taken()
        self._replace_child(int(self.links[node, PARENT]), node, above)
        right = x[cut.column] > cut.at
        sides = (node, leaf) if right else (leaf, node)
        self.links[above, [LEFT, RIGHT]] = sides
        self.links[above, [BELOW, COLUMN]] = self.links[node, BELOW], cut.column
        self.cut[above], self.box[above] = cut.at, self.box[node]
        self.links[[node, leaf], PARENT] = above
        return leaf
