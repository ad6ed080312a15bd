"""How many anomalies: known mixtures, clean data, units, bad input, and the parts the answer is made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.mixture import BayesianGaussianMixture

from unusual import InputError
from unusual.decide import contamination
from unusual.decide.contamination import ContaminationPosterior
from unusual.decide.excess import tail_excess
from unusual.parts.dirichlet_mixture import DirichletMixture
from unusual.store import load, save


def mixed_scores(rng, n: int, odd: int, detectors: int = 3) -> np.ndarray:
    """Positive skewed scores of unlike detectors; the first `odd` rows are anomalies."""
    height = rng.normal(size=n)
    height[:odd] += 6
    return np.exp(0.4 * (height[:, None] + 0.5 * rng.normal(size=(n, detectors)))) * 10.0 ** np.arange(detectors)


@pytest.mark.parametrize("odd", [15, 60, 120])
def test_finds_the_share_of_a_known_mixture(odd, rng) -> None:
    found = ContaminationPosterior().fit(mixed_scores(rng, 1000, odd))
    assert not found.nothing_there_
    assert found.mean_ == pytest.approx(odd / 1000, abs=0.02)
    assert found.interval_[0] <= odd / 1000 <= found.interval_[1]
    assert found.sample_.shape == (10_000,)
    assert found.sample_.max() < 0.25


def test_clean_scores_are_called_clean(rng) -> None:
    means = []
    for _ in range(3):
        found = ContaminationPosterior().fit(mixed_scores(rng, 400, 0))
        assert found.nothing_there_
        assert found.no_anomalies_ > 0.5
        means.append(found.mean_)
    assert np.mean(means) < 0.03


def test_one_detector_is_enough_and_a_threshold_follows(rng) -> None:
    scores = mixed_scores(rng, 800, 40, detectors=1)[:, 0]
    found = ContaminationPosterior().fit(scores)
    flagged = scores > found.threshold(scores)
    assert flagged.mean() == pytest.approx(found.mean_, abs=1 / 400)
    assert flagged[:40].mean() > 0.9


def test_units_and_seed(rng) -> None:
    scores = mixed_scores(rng, 500, 25)
    found = ContaminationPosterior(random_state=3).fit(scores)
    again = clone(found).fit(scores)
    scaled = clone(found).fit([column * unit + 5 for column, unit in zip(scores.T, [1e-6, 3.0, 1e6], strict=True)])
    assert_array_equal(again.sample_, found.sample_)
    assert scaled.mean_ == pytest.approx(found.mean_, abs=1e-3)


def test_more_than_the_limit_cannot_be_found(rng) -> None:
    scores = mixed_scores(rng, 600, 60)
    narrow = ContaminationPosterior(limit=0.05).fit(scores)
    assert narrow.sample_.max() <= 0.05
    assert ContaminationPosterior(limit=0.5).fit(scores).mean_ == pytest.approx(0.1, abs=0.03)


def test_without_a_solution_the_tail_has_the_word(rng, monkeypatch) -> None:
    """One group of 60 % at the top: no slope meets the beliefs, and no group is small enough."""
    low, high = rng.normal(-6, 0.3, 200), rng.normal(0, 1, 280)
    scores = np.exp(np.concatenate([low, high, rng.normal(9, 0.1, 20)]) / 4)
    monkeypatch.setattr(contamination, "_slope", lambda *_: None)
    monkeypatch.setattr(
        contamination,
        "_ordered",
        lambda *_: (np.array([300.0, 200.0]), np.tile([3.0, -3.0], (500, 1)), np.array([3.0, -3.0])),
    )
    found = ContaminationPosterior().fit(scores)
    assert not found.solved_
    assert found.mean_ == pytest.approx(found.excess_, abs=0.02)


def test_a_real_search_for_the_slope_meets_both_beliefs() -> None:
    a, r = np.array([30.0, 50.0, 400.0, 520.0]), np.array([2.5, 1.5, 0.4, -0.3])
    slope = contamination._slope(a, r, 0.15)
    assert isinstance(slope, float)
    p = contamination._exactly(slope, r, r[0])
    assert 1 - p.sum() == pytest.approx(0.01)
    A = np.cumsum(a)
    above = [*stats.beta.sf(0.15, A[:-1], A[-1] - A[:-1]), 1.0]
    assert p @ above == pytest.approx(0.01, rel=0.1)
    naive = [
        np.prod([1 / (1 + np.exp(-math.log(99) - slope * (r[j] - r[0]))) for j in range(k + 1)])
        * (1 - (1 / (1 + np.exp(-math.log(99) - slope * (r[k + 1] - r[0]))) if k < 3 else 0))
        for k in range(4)
    ]
    assert_allclose(p, naive)
    assert contamination._slope(np.array([300.0, 700.0]), r[:2], 0.15) is None


def test_constant_detectors_are_left_out_with_a_message(rng) -> None:
    scores = mixed_scores(rng, 400, 20)
    with pytest.warns(UserWarning, match="1 of 4 detectors"):
        found = ContaminationPosterior().fit(np.column_stack([scores, np.full(400, 7.0)]))
    assert found.mean_ == ContaminationPosterior().fit(scores).mean_


def test_few_rows_are_warned_about(rng) -> None:
    with pytest.warns(UserWarning, match="mostly the prior"):
        ContaminationPosterior().fit(mixed_scores(rng, 40, 2))


def test_many_equal_rows(rng) -> None:
    scores = np.round(mixed_scores(rng, 500, 25, detectors=2) / [1, 10], 1)
    assert np.isfinite(ContaminationPosterior().fit(scores).sample_).all()
    mostly_one_value = np.r_[np.zeros(450), rng.uniform(5, 6, 50)]
    assert np.isfinite(ContaminationPosterior().fit(mostly_one_value).sample_).all()


@pytest.mark.parametrize(
    "scores",
    [
        np.full(100, 1.0),
        np.r_[np.nan, np.arange(99.0)],
        np.r_[np.inf, np.arange(99.0)],
        np.arange(10.0),
        np.zeros((3, 3, 3)),
        [np.arange(30.0), np.arange(31.0)],
    ],
)
def test_scores_without_a_meaning_are_refused(scores) -> None:
    with pytest.raises(InputError):
        ContaminationPosterior().fit(scores)


def test_parameters_out_of_range_are_refused(rng) -> None:
    for parameters in ({"limit": 0.0}, {"limit": 1.0}, {"restarts": 0}):
        with pytest.raises(InputError):
            ContaminationPosterior(**parameters).fit(mixed_scores(rng, 100, 5))


def test_can_be_saved(rng, tmp_path) -> None:
    found = ContaminationPosterior().fit(mixed_scores(rng, 300, 15))
    save(found, tmp_path / "share.unusual")
    loaded = load(tmp_path / "share.unusual")
    assert_array_equal(loaded.sample_, found.sample_)
    assert loaded.interval_ == found.interval_


def test_reads_a_table_with_the_detectors_it_names(rng, monkeypatch) -> None:
    class Norm:
        def fit_anomaly_score(self, X):
            return np.linalg.norm(X, axis=1)

    asked = []
    monkeypatch.setattr("unusual.catalogue.make", lambda name: asked.append(name) or Norm())
    X = rng.normal(size=(5500, 4))
    X[:275] += 8
    found = ContaminationPosterior.from_table(X, limit=0.2)
    assert asked == list(contamination.DETECTORS)
    assert found.mean_ == pytest.approx(0.05, abs=0.02)


def test_the_test_of_the_tail_keeps_its_level_and_sees_anomalies(rng) -> None:
    clean = [tail_excess(law.rvs(400, random_state=rng)).p_value for law in [stats.expon(), stats.norm()] * 60]
    assert np.mean(np.array(clean) <= 0.05) < 0.07
    for odd in (12, 40, 80):
        x = rng.normal(size=800)
        x[:odd] += 8
        found = tail_excess(x)
        assert found.p_value < 0.01
        assert 0.2 * odd / 800 < found.effect < 1.3 * odd / 800
        assert tail_excess(x * 1e6 - 3).statistic == pytest.approx(found.statistic)


def test_the_mixture_is_scikit_learns_when_nothing_is_dropped(rng) -> None:
    X = np.concatenate([rng.normal(size=(150, 2)), rng.normal(4, 0.5, size=(50, 2))])
    with pytest.warns(UserWarning, match="did not converge"):
        theirs = BayesianGaussianMixture(
            n_components=5, weight_concentration_prior=0.01, max_iter=7, random_state=np.random.RandomState(0)
        ).fit(X)
    start = KMeans(n_clusters=5, n_init=1, random_state=np.random.RandomState(0)).fit_predict(X).astype(np.int64)
    ours = DirichletMixture.fit(X, start, 0.01, max_iter=7, tolerance=0.0, empty=-1.0)
    assert_allclose(ours.a, theirs.weight_concentration_[0], rtol=1e-6)
    assert_allclose(ours.b, theirs.weight_concentration_[1], rtol=1e-6)
    assert_allclose(ours.means, theirs.means_, rtol=1e-6)
    assert_allclose(ours.covariances, theirs.covariances_, rtol=1e-5, atol=1e-9)
    assert_allclose(ours.dofs, theirs.degrees_of_freedom_)


def test_draws_of_components_have_the_posterior_moments(rng) -> None:
    X = rng.multivariate_normal([1, 2], [[2, 1], [1, 1]], size=60)
    one = DirichletMixture.fit(X, np.zeros(60, dtype=np.int64))
    means, variances = one.draw(20_000, rng)
    assert_allclose(means.mean(axis=(0, 1)), one.means[0], atol=0.02)
    assert_allclose(np.cov(means[:, 0].T), one.covariances[0] / one.mean_precisions[0], rtol=0.1)
    assert_allclose(variances.mean(axis=(0, 1)), np.diag(one.covariances[0]), rtol=0.03)
