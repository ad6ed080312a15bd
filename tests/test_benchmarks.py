"""The parts of the benchmarks on small data: tables, comparisons, orders to a peer's process, timing, the pages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import (
    accuracy_page,
    page,
    peer_worker,
    results,
    scan_end_to_end,
    series,
    series_accuracy,
    series_speed,
    speed_page,
    tables,
    tables_speed,
)
from benchmarks.peers import FORCED, Peer, single_thread

from unusual import kernels


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Two tables of 40 and 60 rows with 10 anomalies each, and a constant column."""
    for name, n in {"a": 40, "b": 60}.items():
        X = rng.normal(size=(n, 3))
        X[:10] += 6
        X[:, 2] = 1.0
        np.savez(tmp_path / f"{name}.npz", X=X, y=np.arange(n) < 10)
    return tmp_path


def test_tables_are_z_scored_without_constant_columns(folder: Path) -> None:
    assert tables.names(folder) == ["a", "b"]
    split = tables.whole("a", folder)
    assert split.X.shape == (40, 2)
    assert split.new is None
    np.testing.assert_allclose(split.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(split.X.std(axis=0), 1)
    assert split.judge(split.X.sum(axis=1)) == (1.0, 1.0)


def test_clean_halves_hold_normal_rows_only(folder: Path) -> None:
    splits = list(tables.clean_halves("b", 2, folder))
    sizes = [(len(split.X), 0 if split.new is None else len(split.new), split.y.sum()) for split in splits]
    assert sizes == [(25, 35, 10)] * 2
    assert not np.array_equal(splits[0].X, splits[1].X)


def test_missing_data_are_reported(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="UNUSUAL_TEST_DATA"):
        tables.names(tmp_path / "nowhere")


def test_results_are_kept_part_by_part(tmp_path: Path) -> None:
    results.keep("speed", "one", {"x": 1}, tmp_path)
    results.keep("speed", "two", {"x": 2}, tmp_path)
    results.keep("speed", "one", {"x": 3}, tmp_path)
    assert results.load("speed", tmp_path) == {"one": {"x": 3}, "two": {"x": 2}}
    assert results.load("other", tmp_path) == {}


def figures(**values: list[float]) -> accuracy_page.Figures:
    return {
        method: {f"t{i}": {"auroc": v, "ap": v / 2} if v == v else {"failed": "it broke"} for i, v in enumerate(row)}
        for method, row in values.items()
    }


def test_failed_runs_rank_last() -> None:
    ranks = accuracy_page.mean_ranks(figures(a=[0.9, 0.9], b=[0.8, np.nan], c=[0.7, np.nan]), "auroc", ["t0", "t1"])
    assert ranks == {"a": 1.0, "b": 2.5, "c": 3.0}


def test_verdicts_follow_the_interval() -> None:
    names = [f"t{i}" for i in range(8)]
    theirs = np.linspace(0.5, 0.9, 8)
    noise = np.array([1, -1, 1, -1, 1, -1, 1, -1]) * 0.01
    for shift, word in {0.1: "above", 0.0: "level", -0.1: "below"}.items():
        assert accuracy_page.verdict(accuracy_page.difference(theirs + shift + noise, theirs, names)) == word


def test_page_on_quality_tells_all_methods() -> None:
    peers = figures(**{"pyod.KNN": [0.7, 0.6, 0.8], "pyod.ECOD": [0.6, 0.6, 0.5], "ADEngine.detect": [0.5, 0.4, 0.3]})
    ours = figures(KNN=[0.75, 0.7, 0.8], ECOD=[0.6, 0.6, 0.5])
    kept = {"peers": peers, "classics": ours, "auto": figures(AutoTable=[0.9, 0.8, 0.9]), "clean_peers": peers}
    text = accuracy_page.markdown({part: {"methods": methods} for part, methods in kept.items()})
    assert "| **AutoTable** | 0.867 | 0.433 | 1.00 | 1.00 | 0 |" in text
    assert "| KNN | KNN | 3 | 0.750 | 0.700 |" in text
    assert "the best single one, PyOD KNN" in text


def test_peers_answer_orders_in_their_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNUSUAL_PEERS", sys.prefix)  # scikit-learn alone is a peer as well
    data, out = tmp_path / "X.npy", tmp_path / "scores.npy"
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[0] = 9
    np.save(data, X)
    order = {"method": "sklearn.neighbors.LocalOutlierFactor", "data": str(data), "seeds": 1, "limit": 60, "enough": 10}
    with Peer() as ask:
        ask(do="warm", methods=[order["method"]])
        answer = ask(do="scores", out=str(out), **order)
        broken = ask(do="scores", out=str(out), **{**order, "method": "sklearn.neighbors.Nothing"})
    assert set(answer) == {"cpu"}
    assert np.load(out).argmax() == 0
    assert "Nothing" in broken["failed"]


def test_single_thread_drops_what_forces_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORCED[0], "Nehalem")
    assert FORCED[0] not in single_thread()
    assert single_thread()["OMP_NUM_THREADS"] == "1"


