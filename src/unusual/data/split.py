"""Rows of a table that belong together, and a split that keeps them together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.table import Table, missing
from unusual.parts.rows import folds, row_hash

TENTHS = 10


def related(table: Table, group: str | None, columns: list[str]) -> NDArray[Any]:
    """A label (n,) for each row: its group, or where none is given its content, so that equal rows share one.

    Parameters
    ----------
    group : column of lots, machines, customers, ...; a missing cell is a group of its own
    columns : the columns that make up the content
    """
    if group is None:
        return row_hash(np.column_stack([_codes(table[name]) for name in columns]))
    codes = _codes(table[group])
    alone = np.isnan(codes)
    codes[alone] = codes[~alone].max(initial=0.0) + 1 + np.arange(alone.sum())
    return codes


def _codes(values: NDArray[Any]) -> NDArray[np.float64]:
    """Cells as numbers, equal for equal cells; texts by their place among the distinct texts, missing as NaN."""
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    if values.dtype.kind == "M":
        numbers = values.astype("datetime64[us]").astype(np.int64).astype(np.float64)
        return np.where(np.isnat(values), np.nan, numbers)
    gaps = missing(values)
    codes = np.full(len(values), np.nan)
    codes[~gaps] = np.unique(values[~gaps].astype(str), return_inverse=True)[1]
    return codes


def calibration_rows(labels: NDArray[Any], tenths: int = 3) -> NDArray[np.bool_]:
    """A mask (n,) of about `tenths` tenths of the rows to calibrate on; rows of equal label stay on one side."""
    fold = folds(np.empty((len(labels), 0)), labels, TENTHS)
    count = fold.max() + 1
    return np.asarray(fold < max(1, round(tenths / TENTHS * count)))
