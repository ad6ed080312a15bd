"""CBLOF beside PyOD's scores from its learnt centres, its rule for large clusters, and k-means beside its peer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from unusual import CBLOF, InputError
from unusual.parts.kmeans import kmeans, nearest_centre


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_scores_from_the_learnt_centres(name, weights, pyod_scores) -> None:
    key = f"{name}/CBLOF8{'_weights' if weights else ''}"
    X = pyod_scores[f"{name}/X"]
    detector = CBLOF(use_weights=weights).fit(X)
    detector.centres_ = pyod_scores[f"{key}/learnt_cluster_centers"]
    detector.sizes_ = pyod_scores[f"{key}/learnt_cluster_sizes"]
    detector.large_ = detector._split(detector.sizes_)
    assert_array_equal(np.flatnonzero(detector.large_), np.sort(pyod_scores[f"{key}/learnt_large"]))
    assert_allclose(detector.anomaly_score(X), pyod_scores[f"{key}/train"], rtol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), pyod_scores[f"{key}/new"], rtol=1e-9)


def test_score_is_the_distance_to_the_nearest_large_centre(rng) -> None:
    X = np.vstack([rng.normal(0, 1, (150, 2)), rng.normal(20, 1, (150, 2)), rng.normal(-30, 0.1, (5, 2))])
    detector = CBLOF(n_clusters=3).fit(X)
    assert sorted(detector.sizes_) == [5, 150, 150]
    assert detector.large_.sum() == 2
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = cdist(Z, [Z[:150].mean(axis=0), Z[150:300].mean(axis=0)]).min(axis=1)
    assert_allclose(detector.anomaly_score(X), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("sizes", "large"),
    [
        ([50, 45, 4, 1], 2),  # covers alpha and drops by beta
        ([40, 30, 25, 5], 3),  # both again, one cluster later
        ([40, 30, 20, 10], 3),  # covers alpha only
        ([60, 10, 10, 10, 10], 4),
        ([13, 13, 13, 13, 12, 12, 12, 12], 8),  # neither: a peer refuses such data
        ([100], 1),
    ],
)
def test_large_clusters_by_the_rule_of_the_paper(sizes, large) -> None:
    assert CBLOF()._split(np.array(sizes)).sum() == large
    assert_array_equal(CBLOF()._split(np.array(sizes)), np.arange(len(sizes)) < large)


def test_data_that_the_peer_refuses_are_scored(rng) -> None:
    scores = CBLOF().fit_anomaly_score(rng.normal(size=(2000, 20)))
    assert np.isfinite(scores).all()
    same = CBLOF(n_clusters=4).fit(np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0))  # fewer places than clusters
    assert np.isfinite(same.anomaly_score(np.array([[0.0, 0.0]]))).all()


def test_kmeans_reaches_the_peers_inertia(rng) -> None:
    X = np.vstack([rng.normal(c, 0.5, size=(100, 3)) for c in range(0, 15, 3)])
    centres, nearest, inertia = kmeans(X, 5, np.random.default_rng(0), restarts=3)
    assert inertia == pytest.approx(KMeans(5, n_init=5, random_state=0).fit(X).inertia_, rel=1e-6)
    assert_array_equal(nearest, cdist(X, centres).argmin(axis=1))
    assert_allclose(nearest_centre(X, centres)[1].sum(), inertia, rtol=1e-9)
    assert_array_equal(kmeans(X, 5, np.random.default_rng(0), restarts=3)[0], centres)


def test_an_empty_cluster_moves_to_a_far_row() -> None:
    X = np.array([[0.0], [1.0], [10.0]])
    far_seed = np.array([[0.5], [100.0], [200.0]])
    _, nearest, inertia = kmeans(X, 3, np.random.default_rng(0), seeds=far_seed)
    assert sorted(nearest) == [0, 1, 2]
    assert inertia == pytest.approx(0)


@pytest.mark.parametrize("wrong", [{"n_clusters": 0}, {"alpha": 1.0}, {"beta": 1.0}])
def test_wrong_parameters_are_refused(wrong, rng) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        CBLOF(**wrong).fit(rng.normal(size=(20, 2)))
