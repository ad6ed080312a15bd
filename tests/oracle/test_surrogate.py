"""Masks, weights and fits against their definitions, term by term."""

from __future__ import annotations

from itertools import combinations
from math import comb, exp, factorial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from unusual.parts.masking import Game
from unusual.parts.surrogate import (
    area,
    classic_masks,
    deletion_curve,
    insertion_curve,
    kernel_shap,
    kernel_weights,
    occlusion,
    rank_agreement,
    ridge_fit,
    shapley_masks,
    stratified_masks,
    unbiased_weights,
)


def tangled(p: int, rng: np.random.Generator) -> Game:
    """A game with terms of single parts, of pairs and of all parts together."""
    a, B = rng.normal(size=p), rng.normal(size=(p, p))
    return Game(p, lambda Z: Z @ a + ((Z @ B) * Z).sum(axis=1) + 3 * Z.all(axis=1))


def shapley_by_definition(game: Game) -> np.ndarray:
    p = game.parts
    phi = np.zeros(p)
    for j in range(p):
        others = [i for i in range(p) if i != j]
        for size in range(p):
            for kept in combinations(others, size):
                z = np.zeros((2, p), dtype=bool)
                z[:, list(kept)] = True
                z[1, j] = True
                without, with_j = game(z)
                phi[j] += factorial(size) * factorial(p - size - 1) / factorial(p) * (with_j - without)
    return phi


@pytest.mark.parametrize("p", [2, 3, 4, 7])
def test_shapley_values_are_exact_where_all_masks_fit(p, rng) -> None:
    game = tangled(p, rng)
    assert_allclose(kernel_shap(game, 2**p, rng).weights, shapley_by_definition(game), atol=1e-8)


def test_sampled_shapley_values_are_near_the_exact_ones_and_add_up(rng) -> None:
    game = tangled(11, rng)
    exact = shapley_by_definition(game)
    found = np.array([kernel_shap(game, 400, np.random.default_rng(s)).weights for s in range(20)])
    assert_allclose(found.sum(axis=1), game.whole - game.hidden)
    assert np.abs(found - exact).mean() < 0.1 * np.abs(exact).mean()
    assert_allclose(found.mean(axis=0), exact, atol=4 * (found - exact).std() / np.sqrt(20))


@pytest.mark.parametrize(("p", "count"), [(5, 100), (10, 100), (11, 300), (30, 1000)])
def test_shapley_masks_have_the_weight_of_their_size(p, count, rng) -> None:
    masks, weights = shapley_masks(count, p, rng)
    assert len(masks) <= count
    sizes = masks.sum(axis=1)
    total = sum((p - 1) / (k * (p - k)) for k in range(1, p))
    assert weights.sum() == pytest.approx(total)
    for k in np.flatnonzero(np.bincount(sizes, minlength=p + 1)):
        kept = masks[sizes == k]
        if len(np.unique(kept, axis=0)) == comb(p, int(k)):  # a complete size
            assert_allclose(weights[sizes == k].sum(), (p - 1) / (k * (p - k)), rtol=1e-9 if p < 30 else 0.5)
    assert_allclose(masks.T @ weights, weights.sum() / 2)  # sets and complements weigh the same


def test_weights_of_masks_are_the_formulas(rng) -> None:
    masks = np.concatenate([stratified_masks(60, 13, rng), np.zeros((1, 13), dtype=bool)])
    for z, pi, a in zip(masks, kernel_weights(masks), unbiased_weights(masks), strict=True):
        k = int(z.sum())
        d = 1 - k / (np.sqrt(k) * np.sqrt(13)) if k else 1.0
        assert pi == pytest.approx(np.sqrt(exp(-(d**2) / 0.25**2)))
        if z is not masks[0]:
            assert k == 13 or a == pytest.approx(14 * comb(13, k) / 2**13)
    assert unbiased_weights(masks)[0] == 1
    assert np.isfinite(unbiased_weights(stratified_masks(100, 3000, rng))).all()


def test_sizes_are_binomial_or_uniform(rng) -> None:
    classic = classic_masks(20_001, 8, rng)[1:].sum(axis=1)
    even = stratified_masks(20_001, 8, rng)[1:].sum(axis=1)
    expected = np.array([comb(8, k) / 2**8 for k in range(9)])
    assert_allclose(np.bincount(classic, minlength=9) / 20_000, expected, atol=0.012)
    assert_allclose(np.bincount(even, minlength=9) / 20_000, np.full(9, 1 / 9), atol=0.012)
    assert classic_masks(5, 4, rng)[0].all()
    assert stratified_masks(5, 4, rng)[0].all()


def test_reweighted_stratified_means_are_classic_means(rng) -> None:
    game = tangled(9, rng)
    masks = stratified_masks(200_000, 9, rng)[1:]
    a = unbiased_weights(np.concatenate([np.ones((1, 9), dtype=bool), masks]))[1:]
    assert a.mean() == pytest.approx(1, abs=0.02)
    everything = np.array([[b >> j & 1 for j in range(9)] for b in range(2**9)], dtype=bool)
    assert (a * game(masks)).mean() == pytest.approx(game(everything).mean(), abs=0.1)


def test_the_fit_is_the_penalised_least_squares_solution(rng) -> None:
    masks = classic_masks(40, 6, rng)
    y, w = rng.normal(size=40), rng.uniform(0.1, 1, 40)
    fit = ridge_fit(masks, y, w)
    Z = np.c_[np.ones(40), masks]
    penalty = np.diag([0, 1, 1, 1, 1, 1, 1])
    expected = np.linalg.solve(Z.T @ np.diag(w) @ Z + penalty, Z.T @ np.diag(w) @ y)
    assert_allclose([fit.intercept, *fit.weights], expected, atol=1e-10)
    left = y - Z @ expected
    mean = (w * y).sum() / w.sum()
    assert fit.r2 == pytest.approx(1 - (w * left**2).sum() / (w * (y - mean) ** 2).sum())
    assert fit.effective == pytest.approx(w.sum() ** 2 / (w**2).sum())


def test_occlusion_and_curves_by_hand() -> None:
    game = Game(3, lambda Z: Z @ np.array([1.0, 5.0, -2.0]))
    assert_allclose(occlusion(game), [1, 5, -2])
    assert_allclose(deletion_curve(game, np.array([1.0, 5.0, -2.0])), [4, -1, -2, 0])
    assert_allclose(insertion_curve(game, np.array([1.0, 5.0, -2.0])), [0, 5, 6, 4])
    assert area(np.array([0.0, 5.0, 6.0, 4.0])) == pytest.approx(13 / 3)


def test_rank_agreement_is_the_mean_spearman_correlation(rng) -> None:
    values = rng.integers(0, 5, size=(4, 12)).astype(float)
    pairs = [spearmanr(values[a], values[b]).statistic for a, b in combinations(range(4), 2)]
    assert rank_agreement(values) == pytest.approx(np.mean(pairs))
    assert rank_agreement(np.zeros((3, 5))) == 1
    assert rank_agreement(np.array([[0.0, 0, 0], [1, 2, 3]])) == 0
