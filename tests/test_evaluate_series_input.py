"""Metrics of series refuse what cannot be judged, each in a sentence, and take labels of any kind."""

from __future__ import annotations

import numpy as np
import pytest

from unusual.errors import InputError
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
    event_precision_recall,
    event_recall_at,
    nab_score,
    nab_windows,
    point_adjusted_precision_recall,
    range_precision_recall,
    series_summary,
    vus,
    with_chance,
)

Y = np.array([0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0])
P = np.array([0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0])
BEST = (best_range_f1, best_event_f1, best_affiliation_f1, best_point_adjusted_f1)
FIXED = (
    range_precision_recall,
    affiliation_precision_recall,
    event_precision_recall,
    point_adjusted_precision_recall,
    detection_delay,
)


def volume(y, s):
    return vus(y, s, 4).pr


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int64, bool, np.float32])
def test_any_kind_of_labels_will_do(dtype) -> None:
    s = np.arange(14.0)
    assert vus(Y.astype(dtype), s, 4).pr == vus(Y, s, 4).pr
    for metric in FIXED[:4]:
        assert metric(Y.astype(dtype), P.astype(dtype)) == metric(Y, P)


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        (Y, np.arange(13.0), "14 labels for 13"),
        (Y, np.full(14, np.nan), "NaN"),
        (np.zeros(14), np.arange(14.0), "normal"),
        (np.ones(14), np.arange(14.0), "anomalous"),
        (Y * 2, np.arange(14.0), "0 normal and 1 anomalous"),
        ([], [], "shape"),
    ],
)
def test_scores_that_cannot_be_judged_are_refused(labels, scores, words) -> None:
    calls = [
        lambda: vus(labels, scores, 2),
        lambda: with_chance(volume, labels, scores),
        lambda: series_summary(labels, scores),
        lambda: event_recall_at(labels, scores, 1, steps_per_day=10),
        lambda: nab_score(labels, scores),
        *(lambda metric=metric: metric(labels, scores) for metric in BEST),
    ]
    for call in calls:
        with pytest.raises(InputError, match=words):
            call()


@pytest.mark.parametrize("metric", FIXED)
@pytest.mark.parametrize(
    ("labels", "predictions"),
    [(Y, P[:-1]), (np.zeros(14), P), (np.ones(14), P), ([], []), (Y, P * 0.5), (Y, np.full(14, np.nan))],
)
def test_predictions_that_cannot_be_judged_are_refused(metric, labels, predictions) -> None:
    with pytest.raises(InputError):
        metric(labels, predictions)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vus(Y, P, -1), "window is -1"),
        (lambda: vus(Y, P, 15), "14 rows"),
        (lambda: vus(Y, P, 2.5), "whole number"),
        (lambda: vus(Y, P, 4, thresholds=1), "thresholds is 1"),
        (lambda: best_range_f1(Y, P, thresholds=0), "thresholds is 0"),
        (lambda: best_range_f1(Y, np.where(P, np.inf, 0)), "infinity"),
        (lambda: range_precision_recall(Y, P, alpha=1.5), "alpha is 1.5"),
        (lambda: range_precision_recall(Y, P, bias="left"), "flat, front, middle, back"),
        (lambda: range_precision_recall(Y, P, cardinality="two"), "reciprocal, one"),
        (lambda: detection_delay(Y, P, early=-1), "early is -1"),
        (lambda: detection_delay(Y, P, time=np.arange(13.0)), "14"),
        (lambda: detection_delay(Y, P, time=-np.arange(14.0)), "sort the rows"),
        (lambda: detection_delay(Y, P, time=["a"] * 14), "datetime64"),
        (lambda: alarm_runs(P, -1), "gap is -1"),
        (lambda: alarms_per_day(P), "steps_per_day"),
        (lambda: alarms_per_day(P, steps_per_day=0), "steps_per_day is 0"),
        (lambda: alarms_per_day(P, time=np.zeros(14)), "the same"),
        (lambda: event_recall_at(Y, P, 0, steps_per_day=5), "per_day is 0"),
        (lambda: event_recall_at(Y, P, 1, steps_per_day=5, cool_down=-1), "cool_down is -1"),
        (lambda: event_recall_at([Y, Y], [P], 1, steps_per_day=5), "2 series"),
        (lambda: event_recall_at([Y, Y], [P, P], 1, time=[np.arange(14.0)]), "1 series"),
        (lambda: event_recall_at([Y, Y], [P, P[1:]], 1, steps_per_day=5), "series 1"),
        (lambda: nab_score(Y, P, "strict"), "reward_low_FP_rate"),
        (lambda: nab_score([1, 0, 0, 0, 0, 0, 0, 0], np.arange(8.0)), "probation"),
        (lambda: nab_windows([20], 14), "row numbers"),
        (lambda: default_window([1.0, np.inf]), "infinity"),
        (lambda: default_window([]), "shape"),
        (lambda: with_chance(volume, Y, P, draws=0), "draws is 0"),
        (lambda: series_summary(Y, P, resamples=-1), "resamples is -1"),
    ],
)
def test_options_out_of_range_are_refused_in_a_sentence(call, words) -> None:
    with pytest.raises(InputError, match=words):
        call()
