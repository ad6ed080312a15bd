"""Reading tables: what comes in, and what is refused with a sentence."""

from __future__ import annotations

import gzip
import math
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unusual.data import cells, csv_file
from unusual.data.read_table import read_table
from unusual.data.table import Table, missing
from unusual.errors import InputError, MissingExtra


@pytest.fixture
def write(tmp_path):
    """A function that writes a file into a folder of its own and gives its path."""

    def inner(content: str | bytes, name: str = "data.csv") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return inner


def kinds(table: Table) -> dict[str, str]:
    return {name: values.dtype.kind for name, values in table.columns.items()}


# --- text files that are read


@pytest.mark.parametrize(("sign", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_delimiters_are_recognised(write, sign, word):
    table = read_table(write(f"a{sign}b\n1{sign}x,y\n2{sign}z\n"))
    assert table.row(0) == {"a": 1, "b": "x,y"}
    assert table.notes == [f"the cells are separated by {word}"]


def test_types_and_missing_cells(write):
    table = read_table(
        write(
            "i,f,s,b,t,c\n1,1.5,x,true,2024-01-31,12:30\n2,NA,N/A,FALSE,null,00:00:05\n3,-,?,true,2024-02-01 10:30,\n"
        )
    )
    assert kinds(table) == {"i": "i", "f": "f", "s": "O", "b": "b", "t": "M", "c": "f"}
    assert table.row(1) == {"i": 2, "f": None, "s": None, "b": False, "t": None, "c": 5.0}
    assert table.row(2)["t"].hour == 10


@pytest.mark.parametrize(
    ("cells_", "expected", "said"),
    [
        (["1.234,50", "2,5", "3,25"], [1234.5, 2.5, 3.25], "decimal commas"),
        (["1,234", "12,345", "1,234,567"], [1234, 12345, 1234567], "commas between thousands"),
        (["$1,234.50", "$12", "$7.5"], [1234.5, 12, 7.5], "currency"),
        (["1 234 €", "12 €", "3 000 000 €"], [1234, 12, 3000000], "currency"),
        (["12 %", "3.5%", "-1%"], [12, 3.5, -1], "per cent"),
        (["1'234.5", "2.5", "9'999'999"], [1234.5, 2.5, 9999999], "gaps"),
    ],
)
def test_numbers_as_people_write_them(write, cells_, expected, said):
    table = read_table(write("n|x\n" + "".join(f"{i}|{cell}\n" for i, cell in enumerate(cells_))))
    np.testing.assert_allclose(table["x"], expected)
    assert any(said in note and "`x`" in note for note in table.notes)


def test_the_delimiter_says_what_one_comma_means(write):
    assert read_table(write("a;x\n1;1,234\n"))["x"][0] == pytest.approx(1.234)
    assert read_table(write("a|x\n1|1,234\n"))["x"][0] == 1234


@pytest.mark.parametrize("rows", [20, 5_000])
def test_a_few_bad_cells_become_missing_and_are_named(write, rows):
    table = read_table(write("x\n" + "".join(f"{i}.5\n" for i in range(rows)) + "broken\n"))
    assert table["x"].dtype == np.float64
    assert np.isnan(table["x"][-1])
    assert f"1 of {rows + 1:,} cells of `x` are not numbers ('broken') and count as missing" in table.notes


def test_a_really_mixed_column_stays_text(write):
    table = read_table(write("x,y\n1,a\nred,b\n2.5,c\nblue,d\n"))
    assert list(table["x"]) == ["1", "red", "2.5", "blue"]


def test_infinities_are_missing_and_counted(write):
    table = read_table(write("a,b\n1,inf\n2,-Infinity\n3,4\n"))
    assert missing(table["b"]).tolist() == [True, True, False]
    assert "2 infinite cells of `b` count as missing" in table.notes


def test_huge_integers(write):
    table = read_table(
        write("a,code,b\n123456789012345678901234567890,1234567890123456789,1\n4,1234567890123456788,2\n")
    )
    assert table["a"][0] == pytest.approx(1.2345678901234568e29)
    assert any("`a` holds integers beyond 2^53" in note for note in table.notes)
    assert list(table["code"]) == ["1234567890123456789", "1234567890123456788"]
    assert read_table(write("x\n12345678901234567\n12345678901234568\n"))["x"].tolist() == [
        12345678901234567,
        12345678901234568,
    ]


def test_codes_keep_their_zeros(write):
    assert list(read_table(write("zip\n01234\n56789\n"))["zip"]) == ["01234", "56789"]


def test_dates_as_people_write_them(write):
    table = read_table(
        write(
            "de,us,zone\n31.12.2020,12/31/2020,2020-12-31T10:00:00+02:00\n01.02.2020,01/02/2020,2020-06-01T00:00:00Z\n"
        )
    )
    assert [table.row(0)[name].isoformat() for name in table.names] == [
        "2020-12-31T00:00:00",
        "2020-12-31T00:00:00",
        "2020-12-31T08:00:00",
    ]
    assert table.notes == ["the dates in `us` were read with the month first"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
def test_encodings(write, encoding):
    table = read_table(write("größe,name\n1,é\n2,z\n".encode(encoding)))
    assert table.row(0) == {"größe": 1, "name": "é"}
    assert bool(table.notes) == (not encoding.startswith("utf-8"))


def test_an_odd_byte_far_down_is_read_as_western(write):
    table = read_table(write(b"a,b\n" + b"1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 40_000 + b"2,caf\xe9\n"))
    assert table.row(40_000)["b"] == "café"
    assert table.notes == ["the text is encoded as cp1252, not UTF-8"]


def test_no_header_is_said(write):
    table = read_table(write("1,2\n3,4\n"))
    assert table.names == ["column 0", "column 1"]
    assert table["column 0"].tolist() == [1, 3]
    assert "the first line holds only numbers" in table.notes[0]


@pytest.mark.parametrize("name", ["data[1].csv", "it's.csv", "star*.csv", "Ünïcode ü.csv", "DATA.CSV"])
def test_names_of_files_are_taken_literally(write, name):
    assert read_table(write("A,a\n3,4\n", name)).row(0) == {"A": 3, "a": 4}


def test_quotes_blank_lines_and_endings(write):
    table = read_table(write('a,b,\r\n1,"x ""q"",\r\nline",\r\n2,z,\r\n'))
    assert table.row(0) == {"a": 1, "b": 'x "q",\r\nline'}
    assert read_table(write(",x\n0,4\n1,6")).names == ["column 0", "x"]


def test_one_row_one_column_all_constant_all_missing(write):
    assert len(read_table(write("a,b\n1,x\n"))) == 1
    assert read_table(write("a\n1\n2\n")).names == ["a"]
    assert read_table(write("a,b\n7,x\n7,x\n"))["a"].tolist() == [7, 7]
    assert np.isnan(read_table(write("a,b\n,NA\n-,null\n"))["b"]).all()


def test_compressed_files_folders_and_patterns(write, tmp_path):
    write(gzip.compress(b"a,b\n1,2\n"), "z.csv.gz")
    assert read_table(tmp_path / "z.csv.gz")["b"].tolist() == [2]
    write("a,b\n1,2\n", "two/x.csv")
    write("a,b\n1.5,x\n", "two/y.csv")
    for source in (tmp_path / "two", str(tmp_path / "two" / "*.csv")):
        table = read_table(source)
        assert table["a"].tolist() == [1, 1.5]
        assert table.notes == ["2 files were read one after another, x.csv first"]


def test_columns_are_chosen_in_order_and_unknown_ones_refused(write):
    path = write("width,height,depth\n1,2,3\n4,5,6\n")
    assert read_table(path, columns=["depth", "width"]).row(1) == {"depth": 6, "width": 4}
    with pytest.raises(InputError, match=r"no column 'widht'; did you mean 'width'\?"):
        read_table(path, columns=["widht"])


def test_progress_is_told(write):
    seen: list[tuple[int, int, str]] = []
    read_table(write("a,b\n1,2\n"), progress=lambda *told: seen.append(told))
    assert seen[-1] == (2, 2, "reading columns")


def test_large_tables_are_float32_where_nothing_is_lost(monkeypatch):
    monkeypatch.setattr(cells, "LARGE", 100)
    rng = np.random.default_rng(0)
    stamps = 1.7e9 + rng.random(200)
    table = read_table({"x": rng.normal(size=200), "big": np.arange(200) + 2**40, "stamp": stamps, "i": np.arange(200)})
    assert [str(table[name].dtype) for name in table.names] == ["float32", "int64", "float64", "float32"]
    np.testing.assert_array_equal(table["stamp"], stamps)


# --- text files that are refused


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("\n \n\n", "is empty"),
        ("a,b\n", "column names but no rows"),
        ("a,b,c\n1,2,3\n4,5\n", r"line 3 of .*data\.csv has 2 cells where 3 are expected"),
        ("a,b,c\n1,2,3\n4,5,6\n4,5,6,7\n", "line 4 of .* has 4 cells where 3"),
        ('a,b\n1,"open\n2,z\n', "line 2 of .* quotation mark that is never closed"),
        ("a,b,a\n1,2,3\n", r"more than one column of the same name \('a'\)"),
        ("a^b\n1^x\n2^z\n", "most lines hold carets"),
        ("Report\n1,2\n3,4\n3,4\n3,4\n3,4\n", "put the column names into the first line"),
        (b"a,b\n1,\0\n", "zero bytes"),
        (b"PK\x03\x04\0\0", "Excel"),
        (",".join(f"c{i}" for i in range(100_000)) + "\n" + ",".join("1" * 100_000), "100,000 columns, more than"),
    ],
)
def test_bad_text_files(write, content, sentence):
    with pytest.raises(InputError, match=sentence):
        read_table(write(content))


def test_ragged_line_far_down_is_named(write):
    with pytest.raises(InputError, match=r"line 30,002 of .* has 1 cell where 2"):
        read_table(write("a,b\n" + "1,2\n" * 30_000 + "3\n"))


@pytest.mark.parametrize(
    "content", [b"a,b\n", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:40]], ids=["no gzip", "cut off"]
)
def test_broken_compression(write, content):
    with pytest.raises(InputError, match="no complete gzip file"):
        read_table(write(content, "x.csv.gz"))


def test_missing_files_and_folders_of_nothing(write, tmp_path):
    write("a\n1\n", "measurements.csv")
    (tmp_path / "empty").mkdir()
    for source, sentence in [
        (tmp_path / "measurement.csv", r"does not exist; did you mean 'measurements\.csv'\?"),
        (tmp_path / "gone" / "x.csv", "nor does its folder"),
        (tmp_path / "empty", "holds no file that can be read"),
        (tmp_path / "*.parquet", "no file matches"),
        ("", "the path is empty"),
        (write("x", "x.xlsx"), r"'\.xlsx' cannot be read as a table"),
    ]:
        with pytest.raises(InputError, match=sentence):
            read_table(source)


def test_files_with_other_columns_are_not_mixed(write, tmp_path):
    write("a,b\n1,2\n", "two/x.csv")
    write("a,c\n1,2\n", "two/y.csv")
    with pytest.raises(InputError, match=r"y\.csv has other columns"):
        read_table(tmp_path / "two")
    write('{"a": 1}', "two/z.json")
    with pytest.raises(InputError, match="several kinds"):
        read_table(tmp_path / "two")


# --- JSON, Parquet, queries, databases


def test_json_and_parquet(write, tmp_path):
    assert read_table(write('[{"a": 1, "b": "x"}, {"a": 2, "b": null}]', "x.json")).row(1) == {"a": 2, "b": None}
    nested = read_table(write('{"a": 1, "b": {"c": 1}}\n{"a": 2}\n', "x.jsonl"))
    assert any("`b` (struct" in note for note in nested.notes)
    path = tmp_path / "x.parquet"
    moments = pa.array([0, None], pa.timestamp("ms", tz="Europe/Berlin"))
    pa.parquet.write_table(
        pa.table({"a": [1, None], "t": moments, "d": pa.array([1.5, 2]).cast(pa.decimal128(5, 2))}), path
    )
    assert read_table(path, columns=["t", "a", "d"]).row(0)["t"].isoformat() == "1970-01-01T00:00:00"
    assert read_table(path)["d"].tolist() == [1.5, 2.0]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.json", "", "is empty"),
        ("x.json", '{"a": 1,', "cannot be read"),
        ("x.json", "[]", "no rows"),
        ("x.parquet", "nothing of the kind", "cannot be read"),
    ],
)
def test_bad_json_and_parquet(write, name, content, sentence):
    with pytest.raises(InputError, match=sentence):
        read_table(write(content, name))


