"""Columns as one Parquet file, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.store import written_whole


def write_parquet(columns: dict[str, NDArray[Any]], path: str | Path) -> None:
    """Write columns (n,) as one Parquet file, or nothing."""
    import duckdb

    with written_whole(path) as stream, duckdb.connect() as connection:
        connection.register("findings", columns)
        try:
            connection.execute(f"COPY (SELECT * FROM findings) TO '{_quoted(stream.name)}' (FORMAT parquet)")
        except duckdb.IOException as error:
            raise InputError(f"cannot write {path}: {error}; nothing was left behind") from error


def _quoted(path: str) -> str:
    return path.replace("'", "''")
