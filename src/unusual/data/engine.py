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

FEW_LEVELS = 10_000  # distinct texts up to which the cells are fetched as numbers of their texts
CELLS = 4_000_000  # cells fetched by one query

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
            "TimeZone": "UTC",
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
    return (line.partition(": ")[2] or line).rstrip(" .")


def columns_of(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    names: list[str] | None = None,
    comma: str = "thousands",
    progress: Progress | None = None,
) -> tuple[dict[str, Array], list[str]]:
    """The columns of a table of the connection (called `names`, if given), with notes about them.

    A few at a time, so that only some four million cells are held twice at any moment.
    """
    described = connection.execute(f"DESCRIBE {relation}").fetchall()
    if len(described) > MOST_COLUMNS:
        raise InputError(f"there are {len(described):,} columns, more than the {MOST_COLUMNS:,} that can be searched.")
    rows = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    size = max(1, CELLS // max(rows, 1))
    columns: dict[str, Array] = {}
    notes: list[str] = []
    for start in range(0, len(described), size):
        batch = [(quoted(column), str(kind)) for column, kind, *_ in described[start : start + size]]
        titles = [names[start + i] if names else described[start + i][0] for i in range(len(batch))]
        for name, (values, said) in zip(titles, _batch(connection, relation, batch, titles, comma, rows), strict=True):
            columns[name] = values
            notes += said
        if progress:
            progress(min(start + size, len(described)), len(described), "reading columns")
    return columns, notes


def _batch(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    batch: list[tuple[str, str]],
    titles: list[str],
    comma: str,
    rows: int,
) -> Iterator[tuple[Array, list[str]]]:
    """Some columns (quoted name and type), in one query but for the text of long tables."""
    expressions = [_expression(column, kind) for column, kind in batch]
    apart = [rows > FEW_LEVELS and expression.endswith("VARCHAR)") for expression in expressions]
    together = [expression for expression, alone in zip(expressions, apart, strict=True) if not alone]
    fetched = iter(_fetch(connection, together, relation) if together else [])
    for name, (_, kind), expression, alone in zip(titles, batch, expressions, apart, strict=True):
        odd = expression.endswith("VARCHAR)") and kind != "VARCHAR" and not kind.startswith("ENUM")
        values, notes = (
            _text(connection, expression, relation, name, comma) if alone else understand(name, next(fetched), comma)
        )
        yield values, [f"`{name}` ({kind.lower()[:40]}) was read as text"] * odd + notes


def _expression(column: str, kind: str) -> str:
    """What to select so that NumPy has a type for it; what is neither number nor time becomes text."""
    if kind in _NUMBERS:
        return column
    if kind.startswith(_ROUNDED) and not kind.endswith("]"):
        return f"CAST({column} AS DOUBLE)"
    if kind == "DATE" or (kind.startswith("TIMESTAMP") and not kind.endswith("]")):
        return f"CAST({column} AS TIMESTAMP)"
    if kind in ("TIME", "INTERVAL"):
        return f"CAST(epoch({column}) AS DOUBLE)"
    return f"CAST({column} AS VARCHAR)"


def _fetch(connection: duckdb.DuckDBPyConnection, expressions: list[str], relation: str) -> list[Array]:
    chosen = ", ".join(f"{expression} AS v{i}" for i, expression in enumerate(expressions))
    found = connection.execute(f"SELECT {chosen} FROM {relation}").fetchnumpy()
    return [_unmasked(found[f"v{i}"]) for i in range(len(expressions))]


def _unmasked(values: Array) -> Array:
    """NaN, NaT or None where DuckDB's answer is masked."""
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
        codes = _fetch(connection, [f"CAST(enum_code(CAST({expression} AS level)) AS INTEGER)"], relation)[0]
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
            return understand(name, _fetch(connection, [f"TRY_CAST({expression} AS DOUBLE)"], relation)[0])
    return understand(name, _fetch(connection, [expression], relation)[0], comma)
