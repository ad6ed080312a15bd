"""Metrics of series beside their obvious slow form, and beside the values of TSB-AD and NAB."""

from __future__ import annotations

import csv
import json
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from slow_series_metrics import (
    runs,
    slow_affiliation,
    slow_event_recall,
    slow_nab,
    slow_point_adjusted,
    slow_ranges,
    slow_vus,
)

from unusual.evaluate import (
    affiliation_precision_recall,
    auroc,
    average_precision,
    best_affiliation_f1,
    best_event_f1,
    best_point_adjusted_f1,
    best_range_f1,
    default_window,
    event_precision_recall,
    event_recall_at,
    f1_max,
    f1_max_threshold,
    nab_score,
    nab_windows,
    point_adjusted_precision_recall,
    range_precision_recall,
    segments,
    vus,
)
from unusual.evaluate.nab import PROFILES, row_worth

CLOSE = {"rel": 1e-12, "abs": 1e-12}


@st.composite
def marks(draw, most=40):
    """Labels with both classes and a prediction, each a few runs of some rows."""
    n = draw(st.integers(2, most))
    y, p = (np.zeros(n, dtype=np.uint8) for _ in range(2))
    for vector in (y, p):
        for _ in range(draw(st.integers(0 if vector is p else 1, 5))):
            start = draw(st.integers(0, n - 1))
            vector[start : start + draw(st.integers(1, 6))] = 1
    assume(y.any() and not y.all())
    return y, p


@st.composite
def scored(draw, most=40, levels=12):
    y, _ = draw(marks(most))
    s = draw(st.lists(st.integers(0, levels), min_size=len(y), max_size=len(y)))
    return y, np.array(s, dtype=np.float64)


@given(scored(), st.integers(0, 40), st.sampled_from([None, 2, 7, 250]))
@settings(max_examples=80)
def test_vus_is_the_slow_one(given_, window, thresholds) -> None:
    y, s = given_
    window = min(window, len(y))
    ours = vus(y, s, window, thresholds)
    assert (ours.roc, ours.pr) == pytest.approx(slow_vus(y, s, window, thresholds), **CLOSE)


@given(
    marks(),
    st.sampled_from([0, 0.2, 1]),
    st.sampled_from(["flat", "front", "middle", "back"]),
    st.sampled_from(["one", "reciprocal"]),
)
def test_range_precision_and_recall_are_the_slow_ones(given_, alpha, bias, cardinality) -> None:
    ours = range_precision_recall(*given_, alpha, bias, cardinality)
    slow = slow_ranges(*given_, alpha, bias, cardinality)
    assert (ours.precision, ours.recall) == pytest.approx(slow, nan_ok=True, **CLOSE)


@given(marks(most=25))
@settings(max_examples=60)
def test_affiliation_is_the_slow_one(given_) -> None:
    ours = affiliation_precision_recall(*given_)
    assert (ours.precision, ours.recall) == pytest.approx(slow_affiliation(*given_), nan_ok=True, abs=2e-3)


@given(marks())
def test_point_adjusted_and_event_f1_are_the_slow_ones(given_) -> None:
    y, p = given_
    assert point_adjusted_precision_recall(y, p).f1 == pytest.approx(slow_point_adjusted(y, p))
    found = np.mean([p[a : b + 1].any() for a, b in runs(y)])
    right = (y[p == 1]).mean() if p.any() else 0
    assert event_precision_recall(y, p).f1 == pytest.approx(2 * found * right / max(found + right, 1e-9))


@given(scored(), st.sampled_from(sorted(PROFILES)))
def test_nab_finds_the_best_of_all_thresholds(given_, profile) -> None:
    y, s = given_
    assume(np.flatnonzero(y).max() >= int(0.15 * len(y)))
    ours = nab_score(y, s, profile)
    hit, false, miss = PROFILES[profile]
    every = [slow_nab(y, s, (hit, false, miss), cut) for cut in [np.inf, *np.unique(s)]]
    assert ours.raw == pytest.approx(max(every), **CLOSE)
    assert nab_score(y, s, profile, threshold=3).raw == pytest.approx(slow_nab(y, s, (hit, false, miss), 3), **CLOSE)


