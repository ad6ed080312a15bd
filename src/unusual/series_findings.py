"""What a scan of series gives back: scores per step, events, and why each was raised."""

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

from unusual.data.parquet_file import write_parquet
from unusual.data.ranks import shown
from unusual.findings import Method, Promise
from unusual.parts.bootstrap import Interval
from unusual.store import written_whole
from unusual.study import Block, Study, Table, TimeLine, plain

if TYPE_CHECKING:
    from unusual._series_model import SeriesModel
    from unusual.data.series import Series

Vector = NDArray[np.float64]
MOST_EVENTS = 30  # drawn and listed on the page
MOST_SERIES = 12  # drawn


@dataclass(frozen=True)
class Event:
    """A stretch of steps above the threshold.

    Attributes
    ----------
    series : str
        Name of its series.
    start, end, peak : int
        First and last step, and the one with the highest score.
    start_time, end_time, peak_time : what the time column holds there
    score, p_value : float
        Of the peak.
    excess : float
        How far the score lies above the usual highest score of a stretch, in units of their spread.
    drivers : list of (str, float)
        Channels and their share of what pushes the score up, hardest first.
    seen, usual : float
        The leading channel where it is farthest from the nearest normal stretch, and what it is there.
    reason : str
    shown_from : int
        First step of the stretch that was compared.
    normal : (L, C) array
        The nearest normal stretch, in the units of the series.
    """

    series: str
    start: int
    end: int
    peak: int
    start_time: Any
    end_time: Any
    peak_time: Any
    score: float
    p_value: float
    excess: float
    drivers: list[tuple[str, float]]
    seen: float
    usual: float
    reason: str
    shown_from: int
    normal: NDArray[np.float64] = field(repr=False)


