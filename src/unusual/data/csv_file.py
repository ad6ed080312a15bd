"""CSV files: what DuckDB would pass over in silence is looked at first (delimiter, header, encoding, ragged rows)."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from unusual.data.cells import INFINITE, MISSING, is_code, plain_number
from unusual.data.engine import first_line, text
from unusual.data.table import MOST_COLUMNS, listed, require
from unusual.errors import InputError

HEAD = 1 << 20  # bytes looked at before DuckDB reads the whole
SAMPLE = 2_000  # rows that decide about types, fewer in wide tables
SAMPLE_CELLS = 200_000
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
NULLS = [*(form for sign in sorted(MISSING - {""}) for form in dict.fromkeys((sign, sign.upper(), sign.capitalize()))),
         "", "NaN", "NaT"]  # fmt: skip

_BOMS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]  # fmt: skip
_BINARY = {b"PK\x03\x04": "an Excel or zip file", b"PAR1": "a Parquet file", b"\xd0\xcf\x11\xe0": "an old Excel file",
           b"SQLite format": "an SQLite file", b"%PDF": "a PDF"}  # fmt: skip
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$")


@dataclass(frozen=True)
class Layout:
    """How a CSV file is written: encoding, delimiter, whether it starts with names, and DuckDB's type per column."""

    encoding: str
    delimiter: str
    header: bool
    names: list[str]
    types: list[str]

    @property
    def comma(self) -> str:
        """What "1,234" more probably means here: files separated by semicolons come from decimal-comma countries."""
        return "decimal" if self.delimiter == ";" else "thousands"


def look(path: Path) -> Layout:
    """How the file is written, from its first megabyte.

    Raises
    ------
    InputError
        If it is empty, binary, has no rows under the names, has names twice, or too many columns.
    """
    head, complete = _head(path)
    encoding = _encoding(head, path, complete)
    body = _decoded(head, encoding, complete)
    if not body.strip():
        raise InputError(f"{path} is empty; point at a file with a line of column names and rows under it.")
    lines = body.splitlines(keepends=True)
    if not complete and len(lines) > 1:
        lines.pop()  # cut off by the end of the head
    delimiter = _delimiter(lines[:500], path)
    try:
        rows = [row for _, row in zip(range(SAMPLE), csv.reader(lines, delimiter=delimiter), strict=False)]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); check its quotation marks.") from error
    rows = [row for row in rows if row]
    header = not all(_is_number(cell) or cell.strip().lower() in MISSING for cell in rows[0])
    names = _names(rows[0], header, path)
    if header and len(rows) == 1 and complete:
        raise InputError(f"{path} has column names but no rows; add rows, or point at another file.")
    most = max(20, SAMPLE_CELLS // len(names))
    samples = [row for row in rows[header : header + most] if len(row) == len(names)]
    types = [_type([row[i] for row in samples]) for i in range(len(names))]
    return Layout(encoding, delimiter, header, names, types)


def _head(path: Path) -> tuple[bytes, bool]:
    """The first megabyte (or the whole first line, if longer), and whether that is the whole file."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(HEAD)
            while b"\n" not in head and b"\r" not in head and len(head) < 64 * HEAD and (more := file.read(HEAD)):
                head += more
            return head, not file.read(1)
    except (gzip.BadGzipFile, EOFError) as error:
        raise InputError(f"{path} is no complete gzip file ({error}); compress it again.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}).") from error


def _encoding(head: bytes, path: Path, complete: bool) -> str:
    for start, what in _BINARY.items():
        if head.startswith(start):
            raise InputError(f"{path} is {what}, not a CSV; give it its usual ending, or export it as CSV or Parquet.")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if b"\0" in head:
        raise InputError(f"{path} is not a text file (it holds zero bytes); export it as CSV or Parquet.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=complete)
    except UnicodeDecodeError:
        return western(head)
    return "utf-8"


def western(raw: bytes) -> str:
    """cp1252, or latin-1 where a byte has no meaning in cp1252."""
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _decoded(head: bytes, encoding: str, complete: bool) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head, final=complete)
    except UnicodeDecodeError as error:
        raise InputError(f"the file is marked as {encoding} but is not ({error.reason}); save it as UTF-8.") from error


def _delimiter(lines: list[str], path: Path) -> str:
    """The delimiter that cuts most rows into as many cells as the first row."""
    best = (0.0, 0, ",")
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = widths[0] if widths else 0
        if width > 1:
            best = max(best, (widths.count(width) / len(widths), width, delimiter))
    if best[1]:
        return best[2]
    for delimiter, name in {**DELIMITERS, "^": "carets", "~": "tildes", "  ": "spaces"}.items():
        counts = Counter(line.rstrip().count(delimiter) for line in lines if line.strip())
        many = counts.most_common(1)[0][0]
        if many and len(lines) > 1 and counts[many] >= 0.8 * len(lines):
            raise InputError(
                f"the first line of {path} is one cell, but most lines hold {name}; put the column names into "
                "the first line, and separate cells with commas, semicolons, tabs or vertical bars."
            )
    return ","


def _is_number(cell: str) -> bool:
    number = plain_number(cell.strip())
    return number == number


def _names(first: list[str], header: bool, path: Path) -> list[str]:
    if len(first) > MOST_COLUMNS:
        raise InputError(
            f"{path} has {len(first):,} columns, more than the {MOST_COLUMNS:,} that can be searched; "
            "choose columns beforehand, or turn the table over if its rows are columns."
        )
    if header and len(first) > 1 and not first[-1].strip():
        first = first[:-1]  # a delimiter at the end of each line makes no column
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(first)]
    if not header:
        return [f"column {i}" for i in range(len(first))]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path} has more than one column of the same name ({listed(twice)[8:]}); rename them.")
    return names


def _type(cells: list[str]) -> str:
    """DuckDB's type for a column with these cells; whatever is not plain is read as text and understood later."""
    full = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING]
    if not full or is_code(full):
        return "VARCHAR"
    if all(_is_number(cell) and not INFINITE.match(cell) for cell in full):
        digits = max(len(cell.lstrip("+-")) for cell in full)
        return "BIGINT" if 15 < digits < 19 and all(cell.lstrip("+-").isdigit() for cell in full) else "DOUBLE"
    return "TIMESTAMP" if all(_ISO.match(cell) for cell in full) else "VARCHAR"


