"""The contract of every detector of events, written once and run for every entry of the catalogue."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

import unusual
from unusual import InputError
from unusual.catalogue import cards, find
from unusual.data.log_events import read_log
from unusual.detector import FINAL
from unusual.sequence_detector import LineDetector, SequenceDetector

EVENTS = [case for case in CASES if cards()[case.name].data == "events" and cards()[case.name].role == "detector"]
FLOOR = 0.85


def is_of(case: Case, kind: type) -> bool:
    return issubclass(find(case.name), kind) or case.name == "AutoLog"


def over(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in cases])


every = over(EVENTS)
of_sequences = over([case for case in EVENTS if is_of(case, SequenceDetector)])
of_lines = over([case for case in EVENTS if is_of(case, LineDetector)])


def normal_sequences(rng: np.random.Generator, n: int = 300) -> list[list[str]]:
    """Sessions that open, read and write a few times, and close."""
    made = []
    for _ in range(n):
        middle = [str(word) for word in rng.choice(["read", "write"], rng.integers(1, 5))]
        made.append(["open", "auth", *middle, "flush", "close"])
    return made


ODD = {
    "unknown": ["open", "auth", "fail", "read", "close"],
    "order": ["open", "flush", "auth", "close", "read"],
    "many": ["open", *["auth"] * 9, "read", "flush", "close"],
}


def odd_sequences(n: int = 20) -> list[list[str]]:
    """Sessions with an unknown step, in the wrong order, and with too many of a step."""
    return [list(list(ODD.values())[i % 3]) for i in range(n)]


def log_lines(rng: np.random.Generator, n: int = 2000, start: int = 0) -> list[str]:
    """Lines of a service that writes about one a second, with sizes and delays of one law."""
    second = start + np.cumsum(rng.exponential(1.0, n))
    lines = []
    for i, (at, kind) in enumerate(zip(second, rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05]), strict=True)):
        size = int(rng.lognormal(6, 1))
        text = (f"Sent reply of {size} bytes to client {rng.integers(40)}", f"Cache hit for page {rng.integers(9)}",
                "Heartbeat received from node", f"Retry {rng.integers(3)} of upload")[kind]  # fmt: skip
        stamp = np.datetime64("2024-01-01T00:00:00") + np.timedelta64(int(at * 1000), "ms")
        lines.append(f"{stamp} {'WARN' if kind == 3 else 'INFO'} {text} {i % 7}".replace("T", " "))
    return lines


def planted(kind: str, lines: list[str], rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Lines with anomalies of one kind, and which lines they are."""
    lines, label = list(lines), np.zeros(len(lines), dtype=int)
    if kind == "new":
        at = rng.choice(len(lines), 15, replace=False)
        for i in at:
            lines[i] = lines[i][:23] + " ERROR Disk gave up while it was " + "".join(rng.choice(list("abcdef"), 5))
        label[at] = 1
    elif kind == "value":
        at = np.array([i for i, line in enumerate(lines) if "bytes" in line])[::40]
        for i in at:
            lines[i] = lines[i].replace("reply of ", "reply of 99")
            lines[i] = lines[i].replace(" bytes", "999 bytes")
        label[at] = 1
    else:
        rows = [i for i, line in enumerate(lines) if "Cache" in line][5::100]
        for i in reversed(rows):
            lines[i : i + 1] = [lines[i]] * 60
            label = np.concatenate([label[:i], [1], [-1] * 59, label[i + 1 :]])  # a burst counts once
    return lines, label


@pytest.fixture
def logs(tmp_path: Path) -> Any:
    def write(lines: list[str], name: str) -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def fitted(case: Case, given: Any) -> Any:
    return unusual.make(case.name, **case.parameters).fit(given)


@every
def test_public_methods_are_final_and_constructors_only_store(case: Case) -> None:
    method = find(case.name)
    assert not [name for name in FINAL if name in vars(method)]
    body = inspect.getsource(method.__init__).split("None:")[-1].strip().splitlines()
    assert all(line.strip().startswith("self.") and "(" not in line for line in body)


@of_sequences
def test_sequences_are_scored_one_by_one_whatever_their_order(case: Case, rng) -> None:
    X = [*normal_sequences(rng), *odd_sequences()]
    detector = fitted(case, normal_sequences(rng))
    before = clone(detector).get_params()
    scores = detector.anomaly_score(X)
    assert scores.dtype == np.float64
    assert scores.shape == (len(X),)
    order = rng.permutation(len(X))
    assert_allclose(detector.anomaly_score([X[i] for i in order]), scores[order], rtol=1e-9, atol=1e-9)
    assert_allclose([detector.anomaly_score([X[i]])[0] for i in range(290, 310)], scores[290:310], rtol=1e-9, atol=1e-9)
    assert_array_equal(
        clone(detector).fit(normal_sequences(np.random.default_rng(0))).anomaly_score(X).shape, scores.shape
    )
    assert detector.get_params() == before
    assert np.ptp(scores) > 0


@of_sequences
@pytest.mark.parametrize("kind", ODD)
def test_odd_sequences_rank_above_normal_ones(case: Case, kind: str, rng) -> None:
    detector = fitted(case, normal_sequences(rng))
    new, odd = normal_sequences(rng, 200), [ODD[kind]] * 3
    found = roc_auc_score([0] * 200 + [1] * 3, detector.anomaly_score([*new, *odd]))
    if kind in case.blind_to:
        assert found < FLOOR, f"{case.name} does see {kind}: take it out of blind_to"
    else:
        assert found >= FLOOR


