"""SPOT and DSPOT: the fit of the tail, the realised rate, units, blocks, state, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import unusual
from unusual import InputError
from unusual.decide.spot import DSPOT, SPOT
from unusual.parts.pareto import ParetoLaw, most_likely_pareto
from unusual.store import load, save

SHAPES = (-1.0, -0.7, -0.2, 0.0, 0.001, 0.3, 1.0, 2.0)


def excesses(shape: float, count: int, seed: int) -> np.ndarray:
    x = stats.genpareto(shape, scale=3).rvs(count, random_state=np.random.default_rng(seed))
    return x[x > 0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [10, 30, 500])
def test_no_law_is_more_likely_than_the_fit(shape: float, count: int) -> None:
    x = excesses(shape, count, 3)
    law = most_likely_pareto(x)
    ours = law.log_likelihood(x)
    if law.shape != -1:  # scipy agrees on what likelihood is
        assert ours == pytest.approx(stats.genpareto(law.shape, scale=law.scale).logpdf(x).sum(), rel=1e-9)
    theirs = stats.genpareto.fit(x, floc=0)
    if theirs[0] >= -1:
        assert ours >= stats.genpareto(theirs[0], scale=theirs[2]).logpdf(x).sum() - 1e-9
    for c in np.linspace(-0.99, 3, 20):  # the obvious slow search
        scales = x.mean() * np.geomspace(0.05, 20, 100)
        assert ours >= max(ParetoLaw(float(c), float(s)).log_likelihood(x) for s in scales) - 1e-9


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unit", [1e-200, 3.7e-9, 7.0, 1.3e250])
def test_units_scale_the_law_and_leave_its_shape(shape: float, unit: float) -> None:
    x = excesses(shape, 200, 4)
    law, other = most_likely_pareto(x), most_likely_pareto(x * unit)
    assert other.shape == pytest.approx(law.shape, rel=1e-12, abs=1e-12)
    assert other.scale / unit == pytest.approx(law.scale, rel=1e-12)


@given(
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30),
    st.floats(1e-6, 0.9),
)
def test_any_excesses_have_a_law_that_holds_them(x: list[float], share: float) -> None:
    law = most_likely_pareto(x)
    assert law.shape >= -1
    assert np.isfinite(law.log_likelihood(x))
    assert law.survival([law.exceeded_by(share)])[0] == pytest.approx(share, rel=1e-6)


def test_survival_is_scipys() -> None:
    x = np.linspace(0, 12, 50)
    for shape in (-0.5, 0.0, 0.4):
        expected = stats.genpareto(shape, scale=2).sf(x)
        np.testing.assert_allclose(ParetoLaw(shape, 2.0).survival(x), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", ["exponential", "pareto", "uniform"])
def test_the_realised_rate_is_the_risk(name: str) -> None:
    draw = {
        "exponential": lambda r, n: r.exponential(size=n),
        "pareto": lambda r, n: r.pareto(3, size=n),
        "uniform": lambda r, n: r.random(n),
    }[name]
    risk, steps, alarms = 2e-3, 15_000, 0
    for seed in range(3):
        rng = np.random.default_rng([seed, 11])
        alarms += SPOT(risk).fit(draw(rng, 4000)).run(draw(rng, steps)).alarms.sum()
    low, high = stats.binom(3 * steps, risk).ppf([0.0005, 0.9995])
    assert low <= alarms <= high


def test_leaving_alarms_out_cuts_the_tail_off() -> None:
    rates = {}
    for learn in ("all", "clipped", "normal"):
        rng = np.random.default_rng(12)
        rates[learn] = SPOT(1e-3, learn=learn).fit(rng.exponential(size=4000)).run(rng.exponential(size=30_000)).alarms
    assert rates["all"].sum() < rates["clipped"].sum() < rates["normal"].sum()


def test_anomalies_do_not_raise_a_clipped_threshold_but_one_that_learns_all() -> None:
    rng = np.random.default_rng(13)
    first, later = rng.exponential(size=3000), rng.exponential(size=5000)
    later[::250] = 1000.0
    kept, raised = SPOT(1e-3, learn="clipped").fit(first), SPOT(1e-3).fit(first)
    assert kept.run(later).alarms[::250].all()
    raised.run(later)
    assert raised.threshold_ > 3 * kept.threshold_


def test_dspot_follows_a_drift_and_is_blind_to_the_level() -> None:
    rng = np.random.default_rng(14)
    values = 0.01 * np.arange(12_000) + rng.normal(size=12_000)
    odd = np.arange(3000, 12_000, 900)
    values[odd] += 12
    still = SPOT(1e-3, learn="clipped").fit(values[:2000]).run(values[2000:]).alarms
    moving = DSPOT(1e-3, depth=40, learn="clipped").fit(values[:2000]).run(values[2000:]).alarms
    assert still.sum() > 1000
    assert moving[odd - 2000].all()
    assert moving.sum() <= len(odd) + 40
    raised = DSPOT(1e-3, depth=40, learn="clipped").fit(values[:2000] + 100).run(values[2000:] + 100).alarms
    np.testing.assert_array_equal(raised, moving)


@settings(max_examples=12)
@given(st.lists(st.integers(1, 399), max_size=5), st.sampled_from([0, 20]))
def test_blocks_single_values_and_a_saved_state_give_the_same(tmp_path_factory, cuts: list[int], depth: int) -> None:
    rng = np.random.default_rng(15)
    first, later = rng.gumbel(size=600), rng.gumbel(size=400)
    make = (lambda: DSPOT(5e-3, depth=depth)) if depth else (lambda: SPOT(5e-3))
    whole = make().fit(first).run(later)
    rule, alarms, thresholds = make().fit(first), [], []
    path = tmp_path_factory.mktemp("spot") / "rule"
    for part in np.split(later, sorted(set(cuts))):
        found = rule.run(part)
        alarms.append(found.alarms)
        thresholds.append(found.thresholds)
        save(rule, path)
        rule = load(path)
    np.testing.assert_array_equal(np.concatenate(thresholds), whole.thresholds)
    np.testing.assert_array_equal(np.concatenate(alarms), whole.alarms)


def test_units_of_the_stream_do_not_matter() -> None:
    rng = np.random.default_rng(16)
    first, later = rng.gamma(2, size=2000), rng.gamma(2, size=5000)
    a = SPOT(1e-3).fit(first).run(later)
    b = SPOT(1e-3).fit(first * 3e7).run(later * 3e7)
    np.testing.assert_array_equal(a.alarms, b.alarms)
    np.testing.assert_allclose(b.thresholds / 3e7, a.thresholds, rtol=1e-11)


def test_a_budget_of_alarms_is_a_risk_and_the_study_shows_both_lines() -> None:
    assert SPOT.for_alarms(2, 86_400).risk == pytest.approx(2 / 86_400)
    rng = np.random.default_rng(17)
    result = SPOT(1e-3).fit(rng.random(1000)).run(np.append(rng.random(50), 3.0))
    assert result.study().answer.startswith("1 of 51 values")
    assert set(result.study().blocks[0].lines) == {"value", "threshold"}
    assert unusual.SPOT is SPOT


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SPOT(0.0), "risk is 0.0"),
        (lambda: SPOT(0.1), "lower the risk or the level"),
        (lambda: SPOT(learn="some"), "learn is 'some'"),
        (lambda: DSPOT(depth=0), "depth is 0"),
        (lambda: SPOT.for_alarms(10, 5), "10 alarms per day"),
        (lambda: SPOT().fit(np.arange(100.0)), "2 of 100 values"),
        (lambda: SPOT().fit([1.0, np.nan]), "finite"),
        (lambda: SPOT().fit(np.ones(5000)), "0 of 5000"),
        (lambda: DSPOT(depth=50).fit(np.arange(30.0)), "too few for a mean of 50"),
        (lambda: SPOT().step(1.0), "call fit"),
        (lambda: SPOT().fit(np.arange(2000.0)).step(np.nan), "missing"),
        (lambda: most_likely_pareto([0.0, 1.0]), "above 0"),
        (lambda: most_likely_pareto([]), "above 0"),
    ],
)
def test_bad_input_is_one_sentence(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
