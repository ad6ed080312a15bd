"""Conditional draws against the exact normal conditional, and against loops."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from unusual import InputError
from unusual.parts.conditional import ConditionalCopula, NearestRows, streams


def correlated(rng: np.random.Generator, d: int = 5) -> np.ndarray:
    A = rng.normal(size=(d, d))
    S = A @ A.T + 0.5 * np.eye(d)
    spread = np.sqrt(np.diag(S))
    return S / np.outer(spread, spread)


def exact(S: np.ndarray, x: np.ndarray, group: list[int], kept: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the columns of a group given the kept others, by the textbook formula."""
    others = [j for j in kept if j not in group]
    weights = S[np.ix_(group, others)] @ np.linalg.inv(S[np.ix_(others, others)])
    return weights @ x[others], S[np.ix_(group, group)] - weights @ S[np.ix_(others, group)]


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 1]])
def test_a_copula_of_normal_columns_draws_from_their_conditional(groups) -> None:
    rng = np.random.default_rng(1)
    S = correlated(rng)
    X = rng.multivariate_normal(np.zeros(5), S, size=5000)
    x = rng.multivariate_normal(np.zeros(5), S)
    drawn = ConditionalCopula(np.exp(X), groups).draw(np.exp(x), 4000, rng)  # margins do not matter
    labels = np.arange(5) if groups is None else np.array(groups)
    for group in np.unique(labels):
        members = np.flatnonzero(labels == group).tolist()
        mean, covariance = exact(S, x, members, list(range(5)))
        found = np.log(drawn[:, members])
        assert_allclose(found.mean(axis=0), mean, atol=0.1)
        assert_allclose(np.cov(found.T), covariance.squeeze(), atol=0.08)


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 1]])
def test_conditionals_without_some_columns_are_those_of_the_rest(groups, rng) -> None:
    copula = ConditionalCopula(rng.multivariate_normal(np.zeros(5), correlated(rng), size=400), groups)
    S, z = copula.correlation, rng.normal(size=5)
    for gone in ([], [1], [1, 3], [0, 2, 4]):
        kept = [j for j in range(5) if j not in gone]
        coefficients, roots = copula._conditionals(np.isin(np.arange(5), kept))
        for group in range(copula.groups.max() + 1):
            members = np.flatnonzero(copula.groups == group).tolist()
            mean, covariance = exact(S, z, members, kept)
            assert_allclose((coefficients @ z)[members], mean, atol=1e-9)
            wide = np.outer(copula.widening[members], copula.widening[members])
            root = roots[np.ix_(members, members)]
            assert_allclose(root @ root.T, covariance * wide, atol=1e-9)


def test_values_out_of_line_are_found_one_after_the_other(rng) -> None:
    S = correlated(rng)
    copula = ConditionalCopula(rng.multivariate_normal(np.zeros(5), S, size=2000))
    z = rng.multivariate_normal(np.zeros(5), S)
    z[2] += 8
    kept = np.ones(5, dtype=bool)
    while True:  # the obvious loop: one textbook conditional at a time
        away = np.zeros(5)
        for j in np.flatnonzero(kept):
            mean, variance = exact(copula.correlation, z, [int(j)], np.flatnonzero(kept).tolist())
            away[j] = abs(z[j] - mean[0]) / np.sqrt(variance[0, 0]) / copula.widening[j]
        if away.max() <= 3:
            break
        kept[away.argmax()] = False
    assert not kept[2]
    assert_array_equal(copula._in_line(z), kept)
    assert ConditionalCopula(copula.ordered.T, outlying=np.inf)._in_line(z).all()


def test_columns_of_few_values_keep_them_and_constants_stay(rng) -> None:
    load = rng.normal(size=600)
    X = np.column_stack([load, load + rng.normal(0, 0.5, 600) > 0, np.full(600, 3.0)])
    drawn = ConditionalCopula(X).draw(np.array([2.0, 1.0, 3.0]), 1000, rng)
    assert set(np.unique(drawn[:, 1])) <= {0.0, 1.0}
    assert drawn[:, 1].mean() > 0.9  # a high load makes it likely
    assert (drawn[:, 2] == 3).all()
    margin = ConditionalCopula(X, shrinkage=1.0)
    assert margin.name.startswith("margins")
    assert abs(margin.draw(np.array([2.0, 1.0, 3.0]), 4000, rng)[:, 1].mean() - X[:, 1].mean()) < 0.05


