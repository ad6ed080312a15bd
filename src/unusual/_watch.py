"""`watch`: steps of a series as they are written somewhere, and the alarms they raise."""

from __future__ import annotations

import csv
import logging
import time as clock
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

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
        An alarm is in the file before it is told, and told again with its number if the watch was stopped before the
        next one was asked for: whoever gets it may drop a pair of `number` and `ended` that it has.
    alarms_per_day, threshold, learn, cooldown : as in `unusual.stream.Stream`
    steps_per_day : rows in a day; None reads it off the first times
    time : column of times; None takes one with such a name
    every : seconds between two looks
    follow : whether to wait for more at the end

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
    names: list[str] | None = position.get("names")
    if stream is not None and names is not None:
        yield from _told(stream, _channels(names, channels, time), kept)
    saved = clock.monotonic()
    for lines, where in live_lines(source, position.get("where", {}), every, follow):
        rows = [cells for cells in csv.reader(lines) if cells]
        if names is None and rows:
            names = _head(rows[0], channels, detector, time)
        rows = [cells for cells in rows if cells != names]  # a file that begins anew has its head again
        if names is None or not rows:
            continue
        values, times = _parsed(rows, names, _channels(names, channels, time), _time(names, channels, time))
        if stream is None:
            per_day = steps_per_day if steps_per_day is not None else _steps_per_day(times)
            budget = {"alarms_per_day": alarms_per_day, "steps_per_day": per_day}
            stream = Stream(detector, **budget, threshold=threshold, learn=learn, cooldown=cooldown)
        stream.extend(values, times)
        stream.position = {"names": names, "where": where}
        if stream.pending:
            yield from _told(stream, _channels(names, channels, time), kept)
            saved = clock.monotonic()
        elif kept is not None and clock.monotonic() - saved > SAVED_EVERY:
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


def _told(stream: Stream, channels: list[str], kept: Path | None) -> Iterator[Told]:
    """The pending alarms: written down before they are told, and crossed out after."""
    if not stream.pending:
        return
    if kept is not None:
        stream.save(kept)
    for alarm in stream.pending:
        fields = asdict(alarm)
        fields["start_time"] = fields.pop("time")
        fields["channel"] = channels[alarm.channel]
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


def _head(cells: list[str], channels: list[str] | None, detector: SeriesDetector, time: str | None) -> list[str]:
    """The names of the columns.

    Raises
    ------
    InputError
        If a channel or the column of times is missing, or there are more or fewer channels.
    """
    lacking = [name for name in [*(channels or []), *([time] if time else [])] if name not in cells]
    if lacking:
        raise InputError(f"the first line has no column {lacking[0]!r}; it has: {', '.join(cells)}")
    found = len(_channels(cells, channels, time))
    if found != detector.n_features_in_:
        raise InputError(
            f"the first line names {found} channels, the model has {detector.n_features_in_}: {', '.join(cells)}"
        )
    return cells


def _time(names: list[str], channels: list[str] | None, time: str | None) -> str | None:
    if time is not None:
        return time
    return next((n for n in names if TIME_NAME.search(n) and n not in (channels or [])), None)


def _channels(names: list[str], channels: list[str] | None, time: str | None) -> list[str]:
    return channels or [n for n in names if n != _time(names, channels, time)]


def _parsed(
    rows: list[list[str]], names: list[str], channels: list[str], time: str | None
) -> tuple[np.ndarray, list[str | float | None]]:
    """Values (n, C), missing where a cell is no finite number, and times; rows with other columns are left out."""
    whole = [cells for cells in rows if len(cells) == len(names)]
    if len(whole) < len(rows):
        logger.warning("%d lines do not have %d cells and are left out", len(rows) - len(whole), len(names))
    places = [names.index(channel) for channel in channels]
    values = np.array([[_number(cells[p]) for p in places] for cells in whole]).reshape(len(whole), len(places))
    return values, [None if time is None else cells[names.index(time)] for cells in whole]


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
