"""Watching: growing files that are rotated or cut, addresses, standard input, and alarms over a kill."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from itertools import islice

import numpy as np
import pytest

import unusual
from unusual import InputError
from unusual._watch import sentence, watch
from unusual.data.live_lines import live_lines
from unusual.stream import Stream


def series(seed: int, at: tuple[int, ...] = (), steps: int = 500) -> np.ndarray:
    t = np.arange(steps)[:, None]
    X = np.sin(t / 3 + np.arange(2)) + 0.1 * np.random.default_rng(seed).normal(size=(steps, 2))
    for i in at:
        X[i : i + 3, 1] += 6.0
    return X


def csv_lines(X: np.ndarray, start: int = 0) -> list[str]:
    stamps = np.datetime64("2024-01-01T00:00:00") + 60 * np.arange(start, start + len(X))
    return [f"{t},{a!r},{b!r}\n" for t, (a, b) in zip(stamps, X.tolist(), strict=True)]


HEAD = "time,left,right\n"
X = series(1, (100, 250, 400))


@pytest.fixture(scope="module")
def detector():
    return unusual.make("HalfSpaceTrees").fit(series(0, steps=1500))


@pytest.fixture(scope="module")
def expected(detector) -> list[tuple[int, bool, int]]:
    stream = Stream(detector)
    stream.extend(X)
    assert len(stream.pending) >= 6
    return [(a.number, a.ended, a.start) for a in stream.pending]


def short(told: list[dict]) -> list[tuple[int, bool, int]]:
    return [(a["number"], a["ended"], a["start"]) for a in told]


def test_lines_of_a_program_raise_the_alarms_of_the_stream(detector, expected) -> None:
    told = list(watch(iter([HEAD, *csv_lines(X)]), detector))
    assert short(told) == expected
    first = told[0]
    assert first["channel"] == "right"
    assert first["start_time"] == str(np.datetime64("2024-01-01T00:00:00") + 60 * first["start"])
    assert sentence(first).startswith(f"alarm 1: right is unusual since {first['start_time']} (score ")
    assert "has ended" in sentence(next(a for a in told if a["ended"]))
    assert json.loads(json.dumps(first)) == first


def test_a_file_goes_on_over_half_lines_rotation_and_cuts(detector, expected, tmp_path) -> None:
    path = tmp_path / "s.csv"
    lines = csv_lines(X)
    path.write_text(HEAD + "".join(lines[:120]) + lines[120][:9])
    blocks = live_lines(path, {}, 0.01, True)
    got = [next(blocks)[0]]
    assert len(got[0]) == 121  # the half written line waits
    with path.open("a") as file:
        file.write(lines[120][9:] + "".join(lines[121:200]) + lines[200].rstrip("\n"))
    got.append(next(blocks)[0])
    path.rename(tmp_path / "s.csv.1")
    path.write_text(HEAD + "".join(lines[201:300]))
    got += [next(blocks)[0], next(blocks)[0]]
    assert got[2] == [lines[200].rstrip("\n")]  # the old file ended without a newline
    path.write_text(HEAD + "".join(lines[300:310]))  # cut, and begun anew
    got.append(next(blocks)[0])
    path.write_text(path.read_text() + "".join(lines[310:]))
    got.append(next(blocks)[0])
    rows = [line + "\n" for block in got for line in block if not line.startswith("time")]
    assert rows == lines
    told = list(watch((line for block in got for line in block), detector))
    assert short(told) == expected


def test_a_file_is_taken_up_where_the_state_says(detector, expected, tmp_path) -> None:
    path, state, lines = tmp_path / "s.csv", tmp_path / "state", csv_lines(X)
    told = []
    path.write_text(HEAD)
    for a, b in ((0, 90), (90, 101), (101, 103), (103, 333), (333, 500)):
        with path.open("a") as file:
            file.write("".join(lines[a:b]))
        told += list(watch(path, detector, state=state, follow=False))
    assert short(told) == expected
    assert list(watch(path, detector, state=state, follow=False)) == []


def test_what_was_told_but_not_taken_is_told_again(detector, expected, tmp_path) -> None:
    path, state = tmp_path / "s.csv", tmp_path / "state"
    path.write_text(HEAD + "".join(csv_lines(X)))
    first = list(islice(watch(path, detector, state=state, follow=False), 1))  # stopped after the first
    again = list(watch(path, detector, state=state, follow=False))
    assert again[0] == first[0]
    assert short(again) == expected


CHILD = """
import json, os, signal, sys
import unusual
from unusual._watch import watch
path, model, state, out, count = sys.argv[1:]
for i, alarm in enumerate(watch(path, model, state=state, learn="all", follow=False)):
    if i == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    with open(out, "a") as file:
        file.write(json.dumps(alarm) + chr(10))
