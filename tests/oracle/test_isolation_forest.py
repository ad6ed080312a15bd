"""The forest against trees walked one row at a time, and against scikit-learn's on average."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr
from sklearn.ensemble import IsolationForest as Peer

from unusual import InputError
from unusual.detect.tabular.isolation_forest import IsolationForest
from unusual.kernels import average_path_length


def leaf_of(detector: IsolationForest, tree: int, x: np.ndarray) -> int:
    inner = detector.column_.shape[1]
    node = 0
    while node < inner:
        node = 2 * node + 1 + int(x[detector.column_[tree, node]] > detector.cut_[tree, node])
    return node - inner


def depth_of(detector: IsolationForest, tree: int, x: np.ndarray) -> int:
    """Cuts that the row really meets: where a branch has ended the cut is at infinity."""
    inner = detector.column_.shape[1]
    node = depth = 0
    while node < inner and np.isfinite(detector.cut_[tree, node]):
        node = 2 * node + 1 + int(x[detector.column_[tree, node]] > detector.cut_[tree, node])
        depth += 1
    return depth


def mean_length(detector: IsolationForest, x: np.ndarray, trees: list[int]) -> float:
    return float(np.mean([detector.length_[t, leaf_of(detector, t, x)] for t in trees]))


def test_leaves_hold_their_depth_and_the_length_still_to_go(rng) -> None:
    X = rng.normal(size=(200, 3)).astype(np.float32)
    X[150:] = X[150]  # equal rows cannot be separated
    forest = IsolationForest(n_estimators=5, max_samples=64).fit(X)
    for t, bag in enumerate(forest._bags):
        leaves = [leaf_of(forest, t, X[i]) for i in bag]
        for i, leaf in zip(bag, leaves, strict=True):
            expected = depth_of(forest, t, X[i]) + average_path_length(np.array(leaves.count(leaf)))
            assert forest.length_[t, leaf] == pytest.approx(expected, rel=1e-6)


def test_score_is_that_of_the_paper(rng) -> None:
    X = rng.normal(size=(300, 4)).astype(np.float32)
    forest = IsolationForest(n_estimators=20, max_samples=100).fit(X)
    c = 2 * (np.log(99) + np.euler_gamma) - 2 * 99 / 100
    expected = [2 ** (-mean_length(forest, x, list(range(20))) / c) for x in X[:30]]
    assert_allclose(forest.anomaly_score(X[:30]), expected, rtol=1e-6)


def test_fitted_rows_are_judged_by_the_trees_that_did_not_see_them(rng) -> None:
    X = rng.normal(size=(60, 3)).astype(np.float32)
    forest = IsolationForest(n_estimators=25, max_samples=256)
    scores = forest.fit_anomaly_score(X)
    assert forest._bags.shape == (25, 30)  # half of the table
    outside = [[t for t in range(25) if i not in forest._bags[t]] for i in range(60)]
    expected = [
        2 ** (-mean_length(forest, x, trees) / forest.expected_length_) for x, trees in zip(X, outside, strict=True)
    ]
    assert_allclose(scores, expected, rtol=1e-6)


def test_agrees_with_scikit_learn_on_average(rng) -> None:
    X = np.vstack([rng.normal(size=(1000, 5)), rng.normal(3, 2, size=(30, 5))])
    ours = IsolationForest(n_estimators=1000).fit(X).anomaly_score(X)
    peer = -Peer(n_estimators=1000, max_samples=256, random_state=0).fit(X).score_samples(X)
    assert spearmanr(ours, peer).statistic > 0.99
    assert abs(ours.mean() - peer.mean()) < 0.005


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_agrees_with_pyod_on_average(name, pyod_scores) -> None:
    X = pyod_scores[f"{name}/X"]
    ours = IsolationForest(n_estimators=1000).fit(X).anomaly_score(X)
    assert spearmanr(ours, pyod_scores[f"{name}/IForest/train"]).statistic > 0.9  # only 100 trees there


def test_offsets_do_not_cost_digits(rng) -> None:
    X = rng.normal(size=(500, 3))
    plain = IsolationForest().fit(X).anomaly_score(X)
    far = X + 1e9  # keeps seven digits of the spread in float64, none in float32
    assert_allclose(IsolationForest().fit(far).anomaly_score(far), plain, atol=0.01)


@pytest.mark.parametrize("parameters", [{"n_estimators": 0}, {"max_samples": 1}, {"max_samples": 10**6}])
def test_impossible_sizes_are_refused(parameters, rng) -> None:
    with pytest.raises(InputError, match=next(iter(parameters))):
        IsolationForest(**parameters).fit(rng.normal(size=(20, 2)))
