"""The members of AutoTable against their obvious versions, and what AutoTable promises to do."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.auto_table_choice import left_out
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score

import unusual
from unusual import InputError
from unusual.detect.tabular import auto_table
from unusual.detect.tabular.auto_table import _normal_scores, _ties
from unusual.parts.dependence import Dependence
from unusual.parts.margins import BINS, Margins
from unusual.parts.projection import KEPT, Projection
from unusual.parts.spread import Spread


def naive_margin(column: np.ndarray, value: float, left_out: bool) -> float:
    """log(highest count / count at the value) of one column, counts plus a half, written out."""
    values = np.unique(column)
    take = 1 if left_out else 0
    if len(values) <= BINS:
        counts = {v: int((column == v).sum()) for v in values}
        top = max(counts.values()) + 0.5
        return np.log(top) - np.log(max(counts[value] - take, 0) + 0.5 if value in counts else 0.5)
    edges = np.linspace(values[0], values[-1], BINS + 1)
    counts = np.histogram(column, edges)[0]
    top = counts.max() + 0.5
    if not values[0] <= value <= values[-1]:
        return np.log(top) - np.log(0.25)
    bin_of = min(int(np.searchsorted(edges, value, "right")) - 1, BINS - 1)
    return np.log(top) - np.log(max(counts[bin_of] - take, 0) + 0.5)


@pytest.mark.parametrize("left", [False, True])
def test_margins_are_the_histograms_written_out(left: bool, rng: np.random.Generator) -> None:
    X = np.column_stack([rng.normal(size=200), rng.integers(0, 5, 200), rng.exponential(size=200)])
    new = X if left else np.vstack([X[:20], [[99, 1, -1], [0, 7, 0.1], [X[:, 0].max(), 2.5, X[:, 2].min()]]])
    expected = [sum(naive_margin(X[:, j], row[j], left) for j in range(3)) for row in new]
    assert_allclose(Margins.of(X).score(new, left_out=left), expected, rtol=1e-12)


def test_dependence_sees_what_the_columns_alone_do_not(rng: np.random.Generator) -> None:
    x = rng.normal(size=600)
    X = np.column_stack([x, x + rng.normal(0, 0.1, 600)])
    found, own = Dependence.fit(X, np.random.default_rng(0))
    broken = np.column_stack([X[:, 0], np.roll(X[:, 1], 7)])
    labels = np.r_[np.zeros(600), np.ones(600)]
    assert found.skill > 0.5
    assert roc_auc_score(labels, np.r_[own, found.score(broken)]) > 0.85
    assert_allclose(found.score(X[:5]), [found.score(X[i : i + 1])[0] for i in range(5)], rtol=1e-12)


def test_dependence_is_silent_where_there_is_none(rng: np.random.Generator) -> None:
    found, _ = Dependence.fit(rng.normal(size=(600, 3)), np.random.default_rng(0))
    assert found.skill < 0.15


def test_spread_keeps_order_and_middle(rng: np.random.Generator) -> None:
    scores = rng.exponential(size=301)
    spread = Spread.of(scores)
    assert spread(np.array([np.median(scores)]))[0] == 0
    assert_array_equal(np.argsort(spread(scores)), np.argsort(scores))
    q = np.quantile(scores, [0.25, 0.5, 0.75])
    assert_allclose(spread(q[1:2] + q[2] - q[0]), np.log(2))


def test_projection_keeps_lengths_and_leaves_narrow_tables(rng: np.random.Generator) -> None:
    narrow = rng.normal(size=(30, 5))
    assert Projection.of(narrow)(narrow) is narrow
    wide = rng.normal(size=(80, 120))
    reduced = Projection.of(wide)(wide)
    assert reduced.shape == (80, KEPT + 1)
    assert_allclose(np.square(reduced).sum(axis=1), np.square(wide - wide.mean(axis=0)).sum(axis=1))


def test_ties_and_normal_scores(rng: np.random.Generator) -> None:
    column = np.r_[np.zeros(60), rng.normal(size=40)]
    X = np.column_stack([column, rng.permutation(100), np.ones(100)])
    assert _ties(X) == pytest.approx((0.60 + 0.01) / 2)  # a constant column says nothing
    G = _normal_scores(X[:, :2].astype(float))
    assert_allclose(G.std(axis=0), 1)
    assert_array_equal(np.argsort(G[:, 1]), np.argsort(X[:, 1]))
    assert len(np.unique(G[column == 0, 0])) == 1


def test_a_row_taken_out_of_a_mixture_of_one_is_the_textbook_update(rng: np.random.Generator) -> None:
    X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3))
    mixture = unusual.make("GaussianMixture", n_components=1, regularization=1e-12).fit(X)
    rows = np.arange(0, 60, 7)
    scale = X.std(axis=0)  # the units of the density stay those of the whole
    for i, found in zip(rows, mixture._train_score(X, rows), strict=True):
        rest = np.delete(X, i, axis=0)
        z = (X[i] - rest.mean(axis=0)) / scale
        S = np.cov((rest / scale).T, bias=True)
        expected = (z @ np.linalg.solve(S, z) + np.linalg.slogdet(S)[1] + 3 * np.log(2 * np.pi)) / 2
        assert found == pytest.approx(expected, rel=1e-6)


def test_rows_of_the_fit_are_not_judged_by_what_they_brought(rng: np.random.Generator) -> None:
    X, new = rng.normal(size=(300, 4)), rng.normal(size=(3000, 4))
    for reference in ("mixed", "clean"):
        detector = unusual.make("AutoTable", reference=reference)
        own = detector.fit_anomaly_score(X)
        other = detector.anomaly_score(new)
        assert abs(np.median(own) - np.median(other)) < 0.25 * np.subtract(*np.quantile(other, [0.75, 0.25]))


def test_a_contaminated_table_is_cleaned_before_it_is_learnt(rng: np.random.Generator, monkeypatch) -> None:
    X, y = np.vstack([rng.normal(size=(400, 6)), rng.normal(3, 1.2, (100, 6))]), np.r_[np.zeros(400), np.ones(100)]
    cleaned = roc_auc_score(y, unusual.make("AutoTable").fit_anomaly_score(X))
    monkeypatch.setattr(auto_table, "ASIDE", 0.0)
    as_it_is = roc_auc_score(y, unusual.make("AutoTable").fit_anomaly_score(X))
    assert cleaned > 0.95
    assert as_it_is < 0.8


def test_it_says_what_it_did_and_refuses_what_it_does_not_know(rng: np.random.Generator) -> None:
    X = rng.normal(size=(80, 2))
    assert "may hold anomalies" in unusual.make("AutoTable").fit(X).why_
    assert "taken as clean" in unusual.make("AutoTable", reference="clean").fit(X).why_
    with pytest.raises(InputError, match="'mixed', or 'clean'"):
        unusual.make("AutoTable", reference="dirty").fit(X)


def test_the_choice_is_judged_on_a_family_it_has_not_seen() -> None:
    figures = np.array([[[0.9, 0.9], [0.1, 0.1]], [[0.8, 0.8], [0.2, 0.2]], [[0.1, 0.1], [0.99, 0.99]]])
    judged, chosen = left_out(figures, ["a", "a", "b"])
    assert chosen == [1, 1, 0]  # without its own family each is left with what suits the other
    assert_array_equal(judged[:, 0], [0.1, 0.2, 0.1])
