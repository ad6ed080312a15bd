"""What each column is taken for, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unusual.data import columns
from unusual.data.columns import Column, date_parts, describe_columns, spread
from unusual.data.read_table import read_table
from unusual.data.table import Table
from unusual.errors import InputError

N = 200
RNG = np.random.default_rng(0)


def described(name: str, values, **roles) -> Column:
    return describe_columns(read_table({name: values}), **roles)[0]


@pytest.mark.parametrize(
    ("name", "values", "kind", "used"),
    [
        ("weight", RNG.normal(size=N), "number", True),
        ("stars", RNG.integers(1, 6, N), "number", True),
        ("ok", RNG.random(N) < 0.5, "boolean", True),
        ("flag", RNG.integers(0, 2, N), "boolean", True),
        ("flag", np.where(RNG.random(N) < 0.1, np.nan, RNG.integers(0, 2, N)), "boolean", True),
        ("machine", RNG.choice(["a", "b", "c"], N), "category", True),
        ("customer_id", RNG.integers(0, 20, N), "category", True),
        ("customer_id", RNG.integers(0, 10**9, N), "identifier", False),
        ("n", np.arange(N), "identifier", False),
        ("n", np.arange(N) * 10 + 7, "identifier", False),
        ("humid", RNG.permutation(10**6)[:N], "number", True),
        ("serial", [f"AB-{i:05d}" for i in RNG.permutation(N)], "identifier", False),
        ("uuid", [f"{i * 7919:x}" for i in range(N)], "identifier", False),
        ("remark", [f"text with {'word ' * (i % 7)}{i}!" + "x" * (i % 5) for i in range(N)], "text", True),
        (
            "born",
            RNG.permutation(np.datetime64("1950-01-01", "us") + np.arange(N) * np.timedelta64(90, "D")),
            "date",
            True,
        ),
        ("at", np.datetime64("2024-01-01", "us") + np.arange(N) * np.timedelta64(7, "h"), "date", True),
        ("at", np.datetime64("2024-01-01", "us") + np.arange(N) * np.timedelta64(1, "s"), "date", False),
        ("unit", ["kg"] * N, "constant", False),
        ("zero", np.zeros(N), "constant", False),
        ("note", [None] * (N - 3) + ["x", "y", "z"], "mostly missing", True),
        ("gone", [None] * N, "mostly missing", False),
        ("ticked", ["x" if i % 3 else None for i in range(N)], "boolean", True),
        ("is_anomaly", RNG.integers(0, 2, N), "boolean", False),
        ("Class", RNG.integers(0, 2, N), "boolean", False),
        ("class", RNG.choice(["first", "second"], N), "category", True),
        ("target", RNG.normal(size=N), "number", True),
    ],
)
def test_kinds(name, values, kind, used):
    column = described(name, values)
    assert (column.kind, column.used) == (kind, used), column.treatment
    assert column.treatment.startswith("used" if used else ("left out", "the same", "all cells"))


def test_roles_are_left_out_and_said():
    table = read_table(
        {"a": RNG.normal(size=N), "lot": ["x", "y"] * 100, "name": list(range(N)), "bad": ["n", "y"] * 100}
    )
    found = {c.name: c for c in describe_columns(table, id="name", group="lot", label="bad")}
    assert [c.name for c in found.values() if c.used] == ["a"]
    assert "names the rows" in found["name"].treatment
    assert "kept together" in found["lot"].treatment
    assert "which rows are anomalous" in found["bad"].treatment
    with pytest.raises(InputError, match="no column 'lott'; did you mean 'lot'"):
        describe_columns(table, group="lott")


def test_counts_and_example():
    column = described("x", [None, 1.5, 1.5, 2.5] * 50)
    assert (column.missing, column.levels, column.example) == (50, 2, "1.5")
    assert column.treatment == "used as a number; 50 missing cells filled with the median, and marked"
    assert described("x", [None] + [1.5, 2.5] * 500).treatment.endswith("; 1 missing cell filled with the median")


def test_dates_that_run_along_give_no_day_count():
    hours = np.datetime64("2024-01-01", "us") + np.arange(2000) * np.timedelta64(1, "h")
    assert date_parts(hours) == ["hour", "weekday"]
    assert date_parts(np.random.default_rng(0).permutation(hours)) == ["day", "hour", "weekday"]
    assert date_parts(np.random.default_rng(0).permutation(hours), running=True) == ["hour", "weekday"]
    assert "new rows are always later" in described("at", hours).treatment
    shuffled = np.random.default_rng(0).permutation(hours)
    assert "day count" not in described("at", shuffled, time="at").treatment


def test_large_columns_are_judged_by_a_spread_sample(monkeypatch):
    monkeypatch.setattr(columns, "SAMPLE", 100)
    rows = spread(1050)
    assert len(rows) == 100
    assert np.all(np.diff(rows) > 0)
    assert len(set(rows % 10)) == 10  # sees all of what repeats every ten rows
    almost = np.zeros(1050)
    almost[3] = 1
    assert described("x", almost).kind == "boolean"
    assert described("n", np.arange(1050)).kind == "identifier"
    assert described("note", [None] * 1049 + ["x"]).kind == "mostly missing"


CELLS = {
    "f": st.one_of(st.just(np.nan), st.floats(allow_infinity=False)),
    "i": st.integers(-(2**63), 2**63 - 1),
    "b": st.booleans(),
    "O": st.one_of(st.none(), st.text(max_size=6)),
    "M": st.one_of(st.just("NaT"), st.datetimes().map(str)),
}
DTYPES = {"f": "f8", "i": "i8", "b": bool, "O": object, "M": "datetime64[us]"}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(CELLS)), n=st.integers(1, 40))
def test_any_column_is_described(data, kind, n):
    cells = data.draw(st.lists(CELLS[kind], min_size=n, max_size=n))
    column = describe_columns(Table({"x": np.array(cells, dtype=DTYPES[kind])}))[0]
    assert column.treatment
    assert 0 <= column.missing <= n
    assert column.levels <= n - column.missing
