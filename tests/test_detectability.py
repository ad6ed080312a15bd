"""What a detector would catch: the curve against an obvious one, its interval, and damage that is where it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.isotonic import isotonic_regression

import unusual
from unusual import InputError
from unusual.data.table import Table
from unusual.evaluate.detectability import detection_curve, first_size, rising
from unusual.evaluate.table_damage import SPREADS, damages, spread

SIZES = np.array([0.0, 1, 2, 4, 8])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_curve_is_isotonic_regression(shares) -> None:
    assert_allclose(rising(np.array([shares]))[0], isotonic_regression(shares), atol=1e-12)


def test_the_first_size_lies_between_sizes_on_a_straight_line() -> None:
    curves = np.array([[0, 0.2, 0.8, 1, 1], [0, 0, 0, 0, 0.5], [0.95, 1, 1, 1, 1], [0, 0.9, 0.9, 0.9, 1]])
    assert_allclose(first_size(curves, SIZES, 0.9), [3, np.inf, 0, 1])


def test_items_with_a_known_limit_give_its_quantile(rng) -> None:
    limits = rng.uniform(1, 5, 4000)
    sizes = np.linspace(0, 6, 61)
    curve = detection_curve(limits[:, None] <= sizes, sizes, kind="a", unit="b")
    assert curve.smallest == pytest.approx(4.6, abs=0.05)
    assert curve.interval[0] <= 4.6 <= curve.interval[1]
    assert curve.interval[1] - curve.interval[0] < 0.2
    assert curve.said().startswith(f"{curve.smallest:.3g} b (")


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    sizes = np.linspace(0, 6, 61)
    held = 0
    for seed in range(100):
        limits = np.random.default_rng(seed).uniform(1, 5, 150)
        low, high = detection_curve(limits[:, None] <= sizes, sizes, kind="a", unit="b").interval
        held += low <= 4.6 <= high + 0.1  # sizes lie 0.1 apart
    assert held >= 88


def test_related_items_widen_the_interval(rng) -> None:
    limits = np.repeat(rng.uniform(1, 5, 20), 50)
    caught = limits[:, None] <= SIZES
    groups = np.repeat(np.arange(20), 50)
    alone = detection_curve(caught, SIZES, kind="a", unit="b")
    together = detection_curve(caught, SIZES, kind="a", unit="b", groups=groups)
    assert_array_equal(alone.share, together.share)
    assert (together.high - together.low).max() > 3 * (alone.high - alone.low).max()


def test_what_is_never_caught_is_said() -> None:
    curve = detection_curve(np.zeros((10, 5)), SIZES, kind="a", unit="cells")
    assert curve.smallest == np.inf
    assert curve.said() == "not even 8 cells"


@pytest.mark.parametrize(
    ("caught", "sizes", "options", "message"),
    [
        (np.zeros((3, 4)), SIZES, {}, "has shape"),
        (np.zeros((3, 5)), SIZES[::-1], {}, "from 0 up"),
        (np.zeros((1, 5)), SIZES, {}, "one item or group only"),
        (np.zeros((3, 5)), SIZES, {"wanted": 1.0}, "wanted is 1.0"),
        (np.zeros((3, 5)), SIZES, {"groups": [1, 2]}, "one label per item"),
    ],
)
def test_bad_input_is_one_sentence(caught, sizes, options, message) -> None:
    with pytest.raises(InputError, match=message):
        detection_curve(caught, sizes, kind="a", unit="b", **options)


def mixed_table(n: int = 60) -> Table:
    rng = np.random.default_rng(1)
    return Table(
        {
            "speed": rng.normal(100, 7, n),
            "count": rng.integers(0, 50, n),
            "heat": rng.normal(size=n).astype(np.float32),
            "colour": rng.choice(["red", "blue"], n).astype(object),
            "day": np.datetime64("2026-01-01", "us") + rng.integers(0, 100, n).astype("timedelta64[D]"),
        }
    )


def test_damage_is_done_where_and_as_much_as_it_says() -> None:
    table = mixed_table()
    spreads = {name: spread(table[name]) for name in ("speed", "count", "heat")}
    made = {d.kind: d for d in damages(table, spreads, table.names, 0)}
    moved = made["one value moves"].done(2.0)
    steps = np.column_stack([(moved[n] - table[n].astype(float)) / scale for n, scale in spreads.items()])
    assert_allclose(np.sort(np.abs(steps), axis=1), np.tile([0, 0, 2.0], (60, 1)), atol=1e-5)
    assert (np.abs(steps).sum(axis=0) > 0).all()  # every column is drawn for some row
    several = made["several values move"].done(1.0)
    hit = [np.abs(several[n] - table[n].astype(float)) > 1e-9 for n in spreads]
    assert_array_equal(np.sum(hit, axis=0), 2)
    holed = made["cells go missing"].done(3)
    gone = np.sum([[v is None or v != v for v in holed[n].tolist()] for n in table.names], axis=0)
    assert_array_equal(gone, 3)
    swapped = made["cells come from another row"].done(5)
    rows = {tuple(row) for row in zip(*(table[n].tolist() for n in table.names), strict=True)}
    assert {tuple(row) for row in zip(*(swapped[n].tolist() for n in table.names), strict=True)} <= rows
    assert all((d.done(0)[n] == table[n]).all() for d in made.values() for n in table.names)


def test_larger_damage_contains_the_smaller() -> None:
    table = mixed_table()
    holes = next(d for d in damages(table, {}, table.names, 0) if d.kind == "cells go missing")
    few, many = (holes.done(k) for k in (1, 4))
    for name in table.names:
        gone = [v is None or v != v for v in few[name].tolist()]
        more = [v is None or v != v for v in many[name].tolist()]
        assert all(b for a, b in zip(gone, more, strict=True) if a)


@pytest.fixture(scope="module")
def model() -> unusual.Detector:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3)) * [1.0, 10.0, 100.0]
    return unusual.fit({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}, method="Mahalanobis", alarm_rate=0.01)


def test_the_distance_to_the_mean_catches_what_theory_says(model) -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(3000, 3)) * [1.0, 10.0, 100.0]
    found = unusual.sensitivity(model, {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}, items=2000)
    one = next(c for c in found.curves if c.kind == "one value moves")
    # P(|z + s|^2 > chi2_3(.99)) = .9 for a noncentral chi-squared with 3 degrees of freedom at s = 4.55
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    s = brentq(lambda s: ncx2.sf(chi2.ppf(0.99, 3), 3, s**2) - 0.9, 1, 10)
    assert one.smallest == pytest.approx(s, rel=0.08)
    assert one.share[0] == pytest.approx(0.01, abs=0.012)
    assert [c.smallest for c in found.places] == pytest.approx([s] * 3, rel=0.12)
    assert "one value moves" in found.study().answer
    assert len(SPREADS) == len(one.sizes)


def test_a_saved_model_and_a_file_will_do(model, tmp_path) -> None:
    model.save(tmp_path / "m.unusual")
    rng = np.random.default_rng(3)
    lines = "\n".join(f"{a},{b},{c}" for a, b, c in rng.normal(size=(30, 3)))
    (tmp_path / "normal.csv").write_text(f"a,b,c\n{lines}\n")
    found = unusual.sensitivity(tmp_path / "m.unusual", tmp_path / "normal.csv")
    assert any("30 rows are few" in note for note in found.notes)
    with pytest.raises(InputError, match="no column"):
        unusual.sensitivity(model, {"a": [1.0, 2.0]})
    with pytest.raises(InputError, match="at least 2 rows"):
        unusual.sensitivity(model, {"a": [1.0], "b": [1.0], "c": [1.0]})


def test_a_bare_detector_is_refused(tmp_path) -> None:
    detector = unusual.make("Mahalanobis").fit(np.random.default_rng(0).normal(size=(50, 2)))
    detector.save(tmp_path / "d.unusual")
    with pytest.raises(InputError, match="bare detector"):
        unusual.sensitivity(tmp_path / "d.unusual", {"a": [1.0, 2.0]})
