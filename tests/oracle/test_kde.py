"""KDE beside the sum over all kernels, and PyOD's scores."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from unusual import KDE, InputError


def slow(Q: np.ndarray, X: np.ndarray, width: float) -> np.ndarray:
    kernels = [[-(((q - x) / width) ** 2).sum() / 2 for x in X] for q in Q]
    return -logsumexp(kernels, axis=1) + np.log(len(X)) + X.shape[1] * np.log(width * np.sqrt(2 * np.pi))


@pytest.mark.parametrize(("name", "new"), [("wine", 1e-9), ("glass", 2e-8)])
def test_pyod_scores(name, new, pyod_scores) -> None:
    """PyOD's training rows find themselves; its new glass rows carry the tolerance of a tree, 2e-8 of the largest."""
    X, X_new = pyod_scores[f"{name}/X"], pyod_scores[f"{name}/X_new"]
    detector = KDE(bandwidth=1.0).fit(X)
    train, fresh = pyod_scores[f"{name}/KDE_bw1/train"], pyod_scores[f"{name}/KDE_bw1/new"]
    assert_allclose(detector.anomaly_score(X), train, atol=1e-9)
    assert_allclose(detector.anomaly_score(X_new), fresh, atol=new * np.abs(fresh).max())


def test_left_out_scores_are_those_of_a_density_without_the_row(rng) -> None:
    X = rng.normal(size=(60, 3))
    scores = KDE(bandwidth=0.4).fit_anomaly_score(X)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = [slow(Z[i : i + 1], np.delete(Z, i, axis=0), 0.4)[0] for i in range(len(Z))]
    assert_allclose(scores, expected, rtol=1e-10)


def test_far_rows_do_not_underflow(rng) -> None:
    X = rng.normal(size=(50, 2))
    far = KDE(bandwidth=0.1).fit(X).anomaly_score(np.array([[1e3, 0.0], [2e3, 0.0], [1e6, 0.0]]))
    assert np.isfinite(far).all()
    assert (np.diff(far) > 0).all()


def test_scott_is_the_rule_of_the_book_and_large_tables_are_thinned(rng) -> None:
    X = rng.normal(size=(500, 3))
    detector = KDE(max_rows=100).fit(X)
    assert len(detector.centres_) == 100
    assert detector.bandwidth_ == pytest.approx(100 ** (-1 / 7))
    left_out = detector._train_score(X, np.arange(500))
    outside = np.setdiff1d(np.arange(500), detector.kept_)
    assert_allclose(left_out[outside], detector.anomaly_score(X)[outside], rtol=1e-12)
    assert (left_out[detector.kept_] > detector.anomaly_score(X)[detector.kept_]).all()


@pytest.mark.parametrize("wrong", [{"bandwidth": 0}, {"bandwidth": "silver"}, {"max_rows": 1}])
def test_wrong_parameters_are_refused(wrong, rng) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        KDE(**wrong).fit(rng.normal(size=(20, 2)))
