"""The kernels against the obvious slow version, and against the golden values of a peer."""

from __future__ import annotations

from itertools import product
from math import log

import numpy as np
import pytest

from unusual import kernels

LEVELS = kernels.available()


@pytest.fixture(params=LEVELS, autouse=True)
def every_level(request):
    with kernels.at_level(request.param):
        yield request.param


def slow_path(X, feature, threshold, leaf):
    score = np.zeros(len(X))
    for i, t in product(range(len(X)), range(len(feature))):
        node = 0
        while node < feature.shape[1]:
            node = 2 * node + (2 if X[i, feature[t, node]] > threshold[t, node] else 1)
        score[i] += float(leaf[t, node - feature.shape[1]]) / len(feature)
    return score


def test_a_forest_walks_each_row_down_each_tree(rng):
    feature = rng.integers(0, 3, (7, 31)).astype(np.int32)
    threshold = rng.normal(size=(7, 31)).astype(np.float32)
    leaf = rng.normal(size=(7, 32)).astype(np.float32)
    X = rng.normal(size=(1300, 3)).astype(np.float32)
    X[:50] = threshold[0, rng.integers(0, 31, (50, 3))]  # a value equal to a threshold goes left
    score = kernels.forest_score(X, feature, threshold, leaf)
    np.testing.assert_allclose(score[:60], slow_path(X[:60], feature, threshold, leaf), rtol=1e-12)


def test_tree_values_are_depth_plus_the_mean_path_of_what_is_left(rng):
    X = rng.normal(size=(64, 2)).astype(np.float32)
    sample = np.arange(64)[None].astype(np.int64)
    feature, threshold, leaf = kernels.forest_fit(X, sample, 3, rng)
    inner = 7
    for p in range(8):  # rows that reach leaf p, by the walk of its ancestors
        inside, node = np.ones(64, bool), inner + p
        depth = 3
        while node > 0:
            parent, right = (node - 1) // 2, node % 2 == 0
            above = X[:, feature[0, parent]] > threshold[0, parent]
            inside &= above if right else ~above
            depth -= np.isinf(threshold[0, parent])
            node = parent
        count = inside.sum()
        if count > 0:
            c = (
                0
                if count == 1
                else 1
                if count == 2
                else 2 * (log(count - 1) + np.euler_gamma) - 2 * (count - 1) / count
            )
            assert leaf[0, p] == pytest.approx(depth + c, rel=1e-6)


@pytest.mark.parametrize("name", ["wine", "glass"])
@pytest.mark.parametrize("combine", ["ecod", "copod"])
def test_tails_agree_with_pyod_on_its_training_rows(pyod_scores, name, combine):
    X = pyod_scores[f"{name}/X"]
    columns, skew = kernels.tails_fit(X), kernels.column_skewness(X)
    score = kernels.tails_score(X, columns, skew, combine)
    np.testing.assert_allclose(score, pyod_scores[f"{name}/{combine.upper()}/train"], rtol=1e-11)


def test_leaving_a_row_out_of_the_tails_is_fitting_without_it(rng):
    X = rng.integers(0, 6, (30, 3)).astype(np.float64)
    skew = np.array([-1.0, 0.0, 1.0])
    left_out = kernels.tails_score(X, kernels.tails_fit(X), skew, "ecod", leave_out=True)
    for i in range(len(X)):
        others = kernels.tails_fit(np.delete(X, i, axis=0))
        np.testing.assert_allclose(left_out[i], kernels.tails_score(X[i : i + 1], others, skew, "ecod")[0], rtol=1e-12)


