"""INNE against balls looked up one row at a time, and against the golden values of PyOD."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unusual import InputError
from unusual.detect.tabular.inne import INNE


def textbook(centres: np.ndarray, x: np.ndarray) -> float:
    """Isolation of x by one set of centres (psi, d), in float64."""
    between = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
    np.fill_diagonal(between, np.inf)
    radius, neighbour = between.min(axis=1), between.argmin(axis=1)
    covering = np.flatnonzero(((centres - x) ** 2).sum(axis=1) <= radius)
    if not len(covering):
        return 1.0
    smallest = covering[radius[covering].argmin()]
    return float(1 - radius[neighbour[smallest]] / radius[smallest])


def scaled(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / X.std(axis=0)


def test_score_is_that_of_the_smallest_covering_ball(rng) -> None:
    X, new = rng.normal(size=(200, 4)) * [1, 10, 0.1, 5], rng.normal(size=(50, 4)) * [1, 10, 0.1, 5]
    detector = INNE(n_estimators=30).fit(X)
    Z = (new - X.mean(axis=0)) / X.std(axis=0)
    expected = [np.mean([textbook(c, z) for c in scaled(X)[detector._bags]]) for z in Z]
    assert_allclose(detector.anomaly_score(new), expected, atol=1e-5)


def test_fitted_rows_are_judged_by_the_sets_they_are_no_centre_of(rng) -> None:
    X = rng.normal(size=(40, 3))
    detector = INNE(n_estimators=30)
    scores = detector.fit_anomaly_score(X)
    Z = scaled(X)
    expected = [np.mean([textbook(Z[bag], z) for bag in detector._bags if i not in bag]) for i, z in enumerate(Z)]
    assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_agrees_with_pyod_on_its_centres(name, pyod_scores) -> None:
    X, new = pyod_scores[f"{name}/X"], pyod_scores[f"{name}/X_new"]
    detector = INNE().fit(X)  # X is standardised already
    detector._grow(pyod_scores[f"{name}/INNE/learnt_centroids"].astype(np.float32))
    assert_allclose(detector.anomaly_score(new), pyod_scores[f"{name}/INNE/new"], atol=1e-6)
    assert_allclose(detector.anomaly_score(X), pyod_scores[f"{name}/INNE/train"], atol=1e-6)


def test_equal_rows_are_not_isolated_from_each_other() -> None:
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 50, axis=0)
    assert np.isfinite(INNE().fit(X).anomaly_score(X)).all()


@pytest.mark.parametrize("parameters", [{"n_estimators": 0}, {"max_samples": 1}])
def test_impossible_sizes_are_refused(parameters, rng) -> None:
    with pytest.raises(InputError, match="at least one set"):
        INNE(**parameters).fit(rng.normal(size=(20, 2)))
