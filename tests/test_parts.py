"""Shared mechanisms against their obvious versions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import unusual
from unusual.cluster import each, fit_parts, reduce
from unusual.errors import InputError, MissingExtra, need, suggest
from unusual.parts.gaussian import Moments
from unusual.parts.rows import fingerprint, folds, row_hash, some_rows
from unusual.parts.scaling import Standardizer
from unusual.parts.shapley import contributions


@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_moments_do_not_depend_on_how_the_rows_are_cut(parts: int, seed: int) -> None:
    X = np.random.default_rng(seed).normal(1e3, 5, size=(60, 3))
    cut = [Moments.of(part) for part in np.array_split(X, parts)]
    whole = reduce(lambda a, b: a + b, cut)
    assert whole.count == 60
    assert_allclose(whole.mean, X.mean(axis=0))
    assert_allclose(whole.covariance(1e-15), np.cov(X.T, bias=True), rtol=1e-8, atol=1e-8)
    assert_allclose(whole.variance, X.var(axis=0))


def test_taking_rows_away_is_as_if_they_had_not_been_there(rng: np.random.Generator) -> None:
    X = rng.normal(3, 2, size=(50, 4))
    left = Moments.of(X) - Moments.of(X[:20])
    assert_allclose(left.mean, X[20:].mean(axis=0))
    assert_allclose(left.scatter, Moments.of(X[20:]).scatter, atol=1e-9)


def test_shrinkage_keeps_the_diagonal(rng: np.random.Generator) -> None:
    moments = Moments.of(rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)))
    assert_allclose(np.diag(moments.covariance(0.7)), moments.variance)
    assert_allclose(moments.covariance(1.0), np.diag(moments.variance))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardizer_keeps_type_and_survives_large_offsets(dtype: type, rng: np.random.Generator) -> None:
    X = (rng.normal(size=(200, 3)) * [1, 100, 1e-3] + [0, 1e6, 5]).astype(dtype)
    X[:, 2] = 7
    Z = Standardizer.of(X)(X)
    assert Z.dtype == dtype
    assert_allclose(Z[:, :2].std(axis=0), 1, atol=1e-3)
    assert_allclose(Z.mean(axis=0), 0, atol=1e-3)
    assert_array_equal(Z[:, 2], 0)


def test_row_hash_depends_on_content_only(rng: np.random.Generator) -> None:
    X = rng.normal(size=(100, 3))
    X[7] = X[3]
    X[0, 0], X[1] = 0.0, X[0]
    X[1, 0] = -0.0
    hashes = row_hash(X)
    order = rng.permutation(100)
    assert_array_equal(row_hash(X[order]), hashes[order])
    assert hashes[7] == hashes[3]
    assert hashes[0] == hashes[1]
    assert len(np.unique(hashes)) == 98
    assert row_hash(X[:, ::-1].copy())[0] != hashes[0]
    assert_array_equal(row_hash(X[:, :1].astype(np.float32)), row_hash(X[:, :1].astype(np.float32).astype(float)))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=80), st.integers(2, 6))
def test_folds_keep_groups_whole(groups: list[int], n_folds: int) -> None:
    fold = folds(np.zeros((len(groups), 1)), groups, n_folds)
    assert len(fold) == len(groups)
    if len(set(groups)) > 1:
        assert len(np.unique(fold)) == min(n_folds, len(set(groups)))
        for group in set(groups):
            assert len({f for f, g in zip(fold, groups, strict=True) if g == group}) == 1


def test_equal_rows_share_a_fold_and_one_group_is_still_cut(rng: np.random.Generator) -> None:
    X = np.repeat(rng.normal(size=(30, 2)), 4, axis=0)
    fold = folds(X, None, 5)
    assert all(len(set(fold[i : i + 4])) == 1 for i in range(0, 120, 4))
    assert set(folds(np.ones((10, 2)), None, 5)) == {0, 1, 2, 3, 4}
    many = folds(rng.normal(size=(3000, 1)), None, 7)
    assert np.bincount(many).min() > 400


def test_some_rows_and_fingerprint(rng: np.random.Generator) -> None:
    assert_array_equal(some_rows(5, 10), np.arange(5))
    rows = some_rows(1000, 100)
    assert len(np.unique(rows)) == 100
    assert_array_equal(rows, some_rows(1000, 100))
    X = rng.normal(size=(30, 2))
    assert fingerprint(X) == fingerprint(X[::-1].copy()) != fingerprint(X + 1)
    assert fingerprint(X).startswith("30x2-")


def test_sampled_contributions_agree_with_the_definition_of_shapley(rng: np.random.Generator) -> None:
    def score(X: np.ndarray) -> np.ndarray:
        return X[:, 0] * X[:, 1] + np.maximum(X[:, 2], 0) ** 2

    x, background = np.array([[2.0, -1.0, 3.0]]), rng.normal(size=(64, 3))
    exact = np.zeros(3)
    for b in background:
        for order in itertools.permutations(range(3)):
            at = b.copy()
            for j in order:
                before = score(at[None])[0]
                at[j] = x[0, j]
                exact[j] += (score(at[None])[0] - before) / (math.factorial(3) * len(background))
    found = contributions(score, x, background, evaluations=64 * 2 * 4)
    assert_allclose(found.sum(), score(x)[0] - score(background).mean())  # nothing is lost
    assert_allclose(found[0], exact, atol=0.6)
    assert found[0].argmax() == exact.argmax()


def test_contributions_of_a_sum_are_exact(rng: np.random.Generator) -> None:
    weights, background = np.array([1.0, -2.0, 0.0]), rng.normal(size=(8, 3))
    X = rng.normal(size=(4, 3))
    found = contributions(lambda A: A @ weights, X, background, evaluations=64)
    assert_allclose(found, (X - background.mean(axis=0)) * weights, atol=1e-12)
    assert contributions(lambda A: A @ weights, X[:0], background, 64).shape == (0, 3)


def test_each_in_processes_gives_the_same_as_here() -> None:
    assert each(abs, [-1, 2, -3]) == each(abs, [-1, 2, -3], n_jobs=2) == [1, 2, 3]
    with pytest.raises(InputError, match="no parts"):
        reduce(max, [])


def test_what_has_no_summaries_is_not_fitted_in_parts(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="KNN cannot be fitted in parts"):
        fit_parts(unusual.make("KNN"), [rng.normal(size=(5, 2))])


def test_missing_extras_name_the_install_command() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'unusual\[postgres\]'"):
        need("no_such_module_anywhere", "postgres")
    assert need("math", "postgres") is math
    assert suggest("temprature", ["time", "temperature"]) == "; did you mean 'temperature'?"
    assert suggest("xyz", ["time"]) == ""
