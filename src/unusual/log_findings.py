"""What a scan of a log gives back: bursts, new kinds of lines, sequences out of order, odd values, and where."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unusual.findings import Method, Promise
from unusual.store import written_whole
from unusual.study import Block, Lines, Study, Table, Words, plain

if TYPE_CHECKING:
    from unusual._log_model import LogModel
    from unusual.data.log_events import LogEvents

Vector = NDArray[np.float64]

KINDS = {
    "new": "new kind of line",
    "rare": "rare kind of line",
    "burst": "burst",
    "value": "odd value",
    "delay": "odd delay",
    "order": "out of order",
    "sequence": "unusual sequence",
}
SHOWN = 30  # findings listed on the page
CLOSE = 8  # findings shown with the lines around them
BINS = 200  # of the time line


@dataclass(frozen=True)
class LogFinding:
    """One thing that does not belong.

    Attributes
    ----------
    kind : str
        "new", "rare", "burst", "value", "delay", "order" or "sequence".
    reason : str
        What was new, out of order or too much, in one sentence.
    template : str
        The kind of its first line.
    score, p_value : float
        Of its most unusual line, or of the sequence.
    file : str
    lines, offsets : tuple of int
        Numbers (from 1) and bytes of its lines in the file, at most 100 of them; `count` says how many there are.
    count : int
    start, end : float
        Seconds since 1970, NaN where the log has no times.
    key : str
        The request or session, where it is one.
    around : tuple of (int, str)
        The lines about the first one, with their numbers.
    views : dict
        -log p in each view.
    """

    kind: str
    reason: str
    template: str
    score: float
    p_value: float
    file: str
    lines: tuple[int, ...]
    offsets: tuple[int, ...]
    count: int
    start: float
    end: float
    key: str = ""
    around: tuple[tuple[int, str], ...] = ()
    views: dict[str, float] = field(default_factory=dict)


@dataclass
class LogFindings:
    """The result of a scan of a log, lines in the order of the file.

    Attributes
    ----------
    findings : list of LogFinding
        Most unusual first; iterating goes over them.
    scores, p_values : (n,) float64
        Of each line; the chance that a normal block of `block` lines reaches the score.
    sequence_scores : dict of str to float
        Of each request or session, by its key.
    candidates : list of LogFinding
        The highest scores, where none is high enough to be called unusual.
    calibration : Promise
        For lines; `sequence_calibration` for sequences.
    """

    source: str
    events: LogEvents = field(repr=False)
    findings: list[LogFinding]
    scores: Vector
    p_values: Vector
    sequence_scores: dict[str, float]
    threshold: float
    calibration: Promise
    sequence_calibration: Promise | None
    method: Method
    notes: list[str]
    block: int
    model: LogModel = field(repr=False)
    candidates: list[LogFinding] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    kind: str = "events"

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[LogFinding]:
        return iter(self.findings)

    def summary(self) -> str:
        """What was found, in one sentence."""
        total = f"{len(self.scores):,} lines"
        if self.sequence_scores:
            total += f" of {len(self.sequence_scores):,} sequences"
        if not self.findings:
            return f"nothing unusual in {total}"
        counts = {kind: sum(f.kind == kind for f in self.findings) for kind in KINDS}
        parts = [_counted(n, KINDS[kind]) for kind, n in counts.items() if n]
        return f"{', '.join(parts)} in {total}"

    def study(self) -> Study:
        """The page: the findings, when they came, and the lines around the foremost."""
        found = self.findings or self.candidates
        blocks: list[Block] = []
        if found:
            caption = (
                "Findings" if self.findings else "The highest scores, though none is high enough to be called unusual"
            )
            blocks.append(_listed(caption, found[:SHOWN]))
        if np.isfinite(self.events.time).all() and np.ptp(self.events.time) > 0:
            blocks.append(self._time_line())
        for finding in found[:CLOSE]:
            blocks.append(Words(f"{KINDS[finding.kind].capitalize()}: {finding.reason}."))
            marked = set(finding.lines)
            rows = [["▶" if number in marked else "", number, text] for number, text in finding.around]
            blocks.append(Table(f"{finding.file}, around line {finding.lines[0]:,}", ["", "line", "text"], rows))
        about = [self.calibration.sentence]
        about += [self.sequence_calibration.sentence] if self.sequence_calibration is not None else []
        about += [*self.notes, f"method: {self.method.name}, {self.method.why}"]
        return Study(f"What is unusual in {self.source}?", self.summary(), blocks, about)

    def _time_line(self) -> Lines:
        """Lines over time, and the highest score at each time."""
        time = self.events.time - self.events.time.min()
        hours = time / 3600
        edges = np.linspace(0, hours.max(), BINS + 1)
        place = np.minimum(np.searchsorted(edges, hours, "right") - 1, BINS - 1)
        highest = np.zeros(BINS)
        np.maximum.at(highest, place, self.scores)
        levels = {"threshold": self.threshold} if np.isfinite(self.threshold) else {}
        return Lines("Highest score over time", "hours since the first line", "score (-log p)",
                     {"score": (edges[:-1], highest)}, levels=levels)  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Summary, promise, findings, notes and settings as plain values."""
        found: dict[str, Any] = plain(
            {
                "source": self.source,
                "kind": self.kind,
                "summary": self.summary(),
                "threshold": self.threshold,
                "calibration": asdict(self.calibration),
                "method": asdict(self.method),
                "notes": self.notes,
                "findings": [asdict(finding) for finding in self.findings],
                "candidates": [asdict(finding) for finding in self.candidates],
                "timings": self.timings,
                "settings": self.settings,
            }
        )
        return found

    def to_json(self, path: str | Path) -> None:
        """Write `as_dict`."""
        with written_whole(path) as stream:
            stream.write(json.dumps(self.as_dict(), indent=1, ensure_ascii=False, default=str).encode())

    def to_html(self, path: str | Path) -> None:
        """Write the page of the study: one file that needs no network."""
        self.study().to_html(path)

    def to_csv(self, path: str | Path) -> None:
        """Write every line with its number, byte, template, score and p-value."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file", "line", "offset", "template", "score", "p_value"])
        events = self.events
        texts = {number: events.text(number) for number in np.unique(events.template).tolist()}
        for i, number in enumerate(events.template.tolist()):
            row = [events.paths[events.file[i]], events.line[i], events.offset[i], texts[number]]
            writer.writerow([*row, repr(float(self.scores[i])), repr(float(self.p_values[i]))])
        with written_whole(path) as stream:
            stream.write(text.getvalue().encode())

    def frame(self) -> Any:
        """Line, byte, time, template, score and p-value of every line: pandas or polars, else a dict of arrays."""
        from importlib.util import find_spec

        events = self.events
        texts = {number: events.text(number) for number in np.unique(events.template).tolist()}
        data = {
            "line": events.line,
            "offset": events.offset,
            "time": events.time,
            "template": np.array([texts[number] for number in events.template.tolist()], dtype=object),
            "score": self.scores,
            "p_value": self.p_values,
        }
        for library in ("pandas", "polars"):
            if find_spec(library) is not None:
                columns = {name: v.tolist() if v.dtype == object else v for name, v in data.items()}
                return __import__(library).DataFrame(columns)
        return data

    def _repr_html_(self) -> str:
        return self.study()._repr_html_()


def _listed(caption: str, findings: list[LogFinding]) -> Table:
    rows = [
        [KINDS[f.kind], f.lines[0], f.count, _moment(f.start), f.score, f.p_value, f.template, f.reason]
        for f in findings
    ]
    return Table(caption, ["what", "first line", "lines", "time", "score", "p", "template", "why"], rows)


def _moment(seconds: float) -> str:
    """A time as people write it, without the year where the log has none."""
    if not np.isfinite(seconds):
        return ""
    text = str(np.datetime64(int(seconds), "s")).replace("T", " ")
    return text[5:] if text.startswith(("1972-", "1973-")) else text[11:] if text.startswith("1970-01-0") else text


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    head, _, tail = what.partition(" of ")
    if what == KINDS["order"]:
        return f"{count:,} {what}"
    return f"{count:,} {head}s{' of ' + tail + 's' if tail else ''}"
