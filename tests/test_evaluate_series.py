"""Metrics of series: what they promise on inputs small enough to work out by hand, and what cannot change them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unusual.evaluate import (
    affiliation_precision_recall,
    alarm_runs,
    alarms_per_day,
    best_affiliation_f1,
    best_event_f1,
    best_point_adjusted_f1,
    best_range_f1,
    default_window,
    detection_delay,
    event_recall_at,
    nab_score,
    nab_windows,
    point_adjusted_precision_recall,
    range_precision_recall,
    segments,
    series_summary,
    vus,
    with_chance,
)
from unusual.evaluate.runs import event_pieces
from unusual.study import Study

Y = np.array([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0])
P = np.array([0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0])
BEST = (best_range_f1, best_event_f1, best_affiliation_f1, best_point_adjusted_f1)


@st.composite
def scored(draw, most=40):
    n = draw(st.integers(4, most))
    y = draw(arrays(bool, n))
    assume(y.any() and not y.all())
    return y.astype(np.uint8), draw(arrays(np.int64, n, elements=st.integers(0, 9))).astype(np.float64)


def volume(thresholds=250, window=6):
    return lambda y, s: vus(y, s, min(window, len(y)), thresholds).pr


def test_segments_are_slices() -> None:
    np.testing.assert_array_equal(segments(Y), [[2, 6], [10, 12]])
    np.testing.assert_array_equal(segments([1, 1, 0, 1]), [[0, 2], [3, 4]])
    assert segments([0, 0]).shape == (0, 2)


def test_pieces_are_cut_half_way_between_events() -> None:
    assert [piece.tolist() for piece in event_pieces(Y)] == [list(range(8)), list(range(8, 14))]
    assert [len(piece) for piece in event_pieces([1, 0, 0, 0, 1, 1, 0, 1])] == [3, 4, 1]


def test_alarms_are_joined_across_the_cool_down() -> None:
    p = [0, 1, 1, 0, 0, 1, 0, 1]
    np.testing.assert_array_equal(alarm_runs(p), [[1, 3], [5, 6], [7, 8]])
    np.testing.assert_array_equal(alarm_runs(p, 1), [[1, 3], [5, 8]])
    np.testing.assert_array_equal(alarm_runs(p, 2), [[1, 8]])
    assert alarm_runs([0, 0], 3).shape == (0, 2)


def test_alarms_per_day_by_steps_and_by_time() -> None:
    p = [1, 0, 0, 1, 0, 0, 1, 0]
    assert alarms_per_day(p, steps_per_day=4) == pytest.approx(1.5)
    hours = np.datetime64("2024-01-01T00") + np.arange(8) * np.timedelta64(6, "h")
    assert alarms_per_day(p, time=hours) == pytest.approx(1.5)
    assert alarms_per_day(p, time=np.arange(8) * 21_600.0) == pytest.approx(1.5)
    assert alarms_per_day(p, steps_per_day=4, cool_down=2) == pytest.approx(0.5)


def test_delay_runs_from_the_start_of_the_event() -> None:
    late = detection_delay(Y, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(late.delays, [2, np.nan])
    assert (late.median, late.missed, late.early, late.unit) == (2, 0.5, 0, "rows")
    soon = detection_delay(Y, P, early=2)
    np.testing.assert_array_equal(soon.delays, [-1, -2])
    assert soon.early == 1
    assert detection_delay(Y, P, early=20).delays[1] == -2  # row 8, and no row of the event before
    assert detection_delay(Y, P, time=np.arange(14) * 30.0).delays[0] == 0
    assert math.isnan(detection_delay(Y, np.zeros(14)).median)


def test_events_on_a_budget_by_hand() -> None:
    #    event in rows 2-3: peak 5; one in row 8: peak 3; false peaks 4 (row 5) and 6 (row 0)
    y = np.array([0, 0, 1, 1, 0, 0, 0, 0, 1, 0])
    s = np.array([6.0, 0, 5, 5, 0, 4, 0, 0, 3, 0])
    for budget, recall, threshold in ((1, 0, 5), (2, 0.5, 4), (3, 0.5, 3), (4, 1, 0)):
        seen = event_recall_at(y, s, budget, steps_per_day=10)
        assert (seen.recall, seen.threshold, seen.alarms_per_day) == (recall, threshold, budget)
    assert seen.false_alarms_per_day == 2
    assert seen.median_delay == 0
    joined = event_recall_at(y, s, 1, steps_per_day=10, cool_down=1)
    assert (joined.recall, joined.alarms_per_day, joined.false_alarms_per_day) == (0.5, 1, 0)  # rows 0 to 5


def test_an_alarm_that_ends_where_an_event_begins_is_false() -> None:
    seen = event_recall_at([0, 0, 1, 1, 0, 0], [9, 9, 0, 0, 0, 8], 2, steps_per_day=6)
    assert (seen.recall, seen.alarms_per_day, seen.false_alarms_per_day) == (0, 2, 2)


def test_several_series_share_one_threshold() -> None:
    quiet, loud = np.array([0, 0, 1, 0]), np.array([0, 1, 0, 1])
    seen = event_recall_at([quiet, loud, np.zeros(4)], [[0, 0, 1, 0], [0, 9, 0, 8], [0, 0, 0, 0]], 2, steps_per_day=12)
    assert seen.recall == pytest.approx(2 / 3)
    assert seen.macro == pytest.approx(0.5)
    assert seen.by_series[:2] == (0, 1)
    assert math.isnan(seen.by_series[2])


def test_constant_scores_find_no_event() -> None:
    assert event_recall_at(Y, np.ones(14), 1, steps_per_day=14).recall == 0
    assert best_range_f1(Y, np.ones(14)).value == 0
    assert vus(Y, np.ones(14), 4).roc == pytest.approx(vus(Y, np.ones(14), 4, None).roc)


def test_ranges_by_hand() -> None:
    seen = range_precision_recall(Y, P, alpha=0.2)
    assert seen.recall == pytest.approx((0.2 + 0.8 * (2 / 4) / 2) / 2)
    assert seen.precision == pytest.approx((1 / 2 + 1 + 0) / 3)
    front = range_precision_recall(Y, P, alpha=0, bias="front", cardinality="one").recall
    assert front == pytest.approx((4 + 1) / 10 / 2)
    assert range_precision_recall(Y, np.zeros(14)).f1 == 0
    assert range_precision_recall(Y, np.ones(14)).recall == 1  # a prediction of ones is one range


def test_point_adjustment_reaches_the_first_row() -> None:
    y = np.array([1, 1, 1, 0, 0])
    assert point_adjusted_precision_recall(y, [0, 1, 0, 0, 0]).f1 == 1


def test_point_adjusted_f1_rewards_chance(rng) -> None:
    y = np.zeros(2000, dtype=int)
    for start in range(100, 2000, 500):
        y[start : start + 150] = 1
    noise = rng.normal(size=2000)
    assert best_point_adjusted_f1(y, noise).value > 0.8
    assert best_range_f1(y, noise).value < 0.5


def test_affiliation_is_half_for_a_random_place_and_falls_with_distance() -> None:
    y = np.zeros(1001, dtype=int)
    y[500] = 1
    near = [affiliation_precision_recall(y, np.arange(1001) == row).precision for row in (500, 510, 600, 1000)]
    assert near[0] == 1
    assert np.all(np.diff(near) < 0)
    every = np.mean([affiliation_precision_recall(y, np.arange(1001) == row).precision for row in range(1001)])
    assert every == pytest.approx(0.5, abs=0.002)


@given(scored(), st.sampled_from([2, 250, None]))
def test_only_ranks_count_for_vus(given_, thresholds) -> None:
    y, s = given_
    metric = volume(thresholds)
    assert metric(y, np.exp(s) - 5) == pytest.approx(metric(y, s), rel=1e-12)


@given(scored())
def test_even_thresholds_do_not_change_with_units(given_) -> None:
    y, s = given_
    for metric in BEST:
        assert metric(y, 4 * s - 8).value == pytest.approx(metric(y, s).value)


@given(scored())
def test_figures_lie_between_nothing_and_a_perfect_score(given_) -> None:
    y, s = given_
    record = vus(y, s, 4)
    for value in (record.roc, record.pr, *(metric(y, s).value for metric in BEST)):
        assert 0 <= value <= 1 + 1e-12
    for metric in BEST:
        assert metric(y, y).value == pytest.approx(1)
    for perfect in (y, y * 50 + s):
        exact = vus(y, perfect, 4, thresholds=None)
        assert (exact.roc, exact.pr) == pytest.approx((1, 1))


@given(scored())
def test_time_may_run_backwards(given_) -> None:
    y, s = given_
    assert vus(y[::-1], s[::-1], 3).pr == pytest.approx(vus(y, s, 3).pr)
    for metric in BEST:
        assert metric(y[::-1], s[::-1]).value == pytest.approx(metric(y, s).value)


def test_nab_is_0_for_silence_and_100_for_the_first_row_of_every_window() -> None:
    y = nab_windows([40, 80], 100)
    assert segments(y).tolist() == [[38, 43], [78, 83]]
    first = np.zeros(100)
    first[[38, 78]] = 1
    assert nab_score(y, first).score == pytest.approx(100)
    assert nab_score(y, first, threshold=2).score == pytest.approx(0)
    assert 50 < nab_score(y, y - first).score < 100  # the later rows of each window
    early = np.zeros(100)
    early[3] = 1  # in the probation
    assert nab_score(y, early, threshold=1).false == 0


def test_default_window_is_the_period() -> None:
    t = np.arange(3000)
    assert default_window(np.sin(2 * np.pi * t / 48)) == 48
    assert default_window(np.ones(500)) == 125
    assert default_window(np.ones(60)) == 60
    assert default_window([1.0, 2.0]) == 2


def test_chance_of_noise_is_its_value_and_a_perfect_score_is_the_ceiling(rng) -> None:
    y = np.zeros(800, dtype=int)
    y[[*range(200, 230), *range(600, 640)]] = 1
    noise = with_chance(volume(), y, rng.normal(size=800))
    assert noise.chance_interval[0] < noise.value < noise.chance_interval[1]
    assert noise.p_value > 0.05
    assert abs(noise.rescaled) < 0.2
    perfect = with_chance(volume(None), y, y)
    assert (perfect.value, perfect.ceiling, perfect.rescaled) == pytest.approx((1, 1, 1))
    assert perfect.p_value == pytest.approx(1 / 201)
    once, again = (with_chance(volume(), y, y, draws=50, random_state=1) for _ in range(2))
    np.testing.assert_array_equal(once.shifted, again.shifted)


def test_few_rows_are_shifted_in_all_ways() -> None:
    record = with_chance(lambda y, s: float(s[y].sum()), [0, 1, 0, 0], [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(np.sort(record.shifted), [1, 3, 4])
    assert record.chance == pytest.approx(8 / 3)
    assert record.p_value == 0.75


def test_constant_scores_have_no_room_between_chance_and_value() -> None:
    record = with_chance(volume(), Y, np.ones(14))
    assert record.value == pytest.approx(record.chance)
    assert record.rescaled == pytest.approx(0)


def test_summary_gives_every_figure_with_chance_ceiling_and_interval(rng) -> None:
    y = np.zeros(1500, dtype=np.uint8)
    for start in range(100, 1500, 300):
        y[start : start + 40] = 1
    s = rng.normal(size=1500) + 2 * y
    seen = series_summary(y, s, steps_per_day=144, window=30, resamples=30, draws=30)
    assert (seen.rows, seen.events, seen.window) == (1500, 5, 30)
    assert seen["VUS-PR"].value == vus(y, s, 30).pr
    assert seen["NAB score"].value == nab_score(y, s).score
    assert seen["events found at 1 alarm a day"].value == event_recall_at(y, s, 1, 144).recall
    for figure in seen.figures:
        against = figure.against
        assert against.chance < against.value <= against.ceiling
        assert figure.metric == "NAB score" or figure.low <= figure.value <= figure.high + 0.1
    assert any("5 events" in note for note in seen.notes)
    again = series_summary(y, s, 144, 30, 30, 30)
    assert [(f.low, f.high, f.against.chance) for f in again.figures[:-1]] == [
        (f.low, f.high, f.against.chance) for f in seen.figures[:-1]
    ]


def test_summary_says_what_limits_it() -> None:
    y = np.zeros(60, dtype=int)
    y[:5] = 1
    seen = series_summary(y, np.ones(60), resamples=20, draws=20)
    text = " ".join(seen.notes)
    for words in ("one event only", "constant", "first row", "probation", "steps_per_day", "median length"):
        assert words in text
    assert math.isnan(seen["AUROC"].low)
    assert seen["AUROC"].against.rescaled == pytest.approx(0)


def test_every_record_has_a_page(rng) -> None:
    s = rng.normal(size=14) + Y
    records = [
        vus(Y, s, 4),
        best_range_f1(Y, s),
        detection_delay(Y, P),
        detection_delay(Y, np.zeros(14)),
        event_recall_at(Y, s, 1, steps_per_day=14),
        nab_score([Y, Y], [s, s]),
        nab_score(Y, -s, threshold=np.inf),
        with_chance(volume(), Y, s),
        series_summary(Y, s, 7, resamples=10, draws=5),
    ]
    for record in records:
        study = record.study()
        assert isinstance(study, Study)
        assert study.answer.endswith(".")
        json.dumps(study.as_dict(), allow_nan=False)
