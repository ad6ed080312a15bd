"""Log files as blocks of lines: one file or a rotated set, plain or compressed, in any mixture of encodings.

A line that does not begin as the lines of its file do (a stack trace) belongs to the line before it. Memory is bounded:
a block holds about a megabyte, and what exceeds 64 KB of one line is cut.
"""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.log_chunks import LONGEST, chunks
from unusual.data.log_header import PLAIN, Heads, Layout, level_rank, recognise
from unusual.data.log_times import Clock
from unusual.errors import InputError

Index = NDArray[np.int64]
Vector = NDArray[np.float64]

_ROTATION = re.compile(r"\.(\d+)(?:\.[a-z0-9]+)?$")


@dataclass(frozen=True)
class LogBlock:
    """Some lines of one file, each with those that go on from it.

    Attributes
    ----------
    text : bytes
    begin, finish : int64 (n,)
        The message of each line, without its head, as positions in `text`.
    time : float64 (n,)
        Seconds since 1970, NaN where there is none.
    level : int8 (n,)
        From 0 trace to 5 fatal, -1 where there is none.
    line, offset : int64 (n,)
        Number of the line in its file, from 1, and the byte at which it begins there.
    lines : int64 (n,)
        How many lines it takes with those joined to it.
    before : int
        Lines at the start of the block that belong to the last line of the block before.
    file : int
        Number of the file.
    heads : Heads
        What the layout found of each line.
    """

    text: bytes = field(repr=False)
    begin: Index
    finish: Index
    time: Vector
    level: NDArray[np.int8]
    line: Index
    offset: Index
    lines: Index
    before: int
    file: int
    heads: Heads = field(repr=False)

    def __len__(self) -> int:
        return len(self.begin)

    def message(self, i: int) -> bytes:
        """The message of one line."""
        return self.text[self.begin[i] : self.finish[i]].rstrip()


class LogFiles:
    """Blocks of the lines of some files, oldest file first; `said` counts what was done to them.

    Parameters
    ----------
    source : path, glob such as "app.log*", or list of paths

    Raises
    ------
    InputError
        If there is no such file, it is empty, or it is no text.
    """

    def __init__(self, source: Any) -> None:
        self.paths = _in_time_order(_paths(source))
        self.said: Counter[str] = Counter()
        self.layouts: list[Layout] = []

    def __iter__(self) -> Iterator[LogBlock]:
        for number, path in enumerate(self.paths):
            yield from self._blocks(number, path)

    def _blocks(self, number: int, path: Path) -> Iterator[LogBlock]:
        layout: Layout | None = None
        clock: Clock | None = None
        ranks: dict[bytes | None, int] = {}
        first = 1
        for text, offsets, cut in chunks(path):
            if layout is None:
                layout = recognise(text.split(b"\n", 1200)[:1200])
                clock = Clock(layout.form) if layout.form is not None else None
                self.layouts.append(layout)
            self.said["cut"] += cut
            block = self._block(text, offsets, first, layout, clock, ranks, number)
            first += len(offsets)
            yield block

    def _block(
        self,
        text: bytes,
        offsets: Index,
        first: int,
        layout: Layout,
        clock: Clock | None,
        ranks: dict[bytes | None, int],
        file: int,
    ) -> LogBlock:
        ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n"))
        starts = np.concatenate([[0], ends[:-1] + 1])
        heads = layout.heads(text)
        at = np.searchsorted(starts, heads.start)  # the line of each head
        begin = heads.end
        finish = np.maximum(np.minimum(ends[at], begin + LONGEST), begin)
        self.said["cut"] += int((ends[at] > begin + LONGEST).sum())
        rank = np.full(len(begin), -1, dtype=np.int8)
        if "level" in heads.fields:
            words = heads.fields["level"]
            for word in dict.fromkeys(words):
                ranks.setdefault(word, -1 if word is None else level_rank(word))
            rank[:] = np.fromiter(map(ranks.__getitem__, words), np.int8, len(words))
        after = np.append(at[1:], len(starts))
        self.said["lines"] += len(starts)
        self.said["joined"] += len(starts) - len(begin) - _blank(text, starts, ends)
        self.said["western"] += _undecodable(text)
        return LogBlock(
            text, begin, finish,
            np.full(len(begin), np.nan) if clock is None else clock.seconds(heads.fields),
            rank, first + at, offsets[at], after - at, int(at[0]) if len(at) else len(starts), file, heads,
        )  # fmt: skip


def _blank(text: bytes, starts: Index, ends: Index) -> int:
    """How many lines are empty."""
    returns = np.frombuffer(text, dtype=np.uint8)[starts] == ord("\r")
    return int(((ends == starts) | (returns & (ends == starts + 1))).sum())


def _undecodable(text: bytes) -> int:
    """How many lines are not UTF-8."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return sum(line.decode("utf-8", "ignore").encode() != line for line in text.split(b"\n"))
    return 0


def _paths(source: Any) -> list[Path]:
    """The files meant by a path, a glob or a list of paths."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        found = [path for one in source for path in _paths(one)]
    elif any(sign in str(source) for sign in "*?[") and not Path(source).exists():
        found = [Path(name) for name in glob.glob(str(source)) if Path(name).is_file()]
    else:
        found = [Path(source)]
    if not found:
        raise InputError(f"there is no file that matches {source}; check the pattern and the folder")
    for path in found:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file, or a pattern such as {path / '*.log'}")
        if not path.is_file():
            raise InputError(f"there is no file {path}; check the name and the folder")
    return found


def _in_time_order(paths: list[Path]) -> list[Path]:
    """Oldest first: by the first time stamp where all files have one, else by number of rotation, then by name."""
    if len(paths) == 1:
        return paths
    times = [_first_time(path) for path in paths]
    by_time = all(time is not None for time in times)

    def age(item: tuple[Path, float | None]) -> tuple[float, float, str]:
        path, time = item
        rotation = _ROTATION.search(path.name)
        return (time or 0.0) if by_time else 0.0, -float(rotation[1]) if rotation else 0.0, path.name

    return [path for path, _ in sorted(zip(paths, times, strict=True), key=age)]


def _first_time(path: Path) -> float | None:
    """Seconds of the first line with a time stamp that says the day."""
    text, _, _ = next(chunks(path))
    layout = recognise(text.split(b"\n", 1200)[:1200])
    if layout.form is None or layout is PLAIN or layout.form.wraps == 1.0:
        return None
    times = Clock(layout.form).seconds(layout.heads(text).fields)
    return float(times[0]) if len(times) else None
