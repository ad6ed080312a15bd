"""Every kernel against its twin at every level of this machine, in any batches, and what they refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from unusual import kernels
from unusual.errors import InputError
from unusual.kernels.dispatch import _extension

LEVELS = kernels.available()
COMPILED = LEVELS[:-1]
ROOT = Path(__file__).resolve().parents[1]


def matrix(rng, n, d, kind):
    X = rng.normal(size=(n, d))
    if kind == "ties":
        X = np.round(X)
    if kind == "huge":
        X = X * 1e30
    if kind == "duplicates":
        X[n // 2 :] = X[: n - n // 2]
    if kind == "constant":
        X[:, 0] = 3.0
    return X.astype(np.float32)


def forest_of(X, rng, trees=20, psi=64, depth=6):
    sample = np.stack([rng.permutation(len(X))[: min(psi, len(X))] for _ in range(trees)]).astype(np.int64)
    return kernels.forest_fit(X, sample, depth, np.random.default_rng(5)), sample


def run(name, X, seed):
    """One kernel on X, as a tuple of arrays; its other inputs depend on the seed only."""
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=(97, X.shape[1])).astype(np.float32)
    if name == "forest":
        return (kernels.forest_score(X, *forest_of(reference, rng)[0]),)
    if name in ("ecod", "copod"):
        skew = rng.integers(-1, 2, X.shape[1]).astype(float)
        return (kernels.tails_score(X, kernels.tails_fit(reference), skew, name),)
    if name == "counts":
        return kernels.tails_counts(X, kernels.tails_fit(reference))
    if name == "histogram":
        low, width = reference.min(axis=0).astype(float), np.ptp(reference, axis=0) / 7.0
        return (kernels.histogram_score(X, low, width.astype(float), rng.normal(size=(X.shape[1], 9))),)
    if name.startswith("balls"):
        centres = rng.normal(size=(11, int(name[5:]), X.shape[1])).astype(np.float32)
        return (kernels.isolation_balls(X, centres, kernels.ball_radii(centres)[0], rng.random(centres.shape[:2])),)
    return kernels.nearest(X, reference, 5)


KERNELS = ["forest", "ecod", "copod", "counts", "histogram", "balls2", "balls8", "balls37", "nearest"]


@pytest.mark.parametrize("kind", ["plain", "ties", "huge", "duplicates", "constant"])
@pytest.mark.parametrize("n, d", [(1, 1), (3, 1), (17, 5), (131, 3), (1500, 2)])
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.filterwarnings("ignore:overflow encountered")  # the twins square 1e30 in float32, as C does
def test_levels_agree(rng, name, n, d, kind):
    X = matrix(rng, n, d, kind)
    with kernels.at_level("numpy"):
        twin = run(name, X, 1)
    for level in COMPILED:
        with kernels.at_level(level):
            for ours, theirs in zip(run(name, X, 1), twin, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", KERNELS)
def test_a_row_gets_the_same_bits_in_every_batch(rng, level, name):
    X = matrix(rng, 1500, 4, "plain")
    with kernels.at_level(level):
        whole = run(name, X, 2)
        parts = [run(name, np.ascontiguousarray(part), 2) for part in (X[:1], X[1:30], X[30:])]
    for i, full in enumerate(whole):
        np.testing.assert_array_equal(full, np.concatenate([part[i] for part in parts]))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["plain", "ties", "constant", "duplicates"])
@pytest.mark.parametrize("n, d, depth", [(2, 1, 1), (300, 6, 8), (90, 3, 3), (40, 2, 12)])
def test_trees_are_the_same_at_every_level(rng, level, kind, n, d, depth):
    X = matrix(rng, n, d, kind)
    sample = np.stack([rng.permutation(n)[: min(n, 256)] for _ in range(9)]).astype(np.int64)
    with kernels.at_level("numpy"):
        twin = kernels.forest_fit(X, sample, depth, np.random.default_rng(3))
    with kernels.at_level(level):
        for ours, theirs in zip(kernels.forest_fit(X, sample, depth, np.random.default_rng(3)), twin, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("depth", [2, 9, 13])
def test_many_rows_and_few_rows_take_other_roads_to_the_same_score(rng, level, depth):
    X = matrix(rng, 3000, 3, "plain")
    X[:200] = np.round(X[:200])
    with kernels.at_level(level):
        forest, _ = forest_of(X, rng, trees=140, psi=256, depth=depth)
        many = kernels.forest_score(X, *forest)
        few = np.concatenate([kernels.forest_score(X[i : i + 100], *forest) for i in range(0, 3000, 100)])
    np.testing.assert_array_equal(many, few)


@pytest.mark.parametrize("level", LEVELS)
def test_thresholds_may_be_infinite_or_repeat(rng, level):
    X = matrix(rng, 1200, 2, "ties")
    threshold = rng.choice(np.array([-np.inf, np.inf, 0.0, 1.0, -1.0, 3e38], np.float32), (5, 15))
    feature, leaf = rng.integers(0, 2, (5, 15)).astype(np.int32), rng.normal(size=(5, 16)).astype(np.float32)
    with kernels.at_level("numpy"):
        twin = kernels.forest_score(X[:100], feature, threshold, leaf)
    with kernels.at_level(level):
        np.testing.assert_array_equal(kernels.forest_score(X, feature, threshold, leaf)[:100], twin)


def test_out_of_bag_scores_leave_the_trees_of_a_row_out(rng):
    X = matrix(rng, 60, 3, "plain")
    (feature, threshold, leaf), sample = forest_of(X, rng, trees=15, psi=20, depth=5)
    sample[:, 0] = 59  # in every bag, so all trees speak
    sample = np.stack([np.unique(np.r_[59, row])[:18] for row in sample])
    sample[:, -1] = 59
    rows = np.array([4, 59, 4, 0, 31])
    score = kernels.forest_score_oob(X, feature, threshold, leaf, sample, rows)
    for i, row in enumerate(rows):
        silent = (sample == row).any(axis=1)
        trees = np.flatnonzero(~silent) if not silent.all() else np.arange(15)
        expected = kernels.forest_score(X[row : row + 1], feature[trees], threshold[trees], leaf[trees])
        assert score[i] == pytest.approx(expected[0], rel=1e-12)


def test_out_of_bag_balls_leave_the_sets_of_a_row_out(rng):
    X = matrix(rng, 50, 3, "plain")
    bag = np.stack([rng.permutation(50)[:8] for _ in range(12)]).astype(np.int64)
    centres, value = X[bag], rng.random((12, 8))
    radius2, _ = kernels.ball_radii(centres)
    rows = np.arange(50)
    score = kernels.isolation_balls_oob(X, centres, radius2, value, bag, rows)
    for row in rows:
        sets = np.flatnonzero(~(bag == row).any(axis=1))
        if len(sets):
            alone = kernels.isolation_balls(X[row : row + 1], centres[sets], radius2[sets], value[sets])
            assert score[row] == pytest.approx(alone[0], rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n, d", [(1, 1), (300, 1), (70000, 1), (1003, 3), (40001, 7), (50, 300)])
def test_columns_have_the_same_bits_at_every_level(rng, n, d, dtype):
    X = (3 * rng.normal(size=(n, d)) + 1e3).astype(dtype)
    low, width, table = X.min(axis=0) + 0.3, np.ptp(X, axis=0).astype(float) / 6, rng.normal(size=(d, 8))
    X[0] = low.astype(dtype)

    def results():
        counts = kernels.histogram_fit(X, low.astype(float), width, 6)
        return [*kernels.column_spread(X), counts, kernels.histogram_score(X, low.astype(float), width, table)]

    with kernels.at_level("numpy"):
        twin = results()
    np.testing.assert_allclose(twin[0], X.mean(axis=0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(twin[1], X.var(axis=0, dtype=np.float64) * n, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(twin[2:4], [X.min(axis=0), X.max(axis=0)])
    for level in COMPILED:
        with kernels.at_level(level):
            for ours, theirs in zip(results(), twin, strict=True):
                np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("level", LEVELS)
def test_threads_change_nothing(rng, level):
    X = matrix(rng, 40000, 3, "plain")
    low, width = X.min(axis=0).astype(float), np.ptp(X, axis=0).astype(float) / 5
    with kernels.at_level(level):
        forest, _ = forest_of(X, rng, trees=3)
        columns, table = kernels.tails_fit(X, n_jobs=2), rng.normal(size=(3, 7))
        some = np.ascontiguousarray(X[:3000])
        for n_jobs in (2, -1):
            np.testing.assert_array_equal(
                kernels.forest_score(X, *forest), kernels.forest_score(X, *forest, n_jobs=n_jobs)
            )
            np.testing.assert_array_equal(
                kernels.histogram_fit(X, low, width, 5), kernels.histogram_fit(X, low, width, 5, n_jobs=n_jobs)
            )
            np.testing.assert_array_equal(
                kernels.histogram_score(X, low, width, table),
                kernels.histogram_score(X, low, width, table, n_jobs=n_jobs),
            )
            np.testing.assert_array_equal(
                kernels.tails_score(X, columns, np.ones(3), "copod"),
                kernels.tails_score(X, columns, np.ones(3), "copod", n_jobs=n_jobs),
            )
            for one, two in zip(
                kernels.nearest(some, some, 3), kernels.nearest(some, some, 3, n_jobs=n_jobs), strict=True
            ):
                np.testing.assert_array_equal(one, two)


def test_packed_rows_serve_many_calls_and_levels(rng):
    X = rng.normal(size=(500, 3))
    with kernels.at_level("numpy"):
        packed = kernels.PackedRows(X)
    everybody = np.arange(500)
    for level in LEVELS:
        with kernels.at_level(level):
            one = kernels.nearest(packed.rows, packed, 4, exclude=everybody)
            two = kernels.nearest(X.astype(np.float32), X.astype(np.float32), 4, exclude=everybody, exact=(X, X))
            np.testing.assert_array_equal(one[1], two[1])
            np.testing.assert_allclose(one[0], two[0], rtol=1e-12)
            single = kernels.nearest(X[7:8], packed, 4, exclude=np.array([7]))
            np.testing.assert_allclose(single[0][0], one[0][7], rtol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_are_sorted_whatever_their_signs_and_sizes(rng, level, dtype):
    X = (rng.normal(size=(11000, 2)) * 10.0 ** rng.integers(-37, 38, (11000, 2))).astype(dtype)
    X[::7], X[1::9] = 0.0, -0.0
    with kernels.at_level(level):
        for n_jobs in (None, 2):
            np.testing.assert_array_equal(kernels.tails_fit(X, n_jobs), np.sort(X.T, axis=1))


def test_skewness_is_that_of_the_definition(rng):
    X = np.c_[rng.exponential(size=900), np.full(900, 0.1), 1e6 + rng.normal(size=900)]
    c = X - X.mean(axis=0)
    c -= c.mean(axis=0)  # at an offset of 1e6 rounding leaves 1e-9 in the mean, which would show in the cubes
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = (c**3).mean(axis=0) / (c**2).mean(axis=0) ** 1.5
    got = kernels.column_skewness(X)
    np.testing.assert_allclose(got[[0, 2]], expected[[0, 2]], rtol=1e-9)
    assert got[1] == 0


def test_empty_inputs_give_empty_answers(rng):
    X = matrix(rng, 20, 3, "plain")
    for name in KERNELS:
        assert all(len(part) == 0 for part in run(name, X[:0], 1))


def test_what_does_not_fit_is_refused_in_a_sentence(rng):
    X = matrix(rng, 30, 3, "plain")
    forest, _ = forest_of(X, rng)
    wide = forest[0].copy()
    wide[0, 0] = 3
    with pytest.raises(InputError, match=r"feature holds row numbers outside 0\.\.2"):
        kernels.forest_score(X, wide, *forest[1:])
    with pytest.raises(InputError, match="X has dtype float64; convert it to float32"):
        kernels.forest_score(X.astype(float), *forest)
    with pytest.raises(InputError, match="k is 31"):
        kernels.nearest(X, X, 31)
    with pytest.raises(InputError, match="k is 30"):
        kernels.nearest(X, X, 30, exclude=np.arange(30))
    with pytest.raises(InputError, match="combine is 'hbos'"):
        kernels.tails_score(X, kernels.tails_fit(X), np.zeros(3), "hbos")
    with pytest.raises(InputError, match="n_jobs is 0"):
        kernels.nearest(X, X, 2, n_jobs=0)
    with pytest.raises(InputError, match=r"low has shape \(2,\)"):
        kernels.histogram_fit(X, np.zeros(2), np.ones(3), 4)
    with pytest.raises(InputError, match=r"UNUSUAL_KERNELS='avx513' cannot run on this machine.*did you mean 'avx512'"):
        kernels.at_level("avx513").__enter__()


@pytest.mark.skipif(not COMPILED, reason="the compiled kernels are not installed")
def test_the_extension_checks_lengths_itself():
    loops = _extension()
    short = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="the sizes given do not fit"):
        loops.forest_sum(short, np.zeros(1, np.int32), short[:1], short[:2], np.zeros(1), 5, 1, 1, 0)
    with pytest.raises(ValueError, match="the sizes given do not fit"):
        loops.forest_sum(short, np.full(1, 9, np.int32), short[:1], short[:2], np.zeros(1), 3, 1, 1, 0)
    with pytest.raises(ValueError, match="the sizes given do not fit"):
        loops.place_order(short, np.zeros(1, np.int64), 1, 8, 8)


@pytest.mark.parametrize("name", ["numpy", "plain"])
def test_the_environment_names_a_level(name):
    if name not in LEVELS:
        pytest.skip("the compiled kernels are not installed")
    code = "import unusual.kernels as k, sys; print(k.level(), 'scipy' in sys.modules, 'sklearn' in sys.modules)"
    environment = os.environ | {"UNUSUAL_KERNELS": name}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name, "False", "False"]


@pytest.mark.slow
def test_a_wheel_without_the_extension_builds_and_works(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "setup.py", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--quiet", "-w", str(tmp_path)]
    environment = os.environ | {"UNUSUAL_NO_EXTENSION": "1"}
    subprocess.run([*build, str(source)], env=environment, capture_output=True, text=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        "import numpy as np, logging; logging.basicConfig(level=logging.INFO); import unusual.kernels as k;"
        "X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32);"
        "k.nearest(X, X, 3); k.column_skewness(X); print(k.level(), k.__file__)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "UNUSUAL_KERNELS"}
    environment |= {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    level, path = done.stdout.split()
    assert level == "numpy"
    assert path.startswith(str(tmp_path))
    assert done.stderr.count("their slower NumPy twins run instead") == 1
