"""A table whose columns are all numbers, as a matrix with names: what an analysis of samples works on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.read_table import read_table
from unusual.data.table import listed
from unusual.errors import InputError

Matrix = NDArray[np.float64]


def numbers(source: Any, columns: list[str] | None = None) -> tuple[Matrix, list[str]]:
    """The rows of a table as float64 (n, d), and the names of its columns.

    Parameters
    ----------
    source : whatever `read_table` reads: a path, a data frame, a mapping of columns, an array (n, d) or (n,)
    columns : list of str, optional
        Only these.

    Raises
    ------
    InputError
        If a column is no number, or a cell is missing or infinite; the sentence names the column.
    """
    table = read_table(source, columns=columns)
    text = [name for name, values in table.columns.items() if values.dtype.kind not in "fiub"]
    if text:
        raise InputError(
            f"{table.name} has columns that are no numbers ({listed(text)[8:]}); leave them out with columns=, "
            "or give each of their values a number"
        )
    X = np.column_stack([values.astype(np.float64) for values in table.columns.values()])
    for name, values in zip(table.names, X.T, strict=True):
        gaps = np.flatnonzero(~np.isfinite(values))
        if len(gaps):
            raise InputError(
                f"column {name!r} of {table.name} has {len(gaps):,} missing or infinite cells, the first in row "
                f"{gaps[0]:,}; fill them or leave those rows out"
            )
    return X, table.names


def same_columns(given: tuple[Matrix, list[str]], names: list[str], what: str) -> Matrix:
    """The columns of another table, as `numbers` gives it, in the order of `names`; `what` names it in a message.

    Raises
    ------
    InputError
        If its columns are others; the sentence names the difference.
    """
    X, found = given
    if sorted(found) != sorted(names):
        odd = ", ".join(repr(name) for name in sorted(set(found) ^ set(names)))
        raise InputError(f"{what} and the real rows differ in columns {odd}; give both the same columns")
    return X[:, [found.index(name) for name in names]]
