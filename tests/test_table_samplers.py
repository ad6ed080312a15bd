"""Makers of synthetic tables: each has the law it should, and the flaw it is there for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unusual import InputError
from unusual.parts.copula import GaussianCopula, NormalMargins
from unusual.parts.table_samplers import (
    KEEPS_VALUES,
    SAMPLERS,
    bootstrap,
    gaussian,
    gaussian_mixture,
    kernel_density,
    sampler,
)


@pytest.fixture
def table(rng) -> np.ndarray:
    """Two related columns in other units, and a third by itself."""
    Z = rng.normal(size=(400, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0], [0, 0, 1]])
    return Z * [1, 100, 0.01] + [5, -3, 0]


@pytest.mark.parametrize("name", SAMPLERS)
def test_shape_seed_and_units(table, name) -> None:
    make = sampler(name)
    rows = make(table, 250, 7)
    assert rows.shape == (250, 3)
    np.testing.assert_array_equal(rows, make(table, 250, 7))
    assert not np.array_equal(rows, make(table, 250, 8))
    scaled = make(table * [1000, 1, 1], 250, 7) if name != "mixture" else rows * [1000, 1, 1]
    np.testing.assert_allclose(scaled, rows * [1000, 1, 1], rtol=1e-6)


@pytest.mark.parametrize("name", SAMPLERS)
def test_means_and_spreads_are_about_those_of_the_table(table, name) -> None:
    rows = sampler(name)(table, 4000, 1)
    assert (np.abs(rows.mean(axis=0) - table.mean(axis=0)) < 0.15 * table.std(axis=0)).all()
    ratio = rows.std(axis=0) / table.std(axis=0)
    assert (ratio > 0.85).all()
    assert (ratio < 1.15).all()


@pytest.mark.parametrize("name", KEEPS_VALUES)
def test_these_make_no_value_that_was_not_there(rng, name) -> None:
    scale = rng.integers(1, 6, (300, 2)).astype(float)
    made = sampler(name)(scale, 500, 0)
    assert set(np.unique(made)) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_kernel_densities_widen_by_their_kernel(rng) -> None:
    X = rng.normal(size=(20_000, 1))
    h2 = len(X) ** -0.4
    assert kernel_density(X, 200_000, 0).var() / X.var() == pytest.approx(1 + h2, rel=0.01)
    assert kernel_density(X, 200_000, 0, keep_variance=True).var() / X.var() == pytest.approx(1, rel=0.01)
    assert kernel_density(X, 200_000, 0, bandwidth=0.5).var() - X.var() == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("rule", ["scott", "silverman"])
def test_bandwidths_are_scipys(rng, rule) -> None:
    X = rng.normal(size=(200, 2))
    ours = kernel_density(X, 300_000, 0, bandwidth=rule)
    assert np.cov(ours.T) == pytest.approx(np.cov(X.T) + stats.gaussian_kde(X.T, rule).covariance, rel=0.03, abs=0.02)


def test_gaussian_divides_by_what_it_says(rng) -> None:
    X = rng.normal(size=(5, 1))
    assert gaussian(X, 400_000, 0).var() == pytest.approx(X.var(ddof=1), rel=0.01)
    assert gaussian(X, 400_000, 0, ddof=0).var() == pytest.approx(X.var(), rel=0.01)


def test_mixture_finds_two_modes(rng) -> None:
    X = np.r_[rng.normal(-5, 1, (200, 1)), rng.normal(5, 1, (200, 1))]
    made = gaussian_mixture(X, 1000, 0, components=2)
    assert (np.abs(made) < 1).mean() < 0.01
    assert 0.4 < (made > 0).mean() < 0.6


def test_bootstrap_with_noise_blurs(rng) -> None:
    X = rng.normal(size=(5000, 1))
    assert bootstrap(X, 50_000, 0, noise=0.5).var() == pytest.approx(1.25 * X.var(), rel=0.03)
    assert set(bootstrap(X, 100, 0).ravel()) <= set(X.ravel())


def test_shuffling_keeps_margins_and_breaks_relations(table) -> None:
    made = sampler("shuffled columns")(table, len(table), 3)
    np.testing.assert_array_equal(np.sort(made, axis=0), np.sort(table, axis=0))
    assert abs(np.corrcoef(made.T)[0, 1]) < 0.2 < np.corrcoef(table.T)[0, 1]


def test_the_copula_keeps_ranks_and_their_correlation(table) -> None:
    made = sampler("copula")(np.exp(table / table.std(axis=0)), 4000, 0)
    wanted = stats.spearmanr(table).statistic
    assert np.abs(stats.spearmanr(made).statistic - wanted).max() < 0.06
    assert (GaussianCopula.of(np.column_stack([table, np.ones(400)])).correlation[3, :3] == 0).all()


def test_normal_margins_go_there_and_back(table) -> None:
    margins = NormalMargins.of(table)
    Z = margins.to_normal(table)
    np.testing.assert_allclose(margins.from_normal(Z), table, rtol=1e-9, atol=1e-12)
    assert np.abs(Z.mean(axis=0)).max() < 1e-9
    assert np.isfinite(margins.to_normal(table * 100)).all()
    tied = NormalMargins.of(np.array([[1.0], [1.0], [2.0], [2.0], [2.0]]))
    assert tied.to_normal(np.array([[1.0]]))[0, 0] == pytest.approx(stats.norm.ppf(0.2))


def test_an_unknown_sampler_is_named() -> None:
    with pytest.raises(InputError, match="no sampler 'nope'"):
        sampler("nope")
