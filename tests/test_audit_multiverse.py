"""Multiverse: what it says of planted choices, of synthetic tables with known flaws, and of detectors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unusual import InputError
from unusual.audit.detector_choices import DETECTOR_GRID, DetectorChoices
from unusual.audit.multiverse import Multiverse
from unusual.audit.specification_curve import SpecificationCurve
from unusual.audit.table_fidelity import RealTable
from unusual.parts.bootstrap import bootstrap_interval
from unusual.parts.table_samplers import sampler

FLAWS = ("copy", "noise", "shuffle", "shift")


def survey(rng, n=300, items=5, r=0.5) -> tuple[np.ndarray, dict[str, list[str]]]:
    """Answers of n people to two scales whose factors correlate by r."""
    factors = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    answers = np.hstack([factors[:, [f]] + rng.normal(0, 1, (n, items)) for f in (0, 1)])
    names = [f"{scale}{i}" for scale in "ab" for i in range(items)]
    return answers, {"a": names[:items], "b": names[items:]}


def flawed(X, n, random_state, flaw):
    """The real rows in their order, with one flaw."""
    rng = np.random.default_rng(random_state)
    if flaw == "noise":
        return X + 2 * X.std(axis=0) * rng.normal(size=X.shape)
    if flaw == "shuffle":
        return sampler("shuffled columns")(X, n, random_state)
    return X + 5 if flaw == "shift" else X


@pytest.fixture(scope="module")
def fidelity() -> SpecificationCurve:
    X, scales = survey(np.random.default_rng(3))
    table = {name: X[:, j] for j, name in enumerate([*scales["a"], *scales["b"]])}
    return Multiverse.of_tables(table, flawed, {"flaw": FLAWS}, matched=True, scales=scales)


def test_each_flaw_shows_where_it_should(fidelity) -> None:
    inside = {name: dict(zip(FLAWS, fidelity.inside(name).tolist(), strict=True)) for name in fidelity.criteria}
    assert inside["rank order"] == {"copy": True, "noise": False, "shuffle": False, "shift": True}
    assert inside["distributions"] == {"copy": True, "noise": False, "shuffle": True, "shift": False}
    assert inside["structure"] == {"copy": True, "noise": False, "shuffle": False, "shift": True}
    np.testing.assert_array_equal(fidelity.inside_all(), [True, False, False, False])
    assert fidelity.best("rank order") in (0, 3)
    values = fidelity.criteria
    assert values["rank order"][0] == pytest.approx(1)
    assert abs(values["rank order"][2]) < 0.15
    assert fidelity.details["mean gap in sd"][1] < 0.3  # noise leaves the means
    assert fidelity.details["mean gap in sd"][3] > 2
    assert fidelity.details["sd ratio"][1] == pytest.approx(np.sqrt(5), rel=0.1)
    assert fidelity.details["correlation of the correlations"][0] == pytest.approx(1)


def test_criteria_are_the_means_of_the_comparisons_they_are_made_of(rng) -> None:
    X = rng.normal(size=(60, 2)) @ np.array([[1, 0.7], [0, 0.7]])
    S = rng.normal(0.4, 1, (80, 2))
    table = RealTable.of(X, ["a", "b"], None, 4, 0)
    draws = np.random.default_rng(9)
    expected = []
    for rows in table.halves.reshape(-1, 30):
        R, T = X[rows], S[draws.choice(80, 30, replace=False)]
        ks = np.mean([stats.ks_2samp(R[:, j], T[:, j], method="asymp").statistic for j in (0, 1)])
        expected.append([ks, abs(np.corrcoef(R.T)[0, 1] - np.corrcoef(T.T)[0, 1])])
    found = table.criteria(S, None, 9)
    np.testing.assert_allclose([found["distributions"].ravel(), found["structure"].ravel()], np.transpose(expected))
    assert "rank order" not in found
    assert all(len(set(pair.ravel().tolist())) == 60 for pair in table.halves)


def test_the_ceiling_of_ranks_is_the_stepped_up_reliability(rng) -> None:
    X, scales = survey(rng, n=4000, items=10)
    table = RealTable.of(X, [*scales["a"], *scales["b"]], scales, 10, 0)
    half = 5 / (5 + 1)  # reliability of the mean of five items with error variance 1
    ceiling = table.ceilings(matched=True)["rank order"]
    assert ceiling.estimate == pytest.approx(2 * half / (1 + half), abs=0.02)
    assert "rank order" not in table.ceilings(matched=False)


def test_eta_squared_is_that_of_a_one_way_analysis_of_variance() -> None:
    grid = {"a": ("x", "y", "z"), "b": (0, 1)}

    def planted(a, b):
        return {"value": {"x": 0.0, "y": 3.0, "z": 4.0}[a] + 0.5 * b}

    curve = Multiverse(grid).run(planted)
    values, a = curve.criteria["value"], np.array(curve.choices["a"])
    groups = [values[a == level] for level in "xyz"]
    f = stats.f_oneway(*groups).statistic
    shares = curve.eta_squared("value")
    assert shares["a"] == pytest.approx(2 * f / (2 * f + 3))  # df 2 and 3
    assert sum(shares.values()) == pytest.approx(1)  # nothing but main effects was planted
    assert "a alone explains" in curve.study().answer
    assert curve.study().notes[0] == "Chosen after looking at 6 configurations."


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=12))
def test_pareto_ranks_and_tau_follow_their_definitions(points) -> None:
    results = [{"high": np.asarray(float(a)), "low": np.asarray(float(b))} for a, b in points]
    curve = SpecificationCurve.of([{"i": i} for i in range(len(points))], results, ("low",))
    beaten = [
        any(a2 >= a and b2 <= b and (a2 > a or b2 < b) for a2, b2 in points) for a, b in points
    ]  # fmt: skip
    np.testing.assert_array_equal(curve.pareto(), np.flatnonzero(~np.array(beaten)))
    i, j = curve.best("high"), curve.best("low")
    assert points[i][0] == max(a for a, _ in points)
    assert points[j][1] == min(b for _, b in points)
    ranks = curve.ranks_of_best()
    assert ranks[0, 0] == ranks[1, 1] == 1
    assert ranks[0, 1] == 1 + sum(b < points[i][1] for _, b in points)
    a, b = np.transpose(points)
    expected = stats.kendalltau(a, -b).statistic
    np.testing.assert_allclose(curve.kendall()[0, 1], expected, atol=1e-12)


def test_the_best_of_many_is_overstated_where_all_are_alike_and_not_where_one_is_better(rng) -> None:
    noise = rng.normal(size=(60, 40, 2))
    names = [{"i": i} for i in range(60)]
    alike = SpecificationCurve.of(names, [{"v": v} for v in noise]).held_out("v")
    assert alike.chosen - alike.reported > 1.5
    assert alike.worse > 0.9
    real = SpecificationCurve.of(names, [{"v": 20.0 * (i == 7) + v} for i, v in enumerate(noise)]).held_out("v")
    assert real.worse == pytest.approx(0.5, abs=0.2)
    assert real.reported > 18
    lower = SpecificationCurve.of(names, [{"v": -v} for v in noise], ("v",)).held_out("v")
    assert (lower.chosen, lower.reported) == pytest.approx((-alike.chosen, -alike.reported))


def test_intervals_are_as_wide_as_a_bootstrap_of_the_same_mean(rng) -> None:
    x = rng.exponential(size=400)
    halvings = [rng.permutation(400) for _ in range(200)]
    halves = np.array([[x[order[:200]].mean(), x[order[200:]].mean()] for order in halvings])
    curve = SpecificationCurve.of([{"a": 0}, {"a": 1}], [{"mean": halves}, {"mean": halves}])
    low, high = curve.intervals("mean")[0]
    wanted = bootstrap_interval(x, method="percentile")
    assert curve.criteria["mean"][0] == pytest.approx(x.mean())
    assert high - low == pytest.approx(wanted.high - wanted.low, rel=0.15)


def test_a_configuration_without_a_value_is_left_out_and_said() -> None:
    curve = Multiverse({"a": (1, 2, 3)}).run(lambda a: {"v": float("nan") if a == 2 else a, "w": -a})
    assert any("v has no value in 1 configurations" in note for note in curve.notes)
    assert curve.best("v") == 2
    assert curve.eta_squared("v")["a"] == pytest.approx(1)
    json.dumps(curve.study().as_dict(), allow_nan=False)


def test_tables_in_a_folder_are_those_of_a_generator(rng, tmp_path) -> None:
    X, _ = survey(rng, n=80, items=2)
    names = ["p", "q", "r", "s"]
    frame = {"person": np.arange(80) + 100, **{n: X[:, j] for j, n in enumerate(names)}}

    def write(path, rows, keys):
        table = np.column_stack([keys, rows])[::-1]  # another order of rows, found again by the key
        np.savetxt(path, table[:, [0, 2, 1, 3, 4]], delimiter=",", header="person,q,p,r,s", comments="")

    lines = ["file,method,noise"]
    for i, scale in enumerate((0.0, 0.5, 3.0)):
        write(tmp_path / f"{i}.csv", X + scale * rng.normal(size=X.shape), frame["person"])
        lines.append(f"{i}.csv,add,{scale}")
    (tmp_path / "settings.csv").write_text("\n".join(lines))
    curve = Multiverse.of_folder(frame, tmp_path, key="person")
    assert list(curve.choices) == ["method", "noise"]
    ranks = curve.criteria["rank order"]
    assert ranks[0] == pytest.approx(1)
    assert (np.diff(ranks) < 0).all()
    assert (np.diff(curve.criteria["distributions"]) > 0).all()
    unmatched = Multiverse.of_folder({n: frame[n] for n in names} | {"person": frame["person"] * 1.0}, tmp_path)
    assert "rank order" not in unmatched.criteria
    assert any("no partners" in note for note in unmatched.notes)
    with pytest.raises(InputError, match=r"0\.csv and the real rows differ in columns 'r', 'zz'"):
        Multiverse.of_folder({"zz" if n == "r" else n: v for n, v in frame.items()}, tmp_path, key="person")
    with pytest.raises(InputError, match=r"no key .* in 0\.csv"):
        Multiverse.of_folder(frame | {"person": frame["person"] + 1000}, tmp_path, key="person")
    with pytest.raises(InputError, match="stands twice"):
        Multiverse.of_folder(frame | {"person": np.ones(80)}, tmp_path, key="person")
    (tmp_path / "2.csv").unlink()
    with pytest.raises(InputError, match=r"2\.csv does not exist"):
        Multiverse.of_folder(frame, tmp_path, key="person")


def test_constant_columns_are_left_out_of_correlations_and_named(rng) -> None:
    X = np.column_stack([rng.normal(size=(60, 2)), np.full(60, 3.0)])
    curve = Multiverse.of_tables(X, lambda X, n, s, k: X, {"k": (1, 2)})  # noqa: ARG005
    assert any("Constant" in note for note in curve.notes)
    assert curve.criteria["structure"].max() < 0.2


def rows_with_anomalies(rng, n=240, odd=24) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(n, 3))
    X[:odd] += 4
    return X, (np.arange(n) < odd).astype(int)


SMALL = {"method": ("KNN", "Mahalanobis"), "columns": ("as given", "whitened"), "fit": DETECTOR_GRID["fit"],
         "tested": DETECTOR_GRID["tested"]}  # fmt: skip


def test_detectors_are_run_in_every_way(rng) -> None:
    X, y = rows_with_anomalies(rng)
    curve = Multiverse.of_detectors(X, y, SMALL)
    assert len(curve) == 16
    assert list(curve.criteria) == ["AUROC", "average precision", "recall at 5% false alarms"]
    assert curve.criteria["AUROC"].max() > 0.95
    assert np.isfinite(curve.intervals("AUROC")).all()
    again = Multiverse.of_detectors(X, y, SMALL)
    np.testing.assert_array_equal(again.criteria["AUROC"], curve.criteria["AUROC"])
    shuffled = Multiverse.of_detectors(X, rng.permutation(y), SMALL)
    assert shuffled.criteria["AUROC"].mean() == pytest.approx(0.5, abs=0.15)


def test_what_is_fitted_and_tested_does_not_overlap(rng) -> None:
    X, y = rows_with_anomalies(rng)
    made = DetectorChoices.of(X, y, 3, 0)
    copies = np.vstack([X, X])  # were tested rows among those of the fit, anomalies would score 0 and rank low
    far = DetectorChoices.of(np.round(copies, 12), np.r_[y, y], 3, 0)
    clean = made("KNN", "as given", "normal rows only", "first half")["AUROC"].mean()
    twins = far("KNN", "as given", "as they come", "first half")["AUROC"].mean()
    assert clean > 0.95
    assert twins < clean  # only twins put there by hand do that


def test_labels_may_be_a_column_of_a_table_with_text(rng) -> None:
    X, y = rows_with_anomalies(rng)
    table = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "kind": np.where(X[:, 2] > 0, "up", "down"), "label": y}
    curve = Multiverse.of_detectors(table, "label", SMALL | {"columns": ("as given", "normal scores")})
    assert curve.criteria["AUROC"].max() > 0.9


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda _X, _y: Multiverse({"a": (1,)}).run(lambda a: {"v": a}), "at least two levels"),
        (lambda _X, _y: Multiverse([{"a": 1}, {"b": 2}]).run(lambda **_: {"v": 1}), "decide different factors"),
        (lambda _X, _y: Multiverse({"a": (1, 2)}).run(lambda a: {f"v{a}": a}), "a=2 the criteria are"),
        (lambda _X, _y: Multiverse({"a": (1, 2)}).run(lambda a: {"v": np.ones(a)}), "shape"),
        (lambda _X, _y: Multiverse({"a": (1, 2)}).run(lambda a: {"v": np.nan * a}), "no value in any"),
        (lambda _X, _y: Multiverse({"a": (1, 2)}, ("w",)).run(lambda a: {"v": a}), "names 'w'"),
        (lambda X, y: Multiverse.of_detectors(X, y[:50]), "50 labels for 240 rows"),
        (lambda X, y: Multiverse.of_detectors(X, 0 * y), "0 anomalies"),
        (lambda X, y: Multiverse.of_detectors(X, y, halvings=1), "halvings is 1"),
        (lambda X, y: Multiverse.of_detectors(X, y, SMALL | {"columns": ("cubed", "as given")}), "columns is 'cubed'"),
        (lambda X, y: Multiverse.of_detectors(X, y, SMALL | {"method": ("KNNN", "KNN")}), "method=KNNN.*KNN"),
        (lambda X, _y: Multiverse.of_tables(X[:10], flawed, {"flaw": FLAWS}), "at least 20"),
        (lambda X, _y: Multiverse.of_tables(X, lambda X, n, s, a: X[:, :a], {"a": (1, 2)}), "a=1 the generator"),  # noqa: ARG005
        (lambda X, _y: Multiverse.of_tables(X, lambda X, n, s, a: X[a:], {"a": (1, 2)}, matched=True), "239 rows"),  # noqa: ARG005
        (lambda X, _y: Multiverse.of_tables(X, flawed, {"flaw": FLAWS}, scales={"s": ["nope"]}), "no column 'nope'"),
        (lambda X, _y: Multiverse.of_tables(X, flawed, {"flaw": FLAWS}, halvings=1), "halvings is 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(rng, call, sentence) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        call(*rows_with_anomalies(rng))
    assert "\n" not in str(caught.value)
