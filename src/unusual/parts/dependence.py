"""How columns hang together: a forest tells rows from rows whose columns were shuffled one by one.

With the density of each column by itself this makes up the density of a row: the odds of "shuffled" estimate the
product of the columns' densities over the joint density.
Source: Breiman's unsupervised forest, see Shi and Horvath, Unsupervised Learning with Random Forest Predictors, 2006;
trees of random cuts: Geurts, Ernst and Wehenkel, Extremely Randomized Trees, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score

from unusual.kernels import forest_score, forest_score_oob

Rows = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

TREES = 100
DEPTH = 10  # trees are stored as heaps, and deeper ones tell little more
MOST_ROWS = 4000

Heap = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Dependence:
    """Log-odds that a row is one of shuffled columns, times how well those can be told apart at all.

    Attributes
    ----------
    feature, cut, share : arrays (trees, 2 ** depth - 1), the same, (trees, 2 ** depth)
        Trees as heaps: column and position of each cut, share of shuffled rows in each leaf.
    skill : float
        2 AUROC - 1 of telling rows from shuffled rows, out of bag; 0 where columns are independent.
    """

    feature: NDArray[np.int32]
    cut: NDArray[np.float32]
    share: NDArray[np.float32]
    skill: float

    @classmethod
    def fit(cls, X: Rows, rng: np.random.Generator, n_jobs: int | None = None) -> tuple[Dependence, Vector]:
        """Learn from the rows of X (n, d), and score them by the trees that did not see them (n,)."""
        n = len(X)
        chosen = rng.permutation(n)[:MOST_ROWS]
        real = X[chosen].astype(np.float32)
        shuffled = np.column_stack([rng.permutation(column) for column in real.T])
        both, labels = np.vstack([real, shuffled]), np.repeat([0, 1], len(real))
        forest = ExtraTreesClassifier(
            TREES, max_depth=DEPTH, min_samples_leaf=2, bootstrap=True, random_state=int(rng.integers(2**31))
        ).fit(both, labels)
        heaps = [_heap(tree.tree_) for tree in forest.estimators_]
        feature, cut, share = (np.stack(part) for part in zip(*heaps, strict=True))
        rows = np.arange(len(both))
        spare = np.vstack([both, both[:1]])  # one more row, to fill the bags with where a row was drawn twice
        bags = np.stack([_once_each(sample, len(both)) for sample in forest.estimators_samples_])
        seen = forest_score_oob(spare, feature, cut, share, inbag=bags, rows=rows, n_jobs=n_jobs)
        skill = max(0.0, 2 * float(roc_auc_score(labels, seen)) - 1)
        made = cls(feature, cut, share, skill)
        own = made.score(X, n_jobs)
        own[chosen] = made._log_odds(seen[: len(real)])
        return made, own

    def score(self, X: Rows, n_jobs: int | None = None) -> Vector:
        """Weighted log-odds (n,) of the rows of X (n, d)."""
        rows = np.ascontiguousarray(X, dtype=np.float32)
        return self._log_odds(forest_score(rows, self.feature, self.cut, self.share, n_jobs))

    def _log_odds(self, share: Vector) -> Vector:
        half = 0.5 / len(self.feature)  # a share of 0 or 1 is known to half a tree
        return self.skill * np.log((share + half) / (1 - share + half))


def _once_each(sample: NDArray[np.int64], filler: int) -> NDArray[np.int64]:
    """The different row numbers of a bootstrap sample (n,), filled up to its length."""
    different = np.unique(sample)
    return np.append(different, np.full(len(sample) - len(different), filler))


def _heap(tree: Any) -> Heap:
    """A tree of scikit-learn as a heap of DEPTH levels; what lies below a leaf repeats it."""
    inner = 2**DEPTH - 1
    node = np.zeros(2 * inner + 1, dtype=np.int64)  # node of the tree at each place of the heap
    left, right = tree.children_left, tree.children_right
    for level in range(DEPTH):
        places = np.arange(2**level - 1, 2 ** (level + 1) - 1)
        at = node[places]
        ends = left[at] < 0
        node[2 * places + 1] = np.where(ends, at, left[at])
        node[2 * places + 2] = np.where(ends, at, right[at])
    above = node[:inner]
    ends = left[above] < 0
    return (
        np.where(ends, 0, tree.feature[above]).astype(np.int32),
        np.where(ends, np.inf, tree.threshold[above]).astype(np.float32),
        tree.value[node[inner:], 0, 1].astype(np.float32),
    )
