"""DuckDB as the reader: a private connection without network, and its tables as columns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np

from unusual.data.cells import Array, factorise, understand, understand_levels
from unusual.data.table import MOST_COLUMNS, NOTHING, Progress
from unusual.errors import InputError

FEW_LEVELS = 10_000

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",
            "DOUBLE", "BOOLEAN")  # fmt: skip
_ROUNDED = ("HUGEINT", "UHUGEINT", "BIGNUM", "DECIMAL")


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory that never loads from the network and spills into a folder it removes."""
    with tempfile.TemporaryDirectory(prefix="unusual-") as spill:
        connection = duckdb.connect(":memory:")
        settings: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,  # a name in a query is a file or a table, never a Python variable
            "enable_progress_bar": False,
            "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            "memory_limit": f"{_memory_limit()}MB",
            "temp_directory": spill,
        }
        try:
            for name, value in settings.items():
                connection.execute(f"SET {name} = {text(value) if isinstance(value, str) else str(value).lower()}")
            yield connection
        finally:
            connection.close()


def _memory_limit() -> int:
    """Megabytes DuckDB may hold before it spills: a third of the machine, at most 2 GB."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    except (AttributeError, ValueError, OSError):
        return 2_000
    return int(min(2_000, max(250, total // 3)))


def text(value: str) -> str:
    """A literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name of SQL."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: Exception) -> str:
    """The first sentence of DuckDB's message, without its own prefix."""
    line = str(error).strip().partition("\n")[0]
    return line.partition(": ")[2] or line


def columns_of(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    names: list[str] | None = None,
    comma: str = "thousands",
    progress: Progress | None = None,
) -> tuple[dict[str, Array], list[str]]:
    """The columns of a table of the connection (called `names`, if given), one after another, with notes about them.

    One after another, so that only one column is held twice at any time.
    """
    described = connection.execute(f"DESCRIBE {relation}").fetchall()
    if len(described) > MOST_COLUMNS:
        raise InputError(f"there are {len(described):,} columns, more than the {MOST_COLUMNS:,} that can be searched.")
    columns: dict[str, Array] = {}
    notes: list[str] = []
    for i, (column, kind, *_) in enumerate(described):
        name = names[i] if names else column
        columns[name], said = _column(connection, relation, quoted(column), name, str(kind), comma)
        notes += said
        if progress:
            progress(i + 1, len(described), "reading columns")
    return columns, notes


def _column(
    connection: duckdb.DuckDBPyConnection, relation: str, column: str, name: str, kind: str, comma: str
) -> tuple[Array, list[str]]:
    if kind in _NUMBERS:
        return understand(name, _fetch(connection, column, relation), comma)
    if kind.startswith(_ROUNDED):
        values, notes = understand(name, _fetch(connection, f"CAST({column} AS DOUBLE)", relation))
        return values, notes
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return understand(name, _fetch(connection, f"CAST({column} AS TIMESTAMP)", relation))
    if kind in ("TIME", "INTERVAL"):
        return understand(name, _fetch(connection, f"CAST(epoch({column}) AS DOUBLE)", relation))
    notes = [] if kind == "VARCHAR" or kind.startswith("ENUM") else [f"`{name}` ({kind.lower()[:40]}) was read as text"]
    values, said = _text(connection, f"CAST({column} AS VARCHAR)", relation, name, comma)
    return values, notes + said


def _fetch(connection: duckdb.DuckDBPyConnection, expression: str, relation: str) -> Array:
    values = connection.execute(f"SELECT {expression} AS v FROM {relation}").fetchnumpy()["v"]
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values)
    hidden = np.ma.getmaskarray(values)
    if values.dtype.kind in "mM":
        return np.asarray(np.where(hidden, np.array("NaT", dtype=values.dtype), values.data))
    if values.dtype.kind == "O":
        return np.asarray(np.where(hidden, NOTHING, values.data))
    numbers = np.asarray(values.data, dtype=np.float32 if values.dtype == np.float32 else np.float64)
    numbers[hidden] = np.nan
    return numbers


def _text(
    connection: duckdb.DuckDBPyConnection, expression: str, relation: str, name: str, comma: str
) -> tuple[Array, list[str]]:
    """Text columns: plain numbers and few distinct texts stay in DuckDB, so that no string is made per cell."""
    full, numbers, few = connection.execute(
        f"SELECT count(v), count(TRY_CAST(v AS DOUBLE)), approx_count_distinct(v) FROM (SELECT {expression} AS v"
        f" FROM {relation})"
    ).fetchall()[0]
    if full and few <= FEW_LEVELS:
        levels = connection.execute(
            f"SELECT {expression} AS v, count(*) AS c FROM {relation} WHERE v IS NOT NULL GROUP BY 1 ORDER BY v"
        ).fetchall()
        connection.execute(f"CREATE TYPE level AS ENUM ({', '.join(text(level) for level, _ in levels)})")
        codes = _fetch(connection, f"CAST(enum_code(CAST({expression} AS level)) AS INTEGER)", relation)
        connection.execute("DROP TYPE level")
        whole = np.where(np.isnan(codes), -1, codes).astype(np.intp)
        distinct, recode, _ = factorise(np.array([level for level, _ in levels], dtype=object))
        whole = np.append(recode, -1)[whole]  # (n,), cells that differ only in blanks share a code, "NA" is missing
        counts = np.bincount(whole[whole >= 0], minlength=len(distinct))
        return understand_levels(name, distinct, whole, counts, comma)
    if full and numbers == full:
        lengths = connection.execute(
            f"SELECT min(length(v)) = max(length(v)), bool_or(v LIKE '0%' AND v NOT LIKE '%.%') OR max(length(v)) > 18"
            f" FROM (SELECT {expression} AS v FROM {relation})"
        ).fetchall()[0]
        if not all(lengths):
            return understand(name, _fetch(connection, f"TRY_CAST({expression} AS DOUBLE)", relation))
    return understand(name, _fetch(connection, expression, relation), comma)
