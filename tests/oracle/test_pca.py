"""PCA beside scikit-learn's projection. PyOD's PCA is another score on purpose (see the class), so no golden values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2
from sklearn.decomposition import PCA as Projection

from unusual import PCA, InputError


@pytest.fixture
def X(rng) -> np.ndarray:
    return rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) * [1, 10, 1e3, 0.1, 1] + 4


def views(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Residual (n,), T2 (n,) and eigenvalues (d,), by scikit-learn on standardised columns."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    fitted = Projection().fit(Z)
    values = fitted.explained_variance_ * (len(Z) - 1) / len(Z)
    along = fitted.transform(Z)
    return (along[:, k:] ** 2).sum(axis=1), (along[:, :k] ** 2 / values[:k]).sum(axis=1), values


@pytest.mark.parametrize("k", [1, 3])
def test_both_views_are_the_textbook_ones(X, k) -> None:
    residual, hotelling, _ = views(X, k)
    assert_allclose(PCA(k, "residual").fit(X).anomaly_score(X), residual, rtol=1e-8, atol=1e-10)
    assert_allclose(PCA(k, "hotelling").fit(X).anomaly_score(X), hotelling, rtol=1e-8)


def test_the_combined_index_divides_each_view_by_its_limit(X) -> None:
    residual, hotelling, values = views(X, 3)
    rest = values[3:]
    limit = (rest**2).sum() / rest.sum() * chi2.ppf(0.99, rest.sum() ** 2 / (rest**2).sum())
    assert_allclose(PCA(3).fit(X).anomaly_score(X), residual / limit + hotelling / chi2.ppf(0.99, 3), rtol=1e-8)


def test_the_share_of_variance_picks_the_components(X) -> None:
    values = views(X, 1)[2]
    share = np.cumsum(values) / values.sum()
    for wish in (0.3, 0.7, 0.95):
        detector = PCA(wish).fit(X)
        assert detector.n_components_ == np.argmax(share >= wish) + 1
    assert_allclose(detector.eigenvalues_, values, rtol=1e-8)


@pytest.mark.parametrize("statistic", ["combined", "residual", "hotelling"])
def test_contributions_add_up_to_the_score(X, statistic) -> None:
    detector = PCA(2, statistic).fit(X)
    assert_allclose(detector.explain(X).sum(axis=1), detector.anomaly_score(X), rtol=1e-9)


def test_a_row_off_the_span_of_the_reference_stands_out(rng) -> None:
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 4))  # rank 2
    off = X[:1] + np.array([[0, 0, 0, 1.0]])
    detector = PCA(0.999999).fit(X)
    assert detector.n_components_ == 2
    assert detector.anomaly_score(off)[0] > np.quantile(detector.anomaly_score(X), 0.5)


def test_constant_columns_are_left_alone(rng) -> None:
    X = np.column_stack([rng.normal(size=(100, 2)), np.full(100, 3.0)])
    assert_allclose(PCA(1).fit(X).anomaly_score(X), PCA(1).fit(X[:, :2]).anomaly_score(X[:, :2]), rtol=1e-8)


@pytest.mark.parametrize("wrong", [{"n_components": 0}, {"n_components": 1.5}, {"statistic": "residuals"}])
def test_wrong_parameters_are_refused(X, wrong) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        PCA(**wrong).fit(X)