def test_histogram_counts_what_numpy_counts(rng):
    X = rng.normal(size=(500, 4)).astype(np.float32)
    low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
    counts = kernels.histogram_fit(X, low, (high - low) / 13, 13)
    for j in range(4):
        np.testing.assert_array_equal(counts[j], np.histogram(X[:, j].astype(float), 13, (low[j], high[j]))[0])


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_histogram_scores_agree_with_pyod(pyod_scores, name):
    X, edges = pyod_scores[f"{name}/X"], pyod_scores[f"{name}/HBOS_bins10/learnt_bin_edges"]
    density = pyod_scores[f"{name}/HBOS_bins10/learnt_hist"]
    table = np.pad(-np.log2(density.T + 0.1), ((0, 0), (1, 1)))
    score = kernels.histogram_score(X, edges[0].copy(), (edges[-1] - edges[0]) / 10, table)
    place = (X - edges[0]) / (edges[-1] - edges[0]) * 10
    inner = (place > 0.5) & (place < 9.5)
    on_edge = (inner & (np.abs(place - np.round(place)) < 1e-9)).any(axis=1)  # there PyOD takes the bin below
    assert on_edge.mean() < 0.1
    np.testing.assert_allclose(score[~on_edge], pyod_scores[f"{name}/HBOS_bins10/train"][~on_edge], rtol=1e-9)


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_balls_agree_with_pyod(pyod_scores, name):
    X = pyod_scores[f"{name}/X"].astype(np.float32)
    centres = pyod_scores[f"{name}/INNE/learnt_centroids"].astype(np.float32)
    radius2, _ = kernels.ball_radii(centres)
    golden = pyod_scores[f"{name}/INNE/learnt_radius"]
    np.testing.assert_allclose(radius2, golden, rtol=1e-4, atol=1e-5)
    score = kernels.isolation_balls(X, centres, radius2, pyod_scores[f"{name}/INNE/learnt_ratio"])
    np.testing.assert_allclose(score, pyod_scores[f"{name}/INNE/train"], atol=1e-12)


def slow_nearest(Q, X, k, exclude):
    squared = ((Q[:, None].astype(np.float64) - X[None].astype(np.float64)) ** 2).sum(axis=2)
    for i, row in enumerate(exclude):
        if row >= 0:
            squared[i, row] = np.inf
    order = np.lexsort((np.broadcast_to(np.arange(len(X)), squared.shape), squared), axis=1)[:, :k]
    return np.take_along_axis(squared, order, 1), order


@pytest.mark.parametrize(
    "n, d, k", [(1, 1, 1), (2, 1, 1), (37, 1, 5), (300, 3, 7), (140, 40, 139), (500, 200, 3), (2000, 2, 4)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbours_are_those_of_the_full_distance_matrix(rng, n, d, k, dtype):
    X = rng.normal(size=(n, d)).astype(dtype)
    Q = rng.normal(size=(23, d)).astype(dtype)
    exclude = np.full(23, -1)
    if n > k:
        exclude[::2] = rng.integers(0, n, 12)
    distance, index = kernels.nearest(Q, X, k, exclude if n > k else None)
    expected = slow_nearest(Q, X, k, exclude)
    np.testing.assert_allclose(distance, expected[0], rtol=1e-12)
    np.testing.assert_array_equal(index, expected[1])


@pytest.mark.parametrize(
    "offset, spread", [(0.0, 1.0), (1e6, 1.0), (1e15, 10.0), (0.0, 1e-30), (0.0, 1e30), (-3e4, 1e-4)]
)
def test_neighbours_survive_offsets_scales_and_near_duplicates(rng, offset, spread):
    X = offset + spread * rng.normal(size=(400, 3))
    X[100:200] = X[0] + 1e-9 * (X[100:200] - X[0])  # a clump far below float32 resolution
    X[300] = X[301] = X[302] = X[0]
    everybody = np.arange(400)
    distance, index = kernels.nearest(X, X, 6, exclude=everybody)
    expected = slow_nearest(X, X, 6, everybody)
    np.testing.assert_allclose(distance, expected[0], rtol=1e-12)
    np.testing.assert_array_equal(index, expected[1])


def test_neighbours_of_ties_go_to_the_lower_row(rng):
    X = rng.integers(0, 3, (600, 2)).astype(np.float32)
    everybody = np.arange(600)
    distance, index = kernels.nearest(X, X, 9, exclude=everybody)
    expected = slow_nearest(X, X, 9, everybody)
    np.testing.assert_array_equal(distance, expected[0])
    np.testing.assert_array_equal(index, expected[1])


def test_neighbours_with_an_extreme_row_and_far_queries(rng):
    X = rng.normal(size=(300, 4)).astype(np.float32)
    X[7] = 1e18
    Q = np.vstack([rng.normal(size=(10, 4)), np.full((1, 4), 1e17), np.full((1, 4), -1e18)]).astype(np.float32)
    distance, index = kernels.nearest(Q, X, 4)
    expected = slow_nearest(Q, X, 4, np.full(12, -1))
    np.testing.assert_allclose(distance, expected[0], rtol=1e-12)
    np.testing.assert_array_equal(index[:10], expected[1][:10])
