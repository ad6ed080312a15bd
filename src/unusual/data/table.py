"""Table: named columns of equal length, as they were read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError, suggest

Array = NDArray[Any]
Progress = Callable[[int, int, str], None]

MOST_COLUMNS = 20_000
NOTHING = np.array(None, dtype=object)


@dataclass(frozen=True)
class Table:
    """Columns in order, each of the same length; missing cells are NaN, NaT or None.

    Attributes
    ----------
    columns : dict of str to array (n,)
        float64, float32, int64, bool, datetime64[us] or object (str or None).
    name : str
        What was read, for messages.
    notes : list of str
        Sentences about the reading: delimiter, encoding, cells that were not what their column is.
    """

    columns: dict[str, Array]
    name: str = "table"
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.columns.values()}
        if len(lengths) > 1:
            raise InputError(f"the columns of {self.name} differ in length ({min(lengths)} to {max(lengths)} rows).")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return list(self.columns)

    def take(self, rows: Array | slice) -> Table:
        """The same columns with only `rows` (indices, a mask or a slice)."""
        return Table({name: values[rows] for name, values in self.columns.items()}, self.name, list(self.notes))

    def select(self, names: list[str]) -> Table:
        """Only the named columns, in the given order.

        Raises
        ------
        InputError
            If a name is not a column; the sentence offers the closest one.
        """
        require(names, self.names, self.name)
        return Table({name: self.columns[name] for name in names}, self.name, list(self.notes))

    def __getitem__(self, name: str) -> Array:
        require([name], self.names, self.name)
        return self.columns[name]

    def row(self, i: int) -> dict[str, Any]:
        """Row `i` as plain Python values; missing cells are None."""
        return {name: plain(values[i]) for name, values in self.columns.items()}


def require(wanted: list[str], names: list[str], where: str) -> None:
    """Refuse the first of the `wanted` columns that is not among `names`.

    Raises
    ------
    InputError
        The sentence offers the closest name.
    """
    for name in wanted:
        if name not in names:
            raise InputError(f"{where} has no column {name!r}{suggest(name, names)}; {listed(names)}.")


def plain(value: Any) -> Any:
    """A cell as a Python value (a number, bool, datetime or str), or None where it is missing."""
    if value is None or value != value:  # NaN and NaT are the values that differ from themselves
        return None
    return value.item() if isinstance(value, np.generic) else value


def missing(values: Array) -> NDArray[np.bool_]:
    """Where a column's cells are missing, as a mask (n,)."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return np.asarray(np.equal(values, NOTHING), dtype=bool)
    return np.zeros(len(values), dtype=bool)


def listed(names: list[str], most: int = 8) -> str:
    """ "it has: 'a', 'b' and 3 more", for a sentence about columns."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"it has: {shown}" + (f" and {len(names) - most:,} more" if len(names) > most else "")
