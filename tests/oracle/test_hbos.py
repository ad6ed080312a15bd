"""HBOS against NumPy's histograms and against the golden values of PyOD."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unusual import InputError
from unusual.detect.tabular.hbos import HBOS
from unusual.parts.bins import numbers_of_bins


def textbook(X: np.ndarray, new: np.ndarray, n_bins: int, without: int | None = None) -> np.ndarray:
    """Terms (m, d) for standardised columns; `without` takes one row of X out of its bins."""
    terms = np.zeros(new.shape)
    for j in range(X.shape[1]):
        counts, edges = np.histogram(X[:, j], bins=n_bins)
        width = edges[1] - edges[0]
        if without is not None:
            counts[min(int(np.searchsorted(edges, X[without, j], "right")) - 1, n_bins - 1)] -= 1
        density = counts / (len(X) - (without is not None)) * X[:, j].std() / width
        for i, v in enumerate(new[:, j]):
            inside = edges[0] - width / 2 <= v <= edges[-1] + width / 2
            nearest = int(np.clip(np.searchsorted(edges, v, "right") - 1, 0, n_bins - 1))
            terms[i, j] = -np.log2((density[nearest] if inside else density.min()) + 0.1)
    return terms


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_and_terms_are_the_textbook_ones(dtype, rng) -> None:
    X, new = rng.normal(size=(300, 4)).astype(dtype), rng.normal(0, 1.3, size=(100, 4)).astype(dtype)
    detector = HBOS(n_bins=7).fit(X * [1, 100, 0.01, 5])
    expected = textbook(X.astype(np.float64), new.astype(np.float64), 7)
    assert_allclose(detector.explain(new * [1, 100, 0.01, 5]), expected, rtol=1e-5, atol=1e-5)
    assert_allclose(detector.anomaly_score(new * [1, 100, 0.01, 5]), expected.sum(axis=1), rtol=1e-5, atol=1e-5)


def test_fitted_rows_are_taken_out_of_their_bins(rng) -> None:
    X = rng.normal(size=(60, 3))
    expected = [textbook(X, X[i : i + 1], 10, without=i).sum() for i in range(len(X))]
    assert_allclose(HBOS().fit_anomaly_score(X), expected, rtol=1e-9)


@pytest.mark.parametrize("part", ["train", "new"])
def test_agrees_with_pyod(part, pyod_scores) -> None:
    X = pyod_scores["glass/X"]
    rows = X if part == "train" else pyod_scores["glass/X_new"]
    assert_allclose(HBOS().fit(X).anomaly_score(rows), pyod_scores[f"glass/HBOS_bins10/{part}"], rtol=1e-9)


def pyod_terms(rows: np.ndarray, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """PyOD's terms (m, d) from its histograms: a value on an edge gets the bin below, but was counted in that above."""
    terms = np.zeros(rows.shape)
    for j, (e, h) in enumerate(zip(edges.T, heights.T, strict=True)):
        inside = (rows[:, j] >= e[0] - np.diff(e)[0] / 2) & (rows[:, j] <= e[-1] + np.diff(e)[-1] / 2)
        nearest = np.clip(np.digitize(rows[:, j], e, right=True) - 1, 0, len(h) - 1)
        terms[:, j] = -np.log2(np.where(inside, h[nearest], h.min()) + 0.1)
    return terms


@pytest.mark.parametrize("part", ["train", "new"])
def test_agrees_with_pyod_but_for_columns_with_values_on_an_edge(part, pyod_scores) -> None:
    X, rows = pyod_scores["wine/X"], pyod_scores["wine/X" if part == "train" else "wine/X_new"]
    edges, heights = pyod_scores["wine/HBOS_bins10/learnt_bin_edges"], pyod_scores["wine/HBOS_bins10/learnt_hist"]
    terms = pyod_terms(rows, edges, heights)
    assert_allclose(terms.sum(axis=1), pyod_scores[f"wine/HBOS_bins10/{part}"], rtol=1e-9)
    clear = [j for j in range(13) if np.abs(X[:, j, None] - edges[1:-1, j]).min() > 1e-9]
    assert len(clear) == 9
    assert_allclose(HBOS().fit(X).explain(rows)[:, clear], terms[:, clear], rtol=1e-9)


def test_a_constant_column_says_nothing_until_it_changes(rng) -> None:
    X = np.column_stack([rng.normal(size=100), np.full(100, 7.0)])
    detector = HBOS().fit(X)
    terms = detector.explain(np.array([[0.0, 7.0], [0.0, 7.1]]))[:, 1]
    assert terms[0] < 0 < terms[1]


def test_number_of_bins_follows_the_shape(rng) -> None:
    flat, two_peaks = rng.uniform(size=5000), np.r_[rng.normal(0, 0.02, 2500), rng.normal(1, 0.02, 2500)]
    numbers = numbers_of_bins(np.column_stack([flat, two_peaks, np.zeros(5000)]), "auto")
    assert numbers[0] <= 3
    assert numbers[1] > 20
    assert numbers[2] == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_whole_numbers_on_edges_do_not_move_with_the_units(dtype, rng) -> None:
    X = rng.integers(0, 11, size=(200, 1)).astype(dtype)  # every edge of ten bins is a value
    scores = HBOS().fit(X).anomaly_score(X)
    for unit in (0.1, 3.7, 1e-3):
        assert_allclose(HBOS().fit(X * dtype(unit)).anomaly_score(X * dtype(unit)), scores, rtol=1e-4)


@pytest.mark.parametrize("n_bins", [1, "many"])
def test_impossible_numbers_of_bins_are_refused(n_bins, rng) -> None:
    with pytest.raises(InputError, match="n_bins"):
        HBOS(n_bins=n_bins).fit(rng.normal(size=(20, 2)))
