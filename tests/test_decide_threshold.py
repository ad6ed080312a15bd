"""Thresholds: monotone, ties together, one rule, and the cheapest cut against a full search."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from unusual import InputError
from unusual.decide.threshold import alarm_rate_threshold, cost_threshold, quantile_threshold
from unusual.parts.conformal import Calibration

tied = arrays(np.float64, st.integers(1, 60), elements=st.integers(-5, 5).map(float))
rates = st.floats(0.001, 0.999)


@given(tied, rates)
def test_a_quantile_flags_at_most_its_share_and_no_lower_cut_would_do(scores, share) -> None:
    cut = quantile_threshold(scores, share)
    assert (scores > cut).sum() <= share * len(scores) + 1e-6
    lower = scores[scores < cut]
    if len(lower):
        assert (scores > lower.max()).sum() > math.floor(share * len(scores) + 1e-9)


@given(tied, tied, rates)
def test_threshold_and_p_value_are_one_rule(calibration, scores, rate) -> None:
    cut = alarm_rate_threshold(calibration, rate)
    p = Calibration.of(calibration, "held out").p_value(scores)
    np.testing.assert_array_equal(scores > cut, p <= rate + 1e-9)


@given(tied, st.lists(rates, min_size=2, max_size=2))
def test_thresholds_fall_as_the_rate_rises(scores, pair) -> None:
    low, high = sorted(pair)
    assert quantile_threshold(scores, low) >= quantile_threshold(scores, high)
    assert alarm_rate_threshold(scores, low) >= alarm_rate_threshold(scores, high)


def test_realised_rates_follow_the_beta_binomial_law(rng) -> None:
    n, m, rate, splits = 199, 500, 0.05, 4000
    calibration = np.sort(rng.normal(size=(splits, n)), axis=1)
    cut = [alarm_rate_threshold(row, rate) for row in calibration]
    alarms = (rng.normal(size=(splits, m)) > np.array(cut)[:, None]).sum(axis=1)
    law = stats.betabinom(m, 10, 190)  # k = floor(0.05 * 200) = 10
    assert abs(alarms.mean() - law.mean()) < 4 * law.std() / np.sqrt(splits)
    expected = np.diff(law.cdf(np.r_[-1, law.ppf([0.1, 0.25, 0.5, 0.75, 0.9]), m]))
    counts = np.histogram(alarms, np.r_[-1, law.ppf([0.1, 0.25, 0.5, 0.75, 0.9]), m] + 0.5)[0]
    assert stats.chisquare(counts, expected * splits).pvalue > 1e-3


def naive_cost(normal, odd, share, false_alarm, miss, cut) -> float:
    return (1 - share) * false_alarm * (normal > cut).mean() + share * miss * (odd <= cut).mean()


@given(tied, tied, st.floats(0.01, 0.5), st.floats(0.1, 100))
def test_the_cheapest_cut_is_the_one_a_full_search_finds(normal, odd, share, miss) -> None:
    found = cost_threshold(normal, anomalous_scores=odd, share=share, false_alarm_cost=1, miss_cost=miss)
    cuts = [-math.inf, *np.arange(-6, 7)]
    costs = [naive_cost(normal, odd, share, 1, miss, cut) for cut in cuts]
    assert found.expected_cost == pytest.approx(min(costs))
    assert naive_cost(normal, odd, share, 1, miss, found.threshold) == pytest.approx(min(costs))


def test_dearer_misses_lower_the_cut_and_dearer_alarms_raise_it(rng) -> None:
    normal, odd = rng.normal(size=2000), rng.normal(3, 1, size=500)
    prices = [(100, 1), (10, 1), (1, 1), (1, 10), (1, 100)]
    cuts = [
        cost_threshold(normal, anomalous_scores=odd, share=0.05, false_alarm_cost=f, miss_cost=m).threshold
        for f, m in prices
    ]
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[0] > cuts[-1] + 2


def test_unlabelled_scores_stand_in_for_known_anomalies(rng) -> None:
    normal, odd = rng.normal(size=20_000), rng.normal(4, 1, size=2000)
    unlabelled = np.r_[rng.normal(size=18_000), odd]
    options = {"share": rng.beta(100, 900, 500), "false_alarm_cost": 1.0, "miss_cost": 5.0}
    known = cost_threshold(normal, anomalous_scores=odd, **options)
    estimated = cost_threshold(normal, unlabelled_scores=unlabelled, **options)
    assert estimated.threshold == pytest.approx(known.threshold, abs=0.4)
    assert estimated.expected_cost == pytest.approx(known.expected_cost, rel=0.3)
    assert known.threshold == pytest.approx(2 + math.log(0.9 / 0.5) / 4, abs=0.25)  # equal densities, priced


@pytest.mark.parametrize(
    "call",
    [
        lambda: quantile_threshold([], 0.1),
        lambda: quantile_threshold([1.0, np.nan], 0.1),
        lambda: quantile_threshold([1.0], 0.0),
        lambda: alarm_rate_threshold([], 0.1),
        lambda: cost_threshold([1.0], share=0.1, false_alarm_cost=1, miss_cost=1),
        lambda: cost_threshold([1.0], share=0.1, false_alarm_cost=0, miss_cost=1, anomalous_scores=[1.0]),
        lambda: cost_threshold([1.0], share=1.1, false_alarm_cost=1, miss_cost=1, anomalous_scores=[1.0]),
        lambda: cost_threshold([np.nan], share=0.1, false_alarm_cost=1, miss_cost=1, anomalous_scores=[1.0]),
    ],
)
def test_what_cannot_be_cut_is_refused(call) -> None:
    with pytest.raises(InputError):
        call()
