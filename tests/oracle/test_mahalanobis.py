"""Mahalanobis beside SciPy's distance, and moments that add up and can be taken apart again."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.spatial.distance
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from unusual import InputError, Mahalanobis
from unusual.parts.gaussian import Moments


def test_score_is_the_textbook_distance(rng) -> None:
    X = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    P = np.linalg.inv(np.cov(X.T, bias=True))
    expected = [scipy.spatial.distance.mahalanobis(x, X.mean(axis=0), P) ** 2 for x in X]
    assert_allclose(Mahalanobis(shrinkage=1e-12).fit(X).anomaly_score(X), expected, rtol=1e-6)


def test_contributions_add_up_to_the_score(rng) -> None:
    X = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    detector = Mahalanobis().fit(X)
    assert_allclose(detector.explain(X).sum(axis=1), detector.anomaly_score(X), rtol=1e-9)


def test_repeated_constant_and_unlike_columns_do_no_harm(rng) -> None:
    x = rng.normal(size=(300, 1))
    X = np.hstack([x, x, 1e9 * rng.normal(size=(300, 1)), 1e-9 * rng.normal(size=(300, 1)), np.full((300, 1), 3.0)])
    scores = Mahalanobis().fit(X).anomaly_score(X)
    assert np.isfinite(scores).all()
    assert scores.max() < 100


@given(parts=st.integers(1, 7), seed=st.integers(0, 99))
def test_moments_do_not_depend_on_how_the_rows_are_cut(parts, seed) -> None:
    X = np.random.default_rng(seed).normal(size=(30, 3)) * [1, 100, 0.01] + 5
    whole, cut = Moments.of(X), [Moments.of(part) for part in np.array_split(X, parts)]
    total = cut[0]
    for part in cut[1:]:
        total = total + part
    for one, other in ((total, whole), (whole - Moments.of(X[:4]), Moments.of(X[4:]))):
        assert one.count == other.count
        assert_allclose(one.mean, other.mean, rtol=1e-10)
        assert_allclose(one.scatter, other.scatter, rtol=1e-8, atol=1e-8)


def test_wrong_parameters_are_refused(rng) -> None:
    with pytest.raises(InputError, match="shrinkage"):
        Mahalanobis(shrinkage=0).fit(rng.normal(size=(20, 2)))
