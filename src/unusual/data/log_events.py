"""The events of a log in columns: template, time, level, parameters and keys of every line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.data.log_chunks import lines_at
from unusual.data.log_file import LogBlock, LogFiles
from unusual.data.log_keys import find_key, given_key, keys_of
from unusual.data.sequences import Sequences
from unusual.errors import InputError
from unusual.parts.slots import Slots, varying
from unusual.parts.templates import TemplateTree, decoded
from unusual.parts.tokens import Tokens

Index = NDArray[np.int64]
Vector = NDArray[np.float64]

COLUMNS = ("template", "time", "level", "line", "offset", "lines", "file")
MOST_AROUND = 200  # lines shown at once, however long the stack traces between them
NOTHING_TOGETHER = "nothing"  # by="nothing": lines stand for themselves


@dataclass(frozen=True)
class LogEvents:
    """n lines of a log (each with those joined to it) in columns.

    Attributes
    ----------
    template : int64 (n,)
        Number of the template of each line in `tree`.
    time : float64 (n,)
        Seconds since 1970, NaN where unknown.
    level : int8 (n,)
        0 trace to 5 fatal, -1 unknown.
    line, offset, file, lines : int64 (n,)
        Number of the line (from 1) and byte in its file, number of the file, and how many lines were joined to one.
    slots : Slots
        What stands where the templates vary.
    member, member_of : int64 (p,)
        Pairs of line and key: line member[j] speaks of keys[member_of[j]]. None where nothing ties lines together.
    tree : TemplateTree
    notes : tuple of str
        What was done to the lines, in sentences.
    """

    template: Index
    time: Vector
    level: NDArray[np.int8]
    line: Index
    offset: Index
    lines: Index
    file: Index
    slots: Slots = field(repr=False)
    tree: TemplateTree = field(repr=False)
    paths: tuple[str, ...] = ()
    member: Index | None = None
    member_of: Index | None = None
    keys: tuple[str, ...] = ()
    key: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.template)

    def take(self, rows: ArrayLike) -> LogEvents:
        """Some of the lines, in ascending order; `rows` are numbers or a mask."""
        index = np.unique(np.arange(len(self))[np.asarray(rows)])
        columns = {name: getattr(self, name)[index] for name in COLUMNS}
        pairs: dict[str, Any] = {}
        if self.member is not None and self.member_of is not None:
            place = np.full(len(self), -1)
            place[index] = np.arange(len(index))
            kept = place[self.member] >= 0
            pairs = {"member": place[self.member[kept]], "member_of": self.member_of[kept]}
        return replace(self, **columns, **pairs, slots=self.slots.take(index))

    def sequences(self) -> Sequences:
        """The templates of the lines of each key, in order.

        Raises
        ------
        InputError
            If nothing ties the lines together.
        """
        if self.member is None or self.member_of is None:
            raise InputError("nothing ties the lines of this log together; name it, such as by='request=(\\w+)'")
        order = np.argsort(self.member_of, kind="stable")
        present, counts = np.unique(self.member_of, return_counts=True)
        row = self.member[order]
        numbers, codes = np.unique(self.template[row], return_inverse=True)
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Sequences(
            codes.astype(np.int64), first, tuple(str(n) for n in numbers.tolist()),
            tuple(self.keys[k] for k in present.tolist()), row,
        )  # fmt: skip

    def text(self, number: int) -> str:
        """A template as one line."""
        return self.tree.text(number) or "(a template that has been forgotten)"

    def raw(self, row: int, around: int = 0) -> list[tuple[int, str]]:
        """Number and text of the lines at `row` and of `around` rows before and after, read again from the file."""
        low, high = max(0, row - around), min(len(self) - 1, row + around)
        same = np.arange(low, high + 1)
        same = same[self.file[same] == self.file[row]]
        count = int(self.line[same[-1]] - self.line[same[0]]) + 1
        texts = lines_at(self.paths[self.file[row]], int(self.offset[same[0]]), min(count, MOST_AROUND))
        return list(enumerate(texts, start=int(self.line[same[0]])))


def read_log(source: Any, tree: TemplateTree | None = None, by: str | None = None) -> LogEvents:
    """Read a log: a path, a pattern such as "app.log*", or a list of paths.

    Parameters
    ----------
    source : see `LogFiles`
    tree : templates of a reference; what fits none of them makes new ones. They are learned anew where it is None.
    by : what ties lines together: "process", "component", a pattern such as r"request=(\\w+)", or "nothing"; looked for
        where it is None

    Raises
    ------
    InputError
        If the files cannot be read as a log; the sentence says why.
    """
    files = LogFiles(source)
    if tree is not None and tree.frozen is None:
        tree.freeze()
    collected = _Collector(TemplateTree() if tree is None else tree, by)
    for block in files:
        if len(block):
            collected.add(block, files)
        elif collected.blocks:
            collected.blocks[-1]["lines"][-1] += block.before
    if not collected.blocks:
        raise InputError(f"{files.paths[0]} holds no line that begins as a log does; give a log with one event a line")
    return collected.events(files)


class _Collector:
    """Columns of the blocks read so far."""

    def __init__(self, tree: TemplateTree, by: str | None) -> None:
        self.tree, self.by = tree, by
        self.blocks: list[dict[str, Any]] = []
        self.slots: list[Slots] = []
        self.pairs: list[tuple[Index, Index]] = []
        self.keys: dict[bytes, int] = {}
        self.key: re.Pattern[bytes] | str | None = None
        self.count = 0

    def add(self, block: LogBlock, files: LogFiles) -> None:
        messages = Tokens.of(block.text, block.begin, block.finish)
        template = self.tree.number(messages)
        if not self.blocks:
            self.key = self._chosen_key(block, template, files)
        elif block.before:
            self.blocks[-1]["lines"][-1] += block.before
        present = np.unique(template).tolist()
        free = {n: places for n in present if n in self.tree.known and (places := self.tree.known[n].free())}
        self.slots.append(Slots.of(messages, varying(messages, template, free)))
        if self.key is not None:
            rows, words = keys_of(block, self.key)
            for word in dict.fromkeys(words):
                self.keys.setdefault(word, len(self.keys))
            numbers = np.fromiter(map(self.keys.__getitem__, words), np.int64, len(words))
            pairs = np.unique(rows * max(1, len(self.keys)) + numbers)
            self.pairs.append((pairs // max(1, len(self.keys)) + self.count, pairs % max(1, len(self.keys))))
        self.blocks.append(
            {"template": template, "time": block.time, "level": block.level, "line": block.line,
             "offset": block.offset, "lines": block.lines, "file": np.full(len(block), block.file)}
        )  # fmt: skip
        self.count += len(block)

    def _chosen_key(self, block: LogBlock, template: Index, files: LogFiles) -> re.Pattern[bytes] | str | None:
        if self.by == NOTHING_TOGETHER:
            return None
        if self.by is not None:
            return given_key(self.by, files.layouts[0])
        return find_key([block.message(i) for i in range(min(len(block), 5000))], template.tolist())

    def events(self, files: LogFiles) -> LogEvents:
        columns: dict[str, Any] = {n: np.concatenate([part[n] for part in self.blocks]) for n in COLUMNS}
        pairs: dict[str, Any] = {}
        if self.key is not None and self.keys:
            pairs = {
                "member": np.concatenate([rows for rows, _ in self.pairs]),
                "member_of": np.concatenate([numbers for _, numbers in self.pairs]),
                "keys": tuple(decoded(word) for word in self.keys),
                "key": self.key if isinstance(self.key, str) else decoded(self.key.pattern),
            }
        return LogEvents(
            **columns, **pairs, slots=Slots.joined(self.slots), tree=self.tree,
            paths=tuple(str(path) for path in files.paths), notes=_notes(files, columns),
        )  # fmt: skip


def _notes(files: LogFiles, columns: dict[str, Any]) -> tuple[str, ...]:
    said, notes = files.said, []
    form = files.layouts[0].form
    time = f"times as in {form.name}" if form is not None else "no time stamps"
    notes.append(f"read {said['lines']:,} lines of {len(files.paths)} file(s), with {time}")
    if said["joined"]:
        notes.append(f"{said['joined']:,} lines that go on from the one before were joined to it")
    if said["cut"]:
        notes.append(f"{said['cut']:,} lines longer than 64 KB were cut")
    if said["western"]:
        notes.append(f"{said['western']:,} lines are not UTF-8 and were read as Western")
    if form is not None and (back := int((np.diff(columns["time"]) < 0).sum())):
        notes.append(f"{back:,} lines are earlier than the line before them")
    return tuple(notes)
