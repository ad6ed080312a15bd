"""Overlap of blamed parts with the truth, against a sweep over pixels and a search over all choices of parts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unusual.explain.overlap import best_iou, blamed, iou, max_iou, random_iou

seeds = st.integers(0, 2**16)


def scene(seed: int, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (p,) with ties, the part of each of 60 cells, and a truth that is not empty."""
    rng = np.random.default_rng(seed)
    index = np.concatenate([np.arange(p), rng.integers(0, p, 60 - p)])
    truth = rng.random(60) < 0.3
    truth[rng.integers(60)] = True
    return rng.integers(-3, 4, p).astype(float), index, truth


def sums(index: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.bincount(index).astype(float), np.bincount(index, weights=truth)


@given(seeds, st.integers(2, 12))
def test_the_best_threshold_is_that_of_a_sweep_over_pixels(seed, p) -> None:
    w, index, truth = scene(seed, p)
    pixels = w[index]
    swept = [0.0]
    for level in np.unique(pixels[pixels > 0]):
        chosen = pixels >= level
        swept.append((chosen & truth).sum() / (chosen | truth).sum())
    assert max_iou(w, *sums(index, truth)) == pytest.approx(max(swept))
    assert max_iou(pixels, np.ones(60), truth.astype(float)) == pytest.approx(max(swept))


@given(seeds, st.integers(2, 8))
def test_no_choice_of_parts_beats_the_best(seed, p) -> None:
    _, index, truth = scene(seed, p)
    sizes, hits = sums(index, truth)
    every = [np.array(mask) for mask in product([False, True], repeat=p) if any(mask)]
    assert best_iou(sizes, hits) == pytest.approx(max(iou(mask, sizes, hits) for mask in every))


@given(seeds, st.integers(2, 8), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_what_is_blamed_is_the_fewest_parts_that_hold_the_share(seed, p, share) -> None:
    w, _, _ = scene(seed, p)
    positive = np.maximum(w, 0)
    mask = blamed(w, share)
    if not positive.any():
        assert not mask.any()
        return
    every = [np.array(m) for m in product([False, True], repeat=p)]
    enough = [m.sum() for m in every if positive[m].sum() >= share * positive.sum() - 1e-9]
    assert mask.sum() == min(enough)
    assert positive[mask].sum() >= share * positive.sum() - 1e-9


def test_chance_is_what_random_weights_reach(rng) -> None:
    sizes, hits = np.ones(20), np.eye(20)[3]
    mean, high = random_iou(sizes, hits, rng)
    # by rank r of the true part among 20: 1 / r where its weight is positive
    ranks = rng.normal(size=(20_000, 20))
    reached = np.where(ranks[:, 3] > 0, 1 / (ranks >= ranks[:, 3:4]).sum(axis=1), 0)
    assert mean == pytest.approx(reached.mean(), abs=0.06)
    assert high in (1 / 3, 1 / 2, 1.0)
