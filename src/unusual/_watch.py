"""`watch`: steps of a series as they are written somewhere, and the alarms they raise."""

from __future__ import annotations

import csv
import logging
import time as clock
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._series_model import SeriesModel
from unusual.data.live_lines import live_lines
from unusual.data.series import TIME_NAME
from unusual.errors import InputError
from unusual.series_detector import SeriesDetector
from unusual.stream import Stream

logger = logging.getLogger(__name__)

DAY = 86_400.0  # seconds
SAVED_EVERY = 10.0  # seconds, where there is no alarm

Told = dict[str, Any]
Values = NDArray[np.float64]


def watch(
    source: str | Path | Iterable[str],
    model: str | Path | SeriesModel | SeriesDetector,
    *,
    state: str | Path | None = None,
    alarms_per_day: float | None = None,
    steps_per_day: float | None = None,
    threshold: str = "calibration",
    learn: str = "none",
    cooldown: int | None = None,
    time: str | None = None,
    every: float = 1.0,
    follow: bool = True,
) -> Iterator[Told]:
    """Alarms of a series that is being written, each when it begins and again when it has ended.

    Parameters
    ----------
    source : path of a growing CSV file, http(s) address of one, or lines of CSV such as `sys.stdin`
        The first line names the columns; the file may be rotated or cut.
    model : a fitted model or detector of a series, or the file of one
    state : file that keeps where the stream is; if it exists, the watch goes on from there
        An alarm is in it before it is told, and told again if the watch was stopped before the next was asked for: drop
        a pair of `number` and `ended` that you have.
    alarms_per_day, threshold, learn, cooldown : as in `unusual.stream.Stream`
    steps_per_day, time : rows in a day and the column of times; None reads them off the first rows
    every, follow : seconds between two looks, and whether to wait for more at the end

    Yields
    ------
    dict with number, ended, start_time, end_time, peak_time, start, end, peak (rows from 0), score, threshold, channel

    Raises
    ------
    InputError
        If the source, the model or the state cannot be used.
    """
    detector, channels = _detector(model)
    kept = Path(state) if state is not None else None
    stream = Stream.load(kept) if kept is not None and kept.exists() else None
    position: dict[str, Any] = stream.position if stream is not None else {}
    table = _Columns(detector.n_features_in_, channels, time, position.get("names"))
    saved = clock.monotonic()
    if stream is not None:
        yield from _told(stream, table, kept)
    for lines, where in live_lines(source, position.get("where", {}), every, follow):
        values, times = table.read(lines)
        if stream is None and len(values):
            budget = {"alarms_per_day": alarms_per_day, "steps_per_day": steps_per_day or _steps_per_day(times)}
            stream = Stream(detector, **budget, threshold=threshold, learn=learn, cooldown=cooldown)
        if stream is None:
            continue
        stream.extend(values, times)
        stream.position = {"names": table.names, "where": where}
        yield from _told(stream, table, kept)
        if kept is not None and clock.monotonic() - saved > SAVED_EVERY:
            stream.save(kept)
            saved = clock.monotonic()
    if kept is not None and stream is not None:
        stream.save(kept)


def sentence(told: Told) -> str:
    """An alarm in one line of plain text."""
    begun = told["start"] if told["start_time"] is None else told["start_time"]
    what = f"alarm {told['number']}: {told['channel']} is unusual since {begun}"
    if told["ended"]:
        end = told["end"] if told["end_time"] is None else told["end_time"]
        what = f"alarm {told['number']} has ended: {told['channel']} was unusual from {begun} to {end}"
    return f"{what} (score {told['score']:.4g}, threshold {told['threshold']:.4g})"


def _told(stream: Stream, table: _Columns, kept: Path | None) -> Iterator[Told]:
    """The pending alarms: written down before they are told, and crossed out after."""
    if not stream.pending:
        return
    if kept is not None:
        stream.save(kept)
    for alarm in stream.pending:
        fields = asdict(alarm)
        fields["start_time"] = fields.pop("time")
        fields["channel"] = table.channels[alarm.channel]
        yield fields
    stream.acknowledge()
    if kept is not None:
        stream.save(kept)


def _detector(model: Any) -> tuple[SeriesDetector, list[str] | None]:
    """The detector, and the names of its channels where it knows them."""
    if isinstance(model, str | Path):
        from unusual.store import load

        model = load(model)
    if isinstance(model, SeriesModel):
        if len(model.detectors) != 1:
            raise InputError(f"the model holds {len(model.detectors)} series; watch one at a time, with its own model")
        return next(iter(model.detectors.values())), model.channels
    if isinstance(model, SeriesDetector):
        return model, None
    raise InputError(f"a {type(model).__name__} cannot watch a series; give a model that was fitted on one")


@dataclass
class _Columns:
    """Lines of CSV as steps, once the first of them has named the columns.

    `wanted` are the names of the channels where the model knows them, `count` how many it has.
    """

    count: int
    wanted: list[str] | None
    time: str | None
    names: list[str] | None = None

    def read(self, lines: list[str]) -> tuple[Values, list[str | float | None]]:
        """Values (n, C), missing where a cell is no finite number, and times (n,)."""
        rows = [cells for cells in csv.reader(lines) if cells]
        if self.names is None and rows:
            self.names = self._checked(rows[0])
        names = self.names or []
        rows = [cells for cells in rows if cells != names]  # a file that begins anew has its head again
        whole = [cells for cells in rows if len(cells) == len(names)]
        if len(whole) < len(rows):
            logger.warning("%d lines do not have %d cells and are left out", len(rows) - len(whole), len(names))
        places = [names.index(channel) for channel in self.channels]
        values = np.array([[_number(cells[p]) for p in places] for cells in whole], dtype=np.float64)
        when = self._time_of(names)
        times: list[str | float | None] = [None if when is None else cells[names.index(when)] for cells in whole]
        return values.reshape(len(whole), self.count), times

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in the order of the model."""
        return self._channels_of(self.names or [])

    def _channels_of(self, names: list[str]) -> list[str]:
        found = self.wanted if self.wanted is not None else [n for n in names if n != self._time_of(names)]
        return found if names else []

    def _time_of(self, names: list[str]) -> str | None:
        if self.time is not None:
            return self.time
        return next((n for n in names if TIME_NAME.search(n) and n not in (self.wanted or [])), None)

    def _checked(self, cells: list[str]) -> list[str]:
        asked = [*(self.wanted or []), *([self.time] if self.time else [])]
        lacking = [name for name in asked if name not in cells]
        if lacking:
            raise InputError(f"the first line has no column {lacking[0]!r}; it has: {', '.join(cells)}")
        found = len(self._channels_of(cells))
        if found != self.count:
            raise InputError(f"the first line names {found} channels, the model has {self.count}: {', '.join(cells)}")
        return cells


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def _steps_per_day(times: list[str | float | None]) -> float | None:
    """Rows in a day by the usual distance of the first times, None where they are no dates."""
    try:
        stamps = np.array(times, dtype="datetime64[us]").astype(np.int64) / 1e6
    except (ValueError, TypeError):
        return None
    usual = float(np.median(np.diff(stamps))) if len(stamps) > 1 else 0.0
    return DAY / usual if usual > 0 else None
