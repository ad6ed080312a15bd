"""The generalised-Pareto tail: against known laws, whatever the unit, and joined to the conformal p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unusual import InputError
from unusual.decide.tail import ExtrapolatedTail, generalised_pareto
from unusual.parts.conformal import Calibration

LAWS = {
    "exponential": stats.expon(),
    "normal": stats.norm(),
    "heavy": stats.genpareto(0.3),
    "student": stats.t(4),
    "log-normal": stats.lognorm(0.5),
}


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2, 0.5, 0.9])
def test_finds_the_law_it_was_drawn_from(shape, rng) -> None:
    fits = np.array([generalised_pareto(stats.genpareto(shape, scale=3).rvs(5000, random_state=rng)) for _ in range(5)])
    assert fits[:, 0].mean() == pytest.approx(shape, abs=0.04)
    assert fits[:, 1].mean() == pytest.approx(3, rel=0.04)


def test_agrees_with_the_likelihood_fit_of_scipy(rng) -> None:
    x = stats.genpareto(0.25, scale=2).rvs(4000, random_state=rng)
    shape, _, scale = stats.genpareto.fit(x, floc=0)
    ours = generalised_pareto(x)
    assert ours[0] == pytest.approx(shape, abs=0.02)
    assert ours[1] == pytest.approx(scale, rel=0.02)


@given(st.floats(1e-150, 1e150))
def test_units_change_the_scale_only(unit) -> None:
    x = stats.genpareto(0.2).ppf(np.linspace(0.005, 0.995, 100))
    shape, scale = generalised_pareto(x)
    assert generalised_pareto(x * unit) == pytest.approx((shape, scale * unit), rel=1e-6)


@pytest.mark.parametrize("name", LAWS)
def test_a_rate_ten_times_out_of_reach_is_met_within_a_factor(name, rng) -> None:
    """Realised over wanted rate: doubled at worst in the mean over calibrations, far below one for light tails."""
    ratios = []
    for _ in range(100):
        calibration = Calibration.of(LAWS[name].rvs(1000, random_state=rng), "held out")
        ratios.append(LAWS[name].sf(ExtrapolatedTail.of(calibration).threshold(1e-4)) / 1e-4)
    assert np.mean(ratios) < 2.2
    assert np.median(ratios) > (0.005 if name == "normal" else 0.05)


@given(st.integers(0, 10_000), st.floats(1e-5, 0.4))
def test_p_values_are_conformal_while_they_can_be_and_one_rule_with_the_threshold(seed, rate) -> None:
    rng = np.random.default_rng(seed)
    calibration = Calibration.of(np.round(rng.exponential(size=300), 3), "held out")
    tail = ExtrapolatedTail.of(calibration)
    scores = np.sort(np.r_[rng.exponential(size=50), rng.uniform(0, 40, 50)])
    p = tail.p_value(scores)
    seen = scores <= calibration.scores[-1]
    np.testing.assert_array_equal(p[seen], calibration.p_value(scores)[seen])
    assert (p <= calibration.p_value(scores)).all()
    assert (np.diff(p) <= 0).all()
    cut = tail.threshold(rate)
    clear = np.abs(scores - cut) > 1e-9
    np.testing.assert_array_equal((scores > cut)[clear], (p <= rate)[clear])
    assert tail.threshold(rate / 2) >= cut


def test_no_end_of_the_scores_is_believed_and_no_p_value_is_zero() -> None:
    calibration = Calibration.of(np.linspace(0, 1, 2001), "held out")
    tail = ExtrapolatedTail.of(calibration)
    assert generalised_pareto(calibration.scores[-200:] - calibration.scores[-201])[0] < 0
    assert tail.shape == 0
    assert 0 < tail.p_value([1.5])[0] < 1e-4
    assert tail.p_value([1e12])[0] > 0


@pytest.mark.parametrize("scores", [np.arange(50.0), np.ones(1000), np.r_[np.arange(1000.0), [np.inf] * 20]])
def test_too_little_to_extrapolate_from_is_refused(scores) -> None:
    with pytest.raises(InputError, match="tail"):
        ExtrapolatedTail.of(Calibration.of(scores, "held out"))


def test_excesses_must_be_positive() -> None:
    with pytest.raises(InputError):
        generalised_pareto([0.0, 1.0])