def together(layouts: list[Layout], paths: list[Path]) -> Layout:
    """One layout for several files; they must have the same columns.

    Raises
    ------
    InputError
        If one of them has other columns, or another delimiter, than the first.
    """
    first = layouts[0]
    for path, layout in zip(paths, layouts, strict=True):
        if (layout.names, layout.delimiter, layout.header) != (first.names, first.delimiter, first.header):
            raise InputError(
                f"{path} has other columns or another delimiter than {paths[0]} "
                f"({listed(layout.names)}; the first has: {listed(first.names)[8:]}); read them separately."
            )
    columns = zip(*(layout.types for layout in layouts), strict=True)
    return replace(first, types=[kinds[0] if len(set(kinds)) == 1 else "VARCHAR" for kinds in columns])


def load(
    connection: duckdb.DuckDBPyConnection, paths: list[Path], wanted: list[str] | None
) -> tuple[Layout, list[str]]:
    """Read the `wanted` columns (None: all) of the files into the table `t`, with columns c0, c1, ...

    Returns
    -------
    (Layout, list of str)
        The common layout, and sentences about what was met on the way.
    """
    layouts = [look(path) for path in paths]
    layout = together(layouts, paths)
    if wanted:
        require(wanted, layout.names, str(paths[0]))
    chosen = [layout.names.index(name) for name in wanted] if wanted else list(range(len(layout.names)))
    notes = []
    with tempfile.TemporaryDirectory(prefix="unusual-") as folder:
        readable = [_readable(path, one.encoding, Path(folder)) for path, one in zip(paths, layouts, strict=True)]
        odd = sorted({one.encoding for one in layouts} - {"utf-8", "utf-8-sig"})
        try:
            _create(connection, readable, layout, chosen)
        except duckdb.Error as error:
            if "not utf-8 encoded" not in str(error):
                raise _refusal(error, dict(zip(map(str, readable), paths, strict=True))) from error
            odd = ["cp1252"]
            _create(connection, [_readable(path, "cp1252", Path(folder)) for path in paths], layout, chosen)
    if odd:
        notes.append(f"the text is encoded as {' and '.join(odd)}, not UTF-8")
    if layout.delimiter != ",":
        notes.append(f"the cells are separated by {DELIMITERS[layout.delimiter]}")
    if not layout.header:
        notes.append("the first line holds only numbers, so it was read as data, and the columns are numbered")
    return layout, notes


def _create(connection: duckdb.DuckDBPyConnection, paths: list[Path], layout: Layout, chosen: list[int]) -> None:
    def _query(types: list[str]) -> str:
        return (
            f"CREATE OR REPLACE TABLE t AS SELECT {', '.join(f'c{i}' for i in chosen)} FROM read_csv("
            f"[{', '.join(text(str(path)) for path in paths)}], auto_detect=false, delim={text(layout.delimiter)}, "
            f"quote='\"', escape='\"', header={str(layout.header).lower()}, "
            f"columns={{{', '.join(f'c{i}: {text(kind)}' for i, kind in enumerate(types))}}}, "
            f"nullstr=[{', '.join(map(text, NULLS))}])"
        )

    try:
        connection.execute(_query(layout.types))
    except duckdb.ConversionException:
        # A cell far down is not what the first rows promised: as text every cell is kept, and `cells` looks at them.
        connection.execute(_query(["VARCHAR"] * len(layout.types)))


def _readable(path: Path, encoding: str, folder: Path) -> Path:
    """The file itself, or a copy in UTF-8, or a link where its name would be taken for a pattern."""
    place = folder / f"{len(list(folder.iterdir()))}.csv{'.gz' if path.suffix == '.gz' else ''}"
    if encoding in ("utf-8", "utf-8-sig"):
        if not set("*?[") & set(str(path)):
            return path
        place.symlink_to(path.absolute())
        return place
    place = place.with_name(f"{place.name.partition('.')[0]}.csv")
    try:
        _recode(path, encoding, place)
    except UnicodeDecodeError:
        _recode(path, "latin-1", place)  # has a meaning for every byte
    return place


def _recode(path: Path, encoding: str, target: Path) -> None:
    with (
        gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as raw,
        codecs.getreader(encoding)(raw) as source,
        target.open("w", encoding="utf-8", newline="") as copy,
    ):
        while block := source.read(HEAD):
            copy.write(block)


def _refusal(error: duckdb.Error, named: dict[str, Path]) -> InputError:
    message = str(error)
    line = re.search(r"on Line: (\d+)", message)
    file = re.search(r"^\s*file = (.+)$", message, re.MULTILINE)
    path = named.get(file[1].strip() if file else "", next(iter(named.values())))
    where = f"line {int(line[1]):,} of {path}" if line else str(path)
    cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if cells:
        return InputError(f"{where} has {_cells(cells[2])} where {cells[1]} are expected; correct or remove that line.")
    if "unterminated quote" in message:
        return InputError(f"{where} opens a quotation mark that is never closed; close it or remove that line.")
    return InputError(f"{where} cannot be read as CSV: {first_line(error)}.")


def _cells(count: str) -> str:
    return f"{count} cell{'s' * (count != '1')}"