def test_both_sides_are_timed_in_turn(tmp_path: Path) -> None:
    def ask(**order: object) -> dict[str, object]:
        return peer_worker.ORDERS[str(order["do"])](order)

    row = tables_speed.Row("IsolationForest", 600, 4, "sklearn_forest", {"trees": 20}, ("plain", "numpy"), again=True)
    found = tables_speed._compared(row, ask, tmp_path)
    levels = [level for level in row.levels if level in kernels.available()]
    assert [len(found["ours"][level]) for level in levels] == [tables_speed.REPEATS] * len(levels)
    assert found["agreement"] > 0.8
    text = speed_page.markdown({"numpy_forest": {**found, "machine": {}}})
    assert "| IsolationForest | 600 x 4 float32 | fit, score as new rows | scikit-learn |" in text


def test_rows_of_the_speed_benchmark_name_methods_and_tasks() -> None:
    assert {row.task for row in tables_speed.ROWS.values()} <= set(peer_worker.TASKS)
    with pytest.raises(SystemExit, match="no row nothing"):
        tables_speed.run(["nothing"])


def test_windows_are_timed_and_compared_with_those_of_a_peer(tmp_path: Path) -> None:
    def ask(**order: object) -> dict[str, object]:
        x = np.load(str(order["data"]))
        if "out" in order:
            squared, index = kernels.nearest_windows(x, 20)
            np.save(str(order["out"]), np.column_stack([np.sqrt(squared) + 1e-9, index]))
        return {"cpu": 1.5}

    row = series_speed.Row(400, 20, levels=("numpy",))
    found = series_speed.compared(row, ask, tmp_path)
    assert found["apart"] == pytest.approx(1e-9, rel=1e-3)
    assert found["other_neighbours"] == 0
    assert "| 400, 20 | shape | 1.50 | numpy |" in series_speed.markdown({"numpy": {**found, "machine": {}}})
    assert {row.task for row in series_speed.ROWS.values()} <= set(peer_worker.TASKS)
    with pytest.raises(SystemExit, match="no row nothing"):
        series_speed.run(["nothing"])


def test_scan_is_measured_from_outside(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "table.csv"
    scan_end_to_end.write(str(path), 25, 3, chunk=10)
    assert len(path.read_text().splitlines()) == 26
    found = scan_end_to_end.spent(
        [sys.executable, "-c", "raise SystemExit('lost')"], scan_end_to_end.as_installed(tmp_path)
    )
    assert (found["exit"], found["said"]) == (1, ["lost"])
    assert found["wall_s"] > 0
    assert found["peak_mb"] > 1


def test_page_leaves_out_what_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "load", lambda _: {})
    page.write(tmp_path / "benchmarks.md")
    assert (tmp_path / "benchmarks.md").read_text(encoding="utf-8").startswith("# Benchmarks")


def test_a_series_is_read_judged_and_the_weights_chosen_without_its_family(tmp_path: Path) -> None:
    t = np.arange(400)
    y = ((t >= 200) & (t < 220)).astype(int)
    x = np.sin(t / 5) + 3 * y
    stamps = np.datetime64("2026-01-01T00:00:00") + t * np.timedelta64(1800, "s")
    rows = [f"{str(stamp).replace('T', ' ')},{a},{b}" for stamp, a, b in zip(stamps, x, y, strict=True)]
    (tmp_path / "nab_one.csv").write_text("\n".join(["timestamp,value,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "manifest.csv").write_text("name\n", encoding="utf-8")
    assert series.names(tmp_path) == ["nab_one"]
    one = series.read("nab_one", tmp_path)
    assert one.steps_per_day == 48
    perfect, useless = one.judge(y + 0.0), one.judge(np.zeros(400))
    assert perfect["vus_pr"] == pytest.approx(perfect["ceiling"], abs=1e-3)
    assert perfect["events"] == 1
    assert useless["vus_pr"] < 0.3
    assert len(series_accuracy._of_configurations(one.values, one.labels)) == len(series_accuracy.CONFIGURATIONS)
    figures = np.array([[0.9, 0.1], [0.8, 0.2], [0.0, 0.7]])
    judged, chosen = series_accuracy.left_out(figures, ["nab", "nab", "ucr"])
    assert chosen == [1, 1, 0]
    assert judged.tolist() == [0.1, 0.2, 0.0]
