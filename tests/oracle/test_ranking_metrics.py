"""Metrics of rankings beside the obvious slow way, scikit-learn and the values of peers."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from unusual import InputError
from unusual.evaluate import metrics as ours
from unusual.evaluate.ranking import Ranking


@st.composite
def labelled(draw, most=30, levels=8):
    n = draw(st.integers(2, most))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    assume(y.any() and not y.all())
    return y, np.array(draw(st.lists(st.integers(0, levels), min_size=n, max_size=n)), dtype=float)


def curve(y, s):
    """Counts (true, false) flagged at every distinct threshold, one comparison after the other."""
    return [(int((y & (s >= t)).sum()), int((~y & (s >= t)).sum())) for t in sorted(set(s), reverse=True)]


@given(labelled())
def test_auroc_is_the_share_of_pairs_in_order(case) -> None:
    y, s = case
    pairs = [(a > b) + 0.5 * (a == b) for a in s[y] for b in s[~y]]
    assert ours.auroc(y, s) == pytest.approx(np.mean(pairs), abs=1e-12)


@given(labelled())
def test_precision_and_recall_metrics_walk_the_thresholds(case) -> None:
    y, s = case
    P, N = y.sum(), (~y).sum()
    step = line = 0.0
    recall, precision = 0.0, 1.0
    for true, false in curve(y, s):
        now = true / (true + false)
        step += (true / P - recall) * now
        line += (true / P - recall) * (now + precision) / 2
        recall, precision = true / P, now
    assert ours.average_precision(y, s) == pytest.approx(step, abs=1e-12)
    assert ours.aupr(y, s) == pytest.approx(line, abs=1e-12)
    assert ours.f1_max(y, s) == pytest.approx(max(2 * t / (P + t + f) for t, f in curve(y, s)), abs=1e-12)
    cut = s > ours.f1_max_threshold(y, s)
    assert sk.f1_score(y, cut) == pytest.approx(ours.f1_max(y, s), abs=1e-12)
    for recall in (0.3, 0.5, 0.95, 1.0):
        first = next(f for t, f in curve(y, s) if t / P >= recall - 1e-9)
        assert ours.fpr_at_recall(y, s, recall) == pytest.approx(first / N, abs=1e-12)
    for least in {1, (N + 1) // 2, N}:
        gains = [(t / P) / np.sqrt(f / N) for t, f in curve(y, s) if f >= least]
        assert ours.max_significance_improvement(y, s, least) == pytest.approx(max(gains), abs=1e-12)


@given(labelled())
def test_looking_for_the_normal_is_turning_labels_and_scores_round(case) -> None:
    y, s = case
    for metric in (ours.average_precision, ours.aupr, ours.fpr_at_recall):
        assert metric(y, s, positive="normal") == pytest.approx(metric(~y, -s), abs=1e-12)


@given(labelled(most=6, levels=2), st.data())
def test_precision_at_n_is_the_mean_over_all_orders_of_ties(case, data) -> None:
    y, s = case
    n = data.draw(st.integers(1, len(y)))
    orders = [y[list(p)][:n].mean() for p in permutations(range(len(y))) if (np.diff(s[list(p)]) <= 0).all()]
    assert ours.precision_at_n(y, s, n) == pytest.approx(np.mean(orders), abs=1e-12)


@given(labelled(), st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_partial_auc_is_a_fine_sum_under_the_curve(case, limit) -> None:
    y, s = case
    points = np.array([(0, 0), *curve(y, s)]) / [y.sum(), (~y).sum()]
    x = (np.arange(20_000) + 0.5) / 20_000 * limit
    area = np.interp(x, points[:, 1] + 1e-12 * np.arange(len(points)), points[:, 0]).mean() * limit
    assert ours.partial_auc(y, s, limit, "plain") == pytest.approx(area, abs=2e-4)
    assert ours.partial_auc(y, s, limit, "share") == pytest.approx(area / limit, abs=2e-3)


@settings(max_examples=30)
@given(labelled(most=60))
def test_agrees_with_scikit_learn(case) -> None:
    y, s = case
    assert ours.auroc(y, s) == pytest.approx(sk.roc_auc_score(y, s), abs=1e-12)
    assert ours.average_precision(y, s) == pytest.approx(sk.average_precision_score(y, s), abs=1e-12)
    for limit in (0.05, 0.1, 0.5):
        theirs = sk.roc_auc_score(y, s, max_fpr=limit)
        assert ours.partial_auc(y, s, limit, "mcclish") == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda y, s: ours.fpr_at_recall(y, s, 0), "recall is 0"),
        (lambda y, s: ours.fpr_at_recall(y, s, positive="out"), "name the class looked for"),
        (lambda y, s: ours.partial_auc(y, s, 0, "plain"), "max_fpr is 0"),
        (lambda y, s: ours.partial_auc(y, s, 0.1, "standard"), "name one of: mcclish, plain, share"),
        (lambda y, s: ours.precision_at_n(y, s, 5), "n is 5 for 4 items"),
        (lambda y, s: ours.max_significance_improvement(y, s), "there are 2 normal items"),
        (lambda y, s: ours.autc(y, 0 * s), "constant or infinite"),
        (lambda y, s: ours.oscr(y, s, [1]), "give one per item"),
        (lambda y, s: ours.auroc(y[:2], s), "one label per score"),
        (lambda y, s: ours.auroc(y * 0, s), "all 4 labels are normal"),
        (lambda y, s: ours.auroc(2 * y - 1, s), "from_sklearn_labels"),
        (lambda y, s: ours.auroc(y, s * np.nan), "4 of 4 scores are NaN"),
    ],
)
def test_what_no_metric_can_use_is_said_in_a_sentence(call, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        call(np.array([0, 1, 0, 1]), np.array([1.0, 2, 3, 4]))


def golden(real_data, name):
    path = real_data / "oracles" / name
    if not path.with_suffix(".json").is_file():
        pytest.skip(f"no golden values at {path}")
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as archive:
        return json.loads(path.with_suffix(".json").read_text()), dict(archive)


def test_values_of_pytorch_ood(real_data) -> None:
    told, arrays = golden(real_data, "pytorch_ood_scores")
    y = arrays["labels"] < 0
    for name, of in told["scores"].items():
        s = arrays[f"score_{name}"]
        found = {
            "AUROC": ours.auroc(y, s),
            "AUPR-OUT": ours.aupr(y, s),
            "AUPR-IN": ours.aupr(y, s, "normal"),
            "sklearn_average_precision_OOD_positive": ours.average_precision(y, s),
            "sklearn_average_precision_ID_positive": ours.average_precision(y, s, "normal"),
            "FPR95TPR_OOD_as_positive": ours.fpr_at_recall(y, s, positive="anomalous"),
            "FPR95TPR_ID_as_positive": ours.fpr_at_recall(y, s, positive="normal"),
            "AUTC": ours.autc(y, s),
        }
        assert "AUROC" in of
        for key in found.keys() & of.keys():
            assert found[key] == pytest.approx(of[key], abs=1e-6 if key.startswith("AU") else 1e-12), (name, key)
    correct = arrays["logits"].argmax(axis=1) == arrays["labels"]
    assert ours.oscr(y, arrays["score_MSP"], correct) == pytest.approx(told["oscr_MSP"], abs=1e-12)


def test_values_of_partial_auc_in_all_conventions(real_data) -> None:
    told, arrays = golden(real_data, "partial_auc")
    for key, of in told["curves"].items():
        name, limit = key.split("/max_fpr")
        case = (arrays["labels"], arrays[f"score_{name}"], float(limit))
        assert ours.partial_auc(*case, "mcclish") == pytest.approx(of["mcclish_sklearn"], abs=1e-12)
        assert ours.partial_auc(*case, "plain") == pytest.approx(of["plain_area"], abs=1e-12)
        assert ours.partial_auc(*case, "share") == pytest.approx(of["plain_area_divided_by_max_fpr"], abs=1e-12)


def test_values_of_the_series_benchmark(real_data) -> None:
    told, arrays = golden(real_data, "tsbad_metrics")
    for name, series in told["series"].items():
        for kind, of in series["scores"].items():
            y, s = arrays[f"{name}/label"], arrays[f"{name}/score_{kind}"]
            assert ours.auroc(y, s) == pytest.approx(of["AUC-ROC"], abs=1e-12)
            assert ours.average_precision(y, s) == pytest.approx(of["AUC-PR"], abs=1e-12)


def test_counts_of_many_resamples_at_once_are_those_of_each(rng) -> None:
    y, s = rng.random(60) < 0.3, rng.integers(0, 9, 60).astype(float)
    one = Ranking.of(y, s)
    rows = rng.integers(0, 60, (5, 60))
    levels = one.thresholds[:, None]
    true, false = (np.array([(levels <= s[r][of[r]]).sum(1) for r in rows], float) for of in (y, ~y))
    many = Ranking(one.thresholds, true, false)
    for metric in ours.OF_RANKING:
        options = {"max_fpr": 0.2, "convention": "mcclish"} if metric is ours.partial_auc else {}
        options |= {"fewest_false": 3} if metric is ours.max_significance_improvement else {}
        found = getattr(many, metric.__name__)(**options)
        np.testing.assert_allclose(found, [metric(y[r], s[r], **options) for r in rows], atol=1e-12)
    flipped = many.fpr_at_recall(0.9, "normal")
    np.testing.assert_allclose(flipped, [ours.fpr_at_recall(y[r], s[r], 0.9, "normal") for r in rows], atol=1e-12)
