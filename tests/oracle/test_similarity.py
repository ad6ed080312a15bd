"""Similarity of maps against loops, SciPy, and scikit-image where it is there."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats

from unusual.parts.similarity import cell_size, hog, outlines, pearson, spearman, ssim, structural, top_overlap

stacks = arrays(np.float64, (3, 2, 7), elements=st.integers(-3, 3).map(float))


@given(stacks)
def test_correlations_are_those_of_scipy_and_undefined_for_constants(values) -> None:
    ranks, linear = spearman(values), pearson(values)
    for i, j, n in product(range(3), range(3), range(2)):
        a, b = values[i, n], values[j, n]
        if np.ptp(a) == 0 or np.ptp(b) == 0:
            assert np.isnan(ranks[n, i, j])
            assert np.isnan(linear[n, i, j])
        else:
            assert_allclose(ranks[n, i, j], stats.spearmanr(a, b).statistic, atol=1e-12)
            assert_allclose(linear[n, i, j], stats.pearsonr(a, b).statistic, atol=1e-12)
        if (a == b).all() and np.ptp(a):
            assert ranks[n, i, j] == linear[n, i, j] == 1.0  # exactly


@given(stacks, st.integers(1, 9))
def test_overlap_is_that_of_sets(values, top) -> None:
    found = top_overlap(values, top)
    for i, j, n in product(range(3), range(3), range(2)):
        sets = [set(np.argsort(-values[s, n], kind="stable")[:top]) for s in (i, j)]
        if np.ptp(values[i, n]) and np.ptp(values[j, n]):
            assert found[n, i, j] == pytest.approx(len(sets[0] & sets[1]) / min(top, 7))


def naive_ssim(a: np.ndarray, b: np.ndarray) -> float:
    span = max(a.max(), b.max()) - min(a.min(), b.min())
    values = []
    for r, c in product(range(a.shape[0] - 4), range(a.shape[1] - 4)):
        x, y = a[r : r + 5, c : c + 5].ravel(), b[r : r + 5, c : c + 5].ravel()
        cov = np.cov(x, y)
        top = (2 * x.mean() * y.mean() + (0.01 * span) ** 2) * (2 * cov[0, 1] + (0.03 * span) ** 2)
        bottom = (x.mean() ** 2 + y.mean() ** 2 + (0.01 * span) ** 2) * (cov[0, 0] + cov[1, 1] + (0.03 * span) ** 2)
        values.append(top / bottom)
    return float(np.mean(values))


def naive_hog(image: np.ndarray) -> np.ndarray:
    H, W = image.shape
    cell = cell_size(H, W)
    cells = np.zeros((H // cell, W // cell, 9))
    for r, c in product(range(H // cell * cell), range(W // cell * cell)):
        down = image[r + 1, c] - image[r - 1, c] if 0 < r < H - 1 else 0.0
        right = image[r, c + 1] - image[r, c - 1] if 0 < c < W - 1 else 0.0
        angle = np.rad2deg(np.arctan2(down, right)) % 180
        cells[r // cell, c // cell, min(8, int(angle // 20))] += np.hypot(down, right) / cell**2
    block = min(3, *cells.shape[:2])
    made = []
    for r, c in product(range(cells.shape[0] - block + 1), range(cells.shape[1] - block + 1)):
        v = cells[r : r + block, c : c + block]
        v = np.minimum(v / np.sqrt((v**2).sum() + 1e-10), 0.2)
        made.append((v / np.sqrt((v**2).sum() + 1e-10)).ravel())
    return np.concatenate(made)


@pytest.mark.parametrize("shape", [(8, 8), (9, 14), (64, 70)])
def test_structure_and_outlines_are_those_of_loops(shape, rng) -> None:
    maps = rng.normal(size=(2, 2, *shape)).cumsum(axis=2)
    found = structural(maps)
    for n in range(2):
        assert_allclose(found[n, 0, 1], naive_ssim(maps[0, n], maps[1, n]), atol=1e-10)
        blocks = [naive_hog(maps[k, n]) for k in range(2)]
        mine = hog(maps[:, n])
        assert_allclose(np.sort(mine[0]), np.sort(blocks[0]), atol=1e-10)  # the order inside a block is free
        assert_allclose(outlines(maps)[n, 0, 1], np.corrcoef(blocks)[0, 1], atol=1e-10)
    assert found[0, 0, 0] == 1.0
    maps[1, 0] = 2.0
    assert np.isnan(structural(maps)[0, 0, 1])
    assert structural(maps)[1, 0, 1] == found[1, 0, 1]


def test_structure_and_outlines_agree_with_scikit_image(rng) -> None:
    pytest.importorskip("skimage")
    from skimage.feature import hog as their_hog
    from skimage.metrics import structural_similarity

    a, b = rng.normal(size=(2, 64, 80)).cumsum(axis=1)
    span = max(a.max(), b.max()) - min(a.min(), b.min())
    assert_allclose(ssim(a[None], b[None])[0], structural_similarity(a, b, win_size=5, data_range=span), atol=1e-9)
    theirs = their_hog(a, orientations=9, pixels_per_cell=(16, 16), cells_per_block=(3, 3))
    assert_allclose(np.sort(hog(a)), np.sort(theirs), atol=1e-6)
