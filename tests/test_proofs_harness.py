"""The harness of the proofs: verdicts, sabotage, what is run again, and the pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from proofs import __main__ as command
from proofs import record
from proofs.harness import DataAbsent, NeedsCheckpoint, Proof, judge, prove, verdict
from proofs.reach import code_fingerprint, data_fingerprint, reached


def part(ours, baseline, margin=0.0, better="higher") -> Proof:
    return Proof("ours is better", "AUROC", ours, baseline, margin, better=better, against="rival")


def noisy(gain: float, better: str = "higher"):
    """A proof whose gain is lost when its key step is removed."""

    def run(seed, _, sabotage=False):
        noise = np.random.default_rng(seed).normal(0, 0.01)
        return part(0.7 + (0.0 if sabotage else gain) + noise, 0.7, margin=0.02, better=better)

    return run


@pytest.mark.parametrize(
    ("gain", "better", "expected"),
    [
        (0.1, "higher", "confirmed"),
        (0.02, "higher", "not confirmed"),
        (-0.1, "higher", "not confirmed"),
        (-0.1, "lower", "confirmed"),
        (0.1, "lower", "not confirmed"),
        (0.1, "equal", "not confirmed"),
    ],
)
def test_verdict_needs_the_margin_over_the_whole_interval(gain, better, expected) -> None:
    result = prove(noisy(gain, better), None)
    assert result["verdict"] == expected
    low, high = result["parts"][0]["interval"]
    assert low <= gain + 0.02
    assert high >= gain - 0.02
    assert result["seeds"] == 10


def test_equal_within_the_margin() -> None:
    assert judge([part(0.05 + 0.001 * s, 0.05, 0.01, "equal") for s in range(-3, 4)])["verdict"] == "confirmed"
    assert judge([part(0.05 + 0.01 * s, 0.05, 0.01, "equal") for s in range(-3, 4)])["verdict"] == "not confirmed"


def test_a_proof_that_does_not_notice_its_sabotage_confirms_nothing() -> None:
    result = prove(lambda seed, _, **__: part(0.9 + 0.001 * seed, 0.7), None)
    assert result["verdict"] == "not confirmed"
    assert "key step" in result["note"]


def test_items_are_resampled_where_there_are_several() -> None:
    """Ten seeds agree to the digit, but three data sets do not: the interval must be that of the data sets."""
    found = judge([part([0.9, 0.7, 0.5], [0.6, 0.6, 0.6]) for _ in range(10)])
    assert found["interval"] == pytest.approx([-0.1, 0.3])
    assert found["verdict"] == "not confirmed"
    assert found["ours"] == pytest.approx(0.7)


def test_some_parts_confirmed_is_partly() -> None:
    yes, no = judge([part(1.0, 0.5)] * 3), judge([part(0.4, 0.5)] * 3)
    assert [verdict([yes, yes]), verdict([yes, no]), verdict([no, no])] == ["confirmed", "partly", "not confirmed"]


def test_slow_proofs_run_fewer_seeds(monkeypatch) -> None:
    monkeypatch.setattr("proofs.harness.LONG_RUN", 0.0)
    assert prove(noisy(0.1), None)["seeds"] == 5


def test_weights_that_are_missing_are_a_verdict() -> None:
    def run(*_, **__):
        raise NeedsCheckpoint("give the weights")

    assert prove(run, None)["verdict"] == "needs checkpoint"


def test_better_has_three_meanings() -> None:
    with pytest.raises(ValueError, match="higher"):
        part(1.0, 0.0, better="more")


# -- what is run again ----------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path) -> dict[str, Path]:
    package = tmp_path / "src" / "unusual"
    (package / "parts").mkdir(parents=True)
    (tmp_path / "proofs").mkdir()
    for file in (package / "__init__.py", package / "parts" / "__init__.py", tmp_path / "proofs" / "__init__.py"):
        file.write_text("")
    (package / "parts" / "deep.py").write_text("VALUE = 1\n")
    (package / "parts" / "near.py").write_text("from .deep import VALUE\n")
    (package / "parts" / "apart.py").write_text("VALUE = 1\n")
    (tmp_path / "proofs" / "claim.py").write_text("from unusual.parts.near import VALUE\n")
    return {"unusual": tmp_path / "src", "proofs": tmp_path}


def test_the_fingerprint_changes_with_the_code_that_is_reached_and_no_other(places) -> None:
    claim, parts = places["proofs"] / "proofs" / "claim.py", places["unusual"] / "unusual" / "parts"
    names = {path.name for path in reached(claim, places)}
    assert {"claim.py", "near.py", "deep.py"} <= names
    before = code_fingerprint(claim, places)
    (parts / "apart.py").write_text("VALUE = 2\n")
    (parts / "deep.py").write_text('"""Said in words."""\n\nVALUE = 1  # and why\n')
    assert code_fingerprint(claim, places) == before
    (parts / "deep.py").write_text("VALUE = 2\n")
    assert code_fingerprint(claim, places) != before


def test_methods_named_in_strings_are_reached() -> None:
    names = {path.name for path in reached(record.PROOFS / "decide" / "alarm_rate.py")}
    assert {"alarm_rate.py", "scenarios.py", "knn.py", "detector.py", "conformal.py"} <= names
    assert "harness.py" not in names


def test_the_fingerprint_of_data_is_that_of_their_content(tmp_path) -> None:
    assert data_fingerprint(tmp_path, ("*.npz",)) is None
    assert data_fingerprint(None, ("*.npz",)) is None
    assert data_fingerprint(tmp_path, ()) == ""
    (tmp_path / "a.npz").write_bytes(b"1")
    before = data_fingerprint(tmp_path, ("*.npz",))
    (tmp_path / "a.npz").write_bytes(b"2")
    assert data_fingerprint(tmp_path, ("*.npz",)) != before


PROOF = '''"""Is it so?"""
from proofs.harness import DataAbsent, Proof
SYSTEM, DATA, QUICK = "029", "generated", {quick}
def run(seed, data_dir, sabotage=False):
    {body}
'''
HOLDS = 'return Proof("it is so", "AUROC", 0.5 if sabotage else 0.8 + seed / 1000, 0.7, 0.02, "by hand")'


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of two proofs in place of the real ones: one quick and true, one whose data are absent."""
    folder = tmp_path / "shelf" / "area"
    folder.mkdir(parents=True)
    (folder / "true_one.py").write_text(PROOF.format(quick=True, body=HOLDS))
    (folder / "lost.py").write_text(PROOF.format(quick=True, body='raise DataAbsent("the tables are not here")'))
    (folder / "slow.py").write_text(PROOF.format(quick=False, body=HOLDS))
    monkeypatch.setattr(record, "PROOFS", tmp_path / "shelf")
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(record, "TEST_DATA", tmp_path / "none")
    import proofs

    monkeypatch.setattr(proofs, "__path__", [*proofs.__path__, str(tmp_path / "shelf")])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("proofs.area")]:
        del sys.modules[name]


