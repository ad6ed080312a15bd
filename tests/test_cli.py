"""The command line as a person uses it: exit codes, sentences, files, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

COMMAND = [sys.executable, "-c", "from unusual._cli import main; main()"]


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a reference and a new table whose last five rows are far off in `b`."""
    folder = tmp_path_factory.mktemp("place")
    rng = np.random.default_rng(5)
    for name, n in (("ref.csv", 600), ("new.csv", 100)):
        X = rng.normal([10, 20, 30], size=(n, 3))
        if name == "new.csv":
            X[-5:, 1] += 15
        lines = ["name,a,b,c", *(f"r{i},{a:.4f},{b:.4f},{c:.4f}" for i, (a, b, c) in enumerate(X))]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def test_scan_prints_findings_and_writes_what_was_asked(place: Path, tmp_path: Path) -> None:
    out = run(
        "scan", place / "new.csv", "--reference", place / "ref.csv", "--method", "Mahalanobis", "--id", "name",
        "--html", "o.html", "--csv", "o.csv", "--json", "o.json", "--parquet", "o.parquet", cwd=tmp_path,
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "r99" in out.stdout
    assert "`b`" in out.stdout
    assert "expected false alarms" in " ".join(out.stdout.split()).lower()
    for name in ("o.html", "o.csv", "o.json", "o.parquet"):
        assert f"wrote {name}" in out.stdout
        assert (tmp_path / name).stat().st_size > 100
    assert out.stderr == ""


def test_fail_if_found_and_quiet(place: Path) -> None:
    words = ("scan", "new.csv", "--reference", "ref.csv", "--method", "Mahalanobis", "--quiet", "--fail-if-found")
    out = run(*words, cwd=place)
    assert (out.returncode, out.stdout, out.stderr) == (3, "", "")


def test_fit_then_score(place: Path, tmp_path: Path) -> None:
    fitted = run(
        "fit", place / "ref.csv", "--save", "m.unusual", "--method", "Mahalanobis", "--id", "name", cwd=tmp_path
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "unusual score m.unusual" in fitted.stdout
    out = run("score", "m.unusual", place / "new.csv", "--fail-if-found", cwd=tmp_path)
    assert out.returncode == 3, out.stderr
    assert "r99" in out.stdout


def test_methods_lists_cards_and_shows_one(place: Path) -> None:
    listed = run("methods", "--data", "table", cwd=place)
    assert "Mahalanobis" in listed.stdout
    shown = run("methods", "Mahalanobis", cwd=place)
    assert "On the Generalised Distance in Statistics" in shown.stdout
    wrong = run("methods", "Mahalanobs", cwd=place)
    assert wrong.returncode == 2
    assert "did you mean 'Mahalanobis'" in wrong.stderr


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "empty"),
        ("header.csv", b"a,b\n", "no rows"),
        ("one_row.csv", b"a,b\n1,2\n", "at least 2"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n4,5\n", "line 3"),
        ("same.csv", b"a,a\n1,2\n3,4\n", "a"),
        ("constant.csv", b"a,b\n1,2\n1,2\n1,2\n", "constant"),
        ("void.csv", b"a,b\n,\n,\n,\n", "a"),
        ("wide.csv", ("," * 99_999 + "\n" + "1," * 99_999 + "1\n").encode(), "column"),
        ("picture.csv", bytes(range(256)) * 8, "picture.csv"),
    ],
)
def test_bad_tables_end_in_one_sentence_and_leave_nothing(
    name: str, content: bytes | None, word: str, tmp_path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    out = run("scan", name, "--html", "o.html", "--csv", "o.csv", cwd=tmp_path)
    assert out.returncode == 2, out.stdout + out.stderr
    assert word in out.stderr
    assert out.stderr.startswith("unusual: ")
    assert len(out.stderr.strip().splitlines()) == 1
    assert "Traceback" not in out.stderr
    assert {p.name for p in tmp_path.iterdir()} <= {name}


def test_a_folder_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    out = run("scan", "folder", cwd=tmp_path)
    assert out.returncode == 2
    assert "folder" in out.stderr


def test_models_that_are_none(place: Path, tmp_path: Path) -> None:
    (tmp_path / "m.unusual").write_bytes(b"\x80\x04K\x01.")
    out = run("score", "m.unusual", place / "new.csv", cwd=tmp_path)
    assert out.returncode == 2
    assert "no intact model file" in out.stderr


def test_a_wrong_option_is_named(place: Path) -> None:
    out = run("scan", "new.csv", "--no-such-option", cwd=place)
    assert out.returncode == 2
    assert "no-such-option" in out.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_no_broken_file(place: Path, tmp_path: Path) -> None:
    code = (
        "import unusual.store as store, unusual, io\n"
        "opened = store.Path.open\n"
        "def full(self, mode='r', *a, **k):\n"
        "    return opened(store.Path('/dev/full') if mode == 'wb' else self, mode)\n"
        "store.Path.open = full\n"
        "import sys; sys.argv = ['unusual', 'scan', 'new.csv', '--method', 'Mahalanobis', '--html', sys.argv[1]]\n"
        "from unusual._cli import main; main()"
    )
    target = tmp_path / "o.html"
    out = subprocess.run([sys.executable, "-c", code, target], cwd=place, capture_output=True, text=True, check=False)
    assert out.returncode == 2, out.stderr
    assert "No space left" in out.stderr
    assert list(tmp_path.iterdir()) == []


def test_interruption_exits_with_130(tmp_path: Path) -> None:
    fifo = tmp_path / "slow.py"
    fifo.write_text(
        "import time, unusual._scan as s\n"
        "def wait(*a, **k):\n"
        "    print('reading', flush=True)\n"
        "    time.sleep(60)\n"
        "s.read_table = wait\n"
        "import sys; sys.argv = ['unusual', 'scan', 'x.csv', '--html', 'o.html']\n"
        "from unusual._cli import main; main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(fifo)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "reading\n"
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip().splitlines()[-1].startswith("unusual: interrupted")
    assert not (tmp_path / "o.html").exists()