@given(scored(), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4))
def test_event_recall_at_a_budget_is_the_slow_one(given_, most, cool_down, early) -> None:
    y, s = given_
    ours = event_recall_at(y, s, most, steps_per_day=len(y), cool_down=cool_down, early=early)
    assert (ours.recall, ours.threshold) == slow_event_recall(y, s, most, cool_down, early)
    assert ours.alarms_per_day <= most


@pytest.mark.parametrize("seed", range(4))
def test_vus_where_borders_of_many_segments_overlap(seed) -> None:
    rng = np.random.default_rng(seed)
    y, s = (rng.uniform(size=150) < 0.15).astype(np.int64), rng.normal(size=150).round(seed)
    assert vus(y, s, 45).pr == pytest.approx(slow_vus(y, s, 45)[1], **CLOSE)
    ours = vus(y, s, 31, thresholds=None)
    assert (ours.roc, ours.pr) == pytest.approx(slow_vus(y, s, 31, thresholds=None), **CLOSE)


def test_vus_is_many_times_as_fast_as_the_loops(rng) -> None:
    y, s = np.zeros(1000, dtype=int), rng.normal(size=1000)
    y[300:360] = y[700:720] = 1
    seconds = {}
    for name, metric in (("loops", lambda: slow_vus(y, s, 20)), ("ours", lambda: vus(y, s, 20))):
        start = time.perf_counter()
        metric()
        seconds[name] = time.perf_counter() - start
    assert seconds["loops"] > 10 * seconds["ours"]  # hundreds on a quiet machine


@pytest.fixture(scope="module")
def tsbad(real_data):
    """Name, labels, scores as float64 and the values of TSB-AD of 7 series with 3 scores each."""
    path = real_data / "oracles" / "tsbad_metrics.npz"
    if not path.is_file():
        pytest.skip(f"no golden values at {path}")
    series = json.loads(path.with_suffix(".json").read_text())["series"]
    with np.load(path, allow_pickle=False) as stored:
        return [
            (
                f"{name}/{kind}",
                stored[f"{name}/label"],
                stored[f"{name}/score_{kind}"].astype(np.float64),
                golden,
                entry,
            )
            for name, entry in series.items()
            for kind, golden in entry["scores"].items()
        ]


def test_agrees_with_tsbad_without_thresholds(tsbad) -> None:
    assert len(tsbad) == 21
    for name, y, s, golden, entry in tsbad:
        for window in (entry["window"], 20):
            ours = vus(y, s, window)
            assert ours.roc == pytest.approx(golden[f"VUS-ROC_window{window}"], **CLOSE), name
            assert ours.pr == pytest.approx(golden[f"VUS-PR_window{window}"], **CLOSE), name
        assert auroc(y, s) == pytest.approx(golden["AUC-ROC"], **CLOSE)
        assert average_precision(y, s) == pytest.approx(golden["AUC-PR"], **CLOSE)


def test_agrees_with_tsbad_at_the_best_threshold(tsbad) -> None:
    for name, y, s, golden, _ in tsbad:
        assert best_range_f1(y, s).value == pytest.approx(golden["R-based-F1"], **CLOSE), name
        assert best_event_f1(y, s).value == pytest.approx(golden["Event-based-F1"], **CLOSE), name
        assert best_affiliation_f1(y, s).value == pytest.approx(golden["Affiliation-F"], **CLOSE), name
        if name.startswith("edge"):  # the peer never adjusts row 0, where an anomaly begins
            cuts = np.linspace(s.min(), s.max(), 100)
            published = max(slow_point_adjusted(y, s > cut, first_row_counts=False) for cut in cuts)
            assert published == pytest.approx(golden["PA-F1"], **CLOSE)
            assert 0 <= best_point_adjusted_f1(y, s).value - golden["PA-F1"] < 0.005
        else:
            assert best_point_adjusted_f1(y, s).value == pytest.approx(golden["PA-F1"], **CLOSE), name


def test_agrees_with_tsbad_on_the_best_f1_of_points(tsbad) -> None:
    for name, y, s, golden, _ in tsbad:
        flagged = s > f1_max_threshold(y, s)
        precision, recall = y[flagged].mean(), flagged[y == 1].mean()
        with_slack = 2 * precision * recall / (precision + recall + 1e-5)  # the peer's denominator
        assert with_slack == pytest.approx(golden["Standard-F1"], **CLOSE), name
        assert f1_max(y, s) == pytest.approx(2 * precision * recall / (precision + recall), **CLOSE)


