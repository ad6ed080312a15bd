"""Seeds: the scan and its file of finished runs, distributions, comparisons, components of variance, the lint."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from unusual import InputError, SeedScan, make
from unusual.evaluate.metrics import auroc
from unusual.evaluate.seed_comparison import compare_seeds
from unusual.evaluate.seed_luck import SeedDistribution, best_of_many, expected_maximum, seeds_needed
from unusual.evaluate.seed_sources import refuse_single_seeds, single_seed_rows, variance_components
from unusual.study import Table


def training(seed: int) -> float:
    return 0.9 + 0.01 * np.random.default_rng(seed).standard_normal()


def never(_seed: int) -> float:
    raise AssertionError("a finished run is run again")


def results(values, name="a", metric="auroc") -> SeedDistribution:
    values = np.asarray(values, dtype=np.float64)
    return SeedDistribution(name, metric, values, tuple(range(len(values))))


# -- the scan ------------------------------------------------------------------------------------------------------


def test_a_scan_holds_what_the_run_gives() -> None:
    found = SeedScan(training, seeds=12, name="net", metric="accuracy").run()
    assert_allclose(found.values, [training(s) for s in range(12)])
    assert found.seeds == tuple(range(12))
    assert found.noise_floor == 0.0
    assert found.mean == pytest.approx(np.mean(found.values))
    assert found.deviation == pytest.approx(np.std(found.values, ddof=1))
    low, high = found.interval
    expected = stats.ttest_1samp(found.values, 0).confidence_interval()
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert found.normality == pytest.approx(stats.shapiro(found.values).pvalue)


@pytest.mark.slow
def test_processes_give_the_same_as_one() -> None:
    assert_allclose(
        SeedScan(training, seeds=[5, 3, 8], n_jobs=2).run().values, SeedScan(training, seeds=[5, 3, 8]).run().values
    )


def test_a_scan_that_was_interrupted_goes_on_where_it_stopped(tmp_path) -> None:
    path, calls = tmp_path / "runs.jsonl", []

    def counted(seed: int) -> float:
        if len(calls) == 6:
            raise KeyboardInterrupt
        calls.append(seed)
        return training(seed)

    options = {"seeds": 10, "twice": 2, "cache": path, "configuration": {"layers": 3}}
    with pytest.raises(KeyboardInterrupt):
        SeedScan(counted, **options).run()
    assert len(path.read_text().splitlines()) == 6
    with path.open("a") as stream:
        stream.write('{"configuration": "cut o')
    later = []
    found = SeedScan(lambda seed: later.append(seed) or training(seed), **options).run()
    assert later == [6, 7, 8, 9, 0, 1]
    assert_allclose(found.values, [training(s) for s in range(10)])
    assert [json.loads(line)["attempt"] for line in path.read_text().splitlines()] == [0] * 10 + [1] * 2
    again = SeedScan(never, **options).run()
    assert_allclose(again.values, found.values)


def test_runs_of_another_configuration_are_not_taken(tmp_path) -> None:
    path = tmp_path / "runs.jsonl"
    one = SeedScan(training, seeds=3, cache=path, configuration={"layers": 3, "width": 2}).run()
    other = SeedScan(lambda s: 1.0 + s, seeds=3, cache=path, configuration={"layers": 4, "width": 2}).run()
    assert_allclose(other.values, [1, 2, 3])
    same = SeedScan(never, seeds=3, cache=path, configuration={"width": 2, "layers": 3}).run()
    assert_allclose(same.values, one.values)


def test_a_run_that_does_not_repeat_itself_has_a_noise_floor(rng) -> None:
    found = SeedScan(lambda seed: seed + rng.normal(0, 0.1), seeds=200, twice=200).run()
    assert found.noise_floor == pytest.approx(0.1, rel=0.2)
    assert any("not give the same result again" in note for note in found.study().notes)


def test_failed_seeds_are_counted_and_left_out(tmp_path) -> None:
    def sometimes(seed: int) -> float:
        return math.nan if seed in (2, 4) else training(seed)

    options = {"seeds": 8, "cache": tmp_path / "runs", "configuration": {}}
    for _ in range(2):
        found = SeedScan(sometimes, **options).run()
        assert found.failures == (2, 4)
        assert len(found.values) == 6
        assert any("2 of 8 seeds failed" in note for note in found.study().notes)


def test_a_detector_is_run_under_each_seed(rng) -> None:
    X = np.vstack([rng.normal(size=(120, 3)), 3 * rng.normal(size=(12, 3))])
    y = np.arange(132) >= 120
    forest = make("IsolationForest", n_estimators=10)
    found = SeedScan.of_detector(forest, X, y, seeds=6).run()
    expected = [
        auroc(y, make("IsolationForest", n_estimators=10, random_state=s).fit_anomaly_score(X)) for s in range(6)
    ]
    assert_allclose(found.values, expected)
    assert found.name == "IsolationForest"
    assert forest.get_params()["random_state"] == 0
    fixed = SeedScan.of_detector("KNN", X, y, metric="average_precision").run()
    assert fixed.seeds == (0, 1)
    assert "no effect on KNN" in fixed.study().answer


def test_crossed_seeds_tell_the_sources_apart(tmp_path) -> None:
    def run(init: int, order: int) -> float:
        return float(np.random.default_rng([1, init]).normal() + 0.1 * np.random.default_rng([2, order]).normal())

    scan = SeedScan(run, cache=tmp_path / "c", configuration={})
    found = scan.sources(init=12, order=10)
    init = np.var([run(i, 0) for i in range(12)], ddof=1)
    order = np.var([run(0, j) for j in range(10)], ddof=1)
    assert found.components["init"] == pytest.approx(init)
    assert found.components["order"] == pytest.approx(order)
    assert found.components["init x order"] == pytest.approx(0, abs=1e-12)
    assert "of the variance over seeds comes from init" in found.study().answer
    assert scan.sources(init=range(12), order=range(10)) == found


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda _: SeedScan(training, seeds=[]), "at least one"),
        (lambda _: SeedScan(training, seeds=[1, 1]), "different seeds"),
        (lambda _: SeedScan(training, twice=-1), "twice"),
        (lambda path: SeedScan(training, cache=path), "needs the configuration"),
        (lambda path: SeedScan(training, cache=path, configuration={"f": training}), "as JSON"),
        (lambda _: SeedScan(lambda _: [1.0]).run(), "must give one number"),
        (lambda _: SeedScan(lambda _: "0.9").run(), "must give one number"),
        (lambda _: SeedScan(lambda _: math.nan).run(), "none of 30 seeds"),
        (lambda path: SeedScan(training, cache=path / "no" / "c", configuration={}).run(), "cannot write"),
        (lambda path: SeedScan(training, cache=path, configuration={}).run(), "cannot read"),
        (lambda _: SeedScan.of_detector("KNN", [[1.0]], [1], metric="accuracy"), "choose one of: auroc"),
        (lambda _: SeedScan.of_detector("KNN", np.ones((3, 2)), [0, 1]), "one row per label"),
    ],
)
def test_what_cannot_be_scanned_is_refused(tmp_path, call, words) -> None:
    with pytest.raises(InputError, match=words) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_broken_file_of_runs_is_refused(tmp_path) -> None:
    path = tmp_path / "runs"
    path.write_text('{"a": 1}\n')
    with pytest.raises(InputError, match="line 1 of"):
        SeedScan(training, cache=path, configuration={})


# -- one method ----------------------------------------------------------------------------------------------------


def test_the_expected_best_of_normal_draws(rng) -> None:
    for seeds in (1, 2, 10, 100):
        simulated = rng.standard_normal((40_000, seeds)).max(axis=1).mean()
        assert expected_maximum(0, 1, seeds) == pytest.approx(simulated, abs=0.03)
    assert expected_maximum(5, 2, 10) == pytest.approx(5 + 2 * expected_maximum(0, 1, 10))
    with pytest.raises(InputError):
        expected_maximum(0, 1, 0)


def test_so_many_seeds_find_such_a_gap(rng) -> None:
    seeds = seeds_needed(1.0, 0.8)
    assert seeds == math.ceil(2 * ((1.959964 + 0.841621) / 0.8) ** 2)
    a, b = rng.standard_normal((2, 4000, seeds + 1))  # Student's law asks for one more than the normal one
    found = stats.ttest_ind(a + 0.8, b, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)
    assert seeds_needed(0.0, 1.0) == 2
    with pytest.raises(InputError):
        seeds_needed(1.0, 0.0)


def test_few_seeds_have_no_interval_and_equal_ones_no_law() -> None:
    few = results([0.8, 0.9, 0.85, 0.7])
    assert few.interval is None
    assert few.normality is None
    assert any("too few" in note for note in few.study().notes)
    same = results([0.8] * 9)
    assert same.deviation == 0
    assert same.interval == (0.8, 0.8)
    assert same.normality is None
    assert "no effect" in same.study().answer


def test_the_study_of_one_method_reads(rng) -> None:
    study = results(0.9 + 0.01 * rng.standard_normal(40), name="net").study()
    assert "The seed alone moves auroc of net from" in study.answer
    kinds = [block["kind"] for block in study.as_dict()["blocks"]]
    assert kinds == ["distribution", "lines", "table"]
    json.dumps(study.as_dict(), allow_nan=False)


# -- two methods ---------------------------------------------------------------------------------------------------


def test_the_comparison_is_welchs_test(rng) -> None:
    a, b = rng.normal(0.9, 0.01, 15), rng.normal(0.88, 0.03, 9)
    found = compare_seeds(results(a), results(b, "b"))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    limits = expected.confidence_interval()
    assert found.interval == pytest.approx((limits.low, limits.high))
    assert found.probability == pytest.approx(np.mean(a[:, None] > b))
    assert found.probability_interval[0] <= found.probability <= found.probability_interval[1]


def test_pairs_take_differences_of_common_seeds(rng) -> None:
    split = rng.normal(0, 0.1, 12)
    a = SeedDistribution("a", "auroc", split + 0.9 + rng.normal(0, 0.01, 12), tuple(range(12)))
    b = SeedDistribution("b", "auroc", (split + 0.88)[::-1], tuple(range(12))[::-1])
    paired, apart = compare_seeds(a, b, paired=True), compare_seeds(a, b)
    expected = stats.ttest_rel(a.values, b.values[::-1])
    assert paired.p_value == pytest.approx(expected.pvalue)
    assert paired.interval == pytest.approx(tuple(expected.confidence_interval()))
    assert paired.p_value < 1e-3 < 0.3 < apart.p_value
    assert paired.probability == pytest.approx(np.mean(a.values > b.values[::-1]))
    assert any("taken as pairs" in note for note in paired.study().notes)


@given(st.integers(0, 10_000))
def test_swapped_methods_mirror_the_comparison(seed) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 8)).round(1)
    one, other = compare_seeds(results(a), results(b, "b")), compare_seeds(results(b, "b"), results(a))
    assert one.effect == pytest.approx(-other.effect)
    assert one.probability == pytest.approx(1 - other.probability)
    assert one.beyond_luck == other.beyond_luck
    assert one.outperforms == other.outperforms


def test_the_answer_says_gain_luck_or_rarely() -> None:
    base = np.linspace(-1, 1, 40)
    clear = compare_seeds(results(0.9 + 0.01 * base), results(0.8 + 0.01 * base, "b"))
    assert clear.outperforms
    assert "gain of a over b (0.1 in auroc) is larger than seed luck (interval 0.0" in clear.study().answer
    swapped = compare_seeds(results(0.8 + 0.01 * base), results(0.9 + 0.01 * base, "b"))
    assert "gain of b over a (0.1 in auroc) is larger than seed luck (interval 0.0" in swapped.study().answer
    luck = compare_seeds(results(0.8 + 0.1 * base), results(0.801 + 0.1 * base, "b"))
    assert not luck.beyond_luck
    assert "is not larger than seed luck" in luck.study().answer
    rarely = compare_seeds(results(0.83 + 0.1 * base), results(0.8 + 0.1 * base, "b"))
    assert rarely.beyond_luck
    assert not rarely.outperforms
    assert "fewer than the 75% asked" in rarely.study().answer
    few = compare_seeds(results([0.8, 0.9]), results([0.7, 0.75], "b"))
    assert few.interval is None
    assert "too few seeds" in few.study().answer


def test_methods_without_seeds_are_compared_without_luck() -> None:
    both = compare_seeds(results([0.9, 0.9]), results([0.8, 0.8], "b"))
    assert math.isnan(both.p_value)
    assert both.interval == pytest.approx((0.1, 0.1))
    assert "no effect on either" in both.study().answer
    one = compare_seeds(results([0.9] * 5), results([0.8, 0.81, 0.79, 0.8, 0.82], "b"))
    expected = stats.ttest_1samp([0.8, 0.81, 0.79, 0.8, 0.82], 0.9)
    assert one.p_value == pytest.approx(expected.pvalue)
    json.dumps(both.study().as_dict(), allow_nan=False)


def test_incomparable_methods_are_refused() -> None:
    with pytest.raises(InputError, match="one metric"):
        compare_seeds(results([1, 2]), results([1, 2], metric="accuracy"))
    with pytest.raises(InputError, match="fewer than two"):
        compare_seeds(results([1]), results([1, 2]))
    with pytest.raises(InputError, match="share 1 seeds"):
        compare_seeds(results([1, 2]), SeedDistribution("b", "auroc", np.array([1.0, 2.0]), (1, 2)), paired=True)


def test_the_best_of_ten_is_corrected_for_its_luck(rng) -> None:
    sets = rng.normal(50, 7, (1500, 12))
    tests = [best_of_many(row[:10], row[10:]) for row in sets]
    assert np.mean([t.p_value <= 0.05 for t in tests]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([t.effect for t in tests]) == pytest.approx(0, abs=0.5)
    covered = [t.interval[0] <= 0 <= t.interval[1] for t in tests]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)
    assert np.mean(sets[:, :10].max(axis=1) > sets[:, 10:].mean(axis=1)) > 0.9
    better = rng.normal(0, 1, (200, 12)) + np.r_[np.full(10, 3.0), 0, 0]
    assert np.mean([best_of_many(row[:10], row[10:]).p_value <= 0.05 for row in better]) > 0.8
    for bad in (([1, 2], [1]), ([1, 2, 3], []), ([1, 1, 1], [1]), ([1, 2, math.nan], [1])):
        with pytest.raises(InputError):
            best_of_many(*bad)


# -- sources, lint -------------------------------------------------------------------------------------------------


def test_components_follow_the_expected_mean_squares(rng) -> None:
    """The table of analysis of variance by loops over sums, for two factors."""
    y = rng.normal(size=(4, 6)) + rng.normal(size=(4, 1))
    found = variance_components(y, ["a", "b"]).components
    grand, rows, columns = y.mean(), y.mean(axis=1), y.mean(axis=0)
    ms_a = 6 * sum((r - grand) ** 2 for r in rows) / 3
    ms_b = 4 * sum((c - grand) ** 2 for c in columns) / 5
    rest = sum((y[i, j] - rows[i] - columns[j] + grand) ** 2 for i in range(4) for j in range(6)) / 15
    assert_allclose(list(found.values()), [(ms_a - rest) / 6, (ms_b - rest) / 4, rest])


def test_components_of_three_factors_are_unbiased(rng) -> None:
    true = {"a": 1.0, "b": 0.5, "c": 0.2, "a x b": 0.4, "a x c": 0.0, "b x c": 0.0, "a x b x c": 0.3}
    found = []
    for _ in range(400):
        y = math.sqrt(0.3) * rng.normal(size=(6, 7, 8))
        y += rng.normal(size=(6, 1, 1)) + math.sqrt(0.5) * rng.normal(size=(1, 7, 1))
        y += math.sqrt(0.2) * rng.normal(size=(1, 1, 8)) + math.sqrt(0.4) * rng.normal(size=(6, 7, 1))
        found.append(variance_components(y, ["a", "b", "c"]).components)
    for name, value in true.items():
        assert np.mean([f[name] for f in found]) == pytest.approx(value, abs=0.12 * value + 0.02), name
    shares = variance_components(y, ["a", "b", "c"])
    assert sum(shares.share(name) for name in true) == pytest.approx(1)


def test_components_refuse_what_is_no_crossed_design() -> None:
    for bad, names in ((np.ones(3), ["a"]), (np.ones((3, 1)), ["a", "b"]), (np.ones((3, 3)), ["a"])):
        with pytest.raises(InputError, match="each of at least two names"):
            variance_components(bad, names)
    with pytest.raises(InputError, match="not finite"):
        variance_components([[1, 2], [math.nan, 1]], ["a", "b"])


def test_tables_of_one_seed_are_refused_unless_they_say_so() -> None:
    head = ("method", "seeds", "AUROC")
    table = Table(
        "Which is best", head, [["A", 10, 0.9], ["B", 1, 0.95], ["C (single seed)", 1, 0.9], ["D", None, 1.0]]
    )
    assert single_seed_rows(table) == ["B", "D"]
    with pytest.raises(InputError, match="compares B, D by one seed"):
        refuse_single_seeds(table)
    assert single_seed_rows(Table("Which is best", ("method", "AUROC"), [["A", 0.9]])) == ["A"]
    labelled = Table("Single seed results", ("method", "AUROC"), [["A", 0.9]])
    assert refuse_single_seeds(labelled) is labelled
    good = Table("Which is best", head, [["A", 10, 0.9]])
    assert refuse_single_seeds(good) is good
