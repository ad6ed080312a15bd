"""Templates and scans of logs beside drain3: grouping accuracy on seven labelled samples, lines per CPU second.

--only takes parts: grouping, speed. Both sides run in turn with one thread, each time with a fresh tree.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import facts
from benchmarks.peers import HERE, python, single_thread
from benchmarks.results import keep, table
from unusual.data.log_events import read_log
from unusual.detect.events.auto_log import AutoLog
from unusual.evaluate.grouping import grouping_accuracy
from unusual.parts.templates import TemplateTree
from unusual.parts.tokens import Tokens

SAMPLES = ("hdfs", "bgl", "apache", "openssh", "zookeeper", "linux", "spark")
ROUNDS = 5
COPIES = 20  # of 4,519 HDFS lines, each with numbers of its own
DATA = Path(os.environ.get("UNUSUAL_TEST_DATA", HERE.parents[1] / "shared" / "data"))


def run(only: list[str]) -> None:
    """Measure the parts asked for, and keep them."""
    for part, measure in (("grouping", grouping), ("speed", speed)):
        if not only or part in only:
            keep("logs", part, {"machine": facts(), "rows": measure()})


def labelled(name: str) -> tuple[list[bytes], list[str]]:
    """Messages and true templates of a sample."""
    lines = (DATA / "events" / f"{name}_2k.log").read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    with (DATA / "events" / f"{name}_2k.labels.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    texts = [lines[int(row["line"])].decode("utf-8", "replace")[max(0, int(row["content_start"])) :] for row in rows]
    return [text.strip().encode() for text in texts], [row["template_id"] for row in rows]


def drain3(messages: list[bytes], how: str) -> dict[str, Any]:
    """What drain3 makes of some messages: CPU seconds and clusters."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "messages"), Path(folder, "answer")
        given.write_bytes(b"".join(message + b"\n" for message in messages))
        command = [str(python()), str(HERE / "log_peer.py"), str(given), str(answer), how]
        subprocess.run(command, check=True, env=single_thread())
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


def ours(messages: list[bytes]) -> tuple[float, list[int]]:
    """CPU seconds and templates, from one text of messages as a block of a file has it."""
    text = b"\n".join(messages)
    lengths = np.array([len(message) for message in messages])
    begin = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
    start = time.process_time()
    found = TemplateTree().number(Tokens.of(text, begin, begin + lengths)).tolist()
    return time.process_time() - start, found


def grouping() -> list[list[Any]]:
    """For each sample: accuracy of both, and lines per CPU second of ours, drain3 with masks, drain3 without."""
    rows = []
    for name in SAMPLES:
        messages, true = labelled(name)
        mine = [ours(messages) for _ in range(ROUNDS)]
        peers = {how: [drain3(messages, how) for _ in range(ROUNDS)] for how in ("masked", "raw")}
        accuracy = [grouping_accuracy(true, mine[0][1]), grouping_accuracy(true, peers["masked"][0]["clusters"])]
        seconds = [min(cpu for cpu, _ in mine), *(min(one["cpu"] for one in peers[how]) for how in peers)]
        rows.append([name, *accuracy, *(len(messages) / cpu for cpu in seconds)])
    return rows


def speed() -> list[list[Any]]:
    """Lines per CPU second on a longer log: templates, reading with all columns, and a scan against a reference."""
    lines = long_log()
    messages = [line.split(b": ", 1)[-1].strip() for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.log")
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        reference = Path(folder, "reference.log")
        reference.write_bytes(b"".join(line + b"\n" for line in lines[:20_000]))
        model: Any = AutoLog()
        model.fit(reference)
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            times.setdefault("drain3 without masks, messages given", []).append(drain3(messages, "raw")["cpu"])
            times.setdefault("drain3 with masks, messages given", []).append(drain3(messages, "masked")["cpu"])
            times.setdefault("templates, messages given", []).append(ours(messages)[0])
            times.setdefault("file to columns", []).append(_timed(lambda: read_log(path)))
            times.setdefault("file to scores", []).append(_timed(lambda: model.anomaly_score(path)))
    return [[what, len(lines) / min(seconds), len(lines)] for what, seconds in times.items()]


def long_log() -> list[bytes]:
    """HDFS lines over and over, with the numbers of blocks, addresses and sizes drawn anew."""
    raw = (DATA / "events" / "hdfs_5k.log").read_bytes().strip().split(b"\n")
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(COPIES):
        shift = int(rng.integers(1, 9))
        swap = bytes.maketrans(b"123456789", bytes((ord("1") + (k + shift) % 9) for k in range(9)))
        lines += [
            re.sub(rb"(blk_|src: |dest: |size )\S+", lambda m, swap=swap: m[0].translate(swap), line) for line in raw
        ]
    return lines


def _timed(task: Any) -> float:
    start = time.process_time()
    task()
    return time.process_time() - start


def markdown(kept: dict[str, Any]) -> str:
    """The section of the page."""
    parts = ["## Logs\n"]
    if "grouping" in kept:
        rows = [
            [name, f"{a:.3f}", f"{b:.3f}", *(f"{n / 1000:,.0f}" for n in speeds)]
            for name, a, b, *speeds in kept["grouping"]["rows"]
        ]
        head = ["sample (2,000 lines)", "accuracy", "drain3", "thousand lines/s", "drain3 masked", "drain3 unmasked"]
        parts.append("Grouping accuracy, and lines per CPU second with a fresh tree.\n\n" + table(head, rows))
    if "speed" in kept:
        rows = [[what, f"{n / 1000:,.0f}", f"{count:,}"] for what, n, count in kept["speed"]["rows"]]
        parts.append("A longer log of HDFS lines.\n\n" + table(["what", "thousand lines/s", "lines"], rows))
    return "\n".join(parts)
