"""Two censored samples: textbook values, the interface, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unusual import CensoredTwoSample, InputError
from unusual.evaluate.censored_statistics import FREEDOM, STATISTICS, chi_squared_tail
from unusual.evaluate.stacked_statistics import cell, features, learned, tabled_p_value

# Freireich et al., The Effect of 6-Mercaptopurine on the Duration of Steroid-Induced Remissions in Acute Leukemia, 1963
DRUG = ([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], [1] * 9 + [0] * 12)
PLACEBO = ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21)


@pytest.fixture
def remission():
    time, flag = np.array(DRUG[0] + PLACEBO[0]), np.array(DRUG[1] + PLACEBO[1])
    return time, flag, np.repeat(["drug", "placebo"], 21)


def test_the_remission_times_give_the_published_values(remission) -> None:
    found = CensoredTwoSample(method="table").test(*remission)
    value = {name: statistic for name, (statistic, _) in found.statistics.items()}
    assert list(value) == list(STATISTICS)
    assert value["log-rank"] == pytest.approx(16.7929, abs=1e-4)
    assert value["Tarone-Ware"] == pytest.approx(15.1236, abs=1e-4)
    assert value["Peto-Prentice"] == pytest.approx(14.457, abs=1e-3)  # weight S(t-)
    gehan_variance = 5644.390244
    assert value["Gehan-Wilcoxon"] == pytest.approx(271**2 / gehan_variance)  # Gehan's W is 271
    assert found.statistics["log-rank"][1] == pytest.approx(4.169e-5, rel=1e-3)
    assert found.groups == ("drug", "placebo")
    drug = found.curves[0]
    assert_allclose(drug.survival[:2], [18 / 21, 18 / 21 * 16 / 17])  # the published 0.857 and 0.807
    assert drug.deviation[0] == pytest.approx(0.0764, abs=1e-4)


def test_the_effect_is_the_area_between_the_curves(remission) -> None:
    found = CensoredTwoSample(method="table").test(*remission)
    assert found.until == 23
    grid = np.linspace(0, 23, 230_001)[:-1] + 5e-5
    areas = [np.mean(curve.at(grid)) * 23 for curve in found.curves]
    assert found.effect == pytest.approx(areas[1] - areas[0], abs=1e-3)
    low, high = found.interval
    assert low < found.effect < high < 0


def test_without_censoring_the_restricted_mean_is_the_mean(rng) -> None:
    time = rng.exponential(size=60)
    found = CensoredTwoSample(method="table").test(time, np.ones(60), np.repeat([0, 1], 30))
    curve = found.curves[0]
    mean, error = curve.restricted_mean(time.max() + 1)
    assert mean == pytest.approx(time[:30].mean())
    assert error == pytest.approx(time[:30].std() / np.sqrt(30))


def test_permutation_and_table_agree_and_repeat(rng) -> None:
    gaps = []
    for seed in range(25):
        time, flag = rng.exponential(size=120), rng.uniform(size=120) < 0.8
        time[60:] *= rng.uniform(1, 1.8)
        group = np.repeat([0, 1], 60)
        test = CensoredTwoSample(permutations=499, random_state=seed)
        found = test.test(time, flag, group)
        assert found == test.test(time, flag, group)
        gaps.append(found.p_value - CensoredTwoSample(method="table").test(time, flag, group).p_value)
    assert np.abs(gaps).max() < 0.08
    assert abs(np.mean(gaps)) < 0.02


def test_p_values_do_not_depend_on_the_order_or_unit_of_items(remission, rng) -> None:
    time, flag, group = remission
    order = rng.permutation(len(time))
    one, other = (
        CensoredTwoSample(method="table").test(*columns)
        for columns in (remission, (time[order] * 7.0, flag[order], group[order]))
    )
    assert other.statistic == pytest.approx(one.statistic, rel=1e-9)
    assert other.effect == pytest.approx(7 * one.effect)
    reverse = CensoredTwoSample(method="table", event=0).test(time, 1 - flag, group)
    assert reverse.statistic == one.statistic


def test_the_level_is_kept_and_crossing_curves_are_found(rng) -> None:
    group = np.repeat([0, 1], 40)
    rejected = {"equal": 0, "crossing": 0, "log-rank on crossing": 0}
    for seed in range(120):
        hazard, until = rng.exponential(size=80), 2.5 * rng.uniform(size=80)
        crossing = np.where(group == 1, np.log(2) * (hazard / np.log(2)) ** 0.4, hazard)
        for name, time in (("equal", hazard), ("crossing", crossing)):
            test = CensoredTwoSample(permutations=99, random_state=seed)
            found = test.test(np.minimum(time, until), time <= until, group)
            rejected[name] += found.p_value <= 0.05
        rejected["log-rank on crossing"] += found.statistics["log-rank"][1] <= 0.05
    assert rejected["equal"] <= 14  # 99.7 % of Binomial(120, 0.05)
    assert rejected["crossing"] > 70
    assert rejected["log-rank on crossing"] < 40


def test_closed_tails_agree_with_scipy() -> None:
    from scipy.special import chdtrc

    x = np.array([0.0, 0.1, 1, 5, 30, 200])
    for freedom in set(FREEDOM):
        assert_allclose(chi_squared_tail(x, freedom), chdtrc(freedom, x), rtol=1e-10)


def test_classes_and_features_of_the_learned_statistic() -> None:
    assert [cell(n, 0.2)[0] for n in (20, 49, 50, 99, 100, 499, 500, 9999)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [cell(50, c)[1] for c in (0.0, 0.01, 0.15, 0.16, 0.35, 0.36)] == [0, 1, 1, 2, 2, 3]
    values = features(np.full(13, np.exp(-2.0)), 60, 0.2)
    assert_allclose(values, [2.0] * 13 + [0, 1, 0, 0, 0, 0, 1, 0])
    assert features(np.zeros(13), 60, 0.2).max() == 40
    assert len(learned()["coefficients"]) == 21
    quantile = learned()["quantiles"][1][2][learned()["levels"].index(0.05)]
    assert tabled_p_value(quantile, 60, 0.2) == pytest.approx(0.05)
    assert tabled_p_value(99.0, 60, 0.2) == pytest.approx(0.001)


def test_the_study_reads_and_can_be_kept(remission) -> None:
    study = CensoredTwoSample(permutations=99).test(*remission).study()
    assert "differ in how long they last" in study.answer
    assert "shorter" in study.answer
    chart, sizes, table = study.as_dict()["blocks"]
    assert sizes["rows"] == [["drug", 21, 9, 23.0], ["placebo", 21, 21, 8.0]]
    assert [row[0] for row in table["rows"]] == list(STATISTICS)
    x, y = chart["lines"]["placebo"]
    assert y[0] == 1
    assert y[-1] == 0
    assert (np.diff(x) >= 0).all()
    json.dumps(study.as_dict(), allow_nan=False)


def test_notes_name_what_limits_the_answer(rng) -> None:
    time = rng.exponential(size=60)
    group = np.repeat(["a", "b"], 30)
    flag = np.ones(60, dtype=int)
    flag[30:] = 0
    few = CensoredTwoSample(method="table").test(time, flag, group)
    assert any("No event was seen in b" in note for note in few.notes)
    assert any("censored by different laws" in note for note in few.notes)
    assert few.p_value < 0.01
    seven = CensoredTwoSample(method="table").test(time[23:], np.ones(37), group[23:])
    assert any("fewer than 10" in note for note in seven.notes)
    ended = np.minimum(time, 1.0)
    swapped = CensoredTwoSample(method="table").test(ended, time >= 1.0, group)
    assert any("pass event=0" in note for note in swapped.notes)
    assert not CensoredTwoSample(method="table").test(ended, time < 1.0, group).notes


@pytest.mark.parametrize(
    "change, words",
    [
        ({"time": np.r_[0.0, np.ones(41)]}, "1 of 42 times"),
        ({"time": np.r_[-1.0, np.ones(41)]}, "positive"),
        ({"time": np.r_[np.nan, np.ones(41)]}, "positive"),
        ({"time": np.ones((42, 2))}, "left truncation"),
        ({"time": np.array(["a"] * 42)}, "give numbers"),
        ({"flag": np.ones(41)}, "same items"),
        ({"flag": np.full(42, 2)}, "event=0"),
        ({"flag": np.zeros(42)}, "no event was seen"),
        ({"group": np.zeros(42)}, "two groups"),
        ({"group": np.arange(42) % 3}, "two groups"),
        ({"group": np.arange(42) < 4}, "at least 5"),
        ({"method": "exact"}, "permutation or table"),
        ({"event": 3}, "event of 0 or 1"),
        ({"permutations": 0}, "at least one"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(remission, change, words) -> None:
    columns = dict(zip(("time", "flag", "group"), remission, strict=True))
    options = {key: change[key] for key in change if key not in columns}
    with pytest.raises(InputError, match=words) as caught:
        CensoredTwoSample(**options).test(**{**columns, **{k: v for k, v in change.items() if k in columns}})
    assert "\n" not in str(caught.value)
