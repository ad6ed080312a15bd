"""Sequences of events: what happened to one block, request or session, in order."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Iterator
from collections.abc import Sequence as Ordered
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError

Index = NDArray[np.int64]
Vector = NDArray[np.float64]

LARGEST_CELL = 1 << 27


@dataclass(frozen=True)
class Sequence:
    """Events of one key in order, with their times in seconds where they are known."""

    events: tuple[str, ...]
    key: str = ""
    time: Vector | None = None  # (L,)
    label: int | None = None  # 0 normal, 1 anomalous; never looked at by a detector


@dataclass(frozen=True)
class Sequences:
    """n sequences of N events in columns.

    Attributes
    ----------
    codes : int64 (N,)
        Number of each event in `names`, one sequence after the other.
    first : int64 (n + 1,)
        Where each sequence begins.
    names : tuple of str
        The distinct events.
    keys : tuple of str (n,)
    row : int64 (N,), optional
        The line of the log that each event came from.
    """

    codes: Index
    first: Index
    names: tuple[str, ...]
    keys: tuple[str, ...] = ()
    row: Index | None = None
    labels: Index | None = None
    splits: tuple[str, ...] | None = None

    @classmethod
    def of(cls, given: Any) -> Sequences:
        """Sequences of `Sequence`, of lists of events, or of what is already in columns.

        Raises
        ------
        InputError
            If it is anything else.
        """
        if isinstance(given, Sequences):
            return given
        if isinstance(given, str | bytes) or not isinstance(given, Ordered | np.ndarray):
            raise InputError(f"a list of sequences is needed, not {type(given).__name__}; give [['open', 'read'], ...]")
        lists = [_events(one) for one in given]
        names: dict[str, int] = {}
        codes = [names.setdefault(event, len(names)) for events in lists for event in events]
        first = np.concatenate([[0], np.cumsum([len(events) for events in lists])]).astype(np.int64)
        keys = tuple(one.key if isinstance(one, Sequence) else str(i) for i, one in enumerate(given))
        return cls(np.array(codes, dtype=np.int64), first, tuple(names), keys)

    def __len__(self) -> int:
        return len(self.first) - 1

    def __getitem__(self, i: int) -> Sequence:
        codes = self.codes[self.first[i] : self.first[i + 1]].tolist()
        label = None if self.labels is None else int(self.labels[i])
        return Sequence(tuple(self.names[code] for code in codes), self.keys[i] if self.keys else "", label=label)

    def __iter__(self) -> Iterator[Sequence]:
        return (self[i] for i in range(len(self)))

    @property
    def lengths(self) -> Index:
        """Events of each sequence (n,)."""
        return np.diff(self.first)

    @property
    def owner(self) -> Index:
        """The sequence (N,) of each event."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: ArrayLike) -> Sequences:
        """Some of the sequences, in the order asked for; `rows` are numbers or a mask."""
        index = np.arange(len(self))[np.asarray(rows)]
        lengths = self.lengths[index]
        first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        events = np.arange(first[-1]) + np.repeat(self.first[index] - first[:-1], lengths)
        return Sequences(
            self.codes[events], first, self.names,
            tuple(self.keys[i] for i in index.tolist()) if self.keys else (),
            None if self.row is None else self.row[events],
            None if self.labels is None else self.labels[index],
            None if self.splits is None else tuple(self.splits[i] for i in index.tolist()),
        )  # fmt: skip

    def split(self, name: str) -> Sequences:
        """Those that the file marks as "train" or "test"."""
        if self.splits is None:
            raise InputError("these sequences have no column split; take the rows you want")
        return self.take(np.array([part == name for part in self.splits]))


def _events(one: Any) -> list[str]:
    events = one.events if isinstance(one, Sequence) else one
    if isinstance(events, str | bytes) or not isinstance(events, Ordered | np.ndarray):
        raise InputError(f"a sequence is {str(events)[:40]!r}; give a list of events such as ['open', 'read', 'close']")
    for event in events:
        if not isinstance(event, Hashable) or (isinstance(event, float | np.floating) and event != event):
            raise InputError(f"an event is {event!r}; events are texts or whole numbers")
    return [str(event) for event in events]


def read_sequences(path: str | Path) -> Sequences:
    """Read a CSV of sequences: columns `sequence`, `events` (separated by blanks), and where known `label`, `split`.

    Raises
    ------
    InputError
        If the file is missing, has other columns, or holds no sequences.
    """
    csv.field_size_limit(LARGEST_CELL)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV of sequences ({error})") from error
    if not rows:
        raise InputError(f"{path} holds no sequences; give a line of column names and one line per sequence")
    missing = {"sequence", "events"} - rows[0].keys()
    if missing:
        raise InputError(f"{path} has no column {sorted(missing)[0]!r}; a CSV of sequences has sequence,events")
    plain = Sequences.of([Sequence(tuple((row["events"] or "").split()), row["sequence"]) for row in rows])
    labels = _labels([row["label"] for row in rows], path) if "label" in rows[0] else None
    splits = tuple(row["split"] for row in rows) if "split" in rows[0] else None
    return Sequences(plain.codes, plain.first, plain.names, plain.keys, None, labels, splits)


def _labels(cells: list[str], path: str | Path) -> Index | None:
    odd = next((cell for cell in cells if cell not in ("0", "1", "")), None)
    if odd is not None:
        raise InputError(f"{path}: label is {odd!r}; labels are 0 normal and 1 anomalous, or empty")
    return np.array([int(cell) if cell else -1 for cell in cells], dtype=np.int64)
