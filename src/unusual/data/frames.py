"""Data frames of any kind narwhals knows, dicts of arrays and NumPy arrays, as columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np

from unusual.data.cells import Array, understand
from unusual.data.table import MOST_COLUMNS, NOTHING, Progress, listed, require
from unusual.errors import InputError


def columns_of_frame(source: Any, wanted: list[str] | None = None, progress: Progress | None = None) -> Any:
    """Columns and notes of anything in memory that has columns, or None if it has none.

    Parameters
    ----------
    source : data frame, mapping of name to array (n,), array (n, d), (n,) or structured (n,)
    wanted : list of str, optional
        Only these columns.
    progress : callable, optional
        Called with columns done, columns in all, and what is going on.

    Returns
    -------
    (dict of str to array (n,), list of str) or None

    Raises
    ------
    InputError
        If two columns have one name, a column is not one-dimensional, or a wanted column is not there.
    """
    raw = _raw(source)
    if raw is None:
        return None
    if len(raw) > MOST_COLUMNS:
        raise InputError(
            f"the data has {len(raw):,} columns, more than the {MOST_COLUMNS:,} that can be searched; choose columns "
            "beforehand, or turn the table over if its rows are columns."
        )
    twice = [name for name, count in Counter(name for name, _ in raw).items() if count > 1]
    if twice:
        raise InputError(f"the data has more than one column of the same name ({listed(twice)[8:]}); rename them.")
    if wanted:
        require(wanted, [name for name, _ in raw], "the data")
    columns: dict[str, Array] = {}
    notes: list[str] = []
    for i, (name, values) in enumerate(raw):
        if wanted is None or name in wanted:
            columns[name], said = understand(name, _array(name, values))
            notes += said
        if progress:
            progress(i + 1, len(raw), "reading columns")
    return columns, notes


def _raw(source: Any) -> list[tuple[str, Any]] | None:
    """Names and columns as they come."""
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if isinstance(source, Mapping):
        return [(str(name), values) for name, values in source.items()]
    try:
        frame = nw.from_native(source, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise InputError("the data has more than one column of the same name; rename them.") from error
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, nw.DataFrame):
        return [(str(name), frame.get_column(name)) for name in frame.columns]
    return None


def _of_array(values: Array) -> list[tuple[str, Any]]:
    if values.dtype.names:
        return [(name, values[name]) for name in values.dtype.names]
    if values.ndim == 1:
        return [("column 0", values)]
    if values.ndim != 2:
        raise InputError(f"an array of shape {values.shape} is no table; give rows and columns (n, d).")
    if values.shape[1] > MOST_COLUMNS:
        return [(f"column {i}", None) for i in range(values.shape[1])]
    return [(f"column {i}", values[:, i]) for i in range(values.shape[1])]


def _array(name: str, values: Any) -> Array:
    """One column as an array whose missing cells are NaN, NaT or None, a copy where it is not certain to be one."""
    if isinstance(values, nw.Series):
        if values.dtype == nw.Datetime:
            zone = getattr(values.dtype, "time_zone", None)
            values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else values
        elif (values.dtype == nw.Boolean and values.null_count()) or values.dtype == nw.Decimal:
            values = values.cast(nw.Float64)
        values = values.to_numpy()
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), NOTHING, values.data)
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"column {name!r} has shape {array.shape}; each column must be a flat list of values.")
    return np.array(array) if array.dtype.kind in "fiub" else array
