"""Series: values of one or more channels in the order of time, out of a table with a column of times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unusual.data.labels import labels_of
from unusual.data.table import Array, Table, missing, require
from unusual.errors import InputError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TIME_NAME = re.compile(r"^(date|datetime|ts|t|day|when|step|tick)$|(^|_| )(time|timestamp)$", re.IGNORECASE)
LABEL_NAME = re.compile(r"^(label|labels|anomaly|is_anomaly|target|class)$", re.IGNORECASE)
REGULAR = 0.9  # share of steps of about the usual length from which a table is taken for a series
ABOUT = 0.5  # how far a step may be off the usual length, as a share of it
LEAST_STEPS = 30  # rows below which a table is no series unless one says so
GAP = 1.5  # times the usual step: so far apart two rows leave a gap
DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Series:
    """Values of channels over time.

    Attributes
    ----------
    values : (T, C) float64, finite: holes are bridged by straight lines
    time : (T,) datetime64[us], or numbers that ascend
    channels : list of str
    name : str
    observed : (T,) bool
        Where at least one channel was measured; elsewhere all values are bridged.
    gaps : list of (int, float)
        Step after which rows are missing, and how many usual steps long the gap is.
    step : float
        Usual distance of two rows: seconds for times, else in units of the time column.
    notes : list of str
        What was done: sorted, repeated stamps, bridged holes, channels left out.
    labels : (T,) int64 or None
    """

    values: Matrix
    time: Array
    channels: list[str]
    name: str
    observed: NDArray[np.bool_]
    gaps: list[tuple[int, float]]
    step: float
    notes: list[str] = field(default_factory=list)
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def steps_per_day(self) -> float | None:
        """Rows in a day, None where the time column holds plain numbers."""
        return DAY / self.step if self.time.dtype.kind == "M" and self.step > 0 else None


def time_column(table: Table) -> str | None:
    """The column that holds the time of each row, if the table looks like a series, else None.

    One time-like column (dates, or ascending numbers under a name such as "time"), mostly regular steps, and otherwise
    numbers only; labels aside. Transactions with a time stamp, whose steps are irregular or which hold texts, stay a
    table.
    """
    if len(table) < LEAST_STEPS:
        return None
    for name, values in table.columns.items():
        dated = values.dtype.kind == "M"
        if not dated and not (TIME_NAME.search(name) and values.dtype.kind in "if"):
            continue
        others = [table.columns[n] for n in table.names if n != name and not LABEL_NAME.match(n)]
        if not others or any(v.dtype.kind not in "fiub" for v in others) or missing(values).any():
            continue
        steps = np.diff(np.sort(_seconds(values)))
        usual = float(np.median(steps))
        if usual > 0 and (np.abs(steps - usual) <= ABOUT * usual).mean() >= REGULAR and _forward(values):
            return name
    return None


def _forward(values: Array) -> bool:
    """Whether the rows lie in the order of time but for a few."""
    return bool((np.diff(_seconds(values)) >= 0).mean() >= REGULAR)


def series_of(
    table: Table,
    time: str | None = None,
    *,
    by: str | None = None,
    columns: list[str] | None = None,
    label: str | None = None,
) -> list[Series]:
    """The series of a table: one, or one for each value of the column `by`.

    Parameters
    ----------
    table : Table
    time : column of times; the rows' order where none is given
    by : column that tells the series apart (machine, sensor)
    columns : the channels; all numeric columns unless given
    label : column of 0 normal, 1 anomalous

    Raises
    ------
    InputError
        If a column is not there, times are missing, or nothing numeric is left.
    """
    named = [name for name in (time, by, label) if name is not None]
    require([*named, *(columns or [])], table.names, table.name)
    channels = columns or [n for n in table.names if n not in named and not LABEL_NAME.match(n)]
    numeric = [n for n in channels if table.columns[n].dtype.kind in "fiub"]
    if not numeric:
        raise InputError(f"{table.name} has no numeric column besides {named}; a series needs a channel of numbers")
    left = [f"`{n}` is left out: it holds no numbers" for n in channels if n not in numeric]
    return [_one(part, time, numeric, label, name, left) for name, part in _parts(table, by)]


def _parts(table: Table, by: str | None) -> Iterator[tuple[str, Table]]:
    """Name and rows of each series."""
    if by is None:
        yield table.name, table
        return
    here = ~missing(table[by])
    keys = np.where(here, table[by], "").astype(str)
    for key in np.unique(keys[here]):
        yield str(key), table.take(here & (keys == key))


def _one(table: Table, time: str | None, channels: list[str], label: str | None, name: str, notes: list[str]) -> Series:
    """One series: in order, one row for each time, holes bridged."""
    notes = [*table.notes, *notes]
    stamps = np.arange(len(table)) if time is None else table.columns[time]
    if stamps.dtype.kind not in "Mfiu":
        raise InputError(f"the time column {time!r} of {table.name} holds no times and no numbers; name another one")
    raw = np.column_stack([table.columns[n].astype(np.float64) for n in channels])
    raw[~np.isfinite(raw)] = np.nan
    labels = None if label is None else labels_of(table, label)
    order, said = _in_time(stamps, time)
    stamps, raw = stamps[order], raw[order]
    stamps, raw, labels, again = _once(stamps, raw, None if labels is None else labels[order])
    kept: NDArray[np.bool_] = np.asarray(np.isfinite(raw).any(axis=0))
    if not kept.any():
        raise InputError(f"no channel of {name} has a value; there is nothing to look at")
    empty = [f"channel `{n}` is left out: it has no value" for n, k in zip(channels, kept, strict=True) if not k]
    raw = raw[:, kept]
    holes = np.isnan(raw)
    bridged = f"{holes.sum():,} missing values are bridged by straight lines"
    seconds = _seconds(stamps)
    steps = np.diff(seconds)
    usual = float(np.median(steps)) if len(steps) else 0.0
    wide = np.flatnonzero(steps > GAP * usual) if usual > 0 else np.array([], dtype=np.int64)
    gaps = [(int(i), float(steps[i] / usual - 1)) for i in wide]
    return Series(
        _bridged(raw, seconds),
        stamps,
        [n for n, k in zip(channels, kept, strict=True) if k],
        name,
        np.asarray(~holes.all(axis=1)),
        gaps,
        usual,
        [*notes, *said, *again, *empty, *([bridged] if holes.any() else [])],
        labels,
    )


def _in_time(stamps: Array, time: str | None) -> tuple[NDArray[np.int64], list[str]]:
    """The rows in the order of time, those without a time left out, and what is to be said of that."""
    gaps = missing(stamps)
    rows = np.flatnonzero(~gaps)
    if not len(rows):
        raise InputError(f"the time column {time!r} is empty; name another one")
    order = rows[np.argsort(_seconds(stamps[rows]), kind="stable")]
    notes = [f"{gaps.sum():,} rows without a time are left out"] if gaps.any() else []
    if (np.diff(order) < 0).any():
        notes.append("the rows were not in the order of time, and have been sorted")
    return order, notes


def _once(
    stamps: Array, values: Matrix, labels: NDArray[np.int64] | None
) -> tuple[Array, Matrix, NDArray[np.int64] | None, list[str]]:
    """One row for each time: the mean of the rows that share it."""
    new = np.concatenate([[True], stamps[1:] != stamps[:-1]])
    if new.all():
        return stamps, values, labels, []
    starts, place = np.flatnonzero(new), np.cumsum(new) - 1
    sums = np.add.reduceat(np.nan_to_num(values), starts, axis=0)
    counts = np.add.reduceat(np.isfinite(values).astype(float), starts, axis=0)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    merged = None if labels is None else np.maximum.reduceat(labels, starts)
    note = f"{len(place) - len(starts):,} rows repeat a time; rows of one time are averaged"
    return stamps[starts], means, merged, [note]


def _bridged(values: Matrix, seconds: Vector) -> Matrix:
    """Holes filled by straight lines over time; before the first and after the last value it is held."""
    filled = values.copy()
    for column in filled.T:
        there = np.isfinite(column)
        if not there.all():
            column[~there] = np.interp(seconds[~there], seconds[there], column[there])
    return filled


def _seconds(stamps: Array) -> Vector:
    """Times as numbers that can be subtracted."""
    if stamps.dtype.kind == "M":
        return np.asarray(stamps.astype("datetime64[us]").astype(np.int64) / 1e6, dtype=np.float64)
    return stamps.astype(np.float64)
