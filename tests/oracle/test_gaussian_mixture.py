"""GaussianMixture beside SciPy's densities, scikit-learn's EM, and PyOD's scores."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Peer

from unusual import GaussianMixture, InputError


def with_parameters(detector: GaussianMixture, weights, means, covariances) -> GaussianMixture:
    detector.weights_, detector.means_, detector.covariances_ = weights, means, covariances
    del detector._gaussians
    return detector


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_scores_from_the_learnt_mixture(name, k, pyod_scores) -> None:
    X, golden = pyod_scores[f"{name}/X"], {}
    for what in ("train", "new", "learnt_weights", "learnt_means", "learnt_covariances"):
        golden[what] = pyod_scores[f"{name}/GMM{k}/{what}"]
    learnt = golden["learnt_weights"], golden["learnt_means"], golden["learnt_covariances"]
    detector = with_parameters(GaussianMixture(n_components=k).fit(X), *learnt)
    assert_allclose(detector.anomaly_score(X), golden["train"], rtol=1e-9, atol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), golden["new"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_one_component_is_pyods(name, pyod_scores) -> None:
    """With more, both stop in local maxima of their own: the first clusters are drawn from different random streams."""
    scores = GaussianMixture(n_components=1).fit(pyod_scores[f"{name}/X"]).anomaly_score(pyod_scores[f"{name}/X"])
    assert_allclose(scores, pyod_scores[f"{name}/GMM1/train"], rtol=1e-9, atol=1e-9)


def test_score_is_the_density_of_the_sum(rng) -> None:
    X = np.vstack([rng.normal(size=(150, 2)), rng.normal(4, 0.5, size=(50, 2))])
    d = GaussianMixture(n_components=2).fit(X)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    parts = [multivariate_normal(m, C).logpdf(Z) for m, C in zip(d.means_, d.covariances_, strict=True)]
    assert_allclose(d.anomaly_score(X), -logsumexp(np.stack(parts, 1) + np.log(d.weights_), axis=1), rtol=1e-9)


def test_em_reaches_the_likelihood_of_the_peer(rng) -> None:
    X = np.vstack([rng.normal(c, 0.6, size=(120, 3)) for c in (-3, 0, 3)])
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    ours = -GaussianMixture(n_components=3, tolerance=1e-6).fit(X).anomaly_score(X).mean()
    assert ours == pytest.approx(Peer(3, tol=1e-6, random_state=0).fit(Z).score(Z), abs=1e-3)


def test_the_criterion_finds_three_clusters_and_is_the_peers(rng) -> None:
    X = np.vstack([rng.normal(c, 0.3, size=(150, 2)) for c in (-3, 0, 3)])
    detector = GaussianMixture().fit(X)
    assert len(detector.weights_) == 3
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    assert detector.bic_ == pytest.approx(Peer(3, random_state=0).fit(Z).bic(Z), rel=1e-3)
    assert len(GaussianMixture().fit(rng.normal(size=(300, 4))).weights_) == 1


@pytest.mark.parametrize("wrong", [{"n_components": 0}, {"regularization": 0.0}])
def test_wrong_parameters_are_refused(wrong, rng) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        GaussianMixture(**wrong).fit(rng.normal(size=(20, 2)))
