"""Tables from files, folders, queries, databases, data frames and arrays."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

import duckdb

from unusual.data.csv_file import load
from unusual.data.database import hidden, is_query, query_files, read_postgres, read_sqlite, split_choice
from unusual.data.engine import columns_of, engine, first_line, quoted, text
from unusual.data.frames import columns_of_frame
from unusual.data.table import MOST_COLUMNS, Array, Progress, Table, require
from unusual.errors import InputError, suggest

CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
JSON = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
PARQUET = (".parquet", ".pq")
SQLITE = (".db", ".sqlite", ".sqlite3")
FILES = (*CSV, *JSON, *PARQUET, *SQLITE)

Columns = tuple[dict[str, Array], list[str]]


def read_table(source: Any, *, columns: list[str] | None = None, progress: Progress | None = None) -> Table:
    """Read a table.

    Parameters
    ----------
    source : str, path, data frame, mapping or array
        A file (.csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet, .db, .sqlite; text also as .gz), a folder or a
        pattern ("logs/*.csv") of files with the same columns, "file.db::table" or "file.db::SELECT ...", a query on
        files ("SELECT a, b FROM 'data.csv'"), "postgresql://user@host/database::table", a data frame of any kind that
        narwhals knows, a mapping of names to arrays (n,), or an array (n, d).
    columns : list of str, optional
        Read only these.
    progress : callable, optional
        Called with how much is done, how much there is, and what is going on.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        One sentence: what is wrong with which input, and what to do.
    """
    if isinstance(source, Table):
        return source.select(columns) if columns else source
    if isinstance(source, (str, os.PathLike)):
        name, read = _read(os.fspath(source), columns, progress)
    else:
        name, found = "the data", columns_of_frame(source, columns, progress)
        if found is None:
            raise InputError(
                f"a {type(source).__name__} is no table; give a path, a data frame, a dict of columns or an array."
            )
        read = found
    table = Table(read[0], name, read[1])
    if not table.columns and not columns:
        raise InputError(f"{name} has no columns; point at a table with columns and rows.")
    if columns:
        table = table.select(list(dict.fromkeys(columns)))
    if not len(table):
        raise InputError(f"{name} has column names but no rows; add rows, or point at another table.")
    return table


def _read(source: str, columns: list[str] | None, progress: Progress | None) -> tuple[str, Columns]:
    if not source.strip():
        raise InputError("the path is empty; give a file, a folder, a query or a connection string.")
    if source.startswith(("postgresql://", "postgres://")):
        return hidden(source), read_postgres(source, progress)
    if is_query(source):
        return "the answer of the query", query_files(source, progress)
    place, choice = split_choice(source)
    if choice and not Path(source).exists():
        path = _existing(place)
        return source, read_sqlite(path, choice, progress)
    paths = _files(source)
    ending = _ending(paths[0])
    if ending in SQLITE:
        return source, read_sqlite(paths[0], "", progress)
    return source, _read_files(paths, ending, columns, progress)


def _read_files(paths: list[Path], ending: str, columns: list[str] | None, progress: Progress | None) -> Columns:
    with engine() as connection:
        if ending in CSV:
            layout, notes = load(connection, paths, columns)
            names = columns or layout.names
            read, said = columns_of(connection, "t", names=names, comma=layout.comma, progress=progress)
        else:
            reader = "read_json" if ending in JSON else "read_parquet"
            names = _load_other(connection, paths, reader, columns)
            read, said = columns_of(connection, "t", names=names, progress=progress)
            notes = []
    if len(paths) > 1:
        notes = [f"{len(paths):,} files were read one after another, {paths[0].name} first", *notes]
    return read, [*notes, *said]


def _load_other(
    connection: duckdb.DuckDBPyConnection, paths: list[Path], reader: str, columns: list[str] | None
) -> list[str]:
    """JSON or Parquet files as the table `t`; the names of its columns."""
    for path in paths:
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; point at a file with rows.")
    files = f"{reader}([{', '.join(text(glob.escape(str(path))) for path in paths)}])"
    try:
        names = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()]
        if columns:
            require(columns, names, str(paths[0]))
        if len(names) > MOST_COLUMNS:
            raise InputError(
                f"{paths[0]} has {len(names):,} columns, more than the {MOST_COLUMNS:,} that can be searched."
            )
        chosen = columns or names
        connection.execute(f"CREATE TABLE t AS SELECT {', '.join(map(quoted, chosen))} FROM {files}")
    except duckdb.Error as error:
        raise InputError(f"{paths[0]} cannot be read: {first_line(error)}.") from error
    return chosen


def _ending(path: Path) -> str:
    """The ending that says how to read the file, with .gz where it is compressed."""
    parts = path.name.lower().rsplit(".", 2)
    if parts[-1] == "gz" and len(parts) == 3:
        return f".{parts[1]}.gz"
    return f".{parts[-1]}" if len(parts) > 1 else ""


def _existing(place: str) -> Path:
    path = Path(place).expanduser()
    if path.exists():
        return path
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{place} does not exist, nor does its folder {folder}; check the path.")
    near = suggest(path.name, sorted(entry.name for entry in folder.iterdir()))
    raise InputError(f"{place} does not exist{near or '; check the path'}.")


def _files(source: str) -> list[Path]:
    """The files a path, folder or pattern stands for, all of one ending, sorted by name.

    Raises
    ------
    InputError
        If there is none, or they are of several kinds.
    """
    path = Path(source).expanduser()
    if not path.exists() and glob.has_magic(source):
        paths = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())
        if not paths:
            raise InputError(f"no file matches {source}; check the pattern.")
    elif (path := _existing(source)).is_dir():
        paths = sorted(entry for entry in path.iterdir() if entry.is_file() and _ending(entry) in FILES)
        if not paths:
            raise InputError(
                f"the folder {source} holds no file that can be read as a table ({', '.join(FILES[:3])}, ...)."
            )
    else:
        paths = [path]
    endings = {_ending(path) for path in paths}
    odd = sorted(endings - set(FILES))
    if odd:
        raise InputError(
            f"files ending in {odd[0] or 'nothing'!r} cannot be read as a table; "
            "export as CSV (.csv), JSON lines (.jsonl), Parquet (.parquet) or SQLite (.db)."
        )
    if len(endings) > 1 or (len(paths) > 1 and endings <= set(SQLITE)):
        raise InputError(
            f"{source} stands for files of several kinds or several databases; point at one, as {paths[0]}."
        )
    return paths
