"""RobustMahalanobis beside the definition of the MCD, scikit-learn's random search for it, and PyOD's scores."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2
from sklearn.covariance import MinCovDet

from unusual import InputError, RobustMahalanobis
from unusual.detect.tabular import robust_mahalanobis
from unusual.parts.ellipsoid import Ellipsoid
from unusual.parts.robust import tau


def contaminated(rng, n=1000, d=6, share=0.2):
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    odd = np.arange(n) < share * n
    X[odd] = 0.1 * rng.normal(size=(odd.sum(), d)) + 25
    return X, odd


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_distance_from_the_learnt_estimate(name, pyod_scores) -> None:
    d = {k.split("/")[-1]: v for k, v in pyod_scores.items() if k.startswith(f"{name}/MCD/")}
    detector = RobustMahalanobis().fit(pyod_scores[f"{name}/X"])
    detector.ellipsoid_ = Ellipsoid.of(d["learnt_location"], d["learnt_covariance"], np.ones(len(d["learnt_location"])))
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X"]), d["train"], rtol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), d["new"], rtol=1e-9)


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_the_subset_is_as_tight_as_the_one_of_a_random_search(name, pyod_scores) -> None:
    """PyOD starts from 500 random subsets; the golden scores themselves depend on which of them it drew."""
    X = pyod_scores[f"{name}/X"]
    n, d = X.shape
    h = (n + d + 1) // 2
    mean, S, _ = robust_mahalanobis._smallest_subset(X, h, 0.0)
    distance = Ellipsoid.of(mean, S, np.ones(d)).distance(X)
    ours = np.cov(X[np.argsort(distance)[:h]].T, bias=True)
    raw = MinCovDet(random_state=0).fit(X).raw_support_
    theirs = np.cov(X[raw].T, bias=True)
    assert np.linalg.slogdet(ours)[1] <= np.linalg.slogdet(theirs)[1] + 0.05 * d


def test_a_fifth_of_clustered_anomalies_does_not_move_the_estimate(rng) -> None:
    X, odd = contaminated(rng)
    scores = RobustMahalanobis().fit(X).anomaly_score(X)
    assert scores[odd].min() > scores[~odd].max()
    clean = RobustMahalanobis(support_fraction=0.75).fit(X[~odd]).anomaly_score(X[~odd])
    assert np.corrcoef(clean, scores[~odd])[0, 1] > 0.99


def test_scores_of_normal_rows_follow_the_chi_squared_law(rng) -> None:
    X = rng.normal(size=(5000, 4)) * [1, 10, 0.1, 1e6]
    scores = RobustMahalanobis().fit(X).anomaly_score(X)
    for p in (0.5, 0.9, 0.99):
        assert_allclose(np.quantile(scores, p), chi2.ppf(p, 4), rtol=0.06)


def test_left_out_scores_are_those_of_the_average_without_the_row(rng) -> None:
    X = rng.normal(size=(60, 3)) * [1, 100, 0.01]
    detector = RobustMahalanobis()
    scores = detector.fit_anomaly_score(X)
    assert_allclose(scores[~detector._inside], detector.anomaly_score(X)[~detector._inside], rtol=1e-12)
    for i in np.flatnonzero(detector._inside)[:20]:
        rest = X[detector._inside & (np.arange(60) != i)]
        precision = np.linalg.inv(np.cov(rest.T, bias=True) / detector._truncated)
        gap = X[i] - rest.mean(axis=0)
        assert_allclose(scores[i], gap @ precision @ gap, rtol=1e-8)


def test_each_step_shrinks_the_determinant(rng) -> None:
    Z = rng.standard_t(3, size=(300, 3))
    mean, S = robust_mahalanobis._subset(Z, np.linalg.norm(Z - 3, axis=1), 160)
    sizes = [robust_mahalanobis._steps(Z, 160, 0.0, mean, S, steps)[2] for steps in (1, 2, 3, 10)]
    assert np.all(np.diff(sizes) <= 1e-12)


@pytest.mark.parametrize("kind", ["constant", "repeated", "wide", "binary"])
def test_singular_data_are_scored_all_the_same(kind, rng) -> None:
    X = rng.normal(size=(80, 5))
    if kind == "constant":
        X[:, 2] = 7.0
    elif kind == "repeated":
        X[:, 4] = 3 * X[:, 0]
    elif kind == "wide":
        X = rng.normal(size=(40, 60))
    else:
        X[:, 1] = rng.random(80) < 0.1
    scores = RobustMahalanobis().fit(X).anomaly_score(X)
    assert np.isfinite(scores).all()
    far = X[:1] + 100 * X.std(axis=0)
    assert RobustMahalanobis().fit(X).anomaly_score(far)[0] > np.median(scores)


def test_contributions_add_up_to_the_score(rng) -> None:
    X, _ = contaminated(rng, n=200)
    detector = RobustMahalanobis().fit(X)
    assert_allclose(detector.explain(X).sum(axis=1), detector.anomaly_score(X), rtol=1e-9)


def test_a_large_table_is_searched_on_a_sample_and_refined_on_all(rng, monkeypatch) -> None:
    X, odd = contaminated(rng, n=3000)
    monkeypatch.setattr(robust_mahalanobis, "SEARCH_ROWS", 500)
    detector = RobustMahalanobis().fit(X)
    assert_array_equal(detector.anomaly_score(X), RobustMahalanobis().fit(X).anomaly_score(X))
    assert detector.anomaly_score(X)[odd].min() > detector.anomaly_score(X)[~odd].max()
    inner = X[~odd]
    assert_allclose(detector.ellipsoid_.centre, inner.mean(axis=0), atol=0.2 * inner.std(axis=0).max())


def test_tau_scale_is_that_of_a_normal_variable_and_ignores_a_few_values(rng) -> None:
    y = rng.normal(3, 2, size=(1, 20_000))
    assert_allclose(tau(y), [[3], [2]], rtol=0.03)
    y[0, :2000] = 1e9
    assert_allclose(tau(y)[0], 3, rtol=0.1)
    assert tau(y)[1] < 4
    assert_allclose(tau(np.full((1, 5), 2.0)), [[2], [0]])


@pytest.mark.parametrize(("name", "value"), [("support_fraction", 0.3), ("shrinkage", 2.0)])
def test_wrong_parameters_are_refused(name, value, rng) -> None:
    with pytest.raises(InputError, match=name):
        RobustMahalanobis(**{name: value}).fit(rng.normal(size=(20, 2)))
