"""Logs through the front door: recognised, judged, fitted, saved, scored, refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import unusual
from unusual import InputError
from unusual._scan import _is_log
from unusual.log_findings import LogFindings

COMMAND = [sys.executable, "-c", "from unusual._cli import main; main()"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two thousand lines of three kinds, and one of a kind of its own."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(2000):
        stamp = f"2026-03-01 {i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}"
        what = ["connection from 10.0.0.%d accepted", "job %d finished in 12 ms", "heartbeat %d"][rng.integers(3)]
        lines.append(f"{stamp} INFO server: {what % rng.integers(100)}")
    lines[1234] = lines[1234][:20] + "ERROR server: disk sda1 failed, giving up"
    path = tmp_path_factory.mktemp("logs") / "app.log"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("source", "kind", "is_one"),
    [("a/app.log", None, True), ("app.log.1", None, True), ("app.log.2.gz", None, True), ("app.log*", None, True),
     ("app-2026.log", None, True), ("data.csv", None, False), ("log.csv", None, False), ("catalog", None, False),
     ("data.csv", "events", True), ("app.log", "table", False), ({"a": [1]}, None, False)],
)  # fmt: skip
def test_which_sources_are_logs(source, kind, is_one) -> None:
    assert _is_log(source, kind, None) is is_one


def test_a_line_of_its_own_kind_is_found(log: Path) -> None:
    found = unusual.scan(log, budget=3)
    assert isinstance(found, LogFindings)
    assert any(1235 in one.lines for one in found.findings)
    assert "disk" in next(one for one in found.findings if 1235 in one.lines).template


def test_fit_save_load_score(log: Path, tmp_path: Path) -> None:
    normal = tmp_path / "normal.log"
    normal.write_text("\n".join(line for line in log.read_text().splitlines() if "disk" not in line) + "\n")
    model = unusual.fit(normal)
    model.save(tmp_path / "l.unusual")
    assert "1,999 lines" in model.summary()
    found = unusual.score(tmp_path / "l.unusual", log)
    assert any(1235 in one.lines for one in found.findings)
    again = unusual.score(model, log)
    assert [one.reason for one in again.findings] == [one.reason for one in found.findings]


@pytest.mark.parametrize(
    "options", [{"fdr": 0.1, "reference": "x"}, {"group": "lot"}, {"label": "y"}, {"alarms_per_day": 1.0}]
)
def test_options_that_a_log_does_not_know_are_refused(log: Path, options) -> None:
    with pytest.raises(InputError, match="a log knows nothing of it"):
        unusual.scan(log, **options)


def test_the_command_line_reads_logs(log: Path, tmp_path: Path) -> None:
    out = subprocess.run(
        [*COMMAND, "scan", str(log), "--budget", "2", "--html", "r.html", "--csv", "r.csv"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "disk" in out.stdout
    assert (tmp_path / "r.html").stat().st_size > 1000
    parquet = subprocess.run(
        [*COMMAND, "scan", str(log), "--parquet", "r.parquet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert parquet.returncode == 2
    assert "--csv or --json" in parquet.stderr