def test_only_what_changed_is_run_and_pages_are_written(shelf, capsys) -> None:
    assert command.main(["--quick"]) == 0
    said = capsys.readouterr().out
    assert "area/true_one: confirmed" in said
    assert "area/lost: skipped, the tables are not here" in said
    assert "area/slow: kept" in said
    listed = json.loads((shelf / "docs" / "proofs.json").read_text())
    assert [row["name"] for row in listed] == ["area/true_one"]
    assert {"system", "name", "claim", "data", "metric", "baseline", "ours", "interval", "verdict", "seconds"} <= set(
        listed[0]
    )
    assert listed[0]["system"] == "029"
    page = (shelf / "docs" / "proofs.md").read_text()
    assert "| it is so | generated | AUROC, higher is better, by 0.02 | 0.7 |" in page
    assert "by hand" in page

    command.main(["--quick"])
    assert "area/true_one: kept" in capsys.readouterr().out
    command.main(["true_one"])
    assert "area/true_one: confirmed" in capsys.readouterr().out


def test_a_row_whose_code_changed_is_marked_stale_until_it_is_run(shelf, capsys) -> None:
    command.main(["--quick"])
    file = shelf / "shelf" / "area" / "true_one.py"
    file.write_text(file.read_text().replace("0.8", "0.9"))
    entries = record.entries()
    record.write_pages(entries)
    assert "(stale)" in (shelf / "docs" / "proofs.md").read_text()
    del sys.modules["proofs.area.true_one"]
    command.main([])
    assert "(stale)" not in (shelf / "docs" / "proofs.md").read_text()
    assert "area/slow: confirmed" in capsys.readouterr().out


@pytest.mark.usefixtures("shelf")
def test_an_unknown_proof_is_a_sentence(capsys) -> None:
    assert command.main(["nothing"]) == 2
    assert "there is no proof 'nothing'" in capsys.readouterr().err


def test_every_proof_says_what_it_needs() -> None:
    for entry in record.entries():
        assert entry.module.SYSTEM == "-" or len(entry.module.SYSTEM) == 3
        assert entry.module.DATA
        assert callable(entry.module.run)


def test_absent_data_are_no_verdict() -> None:
    from proofs.scenarios import labelled_tables

    with pytest.raises(DataAbsent):
        next(labelled_tables(None))
