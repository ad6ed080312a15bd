"""LOF beside its definition row by row, scikit-learn, and PyOD's scores."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.neighbors import LocalOutlierFactor

from unusual import LOF, InputError


def slow(X: np.ndarray, k: int) -> np.ndarray:
    D = cdist(X, X)
    np.fill_diagonal(D, np.inf)
    near = [np.argsort(row, kind="stable")[:k] for row in D]
    reach = [D[i, near[i][-1]] for i in range(len(X))]
    density = [1 / np.mean([max(D[i, j], reach[j]) for j in near[i]]) for i in range(len(X))]
    return np.array([np.mean([density[j] for j in near[i]]) / density[i] for i in range(len(X))])


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_scores(name, pyod_scores) -> None:
    X, detector = pyod_scores[f"{name}/X"], LOF()
    assert_allclose(detector.fit_anomaly_score(X), pyod_scores[f"{name}/LOF20/train"], atol=1e-9)
    assert_allclose(detector.anomaly_score(X), pyod_scores[f"{name}/LOF20/train_scored_as_new"], atol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), pyod_scores[f"{name}/LOF20/new"], atol=1e-9)


def test_score_is_the_definition(rng) -> None:
    X = np.vstack([rng.normal(size=(80, 3)), rng.normal(5, 0.1, size=(40, 3))])
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert_allclose(LOF(n_neighbors=8).fit_anomaly_score(X), slow(Z, 8), rtol=1e-8)


def test_scores_are_scikit_learns_on_standardised_columns(rng) -> None:
    X, Q = rng.normal(size=(300, 4)) * [1, 10, 100, 0.1], rng.normal(size=(50, 4)) * [2, 20, 200, 0.2]
    peer = LocalOutlierFactor(15, novelty=True).fit(X / X.std(axis=0))
    detector = LOF(n_neighbors=15)
    assert_allclose(detector.fit_anomaly_score(X), -peer.negative_outlier_factor_, rtol=1e-9)
    assert_allclose(detector.anomaly_score(Q), -peer.score_samples(Q / X.std(axis=0)), rtol=1e-9)


def test_equal_rows_keep_scores_finite(rng) -> None:
    X = np.vstack([np.zeros((40, 2)), rng.normal(size=(40, 2))])
    scores = LOF(n_neighbors=5).fit_anomaly_score(X)
    assert np.isfinite(scores).all()
    assert_allclose(scores[:40], 1)
    assert np.isfinite(LOF(n_neighbors=500).fit_anomaly_score(X)).all()


def test_the_approximate_search_gives_nearly_the_same_scores(rng) -> None:
    X = rng.normal(size=(4000, 4))
    exact, cells = LOF(approximate=False).fit_anomaly_score(X), LOF(approximate=True).fit_anomaly_score(X)
    assert np.corrcoef(exact, cells)[0, 1] > 0.99
    assert np.median(np.abs(exact - cells)) < 0.01


def test_wrong_parameters_are_refused(rng) -> None:
    with pytest.raises(InputError, match="n_neighbors"):
        LOF(n_neighbors=0).fit(rng.normal(size=(20, 2)))
