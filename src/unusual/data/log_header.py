"""The head of a log line, recognised without configuration: time stamp, level, component, process, then the message.

The first lines vote: on the form of the time stamp and on what stands in each column behind it. The head ends with the
last column that most lines fill with something no message would begin with (a level, a bracket, a word with a colon).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unusual.data.log_times import FORMS, TimeForm

VOTERS = 300  # lines that vote
MAJORITY = 0.9  # of the lines with a time stamp, to make a column part of the head
FORM_SHARE = 0.5  # of the lines that do not look like the rest of a stack trace
FARTHEST = 200  # bytes into a line up to which a time stamp is looked for
MOST_COLUMNS = 12
NEAR = 2  # columns of any kind that may stand before one that ends the head

LEVELS = {
    word: rank
    for rank, words in enumerate(
        (b"trace finest finer verbose", b"debug fine", b"info information notice config log", b"warn warning",
         b"error err severe failure", b"fatal critical crit alert emerg emergency panic")
    )
    for word in words.split()
}  # fmt: skip
LEVEL_NAMES = ("trace", "debug", "info", "warning", "error", "fatal")
_LETTERS = {b"t": 0, b"v": 0, b"d": 1, b"i": 2, b"w": 3, b"e": 4, b"f": 5, b"c": 5}
_ITEM = rb"(?:\[(?:[^\[\]\n]|\[[^\]\n]{0,200}\]){0,300}\]:?|[^ \t\n]+)"  # bounded: no line may take long
_FOLLOWS = rb"(?:[ \t\r]|$|Caused by:|Traceback |\.\.\. \d+ more|[\w.$]+(?:Exception|Error)\b)"
_GOES_ON = re.compile(_FOLLOWS)
_COMPONENT = rb"(?:(?P<component>[^ \t\n\[\]:]*)(?:\[%s\])?:|[^ \t\n]+:)"


@dataclass(frozen=True)
class Heads:
    """Where the heads of lines begin and end (n,), and what each of their fields holds, None where it is missing."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    fields: dict[str, list[bytes | None]]


@dataclass(frozen=True)
class Layout:
    """How the lines of a file begin.

    Attributes
    ----------
    form : TimeForm or None
        How times are written, None where there are none.
    head : bytes
        Pattern of everything before the message.
    fields : tuple of str
        What it finds: of "time", "level", "component", "process".
    """

    form: TimeForm | None
    head: bytes
    fields: tuple[str, ...]

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """`head`, compiled to find the heads of all lines of a text, as its first group."""
        return re.compile(rb"^(" + self.head + rb")", re.MULTILINE)

    def heads(self, text: bytes) -> Heads:
        """The heads of the lines of `text` that have one."""
        width = self.pattern.groups + 1
        parts = self.pattern.split(text)  # what lies between heads, then the groups of a head, and so on
        lengths = np.fromiter(map(len, parts[1::width]), np.int64)
        between = np.fromiter(map(len, parts[0::width]), np.int64)[:-1]
        end = np.cumsum(between + lengths)
        fields = {name: parts[k::width] for name, k in self.pattern.groupindex.items()}
        return Heads(end - lengths, end, fields)


PLAIN = Layout(None, rb"(?!" + _FOLLOWS + rb")", ())


def goes_on(line: bytes) -> bool:
    """Whether a line looks like the rest of a message that began before: indented, empty, or part of a stack trace."""
    return _GOES_ON.match(line) is not None


def level_rank(word: bytes) -> int:
    """0 trace, 1 debug, 2 info, 3 warning, 4 error, 5 fatal, -1 for any other word."""
    word = word.strip(b"[]<>(): \t").lower()
    return LEVELS.get(word, _LETTERS.get(word, -1))


def recognise(lines: list[bytes]) -> Layout:
    """The layout on which the first lines of a file agree; `PLAIN` where they do not."""
    voters = [line for line in lines[: 4 * VOTERS] if not goes_on(line)][:VOTERS]
    if not voters:
        return PLAIN
    found = _time_form(voters)
    if found is None:
        return _without_time(voters)
    form, before = found
    start = re.compile(before + form.pattern)
    rests = [line[m.end() :] for line in voters if (m := start.match(line))]
    tail, fields = _columns(rests)
    return Layout(form, before + form.pattern + tail, ("time", *fields))


