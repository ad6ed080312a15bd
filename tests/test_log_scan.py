"""Scanning a log from file to findings: what is found, what is said of it, and where it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from unusual._log_model import LogModel
from unusual._log_scan import fit_log, scan_log
from unusual.data.log_events import read_log
from unusual.errors import InputError
from unusual.log_findings import LogFindings
from unusual.store import load

SETTINGS = {"by": None, "severity": True, "alarm_rate": 0.01, "budget": None, "random_state": 0}


def session(rng: np.random.Generator, name: int, second: float, steps: list[str]) -> list[tuple[float, str]]:
    """Stamped lines of one request."""
    lines = []
    for step in steps:
        second += rng.exponential(0.2)
        text = f"{'ERROR' if step == 'failed' else 'INFO'} request={name} {step} after {rng.integers(1, 50)} ms"
        lines.append((second, text))
    return lines


def written(path: Path, lines: list[tuple[float, str]]) -> Path:
    start = np.datetime64("2024-03-01T00:00:00.000")
    stamped = [f"{start + np.timedelta64(int(at * 1000), 'ms')} {text}".replace("T", " ") for at, text in sorted(lines)]
    path.write_text("\n".join(stamped) + "\n")
    return path


def service(
    rng: np.random.Generator, first: int, count: int, odd: dict[int, list[str]] | None = None
) -> list[tuple[float, str]]:
    """Requests that come in, are checked, read some pages, and end; those in `odd` go otherwise."""
    lines = []
    for i in range(count):
        usual = ["opened", "was checked", *["read page"] * int(rng.integers(1, 4)), "ended"]
        lines += session(rng, first + i, float(first + i), (odd or {}).get(i, usual))
    return lines


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A quiet log, and one with a request out of order, a new kind of line, a large number, a burst and a delay."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("logs")
    quiet = written(folder / "quiet.log", service(rng, 1000, 1500))
    odd = {150: ["opened", "ended", "was checked", "read page"], 300: ["opened", "was checked", "failed", "ended"]}
    lines = service(rng, 4000, 500, odd)
    at = next(i for i, (_, text) in enumerate(lines) if "request=4070 read page" in text)
    lines[at] = (lines[at][0], lines[at][1].replace(" ms", "999 ms"))
    lines += [(4200.5 + 0.001 * k, f"INFO request=4200 read page after {k % 40 + 1} ms") for k in range(120)]
    lines += [(4399.0, "INFO cache of node 7 was emptied by hand")]
    return quiet, written(folder / "new.log", lines)


@pytest.fixture(scope="module")
def found(files: tuple[Path, Path]) -> LogFindings:
    return scan_log(files[1], files[0])


def test_what_was_planted_is_found_and_named(found: LogFindings) -> None:
    kinds = {finding.kind: finding for finding in reversed(found.findings)}
    texts = {f.kind: f.around[[n for n, _ in f.around].index(f.lines[0])][1] for f in kinds.values()}
    assert any("emptied by hand" in dict(f.around)[f.lines[0]] and f.kind == "new" for f in found)
    assert any("request=4070" in dict(f.around)[f.lines[0]] and f.kind == "value" for f in found)
    assert any(f.kind == "burst" and "read page" in f.template and f.count > 50 for f in found)
    assert {"request=4150", "request=4300", "request=4200"} <= {f.key for f in found if f.kind == "sequence"}
    assert texts
    assert len(found) < 25


def test_reasons_are_sentences_with_the_evidence(found: LogFindings) -> None:
    by_kind = {finding.kind: finding for finding in reversed(found.findings)}
    assert "never seen in the reference" in by_kind["new"].reason
    assert "are usual" in by_kind["value"].reason
    assert "such lines within" in by_kind["burst"].reason
    order = next(f for f in found if f.key == "request=4150")
    assert "usually comes" in order.reason or "than the most similar usual sequence" in order.reason
    for finding in found:
        assert "\n" not in finding.reason
        assert np.isfinite(finding.score)
        assert 0 < finding.p_value <= 1


def test_positions_point_at_the_lines(found: LogFindings, files: tuple[Path, Path]) -> None:
    raw = files[1].read_bytes()
    lines = raw.split(b"\n")
    for finding in found:
        for number, offset in zip(finding.lines, finding.offsets, strict=True):
            assert raw[offset:].startswith(lines[number - 1])
        assert dict(finding.around)[finding.lines[0]].encode() == lines[finding.lines[0] - 1]


def test_a_quiet_log_raises_few_alarms(files: tuple[Path, Path], tmp_path: Path) -> None:
    again = written(tmp_path / "again.log", service(np.random.default_rng(9), 9000, 500))
    quiet = scan_log(again, files[0])
    assert sum(f.kind == "sequence" for f in quiet) <= 15  # 1 % of 500, and they may have company
    assert (quiet.scores > quiet.threshold).mean() < 0.02
    assert quiet.calibration.kind == "approximate"


def test_without_a_reference_lines_are_ranked(files: tuple[Path, Path]) -> None:
    found = scan_log(files[1], budget=10)
    assert 1 <= len(found) <= 10
    shown = [dict(f.around)[f.lines[0]] for f in found]
    assert any("emptied by hand" in text or "failed" in text for text in shown)
    assert found.calibration.kind == "estimated"


def test_the_study_and_the_files_hold_it_all(found: LogFindings, tmp_path: Path) -> None:
    study = found.study()
    assert "new kind" in study.answer
    for name in ("a.html", "a.json", "a.csv"):
        getattr(found, f"to_{name[2:]}")(tmp_path / name)
    kept = json.loads((tmp_path / "a.json").read_text())
    assert len(kept["findings"]) == len(found)
    assert len((tmp_path / "a.csv").read_text().splitlines()) == len(found.scores) + 1
    assert len(found.frame()) == len(found.scores)
    assert "▶" in (tmp_path / "a.html").read_text()


def test_a_saved_model_finds_the_same(files: tuple[Path, Path], found: LogFindings, tmp_path: Path) -> None:
    model = fit_log(read_log(files[0]), SETTINGS)
    model.save(tmp_path / "m.unusual")
    again = load(tmp_path / "m.unusual")
    assert isinstance(again, LogModel)
    np.testing.assert_allclose(scan_log(files[1], again).scores, found.scores)


def test_another_kind_of_log_withdraws_the_promise(files: tuple[Path, Path], tmp_path: Path) -> None:
    lines = [
        (float(i), f"INFO job {i} {'waits for' if i % 3 else 'leaves'} the queue of printer {i % 5}")
        for i in range(300)
    ]
    other = scan_log(written(tmp_path / "other.log", lines), files[0])
    assert other.calibration.kind == "withdrawn"
    assert any("take a newer one" in note for note in other.notes)


def test_too_short_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 20"):
        scan_log(written(tmp_path / "short.log", [(0.0, "INFO a"), (1.0, "INFO b")]))


def test_real_log_reads_well(real_data: Path) -> None:
    found = scan_log(real_data / "events" / "zookeeper_2k.log", budget=5)
    assert len(found) == 5
    assert found.study().blocks
