"""One rule for thresholds, p-values and alarms, ties included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from unusual import InputError
from unusual.parts.conformal import Calibration, allowed, check_rate

levels = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=60)  # few levels: many ties
rates = st.floats(0.001, 0.999)


@given(levels, levels, rates)
def test_alarm_if_and_only_if_p_is_at_most_the_rate(normal: list[float], new: list[float], rate: float) -> None:
    calibration = Calibration.of(normal, "held out")
    k = math.floor(rate * (len(normal) + 1))
    naive_p = np.array([(1 + sum(c >= s for c in normal)) / (len(normal) + 1) for s in new])
    assert_array_equal(calibration.p_value(new), naive_p)
    alarm = np.array(new) > calibration.threshold(rate)
    assert_array_equal(alarm, naive_p * (len(normal) + 1) <= k + 1e-6)


def test_threshold_is_out_of_reach_for_too_few_items() -> None:
    calibration = Calibration.of(np.arange(98), "held out")
    assert calibration.threshold(0.01) == math.inf
    assert calibration.realised_rate(0.01) == (0.0, 0.0)
    assert Calibration.of(np.arange(99), "held out").threshold(0.01) == 98
    assert calibration.smallest_rate == 1 / 99


def test_products_that_floating_point_spoils() -> None:
    assert allowed(99, 0.29) == 29
    assert allowed(199, 0.05) == 10


def test_realised_rate_is_the_beta_law(rng: np.random.Generator) -> None:
    n, rate = 200, 0.05
    realised = []
    for _ in range(4000):
        threshold = Calibration.of(rng.uniform(size=n), "held out").threshold(rate)
        realised.append(1 - threshold)  # share of uniform normals above it
    low, high = Calibration.of(np.arange(n), "held out").realised_rate(rate)
    inside = np.mean((low < np.array(realised)) & (np.array(realised) < high))
    assert 0.938 < inside < 0.962  # 0.95, four standard errors
    assert abs(np.mean(realised) - 10 / 201) < 4 * np.std(realised) / math.sqrt(4000)


@pytest.mark.parametrize("rate", [0, 1, -0.1, 1.5, "0.1", None, True, math.nan])
def test_rates_outside_zero_and_one_are_refused(rate: object) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        check_rate(rate)


def test_scores_that_cannot_calibrate_are_refused() -> None:
    with pytest.raises(InputError, match="no calibration scores"):
        Calibration.of([], "held out")
    with pytest.raises(InputError, match="NaN"):
        Calibration.of([1.0, np.nan], "held out")