def _time_form(voters: list[bytes]) -> tuple[TimeForm, bytes] | None:
    """The form most lines have, earliest in the line where several do, and a pattern of what stands before it."""
    best: tuple[float, TimeForm, bytes] | None = None
    for form in FORMS:
        pattern = re.compile(rb"(?<![\w.:-])" + form.pattern if form.name != "glog" else form.pattern)
        hits = [m for line in voters if (m := pattern.search(line[:FARTHEST]))]
        if len(hits) < FORM_SHARE * len(voters):
            continue
        before, count = Counter(_before(m.string[: m.start()]) for m in hits).most_common(1)[0]
        place = sum(m.start() for m in hits) / len(hits)
        if count >= FORM_SHARE * len(voters) and (best is None or place < best[0] - 0.5):
            best = (place, form, before)
    return None if best is None else best[1:]


def _before(text: bytes) -> bytes:
    """A pattern of what stands before a time stamp: so many words, then signs."""
    words = text.split()
    signs = b"" if not text or text[-1:].isspace() else words.pop()
    letters = re.sub(rb"[^\[(<\"{]", b"", signs) if len(signs) < 3 else signs
    if signs[:1].isalpha() and len(signs) == 1:  # glog's level: one letter
        return rb"[ \t]*" * bool(text[:1].isspace()) + rb"(?P<level>[A-Z])"
    return rb"(?:[^ \t\n]+[ \t]+){%d}" % len(words) + re.escape(letters)


def _columns(rests: list[bytes]) -> tuple[bytes, tuple[str, ...]]:
    """A pattern of the head behind the time stamp, and the fields it finds."""
    rows = [re.findall(_ITEM, rest.lstrip(b"])>,;:|")[:400])[:MOST_COLUMNS] for rest in rests]
    kinds = [_kind([row[j] for row in rows if j < len(row)], len(rows)) for j in range(MOST_COLUMNS)]
    last = -1
    for j, kind in enumerate(kinds):
        if kind == "level" or (kind in ("dash", "bracket", "component") and j - last <= NEAR + 1):
            last = j
    pieces, fields = [], []
    for j in range(last + 1):
        kind = kinds[j] if kinds[j] not in fields else ""
        if kind == "component":
            more = "process" not in fields
            pieces.append(_COMPONENT % (rb"(?P<process>\d+)" if more else rb"\d+"))
            fields += ["component", "process"] if more else ["component"]
        elif kind in ("level", "process"):
            inner = rb"(?P<level>" if kind == "level" else rb"(?P<process>"
            pieces.append(rb"[\[<(]?[ ]*" + inner + rb"[^ \t\n\]>):]+)[ ]*[\])>:]*")
            fields.append(kind)
        else:
            pieces.append(_ITEM)
    tail = rb"(?:[ \t]*" + rb"[ \t]+".join(pieces) + rb")?" if pieces else b""  # the first may touch what is before
    return rb"[\])>,;:|]*" + tail + rb"[ \t]*", tuple(fields)


def _kind(items: list[bytes], count: int) -> str:
    """What most lines have in one column: "level", "dash", "bracket", "component", "process", or nothing in common."""
    enough = MAJORITY * count

    def most(test: re.Pattern[bytes]) -> bool:
        return sum(test.match(item) is not None for item in items) >= enough

    if len(items) < enough or not items:
        return ""
    if sum(level_rank(item) >= 0 for item in items) >= enough:
        return "level"
    for kind, test in _KINDS.items():
        if most(test):
            return kind
    return ""


_KINDS = {
    "process": re.compile(rb"[\[(<]?\d+[\])>]?$"),
    "dash": re.compile(rb"[-|:;=>]{1,3}$"),
    "bracket": re.compile(rb"\[.*\]:?$"),
    "component": re.compile(rb"[^\"'=]*:$"),
}


def _without_time(voters: list[bytes]) -> Layout:
    """A head of a level alone, as in "WARN: disk almost full"."""
    pattern = re.compile(rb"[\[<(]?(?P<level>[A-Za-z]+)[\])>]?(?::|[ \t]|[\])>])[ \t]*")
    hits = [m for line in voters if (m := pattern.match(line))]
    if sum(level_rank(m["level"]) >= 0 and len(m["level"]) > 2 for m in hits) < MAJORITY * len(voters):
        return PLAIN
    return Layout(None, pattern.pattern, ("level",))