@dataclass
class SeriesFindings:
    """The result of a scan of one or more series, steps in the order of time, one series after the other.

    Attributes
    ----------
    series : list of Series
    items : (n,) array
        Time of each step.
    scores, p_values : (n,) float64
        Higher is more unusual; the chance that a normal stretch of `block` steps reaches the score.
    anomalous : (n,) bool
        Steps of events.
    events : list of Event
        Most unusual first.
    threshold : float
        Of the scores of a single series; with several, each has its own in `thresholds`.
    calibration : Promise
    method : Method
    notes : list of str
    block : int
        Steps of a stretch that counts as one item.
    model : SeriesModel
    metrics : dict of Interval or None
    """

    source: str
    series: list[Series]
    scores: Vector
    p_values: Vector
    anomalous: NDArray[np.bool_]
    events: list[Event]
    thresholds: list[float]
    calibration: Promise
    method: Method
    notes: list[str]
    block: int
    model: SeriesModel = field(repr=False)
    candidates: list[Event] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Interval] | None = None
    kind: str = "series"

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    @property
    def threshold(self) -> float:
        """The cut of the scores; the lowest one where several series have their own."""
        return min(self.thresholds)

    @property
    def items(self) -> NDArray[Any]:
        """Time of each step."""
        return np.concatenate([s.time for s in self.series])

    def summary(self) -> str:
        """What was found, in one sentence."""
        found = "nothing unusual" if not self.events else _counted(len(self.events), "event")
        where = "" if len(self.series) == 1 else f" of {len(self.series):,} series"
        return f"{found} in {len(self.scores):,} steps{where}"

    def reason(self, i: int) -> str:
        """Why step `i` belongs to an event, in one sentence; empty where it does not."""
        begin = 0
        for s in self.series:
            for event in self.events:
                if event.series == s.name and event.start <= i - begin <= event.end:
                    return event.reason
            begin += len(s)
        return ""

    def frame(self) -> Any:
        """Series, time, score, p-value and anomalous of every step: pandas or polars, else a dict of arrays."""
        from importlib.util import find_spec

        data = {
            "series": np.concatenate([np.full(len(s), s.name, dtype=object) for s in self.series]),
            "time": self.items,
            "score": self.scores,
            "p_value": self.p_values,
            "anomalous": self.anomalous,
        }
        for library in ("pandas", "polars"):
            if find_spec(library) is not None:
                return __import__(library).DataFrame(
                    {k: v.tolist() if v.dtype == object else v for k, v in data.items()}
                )
        return data

    def study(self) -> Study:
        """The page: the events, each series with its events marked, and close-ups of seen against expected."""
        blocks: list[Block] = []
        shown_events = self.events or self.candidates
        if shown_events:
            caption = "Events" if self.events else "The highest scores, though none is high enough to be called unusual"
            blocks.append(_listed(caption, shown_events[:MOST_EVENTS], len(self.series) > 1))
        blocks += [self._line(i) for i in self._to_draw()]
        blocks += [self._close_up(event) for event in shown_events[:5]]
        if self.metrics:
            rows = [[name, v.estimate, v.low, v.high] for name, v in self.metrics.items()]
            blocks.append(Table("Against the labels", ["metric", "value", "low", "high"], rows))
        about = [self.calibration.sentence, *self.notes, f"method: {self.method.name}, {self.method.why}"]
        return Study(f"What is unusual in {self.source}?", self.summary(), blocks, about)

    def _to_draw(self) -> list[int]:
        """Which series are drawn: those with events first."""
        names = list(dict.fromkeys(event.series for event in [*self.events, *self.candidates]))
        order = sorted(range(len(self.series)), key=lambda i: _place(names, self.series[i].name))
        return order[:MOST_SERIES]

    def _line(self, i: int) -> TimeLine:
        s = self.series[i]
        begin = sum(len(one) for one in self.series[:i])
        spans = [(e.start, e.end) for e in self.events if e.series == s.name]
        return TimeLine(
            f"{s.name}: all of it, events marked",
            s.time,
            {name: s.values[:, c] for c, name in enumerate(s.channels)},
            spans,
            self.scores[begin : begin + len(s)],
            self.thresholds[i],
        )

    def _close_up(self, event: Event) -> TimeLine:
        """What the leading channel did, over the nearest normal stretch."""
        s = next(one for one in self.series if one.name == event.series)
        rows = slice(event.shown_from, event.shown_from + len(event.normal))
        lead = event.drivers[0][0]
        c, of_model = s.channels.index(lead), self.model.channels.index(lead)
        lines = {lead: s.values[rows, c], "expected": event.normal[:, of_model]}
        span = (event.start - rows.start, min(event.end, rows.stop - 1) - rows.start)
        return TimeLine(event.reason, s.time[rows], lines, [span])

    def to_html(self, path: str | Path) -> None:
        """Write the report: one page that needs no network."""
        self.study().to_html(path)

    def to_json(self, path: str | Path) -> None:
        """Write summary, promise, method, events and settings."""
        body = {
            "source": self.source,
            "kind": self.kind,
            "summary": self.summary(),
            "thresholds": plain(self.thresholds),
            "calibration": plain(asdict(self.calibration)),
            "method": asdict(self.method),
            "notes": self.notes,
            "events": [{k: v for k, v in asdict(e).items() if k != "normal"} for e in self.events],
            "metrics": None if self.metrics is None else {k: asdict(v) for k, v in self.metrics.items()},
            "timings": self.timings,
            "settings": self.settings,
        }
        with written_whole(path) as stream:
            stream.write(json.dumps(plain(body), indent=1, ensure_ascii=False, default=str).encode())

    def to_csv(self, path: str | Path) -> None:
        """Write every step with series, time, score, p-value and whether it belongs to an event."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["series", "time", "score", "p_value", "anomalous"])
        names = [s.name for s in self.series for _ in range(len(s))]
        for name, when, score, p, odd in zip(
            names, self.items, self.scores, self.p_values, self.anomalous, strict=True
        ):
            writer.writerow([name, when, repr(float(score)), repr(float(p)), int(odd)])
        with written_whole(path) as stream:
            stream.write(text.getvalue().encode())

    def to_parquet(self, path: str | Path) -> None:
        """Write the same columns as `to_csv`, as Parquet."""
        columns = {
            "series": np.concatenate([np.full(len(s), s.name) for s in self.series]),
            "time": self.items,
            "score": self.scores,
            "p_value": self.p_values,
            "anomalous": self.anomalous,
        }
        write_parquet(columns, path)

    def _repr_html_(self) -> str:
        return self.study()._repr_html_()


def _listed(caption: str, events: list[Event], several: bool) -> Table:
    head = [*(["series"] if several else []), "from", "to", "score", "p", "why"]
    rows = [
        [*([e.series] if several else []), moment(e.start_time), moment(e.end_time), e.score, e.p_value, e.reason]
        for e in events
    ]
    return Table(caption, head, rows)


def moment(value: Any) -> str:
    """A time as people write it: no microseconds, no T, no seconds where there are none."""
    if isinstance(value, np.datetime64):
        text = str(value.astype("datetime64[s]")).replace("T", " ")
        return text.removesuffix(":00") if text.endswith(":00") else text
    return shown(value.item() if isinstance(value, np.generic) else value)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _place(names: list[str], name: str) -> int:
    return names.index(name) if name in names else len(names)