def test_queries_on_files(write):
    path = write("a,b\n1,x\n2,y\n")
    assert read_table(f"SELECT a * 2 AS twice FROM '{path}' WHERE b = 'y'")["twice"].tolist() == [4]
    secret = np.ones(3)  # a variable of Python is no table
    for query, sentence in [
        ("SELECT * FROM 'gone.csv'", "the query failed"),
        ("SELECT * FROM secret", "the query failed"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT * FROM x", "one SELECT|the query failed"),
        (f"SELECT a, a FROM '{path}'", "more than one column of the same name"),
        (f"SELECT a FROM '{path}' WHERE a > 9", "no rows"),
    ]:
        with pytest.raises(InputError, match=sentence):
            read_table(query)
    assert len(secret) == 3


def test_sqlite(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE orders(price, item)")
        connection.executemany("INSERT INTO orders VALUES(?, ?)", [(1, "x"), (2.5, None), ("3", "y"), (None, "z")])
    table = read_table(path)
    assert table["price"][:3].tolist() == [1, 2.5, 3]
    assert table.row(3) == {"price": None, "item": "z"}
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE empty(a)")
    assert read_table(f"{path}::SELECT price FROM orders WHERE item = 'x'")["price"].tolist() == [1]
    assert len(read_table(f"{path}::orders", columns=["item"]).names) == 1
    for choice, sentence in [
        ("", r"several tables \('empty', 'orders'\)"),
        ("::order", "did you mean 'orders'"),
        ("::empty", "no rows"),
        ("::SELECT q FROM orders", "no such column: q"),
    ]:
        with pytest.raises(InputError, match=sentence):
            read_table(f"{path}{choice}")


def test_a_file_that_is_no_database(write):
    with pytest.raises(InputError, match="cannot be read as an SQLite file"):
        read_table(write("no database " * 100, "x.db"))


class _Postgres:
    """What `read_postgres` needs of psycopg, with one table in it."""

    Error = RuntimeError

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.rows = [(1, "x"), (None, "y")]

    def connect(self, address: str, connect_timeout: int) -> _Postgres:
        if "down" in address:
            raise RuntimeError("connection refused\nIs the server running?")
        return self

    def cursor(self, name: str) -> _Postgres:
        return self

    def execute(self, query: str) -> None:
        self.seen.append(query)
        self.description = [("price",), ("item",)]

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        rows, self.rows = self.rows, []
        return rows

    def __enter__(self) -> _Postgres:
        return self

    def __exit__(self, *_: object) -> None: ...


def test_postgres(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"unusual\[postgres\]"):
        read_table("postgresql://me@host/db::orders")
    server = _Postgres()
    monkeypatch.setitem(
        sys.modules, "psycopg", SimpleNamespace(connect=server.connect, Error=server.Error, __spec__=None)
    )
    table = read_table('postgresql://me:secret@host/db::public.or"ders')
    assert table.row(1) == {"price": None, "item": "y"}
    assert server.seen == ['SELECT * FROM "public"."or""ders"']
    assert table.name == 'postgresql://me:***@host/db::public.or"ders'
    with pytest.raises(InputError, match="say which table"):
        read_table("postgresql://me@host/db")
    with pytest.raises(InputError, match=r"me:\*\*\*@down/db cannot be read: connection refused\."):
        read_table("postgresql://me:secret@down/db::t")


# --- in memory


FRAME = {"i": [1, 2, 3], "f": [1.0, None, 3.0], "s": ["a", None, "b"], "b": [True, None, False]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table, dict])
def test_frames_of_every_kind(make):
    table = read_table(make(FRAME))
    assert kinds(table) == {"i": "i", "f": "f", "s": "O", "b": "f"}
    assert table.row(1) == {"i": 2, "f": None, "s": None, "b": None}
    with pytest.raises(InputError, match="no column 'x'"):
        read_table(make(FRAME), columns=["x"])


def test_odd_types_of_frames():
    moments = pd.to_datetime(["2020-01-01", "2020-06-01"]).tz_localize("Europe/Berlin")
    frame = pd.DataFrame({"t": moments, "c": pd.Categorical(["a", None]), "i": pd.array([1, None], dtype="Int64")})
    assert read_table(frame).row(0) == {"t": pd.Timestamp("2019-12-31 23:00").to_pydatetime(), "c": "a", "i": 1}
    assert read_table(frame).row(1)["c"] is None
    polars = pl.DataFrame(
        {"d": [pd.Timestamp("2020-01-01").date(), None], "e": pl.Series(["x", "y"], dtype=pl.Categorical)}
    )
    assert kinds(read_table(polars)) == {"d": "M", "e": "O"}
    masked = np.ma.array([1, 2], mask=[False, True])
    assert read_table({"m": masked}).row(1) == {"m": None}
    assert read_table({"u": np.array([2**63, 1], dtype=np.uint64)}).notes == [
        "`u` holds integers beyond 2^53, which are rounded to about 16 digits"
    ]
    assert read_table({"o": np.array([1, "x", None, 2.5], dtype=object)})["o"].tolist() == ["1", "x", None, "2.5"]


def test_arrays():
    X = np.arange(6.0).reshape(3, 2)
    table = read_table(X)
    table["column 0"][0] = 99
    assert X[0, 0] == 0
    assert read_table(np.array([(1, "x")], dtype=[("p", "i4"), ("q", "U3")])).row(0) == {"p": 1, "q": "x"}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (np.zeros((2, 100_000)), "100,000 columns"),
        (np.zeros((2, 2, 2)), "is no table"),
        (np.zeros((0, 3)), "no rows"),
        (np.array([[1j]]), "complex"),
        (5, "a int is no table"),
        ({"a": [1, 2], "b": [1]}, "differ in length"),
        ({"a": [[1], [2]]}, "flat list"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "same name"),
        (pd.DataFrame(), "no columns"),
        (pd.DataFrame({"a": []}), "no rows"),
    ],
)
def test_bad_things_in_memory(source, sentence):
    with pytest.raises(InputError, match=sentence):
        read_table(source)