def test_agrees_with_tsbad_on_fixed_predictions(tsbad) -> None:
    seen = 0
    for name, y, s, golden, _ in tsbad:
        for fixed in golden["fixed"].values():
            p = s >= fixed["threshold"]
            assert p.sum() == fixed["predicted_points"]
            assert event_precision_recall(y, p).f1 == pytest.approx(fixed["Event-based-F1"], **CLOSE)
            if p.all():  # the peer finds no segment in a prediction of ones
                continue
            seen += 1
            ranges, near = range_precision_recall(y, p), affiliation_precision_recall(y, p)
            ours = {
                "Range-Recall_alpha0.2": ranges.recall,
                "Range-Precision_alpha0": ranges.precision,
                "R-based-F1": ranges.f1,
                "Existence": range_precision_recall(y, p, alpha=1).recall,
                "Overlap": range_precision_recall(y, p, alpha=0).recall,
                "Affiliation-Precision": near.precision,
                "Affiliation-Recall": near.recall,
                "Affiliation-F": near.f1,
            }
            assert ours == pytest.approx({key: fixed[key] for key in ours}, **CLOSE), name
    assert seen == 33


def test_default_window_is_the_one_of_tsbad(tsbad, real_data) -> None:
    for _, _, _, _, entry in tsbad:
        with (real_data / entry["file"]).open() as stream:
            values = [float(row[1]) for row in list(csv.reader(stream))[1:]]
        assert default_window(values[slice(*entry["rows"])]) == entry["window"]


def test_a_perfect_score_without_ties_is_punished_by_rank_thresholds_only(tsbad, rng) -> None:
    y = next(y for name, y, *_ in tsbad if name.startswith("ucr_135"))
    perfect = y + rng.uniform(0, 0.5, len(y))
    assert vus(y, perfect, 183).pr < 0.5
    assert vus(y, perfect, 183, thresholds=None).pr == pytest.approx(1)
    assert vus(y, y, 183).pr == pytest.approx(1)


@pytest.fixture(scope="module")
def nab(real_data):
    """Labels of six files, their scores by name, and the values of NAB's scorer."""
    path = real_data / "oracles" / "nab_scores.npz"
    if not path.is_file():
        pytest.skip(f"no golden values at {path}")
    golden = json.loads(path.with_suffix(".json").read_text())
    labels = {}
    for name, entry in golden["files"].items():
        labels[name] = np.zeros(entry["rows"], dtype=np.uint8)
        for first, last in entry["window_rows_inclusive"]:
            labels[name][first : last + 1] = 1
    with np.load(path, allow_pickle=False) as stored:
        return labels, {key: stored[key].astype(np.float64) for key in stored.files}, golden


def test_agrees_with_nab(nab) -> None:
    labels, stored, golden = nab
    for method, profiles in golden["methods"].items():
        scores = [stored[f"{name}/score_{method}"] for name in labels]
        for profile, value in profiles.items():
            best = nab_score(list(labels.values()), scores, profile)
            assert best.threshold == value["best_threshold_over_corpus"]
            assert best.raw == pytest.approx(value["best_raw"], **CLOSE)
            assert best.score == pytest.approx(value["best_normalised_0_100"], **CLOSE)
            assert (best.true, best.false, best.windows) == (value["tp"], value["fp"], value["windows"])
            for fixed in value["at_thresholds"]:
                ours = nab_score(list(labels.values()), scores, profile, fixed["threshold"])
                assert ours.raw == pytest.approx(fixed["sum"], **CLOSE)
                assert ours.by_series == pytest.approx([fixed["files"][name]["score"] for name in labels], **CLOSE)


def test_windows_and_worth_of_rows_are_those_of_nab(nab) -> None:
    labels, stored, _ = nab
    for name, y in labels.items():
        anomalies = segments(y).sum(axis=1) // 2
        np.testing.assert_array_equal(nab_windows(anomalies, len(y)), y)
        if f"{name}/row_score_standard" in stored:
            worth = row_worth(y.astype(bool)) * np.where(y, 1, 0.11)
            np.testing.assert_allclose(worth, stored[f"{name}/row_score_standard"], atol=1e-12)
