"""ECOD and COPOD against the textbook formula and against the golden values of PyOD."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import skew

from unusual.detect.tabular.copod import COPOD
from unusual.detect.tabular.ecod import ECOD

METHODS = pytest.mark.parametrize("method", [ECOD, COPOD])


def textbook(method: type, reference: np.ndarray, X: np.ndarray, without: int | None = None) -> np.ndarray:
    """Terms (m, d) by counting; `without` leaves one reference row out of the counts, not out of the skewness."""
    kept = reference if without is None else np.delete(reference, without, axis=0)
    terms = np.zeros(X.shape)
    for i, x in enumerate(X):
        for j, v in enumerate(x):
            left = -np.log(max((kept[:, j] <= v).sum(), 0.5) / len(kept))
            right = -np.log(max((kept[:, j] >= v).sum(), 0.5) / len(kept))
            gamma = 0.0 if np.ptp(reference[:, j]) == 0 else skew(reference[:, j])
            pointed = left if gamma < 0 else right if gamma > 0 else left + right
            terms[i, j] = max(left, right, pointed) if method is ECOD else max(pointed, (left + right) / 2)
    return terms


def table(rng: np.random.Generator, n: int) -> np.ndarray:
    """A skewed column either way, one with many ties, one symmetric about its middle, one constant."""
    step = rng.integers(0, 4, n)
    ramp = np.arange(n) - (n - 1) / 2
    return np.column_stack([rng.exponential(size=n), -rng.exponential(size=n), step, ramp, np.full(n, 3.0)])


@METHODS
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_and_terms_are_the_textbook_ones(method, dtype, rng) -> None:
    X, new = table(rng, 60).astype(dtype), (table(rng, 30) * 1.5).astype(dtype)
    detector = method().fit(X)
    assert_allclose(detector.explain(new), textbook(method, X, new), rtol=1e-6, atol=1e-6)
    assert_allclose(detector.anomaly_score(new), textbook(method, X, new).sum(axis=1), rtol=1e-6)


@METHODS
def test_fitted_rows_are_counted_against_the_others(method, rng) -> None:
    X = table(rng, 40)
    expected = [textbook(method, X, X[i : i + 1], without=i).sum() for i in range(len(X))]
    assert_allclose(method().fit_anomaly_score(X), expected, rtol=1e-9)


@METHODS
@pytest.mark.parametrize("name", ["wine", "glass"])
def test_agrees_with_pyod_on_the_fitted_rows(method, name, pyod_scores) -> None:
    X = pyod_scores[f"{name}/X"]
    assert_allclose(method().fit(X).anomaly_score(X), pyod_scores[f"{name}/{method.__name__}/train"], rtol=1e-9)


@METHODS
def test_a_value_beyond_the_reference_is_rarer_than_any_in_it(method, rng) -> None:
    X = rng.normal(size=(200, 1))
    scores = method().fit(X).anomaly_score(np.array([[X.max()], [X.max() + 1], [X.max() + 100]]))
    assert scores[0] < scores[1] == scores[2]


@METHODS
def test_rows_in_the_other_precision_are_compared_in_that_of_the_fit(method, rng) -> None:
    X = table(rng, 50).astype(np.float32)
    detector = method().fit(X)
    assert_array_equal(detector.anomaly_score(X.astype(np.float64)), detector.anomaly_score(X))


@METHODS
def test_threads_do_not_change_scores(method, rng) -> None:
    X = rng.normal(size=(20_000, 3)).astype(np.float32)
    assert_array_equal(method(n_jobs=2).fit(X).anomaly_score(X), method().fit(X).anomaly_score(X))