def test_a_table_passes_through_and_can_be_cut():
    table = read_table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    assert read_table(table) is table
    assert table.take(np.array([2, 0]))["b"].tolist() == ["z", "x"]
    assert len(table.take(slice(0, 2))) == 2


# --- wide inputs


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=8)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), TEXT), min_size=1, max_size=30))
def test_what_is_written_as_csv_is_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        pd.DataFrame(rows, columns=["number", "text"]).to_csv(path, index=False)
        table = read_table(path)
    np.testing.assert_array_equal(table["number"].astype(float), [x for x, _ in rows])
    assert len(table["text"]) == len(rows)
    if table["text"].dtype == object:
        expected = [text.strip() if text.strip().lower() not in cells.MISSING else None for _, text in rows]
        assert table["text"].tolist() == expected


@settings(max_examples=30, deadline=None)
@given(content=st.one_of(st.binary(max_size=300), st.text("ab,;\"\n\t1.5|'é", max_size=120).map(str.encode)))
def test_any_bytes_are_a_table_or_a_sentence(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(content)
        try:
            table = read_table(path)
        except InputError:
            return
    assert len(table) > 0
    assert all(values.dtype.kind in "fibMO" for values in table.columns.values())


NEARLY = st.one_of(st.text("0123456789.,-+e:/ '$%€TZ", max_size=20), st.text(max_size=12), st.datetimes().map(str))


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(st.one_of(st.none(), NEARLY), min_size=1, max_size=12),
    comma=st.sampled_from(["decimal", "thousands"]),
)
def test_any_texts_are_understood(texts, comma):
    values, _ = cells.understand("x", np.array([*texts, None], dtype=object)[:-1], comma)
    assert len(values) == len(texts)
    assert values.dtype.kind in "fibMO"
    assert not (values.dtype.kind == "f" and np.isinf(values).any())


@given(number=st.floats(-1e12, 1e12), digits=st.integers(0, 6))
def test_every_style_of_number_is_read_back(number, digits):
    plain, english = f"{number:.{digits}f}", f"{number:,.{digits}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert cells.plain_number(plain) == float(plain)
    for text, style in ((english, "thousands"), (german, "decimal comma")):
        read = dict(zip(("plain", "thousands", "decimal comma"), [f for _, f in cells.STYLES], strict=False))[style]
        assert math.isclose(read(text), float(plain), rel_tol=1e-12, abs_tol=1e-12)


def test_signs_of_missing_are_the_same_for_both_readers():
    assert {sign.lower() for sign in csv_file.NULLS} == set(cells.MISSING)
