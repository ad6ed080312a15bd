"""The main job end to end, in process: what a scan finds, says, promises and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unusual
from unusual import Findings, InputError
from unusual._model import TableModel
from unusual.decide.reference import bulk_moved

QUICK = {"method": "Mahalanobis", "group": "lot"}


def machines(rng: np.random.Generator, n: int = 300, odd: int = 0, shift: float = 0.0) -> dict[str, np.ndarray]:
    """A table of measurements with an id, a lot, a category and a constant; the last `odd` rows have a hot pump."""
    load = rng.uniform(10, 90, n)
    temperature = 40 + 0.3 * load + rng.normal(0, 1, n) + shift
    pressure = 5 + 0.01 * load + rng.normal(0, 0.1, n)
    temperature[n - odd :] += 25
    return {
        "part": np.array([f"P{i:05d}" for i in range(n)], dtype=object),
        "lot": np.arange(n) // 10,
        "load": load,
        "temperature": temperature,
        "pressure": pressure,
        "site": np.array(["north", "south", "east"], dtype=object)[rng.integers(0, 3, n)],
        "line": np.full(n, 4),
        "is_anomaly": (np.arange(n) >= n - odd).astype(int),
    }


@pytest.fixture(scope="module")
def judged() -> Findings:
    rng = np.random.default_rng(3)
    return unusual.scan(machines(rng, 200, odd=12), machines(rng, 1500), id="part", label="is_anomaly", **QUICK)


def test_it_finds_what_was_planted(judged: Findings) -> None:
    assert set(judged.rows) >= set(range(188, 200))
    assert len(judged) <= 12 + 6
    assert judged.metrics["AUROC"].estimate > 0.99
    assert judged.items[judged.rows[0]].startswith("P")
    assert_array_equal(judged.anomalous, judged.scores > judged.threshold)
    assert_array_equal(judged.anomalous, judged.p_values <= 0.01)


def test_the_reason_names_column_and_value(judged: Findings) -> None:
    finding = judged.finding(195)
    assert finding.reason.startswith("`temperature` ")
    assert "reference rows" in finding.reason
    assert finding.contributions[0].feature == "temperature"
    assert finding.contributions[0].contribution > 0
    named = {c.feature for c in finding.contributions}
    assert not named & {"part", "is_anomaly"}


def test_findings_that_share_a_cause_are_one_problem(judged: Findings) -> None:
    largest = judged.causes[0]
    assert set(largest.rows) >= set(range(190, 200)) - {190, 191}
    assert largest.features[0] == "temperature"
    assert largest.sentence.startswith(f"{len(largest.rows)} rows, one problem: `temperature`")
    assert sorted(row for cause in judged.causes for row in cause.rows) == sorted(judged.rows)


def test_the_promise_is_said_in_numbers(judged: Findings) -> None:
    said = judged.calibration
    assert said.kind == "guaranteed"
    assert 300 < said.items < 600
    assert said.interval[0] < 0.01 < said.interval[1]
    assert said.expected_false_alarms == pytest.approx(said.rate * 200)
    assert "expected false alarms" in said.sentence


def test_what_was_done_with_each_column_is_said(judged: Findings) -> None:
    done = {column.name: column for column in judged.columns}
    assert set(done) == set(machines(np.random.default_rng(0), 5))
    assert not done["part"].used
    assert not done["is_anomaly"].used
    assert not done["line"].used
    assert done["site"].kind == "category"
    assert done["temperature"].kind == "number"
    assert all(column.treatment for column in judged.columns)


def test_saved_models_judge_alike(judged: Findings, tmp_path: Path) -> None:
    judged.model.save(tmp_path / "m.unusual")
    assert isinstance(unusual.load(tmp_path / "m.unusual"), TableModel)
    again = unusual.score(tmp_path / "m.unusual", judged.table.columns)
    assert_array_equal(again.scores, judged.scores)
    assert_array_equal(again.anomalous, judged.anomalous)
    assert again.calibration.sentence == judged.calibration.sentence
    stricter = unusual.score(judged.model, judged.table.columns, alarm_rate=0.005)
    assert stricter.threshold > judged.threshold
    assert judged.model.settings["alarm_rate"] == 0.01


def test_labels_never_change_a_score(rng: np.random.Generator) -> None:
    table = machines(rng, 200, odd=5)
    with_labels = unusual.scan(table, label="is_anomaly", alarm_rate=0.05, **QUICK)
    without = unusual.scan({k: v for k, v in table.items() if k != "is_anomaly"}, alarm_rate=0.05, **QUICK)
    assert_array_equal(with_labels.scores, without.scores)
    assert without.metrics is None


def test_budget_keeps_the_most_unusual_and_says_so(rng: np.random.Generator) -> None:
    table = machines(rng, 300, odd=20)
    findings = unusual.scan(table, alarm_rate=0.06, budget=5, **QUICK)
    assert len(findings) == 5
    assert set(findings.rows) == set(np.argsort(-findings.scores)[:5])
    assert f"{findings.above_threshold - 5} more lie above the threshold" in findings.summary()


def test_without_reference_nothing_is_guaranteed(rng: np.random.Generator) -> None:
    findings = unusual.scan(machines(rng, 400, odd=16), **QUICK)
    assert findings.calibration.kind == "estimated"
    assert findings.calibration.expected_false_alarms is None
    assert 4 <= len(findings) <= 60
    assert set(findings.rows[:10]) <= set(range(384, 400))
    top = unusual.scan(machines(rng, 400, odd=16), alarm_rate=0.02, **QUICK)
    assert len(top) == 8
    assert len(unusual.scan(machines(rng, 400), budget=7, **QUICK)) == 7


def test_few_rows_and_equal_rows_get_a_sentence_not_an_estimate(rng: np.random.Generator) -> None:
    few = unusual.scan(machines(rng, 30), **QUICK)
    assert len(few) == 0
    assert "30 rows are too few to estimate" in few.calibration.sentence
    assert len(unusual.scan(machines(rng, 30), budget=3, **QUICK)) == 3


def test_a_model_without_a_reference_promises_nothing(rng: np.random.Generator) -> None:
    found = unusual.scan(machines(rng, 200, odd=4), alarm_rate=0.02, **QUICK)
    later = unusual.score(found.model, machines(rng, 200, odd=4))
    assert later.calibration.kind == "estimated"
    assert "without a reference" in later.calibration.sentence
    assert len(set(later.rows) & set(range(196, 200))) >= 3


def test_false_discovery_rate_with_a_reference(rng: np.random.Generator) -> None:
    findings = unusual.scan(machines(rng, 300, odd=30), machines(rng, 3000), fdr=0.1, **QUICK)
    assert set(findings.rows) >= set(range(270, 300))
    assert len(findings) <= 40
    assert findings.calibration.kind == "guaranteed"
    assert "10 % of the findings" in findings.calibration.sentence


def test_a_small_reference_is_used_whole_and_called_approximate(rng: np.random.Generator) -> None:
    findings = unusual.scan(machines(rng, 50), machines(rng, 200), **QUICK)
    assert findings.calibration.kind == "approximate"
    assert findings.calibration.items == 200
    beyond = unusual.scan(machines(rng, 50), machines(rng, 200), alarm_rate=0.001, **QUICK)
    assert beyond.calibration.kind == "extrapolated"
    assert beyond.threshold > findings.threshold
    tiny = unusual.scan(machines(rng, 50), machines(rng, 40), **QUICK)
    assert tiny.calibration.rate == pytest.approx(1 / 41)
    assert "2.4 %, is used instead" in tiny.calibration.sentence
    assert any("only 40 rows" in note for note in tiny.notes)


def test_groups_stay_together_in_the_calibration(rng: np.random.Generator) -> None:
    reference = machines(rng, 1000)
    lot_effect = rng.normal(0, 10, 100)[reference["lot"]]
    reference["temperature"] = reference["temperature"] + lot_effect
    named = {"method": "Mahalanobis", "columns": ["load", "temperature", "pressure"]}
    by_row = unusual.fit(reference, **named).detector.calibration_
    by_lot = unusual.fit(reference, group="lot", **named).detector.calibration_
    assert len(by_lot) % 10 == 0
    assert len(by_row) == pytest.approx(300, abs=40)


def test_a_moved_reference_withdraws_the_rate(rng: np.random.Generator) -> None:
    findings = unusual.scan(machines(rng, 300, shift=30.0), machines(rng, 1500), **QUICK)
    assert findings.calibration.kind == "withdrawn"
    assert findings.calibration.rate is None
    assert any("`temperature`" in note and "moved" in note for note in findings.notes)


def test_other_units_and_contamination_are_noticed(rng: np.random.Generator) -> None:
    new = machines(rng, 300)
    new["pressure"] = new["pressure"] * 1000
    findings = unusual.scan(new, machines(rng, 1500), **QUICK)
    assert any("`pressure` seems to be in other units: about 1,000 times" in note for note in findings.notes)
    assert findings.calibration.kind == "withdrawn"
    dirty = machines(rng, 1500, odd=15)
    noted = unusual.scan(machines(rng, 100), dirty, method="KNN", group="lot").notes
    assert any("reference rows look anomalous themselves" in note for note in noted)


def test_related_rows_bear_witness_once(rng: np.random.Generator) -> None:
    p_values = np.clip(rng.uniform(0, 1, 20)[:, None] ** 0.6 + rng.normal(0, 0.005, (20, 20)), 0.001, 1).ravel()
    assert bulk_moved(p_values, 1000)  # 400 rows would be proof
    assert not bulk_moved(p_values, 1000, related=20.0)  # 20 lots are not


def test_many_anomalies_do_not_pass_for_drift(rng: np.random.Generator) -> None:
    findings = unusual.scan(machines(rng, 400, odd=100), machines(rng, 1500), **QUICK)
    assert findings.calibration.kind == "guaranteed"


def test_files_are_written_and_say_the_same(judged: Findings, tmp_path: Path) -> None:
    judged.to_csv(tmp_path / "o.csv")
    judged.to_parquet(tmp_path / "o.parquet")
    judged.to_json(tmp_path / "o.json")
    for name in ("o.csv", "o.parquet"):
        rows = duckdb.sql(f"SELECT item, score, anomalous::INT, reason FROM '{tmp_path / name}'").fetchall()
        assert [row[0] for row in rows] == judged.items.tolist()
        assert [row[1] for row in rows] == judged.scores.tolist()
        assert [row[2] for row in rows] == judged.anomalous.astype(int).tolist()
        assert rows[195][3] == judged.reason(195)
    body = json.loads((tmp_path / "o.json").read_text())
    assert body["summary"] == judged.summary()
    assert [f["row"] for f in body["findings"]] == judged.rows
    assert len(judged.frame()) == 200


def test_any_row_can_be_explained_and_none_beyond(judged: Findings) -> None:
    assert judged.explanation(0)
    assert judged.explanation(-1) == judged.explanation(199)
    with pytest.raises(InputError, match="rows 0 to 199"):
        judged.explanation(200)


def test_progress_tells_every_step(rng: np.random.Generator) -> None:
    told: list[tuple[int, int, str]] = []
    unusual.scan(machines(rng, 60), alarm_rate=0.05, progress=lambda *step: told.append(step), **QUICK)
    assert [what for *_, what in told] == [
        "reading",
        "understanding the columns",
        "fitting",
        "scoring",
        "explaining",
        "done",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"alarm_rate": 2}, "between 0 and 1"),
        ({"fdr": 0.1}, "needs a reference"),
        ({"fdr": 0.1, "alarm_rate": 0.1}, "give one"),
        ({"budget": 0}, "budget is 0"),
        ({"kind": "image"}, "leave it out, or give one of"),
        ({"method": "KN"}, "no method 'KN'"),
        ({"method": "ContaminationPosterior"}, "no detector of tables"),
        ({"id": "prt"}, "did you mean 'part'"),
        ({"group": "lott"}, "did you mean 'lot'"),
        ({"columns": ["loda"]}, "did you mean 'load'"),
        ({"label": "site"}, "other values than 0 and 1"),
    ],
)
def test_bad_options_end_in_a_sentence(options: dict, sentence: str, rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        unusual.scan(machines(rng, 60, odd=3), **{**QUICK, **options})
    assert "\n" not in str(caught.value)


def test_one_row_and_one_column(rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match="1 row; at least 2"):
        unusual.scan({"a": np.array([1.0])}, method="Mahalanobis")
    findings = unusual.scan({"a": np.r_[rng.normal(size=99), 9.0]}, alarm_rate=0.02, method="Mahalanobis")
    assert findings.rows[0] == 99


def test_a_reference_with_other_columns_or_types(rng: np.random.Generator) -> None:
    new, reference = machines(rng, 60), machines(rng, 200)
    del new["pressure"]
    with pytest.raises(InputError, match="pressure"):
        unusual.scan(new, reference, **QUICK)
    new["pressure"] = np.array(["high"] * 60, dtype=object)
    with pytest.raises(InputError, match="pressure"):
        unusual.scan(new, reference, **QUICK)


@pytest.mark.parametrize("method", ["KNN", "Mahalanobis", "PCA", "GaussianMixture", None])
def test_a_row_with_cells_that_were_never_missing_is_found(method) -> None:
    rng = np.random.default_rng(0)
    new = rng.normal(size=(50, 4))
    new[10], new[20, 1] = np.nan, np.nan
    reference = dict(zip("abcd", rng.normal(size=(500, 4)).T, strict=True))
    found = unusual.scan(dict(zip("abcd", new.T, strict=True)), reference, method=method)
    assert {10, 20} <= set(found.rows)
    assert "`b` is missing, as in none of 350 reference rows" in found.reason(20)


def test_where_nothing_is_found_the_highest_scores_are_shown_all_the_same() -> None:
    import io

    from rich.console import Console

    from unusual.report.text import table

    X = np.random.default_rng(0).normal(size=(200, 2))
    found = unusual.scan({"a": X[:, 0], "b": X[:, 1]})
    assert len(found) == 0
    assert found.highest(3) == np.argsort(-found.scores, kind="stable")[:3].tolist()
    stream = io.StringIO()
    table(found, Console(file=stream, width=100))
    assert "none is high enough" in stream.getvalue()
    assert str(found.highest(1)[0]) in stream.getvalue()
