"""LODA against NumPy's histograms of its projections, and against the golden values of PyOD."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from unusual import InputError
from unusual.detect.tabular.loda import LODA


def textbook(Z: np.ndarray, new: np.ndarray, projections: np.ndarray, n_bins: int, without: int | None) -> np.ndarray:
    """Mean surprise (m,) of rows `new` under histograms of the projected rows of Z."""
    total = np.zeros(len(new))
    for weights in projections:
        counts, edges = np.histogram(Z @ weights, bins=n_bins)
        width = edges[1] - edges[0]
        if without is not None:
            counts[int(np.clip(np.searchsorted(edges, Z[without] @ weights, "right") - 1, 0, n_bins - 1))] -= 1
        n = counts.sum()
        for i, v in enumerate(new @ weights):
            inside = edges[0] - width / 2 <= v <= edges[-1] + width / 2
            nearest = int(np.clip(np.searchsorted(edges, v, "right") - 1, 0, n_bins - 1))
            total[i] -= np.log(((counts[nearest] if inside else 0) + 1) / (n + 1))
    return total / len(projections)


def test_score_is_the_mean_surprise_of_the_projections(rng) -> None:
    X, new = rng.normal(size=(200, 9)) * 5, rng.normal(0, 1.4, size=(50, 9)) * 5
    detector = LODA(n_estimators=20, n_bins=8).fit(X)
    assert ((detector.projections_ != 0).sum(axis=1) == 3).all()
    Z, z = (X - X.mean(axis=0)) / X.std(axis=0), (new - X.mean(axis=0)) / X.std(axis=0)
    assert_allclose(detector.anomaly_score(new), textbook(Z, z, detector.projections_, 8, None), rtol=1e-9)


def test_fitted_rows_are_taken_out_of_their_bins(rng) -> None:
    X = rng.normal(size=(50, 4))
    detector = LODA(n_estimators=10, n_bins=6)
    scores = detector.fit_anomaly_score(X)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = [textbook(Z, Z[i : i + 1], detector.projections_, 6, without=i)[0] for i in range(len(X))]
    assert_allclose(scores, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_reads_the_bin_above_the_one_the_row_is_in(name, pyod_scores) -> None:
    """Its golden values come out of its own histograms shifted by one bin; the histograms themselves agree."""
    X = pyod_scores[f"{name}/X"]
    projections, heights, edges = (
        pyod_scores[f"{name}/LODA/learnt_{k}"] for k in ("projections", "histograms", "limits")
    )
    surprise = np.zeros(len(X))
    for w, h, e in zip(projections, heights, edges, strict=True):
        bin_of = np.clip(np.searchsorted(e, X @ w, "left") - 1, 0, 9)
        shifted = np.where(X @ w <= e[0], 0, np.minimum(bin_of + 1, 9))
        surprise -= np.log(h[shifted]) / 100**2
    assert_allclose(surprise, pyod_scores[f"{name}/LODA/train"], rtol=1e-6)

    detector = LODA(n_bins=10).fit(X)
    detector.projections_ = projections
    detector._count(X)
    assert_allclose(detector.counts_ / len(X), heights, atol=1.5 / len(X))  # but for values on an edge
    unshifted = [
        -np.log(h[np.clip(np.searchsorted(e, X @ w, "right") - 1, 0, 9)])
        for w, h, e in zip(projections, heights, edges, strict=True)
    ]
    assert spearmanr(detector.anomaly_score(X), np.sum(unshifted, axis=0)).statistic > 0.999


def test_blocks_of_rows_add_up(rng) -> None:
    X = rng.normal(size=(9000, 3)).astype(np.float32)
    detector = LODA(n_estimators=5).fit(X)
    assert (detector.counts_.sum(axis=1) == 9000).all()
    assert len(detector.anomaly_score(X)) == 9000


def test_no_projections_are_refused(rng) -> None:
    with pytest.raises(InputError, match="n_estimators"):
        LODA(n_estimators=0).fit(rng.normal(size=(20, 2)))