@pytest.mark.parametrize("n", [8, 60])
def test_with_independent_columns_a_row_is_exchangeable_with_its_draws(n) -> None:
    rng = np.random.default_rng(n)
    ranks = []
    for _ in range(600):
        copula = ConditionalCopula(rng.normal(size=(n, 2)), shrinkage=1.0)
        x = rng.normal(size=2)
        ranks.append((1 + (copula.draw(x, 99, rng) >= x).sum(axis=0)) / 100)  # p-value of a high value
    ranks = np.concatenate(ranks)
    for level in (0.02, 0.05, 0.1, 0.3):
        assert (ranks <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / len(ranks))
    assert (ranks <= 0.3).mean() > 0.2


def test_a_repeated_column_leaves_no_choice(rng) -> None:
    X = rng.normal(size=(400, 4))
    X[:, 3] = -2 * X[:, 0]
    drawn = ConditionalCopula(X).draw(np.array([0.4, 1.0, -1.0, -0.8]), 200, rng)
    assert np.abs(drawn[:, 0] - 0.4).max() < 0.1
    assert np.abs(drawn[:, 3] + 0.8).max() < 0.2
    assert drawn[:, 1].std() > 0.8


def test_the_shrinkage_follows_what_the_rows_can_tell(rng) -> None:
    S = correlated(rng, 12)
    many = ConditionalCopula(rng.multivariate_normal(np.zeros(12), S, size=4000))
    few = ConditionalCopula(rng.multivariate_normal(np.zeros(12), S, size=20))
    none = ConditionalCopula(rng.normal(size=(4000, 12)))
    assert many.shrinkage < few.shrinkage
    assert none.shrinkage >= 0.5
    assert few.widening.mean() > many.widening.mean()


@pytest.mark.parametrize("groups", [None, [0, 1, 1]])
def test_nearest_rows_are_those_of_a_loop_each_at_most_once(groups, rng) -> None:
    X, x = rng.normal(size=(50, 3)) * [1, 10, 0.1], rng.normal(size=3) * [1, 10, 0.1]
    labels = np.arange(3) if groups is None else np.array(groups)
    drawn = NearestRows(X, groups).draw(x, 25, rng)
    for j in range(3):
        others = labels != labels[j]
        away = np.square((X - x) / X.std(axis=0))[:, others].sum(axis=1)
        assert_array_equal(np.sort(drawn[:, j]), np.sort(X[np.argsort(away)[:25], j]))
    few = NearestRows(X, groups).draw(x, 4, rng)
    near = np.argsort(np.square((X - x) / X.std(axis=0))[:, labels != labels[0]].sum(axis=1))[:20]
    assert set(few[:, 0]) <= set(X[near, 0])


def test_streams_belong_to_rows(rng) -> None:
    X = rng.normal(size=(5, 3))
    first = [g.normal() for g in streams(X, 0)]
    assert [g.normal() for g in streams(X[::-1], 0)] == first[::-1]
    assert len({*first, *(g.normal() for g in streams(X, 1))}) == 10


def test_what_cannot_be_learnt_from_is_refused(rng) -> None:
    with pytest.raises(InputError, match="at least 4 rows"):
        ConditionalCopula(rng.normal(size=(3, 2)))
    with pytest.raises(InputError, match="finite"):
        NearestRows(np.full((9, 2), np.nan))
    with pytest.raises(InputError, match="one label per column"):
        ConditionalCopula(rng.normal(size=(30, 2)), groups=[0])
    with pytest.raises(InputError, match="60 draws from 50"):
        NearestRows(rng.normal(size=(50, 2))).draw(np.zeros(2), 60, rng)