@of_sequences
def test_unseen_normal_sequences_alarm_at_the_promised_rate(case: Case, rng) -> None:
    detector = fitted(case, normal_sequences(rng, 1000)).set_params(alarm_rate=0.05)
    new = normal_sequences(rng, 2000)
    alarm = detector.is_anomaly(new)
    assert alarm.mean() < 0.08
    assert_array_equal(alarm, detector.p_value(new) <= 0.05)


@of_sequences
def test_explanations_have_a_weight_for_each_event(case: Case, rng) -> None:
    detector = fitted(case, normal_sequences(rng))
    odd = ["open", "auth", "fail", "read", "flush", "close"]
    weight = detector.explain([odd, *normal_sequences(rng, 3)])
    assert np.isfinite(weight).all()
    assert weight[: len(odd)].argmax() in (2, 3)  # the unknown step, or the step after it


@of_sequences
@pytest.mark.parametrize("bad", [[], [["a"]], [["a"], []], 7, "abc", [["a"], "b"]])
def test_what_is_no_list_of_sequences_is_refused(case: Case, bad: Any) -> None:
    if case.name == "AutoLog" and bad == "abc":
        pytest.skip("a text is a path there")
    with pytest.raises(InputError) as caught:
        unusual.make(case.name).fit(bad)
    assert "\n" not in str(caught.value)


@of_lines
@pytest.mark.parametrize("kind", ["new", "value", "burst"])
def test_odd_lines_rank_above_normal_ones(case: Case, kind: str, rng, logs) -> None:
    reference = log_lines(rng)
    lines, label = planted(kind, log_lines(rng, start=3000), rng)
    detector = fitted(case, logs(reference, "a.log"))
    scores = detector.anomaly_score(logs(lines, "b.log"))
    assert scores.shape == (len(lines),)
    found = roc_auc_score(label[label >= 0], scores[label >= 0])
    if kind in case.blind_to:
        assert found < FLOOR, f"{case.name} does see {kind}: take it out of blind_to"
    else:
        assert found >= FLOOR


@of_lines
def test_lines_that_go_on_as_before_raise_few_alarms(case: Case, rng, logs) -> None:
    lines = log_lines(rng, 6000)
    detector = fitted(case, logs(lines[:4000], "a.log")).set_params(alarm_rate=0.1)
    scores = detector.anomaly_score(logs(lines[4000:], "b.log"))
    blocks = detector._calibrating(scores)
    assert (blocks > detector.threshold_).mean() < 0.2
    assert_array_equal(scores > detector.threshold_, detector.calibration_.p_value(scores) <= 0.1)
    assert np.ptp(scores) > 0


@of_lines
def test_a_log_in_blocks_gives_the_scores_of_the_whole(case: Case, rng, logs, monkeypatch) -> None:
    path = logs(log_lines(rng), "a.log")
    whole = fitted(case, path).fit_anomaly_score(path)
    monkeypatch.setattr("unusual.data.log_chunks.CHUNK", 5000)
    assert_allclose(fitted(case, path).fit_anomaly_score(path), whole, rtol=1e-9)


@of_lines
def test_what_is_no_log_is_refused(case: Case, rng, logs) -> None:
    for bad in (logs(["2024-01-01 10:00:00 a"] * 5, "short.log"), Path("no.log")):
        with pytest.raises(InputError):
            unusual.make(case.name).fit(bad)
    detector = fitted(case, logs(log_lines(rng, 300), "a.log"))
    with pytest.raises(InputError, match="other templates"):
        detector.anomaly_score(read_log(logs(log_lines(rng, 300), "b.log")))
    if case.name != "AutoLog":
        with pytest.raises(InputError, match="lines of a log"):
            unusual.make(case.name).fit([["a", "b"]] * 30)


@every
def test_saved_and_loaded_in_a_fresh_process_gives_equal_scores(case: Case, rng, logs, tmp_path) -> None:
    of_log = is_of(case, LineDetector)
    given: Any = logs(log_lines(rng, 600), "a.log") if of_log else normal_sequences(rng)
    new: Any = logs(log_lines(rng, 600), "b.log") if of_log else odd_sequences()
    detector = fitted(case, given)
    detector.save(tmp_path / "m.unusual")
    code = (
        "import pickle, numpy as np\n"
        "def refuse(*a, **k): raise AssertionError('unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "import unusual\n"
        "m = unusual.load('m.unusual')\n"
        f"X = {str(new)!r} if {of_log} else {new if not of_log else None!r}\n"
        "np.save('out.npy', np.column_stack([m.anomaly_score(X), m.p_value(X)]))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    out = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert_array_equal(out[:, 0], detector.anomaly_score(new))
    assert_array_equal(out[:, 1], detector.p_value(new))


@every
def test_only_the_libraries_of_the_card_are_imported(case: Case) -> None:
    code = (
        f"import sys, unusual; unusual.{case.name}\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'faiss', 'duckdb', 'jinja2'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= set(cards()[case.name].needs)
