"""Reading logs: heads, time stamps, keys, and what is done to lines that are no lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from unusual.data.log_events import read_log
from unusual.data.log_file import LogFiles
from unusual.data.log_header import recognise
from unusual.data.sequences import Sequence, Sequences, read_sequences
from unusual.errors import InputError

STAMPS = {
    "2024-02-29T10:11:12.5+02:00 x": "2024-02-29 08:11:12.500",
    "2024-02-29 10:11:12,250 x": "2024-02-29 10:11:12.250",
    "2005-06-03-15.42.50.675872 x": "2005-06-03 15:42:50.675872",
    "[Sun Dec 04 04:47:44 2005] x": "2005-12-04 04:47:44",
    "1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] x": "2000-10-10 20:55:36",
    "Jun 14 15:16:01 host x": "1972-06-14 15:16:01",
    "I0102 15:04:05.678901 x": "1972-01-02 15:04:05.678901",
    "17/06/09 20:10:40 x": "2017-06-09 20:10:40",
    "31.12.2024 10:00:00 x": "2024-12-31 10:00:00",
    "12/31/2024 10:00:00 x": "2024-12-31 10:00:00",
    "081109 203615 148 x": "2008-11-09 20:36:15",
    "20081109 203615 148 x": "2008-11-09 20:36:15",
    "1117838570 x": "2005-06-03 22:42:50",
    "1117838570123 x": "2005-06-03 22:42:50.123",
    "[    1.250000] x": "1970-01-01 00:00:01.250",
    "03-17 16:13:38.811 x": "1972-03-17 16:13:38.811",
    "16:13:38 x": "1970-01-01 16:13:38",
}


@pytest.fixture
def log(tmp_path: Path):
    def write(content: str | bytes, name: str = "app.log") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize("line", STAMPS)
def test_usual_time_stamps(line: str, log) -> None:
    events = read_log(log(f"{line}\n" * 3))
    wanted = datetime.fromisoformat(STAMPS[line]).replace(tzinfo=UTC).timestamp()
    np.testing.assert_allclose(events.time, wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["hdfs", "bgl", "apache", "openssh", "zookeeper", "linux", "spark"])
def test_messages_of_real_logs_begin_where_they_should(name: str, real_data: Path) -> None:
    (block,) = LogFiles(real_data / "events" / f"{name}_2k.log")
    with (real_data / "events" / f"{name}_2k.labels.csv").open(encoding="utf-8") as stream:
        starts = [int(row["content_start"]) for row in csv.DictReader(stream)]
    found = block.begin - np.searchsorted(block.begin, 0) - block.heads.start
    lines = block.text.split(b"\n")
    wanted = [len(line.decode()[:start].encode()) for line, start in zip(lines, starts, strict=False)]
    assert np.mean(found == wanted) >= 0.995
    assert np.isfinite(block.time).all()


@pytest.mark.parametrize(
    "line, fields, message",
    [
        ("2024-01-02 10:00:00,123 - my.mod - WARNING - disk full", {"level": b"WARNING"}, b"disk full"),
        ("Jun 14 15:16:01 h su(pam)[19]: check", {"component": b"su(pam)", "process": b"19"}, b"check"),
        ("2024-01-02 10:00:00 [main] ERROR c.f.Foo - bang", {"level": b"ERROR"}, b"bang"),
        ("INFO:root:starting", {"level": b"INFO"}, b"root:starting"),
        ("E0102 15:04:05.678901 bang", {"level": b"E"}, b"bang"),
        ("nothing known here", {}, b"nothing known here"),
    ],
)  # fmt: skip
def test_heads(line: str, fields: dict[str, bytes], message: bytes) -> None:
    layout = recognise([line.encode()] * 5)
    heads = layout.heads(line.encode())
    assert {name: heads.fields[name][0] for name in fields} == fields
    assert line.encode()[heads.end[0] :] == message


def test_a_stack_trace_belongs_to_its_line(log) -> None:
    trace = "java.lang.Error: x\n\tat a.b(C.java:1)\n\nCaused by: y\n"
    events = read_log(log(f"2024-01-01 10:00:00 ERROR bang\n{trace}2024-01-01 10:00:01 INFO ok\n"))
    assert events.line.tolist() == [1, 6]
    assert events.lines.tolist() == [5, 1]
    assert events.level.tolist() == [4, 2]
    assert any("3 lines that go on" in note for note in events.notes)
    assert events.raw(1) == [(6, "2024-01-01 10:00:01 INFO ok")]


def test_a_stack_trace_without_time_stamps_too(log) -> None:
    events = read_log(log("start\nTraceback (most recent call last):\n  File x\nValueError: y\nstop\n"))
    assert events.lines.tolist() == [4, 1]


def test_positions_hold_over_blocks_and_line_ends(log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unusual.data.log_chunks.CHUNK", 1000)
    lines = [
        f"2024-01-01 10:00:{i % 60:02d} INFO step {i} caf\xe9\r\n".encode("cp1252" if i % 7 == 0 else "utf-8")
        for i in range(300)
    ]
    path = log(b"".join(lines))
    events = read_log(path)
    assert events.line.tolist() == list(range(1, 301))
    assert events.offset.tolist() == np.concatenate([[0], np.cumsum([len(line) for line in lines])[:-1]]).tolist()
    assert events.raw(49, around=1)[1] == (50, "2024-01-01 10:00:49 INFO step 49 café")
    assert events.raw(0, around=2)[0][0] == 1
    assert any("43 lines are not UTF-8" in note for note in events.notes)
    assert events.tree.made <= 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings(encoding: str, log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unusual.data.log_chunks.CHUNK", 333)
    text = "".join(f"2024-01-01 10:00:00 INFO größe {i} ein\n" for i in range(100))
    events = read_log(log(text.encode(encoding)))
    assert len(events) == 100
    assert events.raw(70) == [(71, "2024-01-01 10:00:00 INFO größe 70 ein")]


def test_colours_are_let_be(log) -> None:
    events = read_log(log("\x1b[32m2024-01-01 10:00:00 INFO\x1b[0m ok\n" * 3))
    assert events.level.tolist() == [2, 2, 2]
    assert events.raw(2) == [(3, "2024-01-01 10:00:00 INFO ok")]


@pytest.mark.parametrize("opener, ending", [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")])
def test_compressed_files(opener, ending: str, log) -> None:
    events = read_log(log(opener(b"2024-01-01 10:00:00 a\n2024-01-01 10:00:01 b c\n"), f"app.log{ending}"))
    assert events.raw(1) == [(2, "2024-01-01 10:00:01 b c")]


def test_rotated_files_are_read_oldest_first(log, tmp_path: Path) -> None:
    log("2024-01-03 10:00:00 c\n")
    log("2024-01-02 10:00:00 b\n", "app.log.1")
    log(gzip.compress(b"2024-01-01 10:00:00 a\n"), "app.log.10.gz")
    events = read_log(tmp_path / "app.log*")
    assert np.all(np.diff(events.time) > 0)
    assert [Path(path).name for path in events.paths] == ["app.log.10.gz", "app.log.1", "app.log"]
    log("c\n"), log("b\n", "app.log.1"), log(gzip.compress(b"a\n"), "app.log.10.gz")
    plain = read_log(str(tmp_path / "app.log*"))
    assert [Path(path).name for path in plain.paths] == ["app.log.10.gz", "app.log.1", "app.log"]


@pytest.mark.parametrize("size", [200_000, 3_000_000])
def test_a_very_long_line_is_cut_and_said(size: int, log) -> None:
    events = read_log(log(b"2024-01-01 10:00:00 a " + b"x" * size + b"\n2024-01-01 10:00:01 b\n"))
    assert events.line.tolist() == [1, 2]
    assert events.offset.tolist() == [0, size + 23]
    assert any("1 lines longer than 64 KB were cut" in note for note in events.notes)
    assert events.raw(1) == [(2, "2024-01-01 10:00:01 b")]


def test_years_and_days_turn(log) -> None:
    syslog = read_log(log("Dec 31 23:59:59 h a: x\nJan  1 00:00:01 h a: x\n"))
    assert np.diff(syslog.time).tolist() == [2.0]
    clock = read_log(log("23:59:59 x\n00:00:01 x\n"))
    assert np.diff(clock.time).tolist() == [2.0]


def test_lines_out_of_order_and_dates_that_do_not_exist(log) -> None:
    events = read_log(log("2024-01-02 10:00:00 a\n2024-01-01 10:00:00 a\n2024-02-31 10:00:00 a\n"))
    assert np.isnan(events.time[2])
    assert any("1 lines are earlier" in note for note in events.notes)


def test_keys_are_found(real_data: Path) -> None:
    events = read_log(real_data / "events" / "hdfs_5k.log")
    with (real_data / "events" / "hdfs_5k.labels.csv").open(encoding="utf-8") as stream:
        blocks = [row["block"] for row in csv.DictReader(stream)]
    assert set(events.keys) == set(blocks)
    assert len(events.sequences()) == len(set(blocks))


def test_keys_that_are_named(log) -> None:
    path = log(
        "".join(
            f"Jun 14 15:16:{i:02d} h app[{i % 3}]: step user=u{i % 2} {'end' if i > 50 else 'go'}\n" for i in range(60)
        )
    )
    assert set(read_log(path, by="process").keys) == {"0", "1", "2"}
    assert set(read_log(path, by=r"user=(\w+)").keys) == {"u0", "u1"}
    assert read_log(path, by="nothing").member is None
    sequences = read_log(path, by="process").sequences()
    assert sequences.lengths.tolist() == [20, 20, 20]
    assert sequences.row[:3].tolist() == [0, 3, 6]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (bytes(range(256)) * 40, "not a text file"),
        (b"\tat a\n\tat b\n", "no line that begins"),
    ],
)
def test_what_is_no_log_is_refused(content: bytes, message: str, log) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_log(log(content))
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_refused(tmp_path: Path, log) -> None:
    for source, message in [
        (tmp_path, "folder"),
        (tmp_path / "no.log", "no file"),
        (str(tmp_path / "*.nix"), "matches"),
    ]:
        with pytest.raises(InputError, match=message):
            read_log(source)
    with pytest.raises(InputError, match="complete compressed"):
        read_log(log(gzip.compress(b"2024-01-01 10:00:00 a\n" * 500)[:-20], "cut.log.gz"))
    path = log("2024-01-01 10:00:00 a\n")
    with pytest.raises(InputError, match="no process"):
        read_log(path, by="process")
    with pytest.raises(InputError, match="no pattern"):
        read_log(path, by="(")
    with pytest.raises(InputError, match="ties"):
        read_log(path).sequences()


def test_taking_lines(real_data: Path) -> None:
    events = read_log(real_data / "events" / "hdfs_5k.log")
    some = events.take(np.arange(100, 400))
    assert len(some) == 300
    np.testing.assert_array_equal(some.slots.number, events.slots.take(np.arange(100, 400)).number)
    for key, sequence in zip(some.sequences().keys, some.sequences(), strict=True):
        assert len(sequence.events) == sum(
            key in text for _, text in events.raw(175, around=75) + events.raw(325, around=74)
        )


def test_sequences_of_lists_and_files(real_data: Path) -> None:
    made = Sequences.of([["a", "b"], ("b",), Sequence(("a",), "k")])
    assert [one.events for one in made] == [("a", "b"), ("b",), ("a",)]
    assert made.keys == ("0", "1", "k")
    assert made.take([2, 0])[0].key == "k"
    full = read_sequences(real_data / "events" / "hdfs_full.sequences.csv")
    assert (len(full.split("train")), int(full.labels.sum())) == (2600, 400)
    assert full[0].events[:4] == ("5", "5", "5", "22")


@pytest.mark.parametrize("bad", [7, "abc", ["abc"], [[float("nan")]], [[["a"]]]])
def test_what_is_no_sequence_is_refused(bad) -> None:
    with pytest.raises(InputError):
        Sequences.of(bad)


@pytest.mark.parametrize(
    "content, message", [("a,b\n1,2\n", "no column"), ("", "no sequences"), ("sequence,events,label\n1,a,2\n", "label")]
)
def test_bad_files_of_sequences(content: str, message: str, log) -> None:
    with pytest.raises(InputError, match=message):
        read_sequences(log(content, "x.csv"))
