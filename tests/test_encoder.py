"""A table as a matrix: finite, learned from the reference alone, and able to say what it saw."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unusual.data import columns, encoder, ranks
from unusual.data.encoder import TableEncoder
from unusual.data.ranks import shown
from unusual.data.read_table import read_table
from unusual.data.table import Table
from unusual.errors import InputError, ModelFileError

N = 400


def mixed(n: int = N, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    return read_table(
        {
            "weight": rng.normal(10, 2, n),
            "gap": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "ok": rng.random(n) < 0.7,
            "machine": rng.choice(["a", "b", "c", "rare"], n, p=[0.4, 0.3, 0.28, 0.02]),
            "born": rng.permutation(np.datetime64("1950-01-01", "us") + np.arange(n) * np.timedelta64(55, "D")),
            "at": np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(7, "h"),
            "remark": [f"text {'word ' * (i % 7)}{i}" + "X!" * (i % 5) for i in rng.permutation(n)],
            "note": [None if i % 20 else f"n{i}" for i in range(n)],
            "unit": ["kg"] * n,
            "id": np.arange(n),
        }
    )


@pytest.fixture(scope="module")
def fitted() -> TableEncoder:
    return TableEncoder().fit(mixed())


def test_features_and_where_they_come_from(fitted):
    X = fitted.transform(mixed())
    assert X.shape == (N, len(fitted.names_)) == (N, len(fitted.source_))
    assert X.dtype == np.float64
    assert np.isfinite(X).all()
    names = [fitted.columns_[j].name for j in fitted.source_]
    assert all(feature.startswith(name) for feature, name in zip(fitted.names_, names, strict=True))
    assert "id" not in names
    assert [f for f, name in zip(fitted.names_, names, strict=True) if name == "machine"] == [
        "machine rarity",
        "machine = a",
        "machine = b",
        "machine = c",
    ]
    assert [f for f, name in zip(fitted.names_, names, strict=True) if name == "at"] == [
        "at hour sine",
        "at hour cosine",
        "at weekday sine",
        "at weekday cosine",
    ]


def feature(fitted: TableEncoder, table: Table, name: str) -> np.ndarray:
    return fitted.transform(table)[:, fitted.names_.index(name)]


def test_values_of_the_features(fitted):
    table = mixed()
    weight, gap = table["weight"], table["gap"]
    np.testing.assert_allclose(np.diff(feature(fitted, table, "weight")), np.diff(weight))
    assert set(feature(fitted, table, "gap")[np.isnan(gap)]) == {0.0}
    np.testing.assert_array_equal(feature(fitted, table, "gap missing"), np.isnan(gap))
    share = np.mean(table["machine"] == "rare")
    np.testing.assert_allclose(feature(fitted, table, "machine rarity")[table["machine"] == "rare"], -np.log(share))
    np.testing.assert_array_equal(feature(fitted, table, "note there"), [i % 20 == 0 for i in range(N)])
    circle = np.hypot(feature(fitted, table, "at hour sine"), feature(fitted, table, "at hour cosine"))
    np.testing.assert_allclose(circle, 1)


def changed(table: Table, **columns_: object) -> Table:
    return Table({**table.columns, **columns_}, "new.csv")


def test_new_values_are_further_out_than_any_of_the_reference(fitted):
    table = mixed()
    new = changed(
        table, machine=np.array(["new"] * N, dtype=object), unit=np.array(["lb", None] * (N // 2), dtype=object)
    )
    assert feature(fitted, new, "machine rarity").min() > feature(fitted, table, "machine rarity").max()
    assert set(feature(fitted, new, "unit changed")) == {10.0}
    assert set(feature(fitted, table, "unit changed")) == {0.0}
    said = fitted.check(changed(new, extra=np.ones(N)))
    assert any("1 columns are ignored" in s or "extra" in s for s in said)
    assert "`machine` holds a value that the reference lacks in 400 rows" in said
    assert "`unit` was always 'kg' in the reference and is not in 400 rows" in said
    assert fitted.check(table) == []


def test_only_the_given_rows_are_learned_from():
    table = mixed()
    rows = np.arange(N) < N // 2
    poisoned = changed(
        table, weight=np.where(rows, table["weight"], 1e6), machine=np.where(rows, table["machine"], "z")
    )
    one = TableEncoder().fit(table.take(rows)).state()
    for chosen in (rows, np.flatnonzero(rows)):
        two = TableEncoder().fit(poisoned, rows=chosen).state()
        np.testing.assert_equal(one, two)


def test_other_columns_and_types_are_refused(fitted):
    table = mixed()
    text = np.array(["oops"] * N, dtype=object)
    without = Table(
        {k: v for k, v in table.columns.items() if k not in ("weight", "gap")} | {"wieght": text}, "new.csv"
    )
    for new, sentence in [
        (without, r"new\.csv lacks 2 of the reference's columns \('weight', 'gap'\); did you mean 'wieght'"),
        (changed(table, weight=text), r"'weight' holds numbers in the reference, but 'oops' here"),
        (changed(table, born=np.arange(N)), "'born' holds dates in the reference, but 0 here"),
    ]:
        with pytest.raises(InputError, match=sentence):
            fitted.transform(new)
    missing = changed(table, weight=np.full(N, np.nan), born=np.full(N, np.nan), machine=np.full(N, np.nan))
    assert np.isfinite(fitted.transform(missing)).all()
    without_id = Table({k: v for k, v in table.columns.items() if k != "id"})
    np.testing.assert_array_equal(fitted.transform(without_id), fitted.transform(table))


def test_numbers_as_a_category_are_the_same_values_in_every_type():
    codes = np.random.default_rng(0).integers(0, 4, N)
    fitted = TableEncoder().fit(read_table({"shop_id": codes, "x": codes * 1.5}))
    X = fitted.transform(Table({"shop_id": codes.astype(float), "x": codes * 1.5}))
    np.testing.assert_array_equal(
        X, fitted.transform(Table({"shop_id": codes.astype(str).astype(object), "x": codes * 1.5}))
    )
    assert fitted.count_of("shop_id", 2) == fitted.count_of("shop_id", "2") == ((codes == 2).sum(), N)
    assert fitted.count_of("shop_id", 99) == (0, N)


@pytest.mark.parametrize("values", [np.zeros(N), np.full(N, np.nan), np.arange(N)])
def test_nothing_to_compare_rows_by(values):
    with pytest.raises(InputError, match="no column of the data is left to compare rows by"):
        TableEncoder().fit(read_table({"x": values}))


def test_float32_stays_and_large_tables_become_float32(monkeypatch):
    values = np.random.default_rng(0).normal(1e6, 1, N)
    assert TableEncoder().fit_transform(Table({"x": values.astype(np.float32)})).dtype == np.float32
    monkeypatch.setattr(encoder, "LARGE", 100)
    stamps = 1.7e9 + np.random.default_rng(1).random(N)
    X = TableEncoder().fit_transform(Table({"x": stamps, "huge": np.r_[1.7e308, -1.7e308, stamps[2:]]}))
    assert X.dtype == np.float32
    assert np.isfinite(X).all()
    np.testing.assert_allclose(np.diff(X[:, 0]), np.diff(stamps), atol=1e-6)


def test_large_references_are_sampled_but_no_category_is_missed(monkeypatch):
    for module in (columns, encoder):
        monkeypatch.setattr(module, "SAMPLE", 50)
    table = mixed(1000)
    fitted = TableEncoder().fit(table)
    assert fitted.notes_ == ["medians come from 50 of 1,000 rows, spread evenly"]
    assert fitted.check(table) == []
    assert fitted.count_of("machine", "rare")[0] == (table["machine"] == "rare").sum()


# --- ranks


def test_ranks_are_exact_in_small_references(fitted):
    weight = mixed()["weight"]
    value = np.sort(weight)[390]
    assert fitted.rank_of("weight", value) == (390, 1, 9, 400, True)
    assert fitted.rank_of("weight", 1e9)[:3] == (400, 0, 0)
    assert fitted.rank_of("id", 2.5)[:3] == (3, 0, 397)
    assert fitted.rank_of("born", np.datetime64("1940-01-01"))[:3] == (0, 0, 400)
    assert fitted.rank_of("gap", 0.0).n == int((~np.isnan(mixed()["gap"])).sum())
    with pytest.raises(InputError, match="has no order"):
        fitted.rank_of("machine", "a")
    with pytest.raises(InputError, match="no category"):
        fitted.count_of("weight", 1.0)


def test_the_same_float_in_float32_is_equal():
    fitted = TableEncoder().fit(Table({"x": np.array([0.1, 0.2, 0.3] * 10, dtype=np.float32)}))
    assert fitted.rank_of("x", 0.1).equal == 10


@settings(deadline=None)
@given(seed=st.integers(0, 1000), value=st.floats(-5, 5))
def test_ranks_by_quantiles_are_close(seed, value):
    values = np.random.default_rng(seed).normal(size=5000).round(2)
    state = ranks.kept(values, 2000)  # too many values over all columns to keep each
    assert len(state["sorted"]) == ranks.QUANTILES
    rank = ranks.rank(state, value)
    assert not rank.exact
    assert rank.below + rank.equal + rank.above == rank.n == 5000
    assert abs(rank.below - (values < value).sum()) <= 10
    assert abs(rank.above - (values > value).sum()) <= 10


def test_usual_range_in_words(fitted):
    low, high = fitted.usual_range("weight").split(" to ")
    assert float(low) < 6.5 < 13.5 < float(high)
    assert fitted.usual_range("machine").startswith("'a' (")
    assert fitted.usual_range("machine").endswith("or one of 1 other") or "1 other" in fitted.usual_range("machine")
    assert fitted.usual_range("unit") == "always 'kg'"
    assert fitted.usual_range("born").startswith("195")
    with pytest.raises(InputError, match="did you mean 'weight'"):
        fitted.usual_range("weigth")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2615.0, "2,615"),
        (0.01234567, "0.01235"),
        (12345.678, "12,346"),
        (1e-9, "1e-09"),
        (1e300, "1e+300"),
        (np.float32(0.5), "0.5"),
        (True, "true"),
        (None, "missing"),
        (float("nan"), "missing"),
        ("steel", "'steel'"),
        (np.datetime64("2024-01-31"), "2024-01-31"),
        (np.datetime64("2024-01-31T10:20:30"), "2024-01-31 10:20:30"),
    ],
)
def test_values_in_sentences(value, text):
    assert shown(value) == text


# --- saving


def test_state_comes_back(fitted):
    state = fitted.state()
    arrays: list[np.ndarray] = []

    def packed(value):
        if isinstance(value, np.ndarray):
            assert value.dtype.kind in "fib"
            arrays.append(value)
            return {"array": len(arrays) - 1}
        assert not isinstance(value, np.generic)
        raise TypeError(type(value))

    text = json.dumps(state, default=packed)
    again = TableEncoder.from_state(json.loads(text, object_hook=lambda d: arrays[d["array"]] if "array" in d else d))
    np.testing.assert_array_equal(again.transform(mixed(seed=1)), fitted.transform(mixed(seed=1)))
    assert again.rank_of("born", np.datetime64("1990-01-01")) == fitted.rank_of("born", np.datetime64("1990-01-01"))
    assert again.columns_ == fitted.columns_
    assert again.usual_range("at") == fitted.usual_range("at")


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s.pop("columns"),
        lambda s: s["columns"].pop(),
        lambda s: s["names"].pop(),
        lambda s: s["encodings"][0].update(how="eval"),
        lambda s: s.update(ranks=[1]),
        lambda s: s["columns"][0].update(secret=1),
    ],
)
def test_broken_states_are_refused(damage):
    state = json.loads(json.dumps(TableEncoder().fit(mixed()).state(), default=lambda a: a.tolist()))
    damage(state)
    with pytest.raises(ModelFileError, match="save the model again"):
        TableEncoder.from_state(state)


# --- wide inputs


COLUMN = {
    "f8": st.one_of(st.just(np.nan), st.floats(allow_infinity=False)),
    "i8": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "object": st.one_of(st.none(), st.sampled_from("abc"), st.text(max_size=9)),
    "datetime64[us]": st.one_of(st.just("NaT"), st.datetimes().map(str)),
}


@settings(max_examples=100, deadline=None)
@given(data=st.data(), kinds=st.lists(st.sampled_from(sorted(COLUMN)), min_size=1, max_size=4), n=st.integers(2, 30))
def test_any_table_becomes_finite_numbers(data, kinds, n):
    def draw() -> Table:
        cells = [data.draw(st.lists(COLUMN[kind], min_size=n, max_size=n)) for kind in kinds]
        return Table({f"c{i}": np.array(c, dtype=k) for i, (c, k) in enumerate(zip(cells, kinds, strict=True))})

    table, new = draw(), draw()
    try:
        fitted = TableEncoder().fit(table)
    except InputError:
        return
    for one in (table, new):
        X = fitted.transform(one)
        assert X.shape == (n, len(fitted.names_))
        assert np.isfinite(X).all()
    np.testing.assert_array_equal(fitted.transform(new)[::-1], fitted.transform(new.take(slice(None, None, -1))))
    for name in fitted.ranks_:
        assert sum(fitted.rank_of(name, table[name][0])[:3]) == fitted.rank_of(name, table[name][0]).n


def test_a_cell_that_was_never_missing_stands_far_outside_when_it_is() -> None:
    days = np.array(["2024-01-01", "2024-03-01", "2024-01-11", "2024-02-11"], dtype="datetime64[us]")
    reference = Table({"a": np.array([1.0, 2.0, 5.0, 3.0]), "b": np.array([1.0, np.nan, 4.0, 3.0]), "day": days})
    encoder = TableEncoder().fit(reference)
    new = Table({"a": np.array([np.nan]), "b": np.array([np.nan]), "day": np.array(["NaT"], dtype="datetime64[us]")})
    row = dict(zip(encoder.names_, encoder.transform(new)[0], strict=True))
    assert row["a"] == 3 + 10 * 4  # the largest value lies 3 above the median, and the values span 4
    assert row["b"] == 0.0  # it was missing before: the median
    assert row["day day"] == -600
    assert encoder.transform(reference)[:, 0].tolist() == [-1.0, 0.0, 3.0, 1.0]
