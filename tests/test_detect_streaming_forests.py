"""Half-space trees and robust random cut forests: twins, slow versions, and batch equal to stream."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import unusual
from unusual import InputError
from unusual.kernels import CutForest, at_level, available, half_space_mass
from unusual.store import load

NAMES = ("HalfSpaceTrees", "RobustRandomCutForest")
compiled = pytest.mark.skipif(available() == ["numpy"], reason="the kernels are not compiled here")


def series(seed: int, steps: int = 700) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(steps)
    return np.column_stack([np.sin(t / 5), np.cos(t / 9)]) + 0.1 * rng.normal(size=(steps, 2))


def awkward_points(rng: np.random.Generator, count: int = 300, d: int = 3) -> np.ndarray:
    """Points of which many are equal, or equal in some columns."""
    X = rng.normal(size=(count, d))
    X[40:70] = X[40]
    X[100:160] = np.round(X[100:160])
    X[200:230, 0] = 1.0
    return X


# -- robust random cut forest ----------------------------------------------------------------------------------------


@compiled
@pytest.mark.parametrize("points", [2, 5, 64])
def test_cut_trees_are_those_of_the_twin(points: int) -> None:
    X = awkward_points(np.random.default_rng(0))
    one, other = (CutForest.empty(3, points, 3, np.random.default_rng(1)) for _ in range(2))
    scores = one.learn(X)
    with at_level("numpy"):
        assert_array_equal(other.learn(X), scores)
    for name in ("links", "cut", "box", "leaves", "spare", "root"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    new = awkward_points(np.random.default_rng(2), 250)
    scores = one.score(new)
    with at_level("numpy"):
        assert_array_equal(other.score(new), scores)


def slow_displacement(forest: CutForest, tree: int, leaf: int) -> float:
    """The definition: over all nodes above the leaf, points on the other side for each point on this one."""
    left, right, parent, below, _ = range(5)
    links, most, node = forest.links[tree], 0.0, leaf
    while links[node, parent] >= 0:
        up = links[node, parent]
        other = links[up, right] if links[up, left] == node else links[up, left]
        most = max(most, links[other, below] / links[node, below])
        node = up
    return most


def test_scores_boxes_and_counts_are_those_of_the_tree_that_stands() -> None:
    points = 40
    forest = CutForest.empty(2, points, 3, np.random.default_rng(3))
    X = awkward_points(np.random.default_rng(4))
    for i, x in enumerate(X):
        expected = forest.score(x[None])[0]
        assert forest.learn(x[None])[0] == expected
        if i < points:  # none has left yet: the definition can be read off
            leaves = [forest.leaves[t, i % (points + 1)] for t in range(2)]
            assert expected == np.mean([slow_displacement(forest, t, leaf) for t, leaf in enumerate(leaves)])
    held = X[-points:]
    for t in range(2):
        root = forest.root[t]
        assert forest.links[t, root, 3] == points
        assert_array_equal(forest.box[t, root], [held.min(axis=0), held.max(axis=0)])
        for k in range(len(X) - points, len(X)):
            assert_array_equal(forest.box[t, forest.leaves[t, k % (points + 1)], 0], X[k])


def test_the_cuts_are_drawn_by_the_sides_of_the_box() -> None:
    """Two points: the first cut falls into a column with a chance in proportion to their distance in it."""
    forest = CutForest.empty(4000, 8, 2, np.random.default_rng(5))
    forest.learn(np.array([[0.0, 0.0], [3.0, 1.0]]))
    trees = np.arange(4000)
    column, cut = forest.links[trees, forest.root, 4], forest.cut[trees, forest.root]
    assert (column == 0).mean() == pytest.approx(0.75, abs=0.03)
    assert cut[column == 0].mean() == pytest.approx(1.5, abs=0.06)


@compiled
@pytest.mark.parametrize("name", ["links", "leaves", "spare", "root"])
@given(st.integers(0, 10**6), st.integers(-5, 200))
@settings(max_examples=40)
def test_no_broken_tree_is_walked(name: str, place: int, value: int) -> None:
    forest = CutForest.empty(2, 10, 2, np.random.default_rng(6))
    forest.learn(np.random.default_rng(7).normal(size=(25, 2)))
    flat = getattr(forest, name).reshape(-1)
    flat[place % flat.size] = value
    new = np.random.default_rng(8).normal(size=(30, 2))
    with suppress(ValueError):  # a place that holds nothing may be overwritten unnoticed
        forest.learn(new)
    forest.root[0] = -1
    with pytest.raises(ValueError, match="do not fit"):
        forest.learn(new)


# -- half-space trees --------------------------------------------------------------------------------------------------


def slow_mass(x: np.ndarray, column: np.ndarray, cut: np.ndarray, mass: np.ndarray, few: float, depth: int) -> float:
    total = 0.0
    for t in range(len(column)):
        node, level = 0, 0
        while mass[t, node] > few and level < depth:
            node, level = 2 * node + (2 if x[column[t, node]] > cut[t, node] else 1), level + 1
        total += mass[t, node] * 2**level
    return total


@pytest.mark.parametrize("level", ["numpy", *available()[:1]])
def test_masses_are_those_of_the_slow_walk(level: str) -> None:
    rng = np.random.default_rng(9)
    X, depth = rng.random((120, 3)), 5
    column = rng.integers(3, size=(4, 2**depth - 1)).astype(np.int32)
    cut = rng.random(column.shape)
    latest = np.zeros((4, 2 ** (depth + 1) - 1), np.int32)
    with at_level(level):
        half_space_mass(X, column, cut, np.zeros_like(latest), 5.0, latest)
        assert (latest[:, 0] == 120).all()
        inner = 2**depth - 1
        assert_array_equal(latest[:, :inner], latest[:, 1::2] + latest[:, 2::2])  # what passes goes to a child
        found = half_space_mass(X, column, cut, latest, 5.0)
    assert_array_equal(found, [slow_mass(x, column, cut, latest, 5.0, depth) for x in X])


def test_cuts_halve_what_is_left_of_the_box() -> None:
    detector = unusual.make("HalfSpaceTrees", window=1, n_estimators=6, depth=4).fit(series(10)[:, :1])
    for cut in detector.cut_:  # one column: the cuts of a level lie evenly, the middles of halves of halves
        for level in range(1, 4):
            line = cut[2**level - 1 : 2 ** (level + 1) - 1]
            gaps = np.diff(line)
            np.testing.assert_allclose(gaps, gaps[0], rtol=1e-9)
        np.testing.assert_allclose(cut[0], (cut[1] + cut[2]) / 2)


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(st.lists(st.integers(1, 699), max_size=6))
@settings(max_examples=15)
def test_batch_and_stream_give_equal_scores(name: str, cuts: list[int]) -> None:
    whole = unusual.make(name, memory=60).fit(series(11))
    blocks = unusual.make(name, memory=60).fit(series(11))
    X = series(12)
    at_once = whole.learn(X)
    lead, scores = whole.window_ - 1, []
    for a, b in zip([0, *(edges := sorted({c for c in cuts if c > lead}))], [*edges, len(X)], strict=True):
        found = blocks.learn(X[max(0, a - lead) : b])
        scores.append(found[min(a, lead) :])
    assert_array_equal(np.concatenate(scores)[lead:], at_once[lead:])
    assert_array_equal(blocks.anomaly_score(X), whole.anomaly_score(X))


@pytest.mark.parametrize("name", NAMES)
def test_scoring_learns_nothing_and_learning_ends_novelty(name: str, tmp_path) -> None:
    detector = unusual.make(name, memory=100).fit(series(13))
    other = series(14) + np.array([6.0, -6.0])
    alone = detector.anomaly_score(other)
    assert_array_equal(detector.anomaly_score(other), alone)
    detector.save(tmp_path / "m.unusual")
    again = load(tmp_path / "m.unusual")
    first, second = detector.learn(other), detector.learn(other)
    assert np.median(second) < np.median(alone[10:])
    assert np.median(second) <= np.median(first[:50]) - 0.1 * abs(np.median(first[:50]))
    assert_array_equal(again.learn(other), first)
    assert again.threshold_ == detector.threshold_


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("HalfSpaceTrees", {"depth": 0}, "depth 0"),
        ("HalfSpaceTrees", {"n_estimators": 0}, "n_estimators is 0"),
        ("RobustRandomCutForest", {"memory": 1}, "memory 1"),
        ("RobustRandomCutForest", {"memory": 10_000}, "at most 8,192 points"),
    ],
)
def test_bad_parameters_are_one_sentence(name: str, parameters: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        unusual.make(name, **parameters).fit(series(15))


def test_a_method_that_cannot_learn_step_by_step_says_so() -> None:
    with pytest.raises(InputError, match="SubPCA cannot learn step by step"):
        unusual.make("SubPCA", window=10).fit(series(16)).learn(series(17))
    with pytest.raises(InputError, match="fewer than one window"):
        unusual.make("HalfSpaceTrees").fit(series(16)).learn(series(17)[:2])
