"""The commands that study a model or an experiment, as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COMMAND = [sys.executable, "-c", "from unusual._cli import main; main()"]


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, cwd=cwd, check=False)


def write(path: Path, **columns: np.ndarray) -> None:
    rows = zip(*(np.asarray(v).tolist() for v in columns.values()), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(str(v) for v in row) for row in rows)]) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference, labelled rows whose anomalies are off in `b`, scores, losses and times to failure."""
    folder, rng = tmp_path_factory.mktemp("place"), np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    write(folder / "ref.csv", a=X[:, 0], b=X[:, 1], c=X[:, 2])
    Y, label = rng.normal(size=(200, 3)), np.arange(200) < 20
    Y[:20, 1] += 6
    write(folder / "new.csv", a=Y[:, 0], b=Y[:, 1], c=Y[:, 2], label=label.astype(int))
    write(folder / "scores.csv", score=Y[:, 1], noise=Y[:, 0], label=label.astype(int))
    for name, n in (("train", 800), ("hold", 700)):
        loss = rng.random(n) < 0.2
        write(folder / f"{name}.csv", who=[f"{name}{i}" for i in range(n)], loss=loss.astype(int))
    times = np.concatenate([rng.exponential(1, 60), rng.exponential(4, 60)])
    seen = times < 6
    write(folder / "parts.csv", weeks=np.minimum(times, 6), broken=seen.astype(int), maker=["x"] * 60 + ["y"] * 60)
    for method in ("Mahalanobis", "HBOS"):
        out = run("fit", "ref.csv", "--method", method, "--save", f"{method}.unusual", cwd=folder)
        assert out.returncode == 0, out.stderr
    return folder


CASES = {
    "explain": (["Mahalanobis.unusual", "new.csv", "--item", "3", "--reference", "ref.csv"], "`b`"),
    "sensitivity": (["Mahalanobis.unusual", "ref.csv"], "one value moves"),
    "compare": (["HBOS.unusual", "Mahalanobis.unusual", "new.csv"], "appear"),
    "trust": (["Mahalanobis.unusual", "new.csv", "--label", "label", "--truth", "b"], "alarm"),
    "evaluate": (["scores.csv", "--label", "label"], "scores above a normal item"),
    "leaks": (["ref.csv", "ref.csv"], "400"),
    "seeds": (["new.csv", "--label", "label", "--runs", "5", "--method", "IsolationForest"], "seed"),
    "choices": (["new.csv", "--label", "label"], "configurations"),
    "holdout": (["train.csv", "hold.csv", "--ask", "loss", "--state", "h.json", "--id", "who"], "127|128"),
    "survival": (["parts.csv", "--time", "weeks", "--event", "broken", "--group", "maker"], "p"),
    "collapse": (["ref.csv", "--fitter", "gaussian", "--rounds", "3"], "generation"),
}


@pytest.mark.parametrize("command", CASES)
def test_every_study_answers_and_writes_its_page(command: str, place: Path, tmp_path: Path) -> None:
    words, expected = CASES[command]
    out = run(command, *words, "--html", tmp_path / "o.html", "--json", tmp_path / "o.json", cwd=place)
    assert out.returncode == 0, out.stderr
    assert out.stderr == ""
    said = " ".join(out.stdout.split())
    assert any(word in said for word in expected.split("|"))
    assert f"wrote {tmp_path / 'o.html'}" in out.stdout.replace("\n", "") or "wrote" in out.stdout
    page = (tmp_path / "o.html").read_text()
    assert "<svg" in page
    kept = json.loads((tmp_path / "o.json").read_text())
    assert kept["answer"]
    assert kept["blocks"]


def test_two_columns_of_scores_are_compared(place: Path) -> None:
    out = run("evaluate", "scores.csv", "--label", "label", "--score", "score,noise", cwd=place)
    assert "`score` is better than `noise`" in " ".join(out.stdout.split()), out.stderr


def test_a_holdout_remembers_what_was_asked(place: Path, tmp_path: Path) -> None:
    words = ["holdout", "train.csv", "hold.csv", "--ask", "loss", "--id", "who", "--state", tmp_path / "s.json"]
    first, again = run(*words, cwd=place), run(*words, cwd=place)
    assert first.returncode == again.returncode == 0, again.stderr
    log = json.loads((tmp_path / "s.json").read_text())["log"]
    assert len(log) == 2
    assert log[0]["answer"] == log[1]["answer"]
    assert abs(log[0]["answer"] - 0.2) < 0.1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "scores.csv", "--label", "nope"], "no column 'nope'"),
        (["evaluate", "new.csv", "--label", "label"], "no column called score"),
        (["evaluate", "scores.csv", "--label", "score"], "holds other values than 0 and 1"),
        (["choices", "new.csv"], "give either label"),
        (["explain", "Mahalanobis.unusual", "new.csv", "--item", "900"], "rows 0 to 199"),
        (["trust", "Mahalanobis.unusual", "new.csv", "--truth", "zz"], "'zz'"),
        (["survival", "parts.csv", "--time", "weeks", "--event", "weeks", "--group", "maker"], "0 and 1|0/1|flag"),
        (["holdout", "train.csv", "train.csv", "--ask", "loss", "--state", "x.json", "--id", "who"], "train"),
        (["compare", "HBOS.unusual", "nothing.unusual", "new.csv"], "nothing.unusual"),
        (["seeds", "new.csv", "--label", "label", "--method", "NoSuch"], "no method 'NoSuch'"),
        (["collapse", "new.csv", "--policy", "forget"], "forget"),
        (["gaze", "no_folder"], "no_folder"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(words: list[str], message: str, place: Path) -> None:
    out = run(*words, cwd=place)
    assert out.returncode == 2, out.stdout + out.stderr
    assert out.stderr.startswith("unusual: ")
    assert out.stderr.count("\n") == 1
    assert any(part in out.stderr for part in message.split("|"))
    assert not (place / "x.json").exists()
