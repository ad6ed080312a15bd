"""Intervals of metrics and paired comparisons: slow resampling, closed forms, simulations."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from unusual import InputError
from unusual.evaluate import bootstrapped, resamples
from unusual.evaluate import metrics as m
from unusual.evaluate.comparison import comparison_over_sets, paired_comparison
from unusual.evaluate.delong import delong_comparison, delong_interval
from unusual.evaluate.intervals import metric_interval, metric_intervals
from unusual.evaluate.ranking import Ranking

METRICS = [
    m.auroc,
    m.average_precision,
    partial(m.aupr, positive="normal"),
    partial(m.fpr_at_recall, recall=0.8),
    partial(m.partial_auc, max_fpr=0.2, convention="mcclish"),
    m.f1_max,
    m.precision_at_n,
    partial(m.max_significance_improvement, fewest_false=5),
]


def sample(rng, anomalous=60, normal=240, shift=1.2, digits=None):
    y = np.repeat([1, 0], [anomalous, normal])
    s = rng.normal(size=len(y)) + shift * y
    return y, s if digits is None else s.round(digits)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("related", [False, True])
def test_all_resamples_at_once_are_resamples_one_by_one(metric, related, rng) -> None:
    y, s = sample(rng, digits=1)
    groups = np.arange(len(y)) // 4 if related else None
    fast = metric_interval(metric, y, s, groups, resamples=1000)
    slow = metric_interval(lambda y, s: metric(y, s), y, s, groups, resamples=1000)
    width = slow.high - slow.low
    assert fast.estimate == slow.estimate == metric(y, s)
    assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.15 * width)


@pytest.mark.parametrize("metric", METRICS)
def test_pooling_scores_into_cells_changes_no_interval(metric, rng, monkeypatch) -> None:
    y, s = sample(rng, 600, 3000)
    exact = metric_interval(metric, y, s, resamples=1000)
    for name, value in {"FINE": 300, "TOP": 300, "COARSE": 100}.items():
        monkeypatch.setattr(bootstrapped, name, value)
    pooled = metric_interval(metric, y, s, resamples=1000)
    assert (pooled.low, pooled.high) == pytest.approx((exact.low, exact.high), abs=0.15 * (exact.high - exact.low))


def test_pooled_resamples_are_centred_on_the_exact_value(rng, monkeypatch) -> None:
    y, s = sample(rng, 600, 3000)
    exact = bootstrapped.bootstrapped([m.average_precision], y == 1, [s], None, 400, 0)
    for name, value in {"FINE": 20, "TOP": 0}.items():
        monkeypatch.setattr(bootstrapped, name, value)
    pooled = bootstrapped.bootstrapped([m.average_precision], y == 1, [s], None, 400, 0)
    assert np.median(pooled.draws) == pytest.approx(np.median(exact.draws), abs=0.25 * exact.draws.std())


def test_resamples_keep_the_numbers_of_both_classes_and_of_kinds_of_groups(rng) -> None:
    y, s = sample(rng, 10, 50, digits=1)
    y = y.astype(bool)
    cell = np.unique(s, return_inverse=True)[1]
    units, unit = resamples.units_of(y, None, [cell])
    anomalous = np.array([y[unit == u].all() for u in range(len(units.many))])
    for block in units.draws(50, 1, rng):
        assert (block[:, anomalous].sum(axis=1) == 10).all()
        assert (block[:, ~anomalous].sum(axis=1) == 50).all()
    groups = np.r_[np.repeat([0, 1], 3), np.repeat([2, 3], 2), np.repeat([2, 3], 5), np.repeat(range(4, 12), 5)]
    units, _ = resamples.units_of(y, groups, [])
    for block in units.draws(50, 1, rng):
        for kind in ([0, 1], [2, 3], range(4, 12)):
            assert (block[:, list(kind)].sum(axis=1) == len(kind)).all()
    means = np.concatenate([*units.draws(4000, 1, rng)]).mean(axis=0)
    assert means == pytest.approx(np.ones(12), abs=0.1)


def test_acceleration_is_the_skewness_of_items_left_out_one_by_one(rng) -> None:
    y, s = sample(rng, 8, 25, digits=1)
    boot = bootstrapped.bootstrapped([m.average_precision], y.astype(bool), [s], None, 2, 0)
    gaps = []
    for label in (0, 1):
        without = [m.average_precision(np.delete(y, i), np.delete(s, i)) for i in np.flatnonzero(y == label)]
        gaps += list(np.mean(without) - without)
    expected = sum(g**3 for g in gaps) / (6 * sum(g**2 for g in gaps) ** 1.5)
    assert boot.combined(0, [1.0])[2] == pytest.approx(expected, rel=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(0, 30))
def test_pooled_rankings_have_the_same_auroc(seed, most, top) -> None:
    y, s = sample(np.random.default_rng(seed), 150, 400, digits=2)
    ranking = Ranking.of(y, np.where(s < -0.5, -0.5, s))  # one large tie
    cell, within = resamples.cells_of(ranking, most, top)
    ends = np.flatnonzero(np.diff(cell, append=-1))
    pooled = Ranking(ranking.thresholds[ends], ranking.true[ends], ranking.false[ends], within)
    assert float(pooled.auroc()) == pytest.approx(float(ranking.auroc()), abs=1e-12)
    assert (np.diff(cell) <= 1).all()
    assert len(np.unique(cell[:top])) == min(top, len(cell))


def test_resampled_variance_is_delongs_also_in_coarse_cells(rng) -> None:
    y, s = sample(rng, 3000, 9000, digits=3)
    found = metric_interval(m.auroc, y, s, level=0.9)
    closed = delong_interval(y, s, level=0.9)
    assert found.high - found.low == pytest.approx(closed.high - closed.low, rel=0.06)
    assert (found.low, found.high) == pytest.approx((closed.low, closed.high), abs=0.1 * (closed.high - closed.low))


def test_delong_is_the_definition_over_all_pairs(rng) -> None:
    y, a = sample(rng, 12, 30, digits=1)
    b = (a + rng.normal(size=len(a))).round(1)
    V = []
    for s in (a, b):
        pairs = (s[y == 1][:, None] > s[y == 0]) + 0.5 * (s[y == 1][:, None] == s[y == 0])
        V.append((pairs.mean(1), pairs.mean(0)))
    S = sum(np.cov([V[0][i], V[1][i]]) / n for i, n in ((0, 12), (1, 30)))
    found = delong_comparison(y, a, b)
    assert found.statistic == pytest.approx(
        (V[0][0].mean() - V[1][0].mean()) / np.sqrt(S[0, 0] + S[1, 1] - 2 * S[0, 1])
    )
    assert found.effect == pytest.approx(m.auroc(y, a) - m.auroc(y, b))
    area, error = V[0][0].mean(), np.sqrt(S[0, 0])
    inside = delong_interval(y, a)
    odds = np.log([v / (1 - v) for v in (inside.low, area, inside.high)])
    assert np.diff(odds) == pytest.approx(1.959964 * error / (area * (1 - area)), rel=1e-5)


def test_intervals_hold_the_truth_as_often_as_they_say(rng) -> None:
    held = {"bootstrap": 0, "delong": 0}
    for seed in range(200):
        y, s = sample(rng, 50, 150, shift=np.sqrt(2))  # AUROC = Phi(1)
        held["bootstrap"] += 0.8413447 in metric_interval(m.auroc, y, s, level=0.9, resamples=400, random_state=seed)
        held["delong"] += 0.8413447 in delong_interval(y, s, level=0.9)
    for count in held.values():
        assert 0.84 < count / 200 < 0.95


def test_related_items_count_as_one(rng) -> None:
    y, s = sample(rng, 40, 160)
    one = metric_interval(m.auroc, y, s)
    copies = (np.repeat(y, 9), np.repeat(s, 9))
    ignored = metric_interval(m.auroc, *copies)
    known = metric_interval(m.auroc, *copies, np.repeat(np.arange(200), 9))
    assert known.high - known.low == pytest.approx(one.high - one.low, rel=0.1)
    assert ignored.high - ignored.low == pytest.approx((one.high - one.low) / 3, rel=0.1)


def test_several_metrics_share_one_drawing(rng) -> None:
    y, s = sample(rng)
    together = metric_intervals([m.auroc, m.average_precision], y, s)
    assert together[1] == metric_interval(m.average_precision, y, s)
    assert together[0].low == pytest.approx(metric_interval(m.auroc, y, s).low, abs=0.01)


@pytest.mark.parametrize("metric", [m.auroc, lambda y, s: m.auroc(y, s)])
def test_a_comparison_is_paired_and_turns_with_its_sides(metric, rng) -> None:
    y, a = sample(rng, 100, 300)
    b = a + 0.3 * rng.normal(size=len(a))
    found = paired_comparison(y, a, b, metric, resamples=600)
    back = paired_comparison(y, b, a, metric, resamples=600)
    assert found.effect == -back.effect == pytest.approx(m.auroc(y, a) - m.auroc(y, b))
    alone = metric_interval(metric, y, a, resamples=600)
    assert found.interval.high - found.interval.low < 0.6 * (alone.high - alone.low)
    closed = delong_comparison(y, a, b)
    assert found.interval.high - found.interval.low == pytest.approx(
        closed.interval.high - closed.interval.low, rel=0.15
    )
    assert paired_comparison(y, a, 2 * a + 1, metric, resamples=100).p_value == 1.0
    assert "auroc" in found.study().answer or "lambda" in found.study().answer


def test_p_values_touch_the_interval_and_keep_their_level(rng) -> None:
    p = []
    for seed in range(150):
        y, s = sample(rng, 60, 120, shift=1)
        a, b = s + rng.normal(size=len(s)), s + rng.normal(size=len(s))
        found = paired_comparison(y, a, b, resamples=300, random_state=seed)
        p.append(found.p_value)
        if abs(found.p_value - 0.05) > 0.01:
            assert (found.p_value < 0.05) == (0 not in found.interval)
    assert 0.01 <= np.mean(np.array(p) < 0.1) <= 0.19
    y, s = sample(rng, 60, 120, shift=1)
    assert paired_comparison(y, s, s + 3 * rng.normal(size=len(s))).p_value < 0.01


def test_sets_are_compared_by_turning_signs(rng) -> None:
    a = rng.normal(0.8, 0.05, 9)
    b = a - rng.normal(0.02, 0.02, 9)
    found = comparison_over_sets(a, b, "AUROC")
    gap = a - b
    signs = np.array(np.meshgrid(*[[1, -1]] * 9)).reshape(9, -1)
    assert found.p_value == pytest.approx((np.abs(gap @ signs) >= abs(gap.sum()) - 1e-12).mean())
    assert found.effect == pytest.approx(gap.mean())
    assert "of 9 sets" in found.study().notes[1]
    many = rng.normal(0.01, 0.05, 60)
    assert comparison_over_sets(many, np.zeros(60)).p_value == pytest.approx(wilcoxon(many).pvalue, abs=0.1)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda y, s: metric_interval(m.auroc, y, s, np.arange(3)), "give one label per item"),
        (lambda y, s: metric_interval(m.auroc, y, s, level=1.0), "level is 1.0"),
        (lambda y, s: metric_interval(m.auroc, y, s, resamples=1), "at least two"),
        (lambda _, __: metric_interval(m.auroc, [1, 0, 0], [3, 2, 1]), "one item is anomalous"),
        (
            lambda y, s: metric_interval(m.auroc, y, s, np.where(y == 1, 0, np.arange(len(y)) + 1)),
            "one group holds all",
        ),
        (lambda _, s: metric_interval(m.auroc, np.zeros(5), s[:5]), "needs both classes"),
        (lambda y, s: paired_comparison(y, s, s[1:]), "one label per score"),
        (lambda y, s: paired_comparison(y, s, s * np.nan), "are NaN"),
        (lambda _, __: delong_interval([1, 0, 0], [3, 2, 1]), "two of each"),
        (lambda _, __: comparison_over_sets([1, 2], [1]), "one finite number per set"),
    ],
)
def test_what_cannot_be_resampled_is_refused(call, sentence, rng) -> None:
    with pytest.raises(InputError, match=sentence):
        call(*sample(rng))
