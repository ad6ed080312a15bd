"""Series out of tables: which tables are series, order, repeats, holes, gaps, several at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from unusual import InputError
from unusual.data.series import series_of, time_column
from unusual.data.table import Table


def minutes(n: int) -> np.ndarray:
    return np.datetime64("2026-03-01T00:00", "us") + np.arange(n) * np.timedelta64(60, "s")


def table(n: int = 60, **more: np.ndarray) -> Table:
    return Table({"when": minutes(n), "a": np.arange(n, dtype=float), "b": np.ones(n), **more})


def test_regular_times_with_numbers_are_a_series() -> None:
    assert time_column(table()) == "when"
    assert time_column(table(label=np.zeros(60, dtype=np.int64))) == "when"
    counted = Table({"timestamp": np.arange(60), "v": np.ones(60)})
    assert time_column(counted) == "timestamp"


@pytest.mark.parametrize(
    "other",
    [
        Table({"a": np.arange(60.0), "b": np.arange(60.0)}),  # no column of times
        Table({"when": minutes(10), "a": np.ones(10)}),  # too short to tell
        table(shop=np.array(["x"] * 60, dtype=object)),  # transactions
        Table({"when": np.random.default_rng(0).permutation(minutes(60)), "a": np.ones(60)}),  # no order
        Table({"when": minutes(60)[0] + (np.random.default_rng(0).exponential(9e8, 60).cumsum()).astype("m8[us]"),
               "a": np.ones(60)}),  # irregular steps
        Table({"when": minutes(60)}),  # nothing beside the times
    ],
)  # fmt: skip
def test_other_tables_stay_tables(other: Table) -> None:
    assert time_column(other) is None


def test_rows_are_sorted_repeats_averaged_and_holes_bridged() -> None:
    when = minutes(6)[[0, 2, 1, 3, 3, 5]]
    t = Table({"when": when, "a": np.array([0.0, 20, np.nan, 30, 50, np.inf]), "b": np.arange(6.0)})
    (s,) = series_of(t, "when")
    assert_array_equal(s.time, minutes(6)[[0, 1, 2, 3, 5]])
    assert_allclose(s.values[:, 0], [0, 10, 20, 40, 40])  # bridged over time; the last value is held
    assert_allclose(s.values[:, 1], [0, 2, 1, 3.5, 5])
    assert s.gaps == [(3, 1.0)]
    assert s.step == 60
    assert s.steps_per_day == 1440
    said = " ".join(s.notes)
    for words in ("not in the order of time", "1 rows repeat a time", "2 missing values are bridged"):
        assert words in said


def test_a_bridge_follows_time_and_not_rows() -> None:
    t = Table({"t": np.array([0.0, 1, 9, 10]), "a": np.array([0.0, np.nan, np.nan, 10])})
    assert_allclose(series_of(t, "t")[0].values[:, 0], [0, 1, 9, 10])
    assert series_of(t, "t")[0].steps_per_day is None


def test_channels_without_values_are_left_out_and_unobserved_steps_marked() -> None:
    t = table(5, c=np.full(5, np.nan), s=np.array(["u"] * 5, dtype=object))
    t.columns["a"][2] = t.columns["b"][2] = np.nan
    (s,) = series_of(t, "when")
    assert s.channels == ["a", "b"]
    assert s.observed.tolist() == [True, True, False, True, True]
    assert any("`c`" in note and "no value" in note for note in s.notes)
    assert any("`s`" in note and "no numbers" in note for note in s.notes)


def test_several_series_in_one_table_and_labels() -> None:
    machine = np.array(["m1", "m2", None] * 20, dtype=object)
    label = (np.arange(60) == 6).astype(np.int64)
    found = series_of(table(machine=machine, label=label), "when", by="machine", label="label")
    assert [(s.name, len(s)) for s in found] == [("m1", 20), ("m2", 20)]
    assert found[0].labels is not None
    assert found[0].labels.sum() == 1
    assert found[1].labels.sum() == 0
    assert found[0].channels == ["a", "b"]


def test_rows_without_a_time_are_left_out() -> None:
    t = table(5)
    t.columns["when"][3] = np.datetime64("NaT")
    (s,) = series_of(t, "when")
    assert len(s) == 4
    assert any("1 rows without a time" in note for note in s.notes)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (table(), {"time": "nope"}, "no column 'nope'"),
        (table(), {"time": "when", "columns": ["zz"]}, "no column 'zz'"),
        (Table({"when": minutes(3), "s": np.array(["a"] * 3, dtype=object)}), {"time": "when"}, "no numeric column"),
        (Table({"when": minutes(3), "a": np.full(3, np.nan)}), {"time": "when"}, "no channel of table has a value"),
        (Table({"s": np.array(["a"] * 3, dtype=object), "a": np.ones(3)}), {"time": "s"}, "holds no times"),
        (Table({"w": np.full(3, np.datetime64("NaT", "us")), "a": np.ones(3)}), {"time": "w"}, "is empty"),
        (table(3, y=np.array([0.0, 1, 2])), {"time": "when", "label": "y"}, "other values than 0 and 1"),
        (table(3, y=np.array([0.0, 1, np.nan])), {"time": "when", "label": "y"}, "1 missing cells"),
    ],
)
def test_bad_input_is_one_sentence(given: Table, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        series_of(given, **options)


def test_developer_series_are_recognised(real_data) -> None:
    from unusual.data.read_table import read_table

    kinds = {p.stem: time_column(read_table(p)) for p in sorted((real_data / "series").glob("*.csv"))}
    kinds.pop("manifest")
    assert {name for name, column in kinds.items() if column is None} == {"nab_TravelTime_387", "nab_speed_7578"}
