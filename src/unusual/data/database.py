"""Tables of SQLite files and Postgres servers, and queries on files."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from unusual.data.cells import Array, understand
from unusual.data.engine import columns_of, engine, first_line, quoted
from unusual.data.table import MOST_COLUMNS, Progress, listed
from unusual.errors import InputError, need, suggest

BLOCK = 50_000  # rows fetched at a time

_QUERY = re.compile(r"^\s*(select|with|from)\s", re.IGNORECASE)
_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")

Columns = tuple[dict[str, Array], list[str]]


def is_query(source: str) -> bool:
    """Whether the text is a query rather than a path."""
    return bool(_QUERY.match(source)) and not Path(source).exists()


def query_files(query: str, progress: Progress | None = None) -> Columns:
    """The answer of DuckDB to one SELECT, for instance SELECT a, b FROM 'data.csv' WHERE a > 0.

    Raises
    ------
    InputError
        If the query is not a single SELECT, or DuckDB refuses it.
    """
    with engine() as connection:
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InputError("the query must be one SELECT; it may read files: SELECT a, b FROM 'data.csv'.")
            relation = f"({query.strip().rstrip(';')}\n)"
            names = [name for name, *_ in connection.execute(f"DESCRIBE {relation}").fetchall()]
            _distinct(names)
            connection.execute(f"CREATE TABLE t({', '.join(f'c{i}' for i in range(len(names)))}) AS FROM {relation}")
        except duckdb.Error as error:
            raise InputError(f"the query failed: {first_line(error)}.") from error
        return columns_of(connection, "t", names=names, progress=progress)


def split_choice(source: str) -> tuple[str, str]:
    """ "file.db::table" in its two parts; the second is empty where nothing is chosen."""
    place, _, choice = source.partition("::")
    return place.strip(), choice.strip()


def read_sqlite(path: Path, choice: str, progress: Progress | None = None) -> Columns:
    """A table, a view or a query of an SQLite file, opened for reading only.

    Raises
    ------
    InputError
        If it is no SQLite file, or it is not clear which table is meant.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            query = choice if is_query(choice) else _select(connection, path, choice)
            cursor = connection.execute(query)
            return _columns(cursor, [item[0] for item in cursor.description], progress)
    except sqlite3.OperationalError as error:
        raise InputError(f"{path} answered the query with an error: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{path} cannot be read as an SQLite file: {error}.") from error


def _select(connection: sqlite3.Connection, path: Path, choice: str) -> str:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    tables = [name for (name,) in rows]
    if choice and choice not in tables:
        raise InputError(f"{path} has no table {choice!r}{suggest(choice, tables)}; {listed(tables)}.")
    if not tables:
        raise InputError(f"{path} has no tables; point at another file.")
    if not choice and len(tables) > 1:
        raise InputError(
            f'{path} has several tables ({listed(tables)[8:]}); choose one as "{path}::{tables[0]}", '
            f'or write a query: "{path}::SELECT ...".'
        )
    return f"SELECT * FROM {quoted(choice or tables[0])}"


def read_postgres(source: str, progress: Progress | None = None) -> Columns:
    """A table or a query of a Postgres server: "postgresql://user@host/database::table"; the session only reads.

    Raises
    ------
    InputError
        If the server cannot be reached, or refuses.
    MissingExtra
        If psycopg is not installed.
    """
    address, choice = split_choice(source)
    if not choice:
        raise InputError('say which table to read: "postgresql://user@host/database::table", or "...::SELECT ...".')
    psycopg = need("psycopg", "postgres")
    query = choice if is_query(choice) else f"SELECT * FROM {'.'.join(quoted(part) for part in choice.split('.'))}"
    try:
        with psycopg.connect(address, connect_timeout=10) as connection:
            connection.read_only = True
            with connection.cursor(name="unusual") as cursor:  # a named cursor stays on the server: rows come in blocks
                cursor.execute(query)
                cursor.itersize = BLOCK
                return _columns(cursor, [item[0] for item in cursor.description], progress)
    except psycopg.Error as error:
        raise InputError(f"{hidden(address)} cannot be read: {str(error).strip().splitlines()[0]}.") from error


def hidden(address: str) -> str:
    """The address without its password, for messages."""
    return _PASSWORD.sub("***", address)


def _columns(cursor: Any, names: list[str], progress: Progress | None) -> Columns:
    """All rows of a cursor as columns, block by block so that Python objects live only for one block."""
    if len(names) > MOST_COLUMNS:
        raise InputError(f"there are {len(names):,} columns, more than the {MOST_COLUMNS:,} that can be searched.")
    _distinct(names)
    blocks: list[list[Array]] = [[] for _ in names]
    done = 0
    while rows := cursor.fetchmany(BLOCK):
        done += len(rows)
        for block, cells in zip(blocks, zip(*rows, strict=True), strict=True):
            block.append(_block(cells))
        if progress:
            progress(done, 0, "reading rows")
    columns: dict[str, Array] = {}
    notes: list[str] = []
    for name, block in zip(names, blocks, strict=True):
        numeric = all(part.dtype.kind != "O" for part in block)
        parts = block if numeric else [_objects(part) for part in block]
        columns[name], said = understand(name, np.concatenate(parts) if parts else np.empty(0))
        block.clear()
        notes += said
    return columns, notes


def _distinct(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise InputError("the query gives more than one column of the same name; name them with AS.")


def _block(cells: tuple[Any, ...]) -> Array:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {int, float} and not (kinds == {int} and any(cell and abs(cell) > 2**53 for cell in cells)):
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def _objects(part: Array) -> Array:
    if part.dtype.kind == "O":
        return part
    out = part.astype(object)
    out[np.isnan(part)] = None
    return out
