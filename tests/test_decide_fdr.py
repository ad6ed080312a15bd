"""False-discovery control: against the definition, against SciPy, and the promise in simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from unusual import InputError
from unusual.decide.fdr import (
    benjamini_hochberg,
    benjamini_yekutieli,
    conformal_e_values,
    e_benjamini_hochberg,
    e_values,
    fdr_warning,
    findings_needed,
)
from unusual.parts.conformal import Calibration

p_lists = arrays(np.float64, st.integers(1, 40), elements=st.integers(1, 50).map(lambda k: k / 50))
levels = st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5])


def naive_step_up(p: np.ndarray, slope: float) -> np.ndarray:
    """The definition: the largest k for which k p-values are at or below k slope."""
    for k in range(len(p), 0, -1):
        if (p <= k * slope + 1e-13).sum() >= k:
            return p <= k * slope + 1e-13
    return np.zeros(len(p), dtype=bool)


@given(p_lists, levels)
def test_agrees_with_the_definition(p, fdr) -> None:
    np.testing.assert_array_equal(benjamini_hochberg(p, fdr).mask, naive_step_up(p, fdr / len(p)))
    harmonic = sum(1 / i for i in range(1, len(p) + 1))
    np.testing.assert_array_equal(benjamini_yekutieli(p, fdr).mask, naive_step_up(p, fdr / len(p) / harmonic))
    np.testing.assert_array_equal(e_benjamini_hochberg(1 / p, fdr).mask, naive_step_up(p, fdr / len(p)))


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)), levels)
def test_agrees_with_scipy(p, fdr) -> None:
    for ours, name in ((benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")):
        adjusted = stats.false_discovery_control(p, method=name)
        clear = np.abs(adjusted - fdr) > 1e-9
        np.testing.assert_array_equal(ours(p, fdr).mask[clear], (adjusted <= fdr)[clear])


@given(p_lists, levels)
def test_mask_and_cut_are_one_rule(p, fdr) -> None:
    found = benjamini_hochberg(p, fdr)
    np.testing.assert_array_equal(found.mask, p <= found.cut)
    assert len(found) == found.mask.sum()
    assert benjamini_hochberg(p, min(0.99, fdr * 1.5)).cut >= found.cut
    assert not (benjamini_yekutieli(p, fdr).mask & ~found.mask).any()


def conformal_run(rng, odd: int, m: int = 200, n: int = 999):
    calibration = Calibration.of(rng.normal(size=n), "held out")
    scores = rng.normal(size=m)
    scores[:odd] += 3.5
    return calibration, scores


def test_false_discoveries_stay_below_the_promise_with_power(rng) -> None:
    shares, power = [], []
    for _ in range(400):
        calibration, scores = conformal_run(rng, odd=20)
        found = benjamini_hochberg(calibration.p_value(scores), 0.1)
        shares.append(found.mask[20:].sum() / max(1, len(found)))
        power.append(found.mask[:20].mean())
    assert np.mean(shares) < 0.09 + 3 * np.std(shares) / 20  # promised: 0.1 x 180 / 200
    assert np.mean(shares) > 0.05
    assert np.mean(power) > 0.5


def test_conformal_e_values_report_what_benjamini_hochberg_does_and_average_to_at_most_one(rng) -> None:
    means = []
    for _ in range(300):
        calibration, scores = conformal_run(rng, odd=15)
        e = conformal_e_values(scores, calibration, 0.1)
        plain = benjamini_hochberg(calibration.p_value(scores), 0.1)
        np.testing.assert_array_equal(e_benjamini_hochberg(e, 0.1).mask, plain.mask)
        means.append(e[15:].sum() / len(scores))
    assert np.mean(means) < 1 + 4 * np.std(means) / np.sqrt(300)


def test_e_values_of_uniform_p_values_average_to_one(rng) -> None:
    e = e_values(rng.uniform(size=1_000_000), kappa=0.7)
    assert e.mean() == pytest.approx(1, abs=0.02)
    assert (np.diff(e_values(np.linspace(0.01, 1, 50))) < 0).all()


@given(st.integers(1, 500), levels, st.integers(1, 300))
def test_so_many_findings_are_needed_and_suffice(m, fdr, n) -> None:
    needed = findings_needed(m, fdr, n)
    p = np.ones(m)
    p[: max(needed - 1, 0)] = 1 / (n + 1)
    if needed > 1:
        ones_reported = benjamini_hochberg(p, fdr).mask[: needed - 1]
        assert not ones_reported.any() or benjamini_hochberg(p, fdr).mask.all()
    if needed <= m:
        p[:needed] = 1 / (n + 1)
        assert benjamini_hochberg(p, fdr).mask[:needed].all()


def test_the_warning_says_what_would_help() -> None:
    assert fdr_warning(100, 0.1, 2000) is None
    assert "unless 10 stand out" in str(fdr_warning(1000, 0.1, 999))
    assert "9,999 calibration items" in str(fdr_warning(1000, 0.1, 999))
    assert findings_needed(1000, 0.1, 9_999) == 1
    assert "too few" in str(fdr_warning(10, 0.01, 20))


def test_no_items_no_discoveries() -> None:
    assert len(benjamini_hochberg([], 0.1)) == 0
    assert not e_benjamini_hochberg(np.zeros(5), 0.1).mask.any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: benjamini_hochberg([0.5, np.nan]),
        lambda: benjamini_hochberg([1.5]),
        lambda: benjamini_hochberg([0.5], fdr=0),
        lambda: e_benjamini_hochberg([-1.0]),
        lambda: findings_needed(0, 0.1, 10),
    ],
)
def test_what_cannot_be_tested_is_refused(call) -> None:
    with pytest.raises(InputError):
        call()
