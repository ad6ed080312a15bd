"""KNN beside all distances and PyOD's scores, and the search in cells beside the exact one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from unusual import KNN, InputError
from unusual.parts import neighbours
from unusual.parts.neighbours import Neighbours


@pytest.mark.parametrize("method", ["largest", "mean"])
@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_scores(name, method, pyod_scores) -> None:
    X, golden = pyod_scores[f"{name}/X"], f"{name}/KNN5_{method}"
    detector = KNN(method=method)
    assert_allclose(detector.fit_anomaly_score(X), pyod_scores[f"{golden}/train"], atol=1e-9)
    assert_allclose(detector.anomaly_score(X), pyod_scores[f"{golden}/train_scored_as_new"], atol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), pyod_scores[f"{golden}/new"], atol=1e-9)


def test_score_is_the_distance_among_all_distances(rng) -> None:
    X, Q = rng.normal(size=(200, 3)) * [1, 100, 0.01], rng.normal(size=(30, 3)) * [1, 100, 0.01]
    detector = KNN(n_neighbors=7).fit(X)
    scale = X.std(axis=0)
    expected = np.sort(cdist(Q / scale, X / scale), axis=1)
    assert_allclose(detector.anomaly_score(Q), expected[:, 6], rtol=1e-9)
    assert_allclose(KNN(7, "mean").fit(X).anomaly_score(Q), expected[:, :7].mean(axis=1), rtol=1e-9)


def test_equal_rows_find_each_other_but_not_themselves() -> None:
    X = np.array([[0.0], [0.0], [1.0], [5.0]])
    scores = KNN(n_neighbors=1).fit_anomaly_score(X) * X.std()
    assert_allclose(scores, [0, 0, 1, 4], atol=1e-12)
    assert_allclose(KNN(n_neighbors=99).fit_anomaly_score(X), KNN(n_neighbors=3).fit_anomaly_score(X))


def test_search_in_all_cells_is_exact(rng, monkeypatch) -> None:
    X, Q = rng.normal(size=(500, 4)), rng.normal(size=(40, 4))
    exact, cells = Neighbours.build(X, False), Neighbours.build(X, True)
    assert cells.centres.shape == (22, 4)
    monkeypatch.setattr(neighbours, "SEARCHED", len(cells.centres))
    for exclude, queries in ((None, Q), (np.arange(500), X)):
        for ours, expected in zip(cells.query(queries, 6, exclude), exact.query(queries, 6, exclude), strict=True):
            assert_allclose(ours, expected, rtol=1e-12)


def test_search_in_the_nearest_cells_finds_most(rng) -> None:
    X = rng.normal(size=(6000, 5))
    exact, cells = Neighbours.build(X, False), Neighbours.build(X, True)
    everything = np.arange(len(X))
    near, truth = cells.query(X, 10, everything), exact.query(X, 10, everything)
    recall = np.mean([len(np.intersect1d(a, b)) / 10 for a, b in zip(near[1], truth[1], strict=True)])
    assert recall > 0.9
    assert (near[0] >= truth[0] - 1e-12).all()
    assert not (near[1] == everything[:, None]).any()
    again = Neighbours.from_state(cells.state()).query(X[:50], 10)
    assert_array_equal(again[1], cells.query(X[:50], 10)[1])


def test_cells_hold_enough_rows_for_any_k(rng) -> None:
    X = np.vstack([rng.normal(size=(60, 2)), np.full((40, 2), 50.0)])
    distance, _ = Neighbours.build(X, True).query(X, 99, np.arange(100))
    assert_allclose(distance, Neighbours.build(X, False).query(X, 99, np.arange(100))[0])


@pytest.mark.parametrize("wrong", [{"n_neighbors": 0}, {"method": "median"}, {"approximate": "yes"}])
def test_wrong_parameters_are_refused(wrong, rng) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        KNN(**wrong).fit(rng.normal(size=(20, 2)))