"""


def test_a_killed_watch_loses_no_alarm(tmp_path) -> None:
    path, out = tmp_path / "s.csv", tmp_path / "out"
    unusual.make("HalfSpaceTrees").fit(series(0, steps=1500)).save(tmp_path / "m.unusual")
    path.write_text(HEAD + "".join(csv_lines(X)))
    expected = list(watch(path, tmp_path / "m.unusual", learn="all", follow=False))
    paths = [str(p) for p in (path, tmp_path / "m.unusual", tmp_path / "state", out)]
    codes = [subprocess.run([sys.executable, "-c", CHILD, *paths, n], check=False).returncode for n in ("2", "999")]
    assert codes == [-9, 0]
    told = [json.loads(line) for line in out.read_text().splitlines()]
    once = {(a["number"], a["ended"]): a for a in told}
    assert list(once.values()) == expected
    assert all(once[a["number"], a["ended"]] == a for a in told)


class _Server(http.server.BaseHTTPRequestHandler):
    body, ranges = b"", True

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if begin and self.ranges and begin >= len(self.body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(self.body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        part = self.body[begin:] if self.ranges else self.body
        self.send_response(206 if begin and self.ranges else 200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.mark.parametrize("ranges", [True, False])
def test_an_address_is_asked_for_what_is_new(ranges: bool, detector, expected) -> None:
    handler = type("Handler", (_Server,), {"ranges": ranges})
    lines = csv_lines(X)
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/s.csv"
        handler.body = (HEAD + "".join(lines[:200]) + lines[200][:5]).encode()
        blocks = live_lines(address, {}, 0.01, True)
        got = list(next(blocks)[0])
        assert len(got) == 201
        handler.body += (lines[200][5:] + "".join(lines[201:300])).encode()
        block, position = next(blocks)
        got += block
        assert list(live_lines(address, position, 0.01, False)) == []
        handler.body = (HEAD + "".join(lines[300:])).encode()  # shorter than before: begun anew
        got += [line for line in next(blocks)[0] if line != HEAD.strip()]
        server.shutdown()
    assert [line + "\n" for line in got[1:]] == lines
    assert short(list(watch(iter(got), detector))) == expected


def test_broken_lines_and_cells_do_not_stop_it(detector, expected) -> None:
    lines = csv_lines(X)
    lines.insert(30, "2024-01-01T00:30:30,1.0\n")
    lines.insert(31, "\n")
    lines[60] = lines[60].split(",")[0] + ",ERR,nan\n"
    assert len(list(watch([HEAD, *lines], detector))) >= len(expected)


def test_a_budget_needs_times_or_steps_per_day(detector) -> None:
    lines = csv_lines(X)
    few = list(watch([HEAD, *lines], detector, alarms_per_day=2, steps_per_day=1440))
    assert len(few) <= len(list(watch([HEAD, *lines], detector)))
    with pytest.raises(InputError, match="steps_per_day"):
        list(watch(["left,right\n", *(line.split(",", 1)[1] for line in lines)], detector, alarms_per_day=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "none.csv"}, "cannot read"),
        ({"source": "http://127.0.0.1:9/x"}, "gives no answer"),
        ({"source": ["a,b,c\n", "1,2,3\n"]}, "names 3 channels, the model has 2"),
        ({"source": ["a,b\n", "1,2\n"], "time": "when"}, "no column 'when'"),
        ({"source": [], "model": unusual.make("KNN")}, "KNN cannot watch a series"),
    ],
)
def test_bad_input_is_one_sentence(options: dict, message: str, detector) -> None:
    with pytest.raises(InputError, match=message):
        list(watch(**{"model": detector, **options}))


def test_a_line_without_end_is_refused(tmp_path) -> None:
    (tmp_path / "x").write_bytes(b"1" * (5 * 2**20))
    with pytest.raises(InputError, match="a line of more than 4 MB"):
        list(live_lines(tmp_path / "x", {}, 0.01, True))
