"""Synthetic tables to judge: as a generator gives them, or as they lie in a folder beside a table of their settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.data.numbers import numbers, same_columns
from unusual.data.read_table import read_table
from unusual.errors import InputError

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

SETTINGS = "settings.csv"
FILE = "file"  # column of the settings that names the table of a configuration


@dataclass(frozen=True)
class TableFolder:
    """The real rows X (n, d), and what lies in a folder, in one order of columns.

    Attributes
    ----------
    grid : list of mappings of factor to level
    tables : list of (m, d) arrays
    partners : list of (n,) row numbers or None
        Row of each table that stands for each real row, -1 for none; None where no key was given.
    """

    X: Matrix
    names: list[str]
    grid: list[dict[str, Any]]
    tables: list[Matrix]
    partners: list[Index | None]


def read_folder(real: Any, folder: str | Path, key: str | None) -> TableFolder:
    """Read the real table, and the tables that `settings.csv` of the folder names in its column `file`.

    Raises
    ------
    InputError
        If a file is missing, its columns are others, or `key` does not name rows.
    """
    source, settings = read_table(real), read_table(Path(folder) / SETTINGS)
    X, names = numbers(source, [name for name in source.names if name != key])
    tables, pairs = [], []
    for file in settings[FILE]:
        read = read_table(Path(folder) / str(file))
        tables.append(same_columns(numbers(read, [name for name in read.names if name != key]), names, str(file)))
        pairs.append(None if key is None else partners(source[key].tolist(), read[key].tolist(), str(file)))
    rows = (settings.row(i) for i in range(len(settings)))
    return TableFolder(X, names, [{n: v for n, v in row.items() if n != FILE} for row in rows], tables, pairs)


def made_rows(rows: ArrayLike, X: Matrix, matched: bool, what: str) -> Matrix:
    """What a generator made of X (n, d), checked: (m, d), finite, and n rows where they stand for the real ones.

    Raises
    ------
    InputError
        If it is not.
    """
    made = np.asarray(rows, dtype=np.float64)
    if made.ndim != 2 or made.shape[1] != X.shape[1] or not len(made) or not np.isfinite(made).all():
        raise InputError(
            f"with {what} the generator gave shape {made.shape} or NaN; give finite rows of {X.shape[1]} columns"
        )
    if matched and len(made) != len(X):
        raise InputError(f"with {what} the generator gave {len(made)} rows; matched is set and there are {len(X)}")
    return made


def partners(real: Sequence[object], synthetic: Sequence[object], what: str) -> Index:
    """Row of the synthetic table (n,) with the key of each real row, -1 where there is none.

    Raises
    ------
    InputError
        If a key stands twice, or no key is shared.
    """
    place = {key: i for i, key in enumerate(synthetic)}
    if len(place) < len(synthetic) or len(set(real)) < len(real):
        raise InputError(f"the key of {what} or of the real rows stands twice; each row needs its own key")
    found = np.array([place.get(key, -1) for key in real], dtype=np.int64)
    if (found < 0).all():
        raise InputError(
            f"no key of the real rows occurs in {what}; give the column that names the same people in both"
        )
    return found
