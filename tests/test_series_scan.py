"""A scan of series: recognised, cut by a budget or alarms a day, merged into events, explained, saved, written."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unusual
from unusual import InputError
from unusual.explain.nearest_stretch import nearest_stretch
from unusual.series_findings import SeriesFindings

PERIOD, STEPS = 48, 2400
COMMAND = [sys.executable, "-c", "from unusual._cli import main; main()"]


def machine(seed: int, steps: int = STEPS, odd: bool = False) -> dict[str, np.ndarray]:
    """Half an hour a step: temperature follows the day, pressure does not; odd: pressure falls, temperature freezes."""
    rng = np.random.default_rng(seed)
    t = np.arange(steps)
    temperature = 20 + 5 * np.sin(2 * np.pi * t / PERIOD) + 0.2 * rng.normal(size=steps)
    pressure = 1000 + 2 * np.cos(2 * np.pi * t / PERIOD) + 0.2 * rng.normal(size=steps)
    label = np.zeros(steps, dtype=np.int64)
    if odd:
        pressure[1000:1012] -= 9
        temperature[1700:1748] = 20
        label[1000:1012] = label[1700:1748] = 1
    when = np.datetime64("2026-01-01", "us") + t * np.timedelta64(1800, "s")
    return {"time": when, "temperature": temperature, "pressure": pressure, "label": label}


@pytest.fixture(scope="module")
def found() -> SeriesFindings:
    return unusual.scan(machine(0, odd=True), label="label", budget=4)


def test_a_series_is_recognised_and_its_events_are_found(found: SeriesFindings) -> None:
    assert isinstance(found, SeriesFindings)
    assert "read as a series" in found.notes[0]
    assert found.scores.shape == (STEPS,)
    hit = {(e.start <= 1010 and e.end >= 1002, e.start <= 1740 and e.end >= 1705) for e in found.events[:2]}
    assert hit == {(True, False), (False, True)}
    assert found.anomalous[found.events[0].start : found.events[0].end + 1].all()
    assert found.metrics["AUROC of steps"].estimate > 0.9
    assert len(found.events) <= 4


def test_an_event_says_what_would_have_been_usual(found: SeriesFindings) -> None:
    fall = next(e for e in found.events if e.start <= 1010 and e.end >= 1002)
    assert fall.drivers[0][0] == "pressure"
    assert fall.drivers[0][1] > 0.8
    assert fall.seen == pytest.approx(991, abs=3)
    assert fall.usual == pytest.approx(1000, abs=3)
    assert "`pressure` is 99" in fall.reason
    assert found.reason(1005) == fall.reason
    assert found.reason(10) == ""
    assert str(fall.start_time).startswith("2026-01-2")


def test_the_page_shows_events_and_close_ups(found: SeriesFindings, tmp_path) -> None:
    found.to_html(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count('class="u-draw u-timeline"') == 2 * (1 + len(found.events))  # wide and narrow
    assert "expected" in page
    found.to_json(tmp_path / "r.json")
    kept = json.loads((tmp_path / "r.json").read_text())
    assert kept["events"][0]["reason"] == found.events[0].reason
    found.to_csv(tmp_path / "r.csv")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert sum(int(row["anomalous"]) for row in rows) == found.anomalous.sum()
    assert float(rows[7]["score"]) == found.scores[7]
    found.to_parquet(tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").stat().st_size > 1000


def test_with_a_reference_alarms_a_day_are_promised_and_kept() -> None:
    reference = machine(1, steps=24_000)
    alarms = []
    for seed in range(5):
        new = machine(10 + seed, steps=12_000)  # 250 days
        found = unusual.scan(new, reference, alarms_per_day=0.05)
        alarms.append(len(found.events))
    assert found.calibration.kind == "approximate"
    assert "stretches of 192 steps" in found.calibration.sentence
    assert 2 <= np.mean(alarms) <= 25  # 12.5 are allowed
    odd = unusual.scan(machine(0, odd=True), reference, alarms_per_day=0.05)
    assert {True} == {any(e.start <= at <= e.end for e in odd.events) for at in (1005, 1720)}


def test_fit_save_load_and_score(tmp_path) -> None:
    model = unusual.fit(machine(1, steps=6000))
    model.save(tmp_path / "m.unusual")
    again = unusual.score(tmp_path / "m.unusual", machine(0, odd=True), budget=3)
    first = unusual.score(model, machine(0, odd=True), budget=3)
    assert_array_equal(again.scores, first.scores)
    assert [e.reason for e in again.events] == [e.reason for e in first.events]
    assert "6,000 steps" in model.summary()
    with pytest.raises(InputError, match="no column 'pressure'"):
        unusual.score(model, {"time": machine(0)["time"], "temperature": machine(0)["temperature"]})


def test_several_series_in_one_table_are_judged_one_by_one() -> None:
    parts = [machine(seed, odd=seed == 2) for seed in range(3)]
    together = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    together["pump"] = np.repeat(["a", "b", "c"], STEPS)
    found = unusual.scan(together, time="time", by="pump", label="label", budget=6)
    assert [s.name for s in found.series] == ["a", "b", "c"]
    assert found.events[0].series == "c"
    assert [e.series for e in found.events[:4]].count("c") == 2
    alone = unusual.scan(parts[2], label="label", budget=6)
    assert_allclose(found.scores[2 * STEPS :], alone.scores)
    model = unusual.fit({k: v for k, v in together.items() if k != "label"}, time="time", by="pump")
    assert sorted(model.detectors) == ["a", "b", "c"]
    with pytest.raises(InputError, match="no series called 'd'"):
        unusual.score(model, {**machine(0), "pump": np.repeat("d", STEPS)})


def test_one_may_ask_for_a_table_or_a_series() -> None:
    data = machine(0, steps=200)
    assert unusual.scan(data, kind="table").kind == "table"
    assert unusual.scan(data, method="KNN").kind == "table"
    flat = {"temperature": data["temperature"]}
    assert unusual.scan(flat, kind="series").kind == "series"
    assert unusual.scan(flat, method="SubPCA").kind == "series"


def test_nothing_unusual_still_shows_the_highest_scores() -> None:
    found = unusual.scan(machine(3))
    assert len(found) == 0
    assert len(found.candidates) == 5
    assert "highest scores" in found.study().blocks[0].caption


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pictures"}, "kind is 'pictures'"),
        ({"alarms_per_day": 1000.0}, "alarms_per_day is 1000.0"),
        ({"fdr": 0.1, "reference": machine(1)}, "the steps of a series are none"),
        ({"method": "KNN", "kind": "series"}, "KNN is for data of kind table.*SubPCA"),
        ({"kind": "table", "alarms_per_day": 1.0}, "is for series"),
        ({"time": "nope"}, "no column 'nope'"),
    ],
)
def test_bad_options_are_one_sentence(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        unusual.scan(machine(0), **options)


def test_plain_steps_have_no_days() -> None:
    with pytest.raises(InputError, match="needs a column of times"):
        unusual.scan({"v": machine(0)["pressure"]}, kind="series", alarms_per_day=1.0)


def test_the_nearest_stretch_is_that_of_a_search_by_hand(rng) -> None:
    Z = rng.normal(size=(300, 2))
    usable = np.ones(300, dtype=bool)
    usable[100:130] = False
    found = nearest_stretch(Z, 105, 117, Z, usable)
    starts = [i for i in range(289) if usable[i : i + 12].all()]
    best = min(starts, key=lambda i: ((Z[105:117] - Z[i : i + 12]) ** 2).sum())
    assert found.start == best
    assert_allclose(found.gaps, (Z[105:117] - Z[best : best + 12]) ** 2)
    assert nearest_stretch(Z, 0, 200, Z[:100], usable[:100]) is None


def test_the_command_line_reads_series(tmp_path) -> None:
    data = machine(0, odd=True)
    lines = ["time,temperature,pressure"]
    lines += [
        f"{t},{a:.3f},{b:.3f}" for t, a, b in zip(*(data[k] for k in ("time", "temperature", "pressure")), strict=True)
    ]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    out = subprocess.run(
        [*COMMAND, "scan", "s.csv", "--budget", "3", "--html", "r.html", "--fail-if-found"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 3, out.stderr
    assert "`pressure`" in out.stdout
    assert "wrote r.html" in out.stdout
