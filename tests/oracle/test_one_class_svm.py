"""OneClassSVM beside scikit-learn, PyOD's scores, and the optimality conditions of the problem."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr
from sklearn.kernel_approximation import Nystroem as Peer
from sklearn.metrics.pairwise import rbf_kernel

from unusual import InputError, OneClassSVM
from unusual.detect.tabular.one_class_svm import enclosing_plane
from unusual.parts.kernel_methods import Nystroem, gaussian_kernel


@pytest.mark.parametrize("name", ["wine", "glass"])
def test_pyod_scores(name, pyod_scores) -> None:
    detector = OneClassSVM().fit(pyod_scores[f"{name}/X"])
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X"]), pyod_scores[f"{name}/OCSVM/train"], atol=1e-9)
    assert_allclose(detector.anomaly_score(pyod_scores[f"{name}/X_new"]), pyod_scores[f"{name}/OCSVM/new"], atol=1e-9)


def test_the_linear_time_variant_ranks_as_the_exact_one(rng) -> None:
    X = np.vstack([rng.normal(size=(450, 5)), rng.normal(4, 2, size=(50, 5))])
    exact = OneClassSVM(approximation="none", nu=0.3).fit(X)
    fast = OneClassSVM(approximation="nystroem", nu=0.3).fit(X)
    a, b = exact.anomaly_score(X), fast.anomaly_score(X)
    assert spearmanr(a, b)[0] > 0.999
    assert np.abs(a - b).max() < 0.2 * a.std()
    assert (b > 0).mean() == pytest.approx(0.3, abs=0.02)


def test_the_plane_meets_its_optimality_conditions(rng) -> None:
    F, nu = np.abs(rng.normal(size=(400, 3))) + np.array([1, 0.5, 0]), 0.2
    w, rho = enclosing_plane(F, nu)
    outside, inside = rho - F @ w > 0.02, rho - F @ w < -0.02
    assert outside.mean() <= nu <= 1 - inside.mean()
    lower, upper = F[outside].sum(axis=0) / (nu * 400), F[~inside].sum(axis=0) / (nu * 400)
    assert (w >= lower - 0.02).all()  # w is the weighted sum of the rows outside and on the plane
    assert (w <= upper + 0.02).all()


def test_kernel_and_features_are_the_peers(rng) -> None:
    X = rng.normal(size=(50, 4))
    assert_allclose(gaussian_kernel(X, X[:7], 0.3), rbf_kernel(X, X[:7], gamma=0.3), rtol=1e-10)
    ours = Nystroem.of(X[:20], 0.3)(X)
    peer = Peer(gamma=0.3, n_components=20).fit(X[:20]).transform(X)
    assert_allclose(ours @ ours.T, peer @ peer.T, rtol=1e-6, atol=1e-8)
    repeated = Nystroem.of(np.repeat(X[:10], 2, axis=0), 0.3)
    assert repeated.whitening.shape == (20, 10)
    assert_allclose(repeated(X) @ repeated(X).T, Nystroem.of(X[:10], 0.3)(X) @ Nystroem.of(X[:10], 0.3)(X).T, atol=1e-8)


@pytest.mark.parametrize("wrong", [{"nu": 0}, {"gamma": -1.0}, {"approximation": "nystrom"}, {"n_landmarks": 0}])
def test_wrong_parameters_are_refused(wrong, rng) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        OneClassSVM(**wrong).fit(rng.normal(size=(20, 2)))
