"""The audit of explanations: figures against loops, the detectors' own settings, accuracy, and what is refused."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

import unusual
from unusual import InputError
from unusual.data.read_table import read_table
from unusual.explain.hits import deletion_area, overlap, pointing_game
from unusual.explain.sensitivity import AttributionSensitivity
from unusual.parts.masking import filled_game
from unusual.parts.shapley import contributions


def noisy(setting: tuple[int, float], X: np.ndarray) -> np.ndarray:
    """The items themselves, with noise of some size by some seed."""
    seed, size = setting
    return X + size * np.random.default_rng(seed).normal(size=X.shape)


SEEDS = {f"seed {s}": (s, 0.3) for s in range(4)}


def test_the_index_is_the_mean_over_items_of_the_mean_over_pairs(rng) -> None:
    X = rng.normal(size=(6, 8))
    found = AttributionSensitivity(SEEDS).run(noisy, X)
    A = np.stack([noisy(setting, X) for setting in SEEDS.values()])
    per_item = [np.mean([spearmanr(a[i], b[i]).statistic for a, b in combinations(A, 2)]) for i in range(6)]
    assert_allclose(found.per_item, per_item)
    assert_allclose(found.index, np.mean(per_item))
    others = [spearmanr(A[0, i], A[0, j]).statistic for i in range(6) for j in range(6) if i != j]
    assert_allclose(found.null, np.mean(others))
    assert found.ceiling == 1.0
    assert found.interval.low < found.index < found.interval.high
    shares = [len({*np.argsort(-a[0])[:3]} & {*np.argsort(-b[0])[:3]}) / 3 for a, b in combinations(A, 2)]
    i, j = np.triu_indices(4, 1)
    assert_allclose(found.similarity["overlap of the first 3"][0, i, j], shares)


def test_equal_settings_are_exactly_alike_and_verdicts_follow_the_bands(rng) -> None:
    X = rng.normal(size=(10, 30))
    same = AttributionSensitivity({"a": (0, 0.1), "b": (0, 0.1)}).run(noisy, X)
    assert same.index == 1.0
    assert all((S == 1).all() for S in same.similarity.values())
    verdicts = {
        size: AttributionSensitivity([(s, size) for s in range(3)]).run(noisy, X).verdict for size in (0.05, 0.5, 2.0)
    }
    assert verdicts == {0.05: "stable", 0.5: "caution", 2.0: "unstable"}


def test_something_drawn_beyond_the_settings_lowers_the_ceiling(rng) -> None:
    state = np.random.default_rng(0)
    found = AttributionSensitivity(["a", "b"]).run(lambda _, X: X + state.normal(size=X.shape), rng.normal(size=(9, 9)))
    assert found.ceiling < 0.9


def test_maps_are_compared_by_structure_and_outlines_too(rng, tmp_path) -> None:
    X = rng.normal(size=(5, 24, 24)).cumsum(axis=1).cumsum(axis=2)
    found = AttributionSensitivity(SEEDS).run(noisy, X)
    assert set(found.similarity) == {"rank correlation", "correlation", "structure (SSIM)", "outlines (HOG)"}
    assert all(S.shape == (5, 4, 4) for S in found.similarity.values())
    small = AttributionSensitivity({"whole": 1, "half": 2}).run(lambda step, A: A[:, ::step, ::step], X)
    assert any("maps under 'half' were resized" in note for note in small.notes)
    assert small.index > 0.7
    found.study().to_html(tmp_path / "maps.html")
    found.study().to_json(tmp_path / "maps.json")


def test_constant_explanations_are_marked_and_left_out(rng) -> None:
    X = rng.normal(size=(4, 6))
    X[2] = 1.0
    found = AttributionSensitivity({"one": 1.0, "two": 2.0}).run(lambda factor, A: factor * A, X)
    assert np.isnan(found.per_item[2])
    assert found.index == 1.0
    assert any("2 of 8 explanations are constant" in note for note in found.notes)
    nothing = AttributionSensitivity(["a", "b"]).run(lambda _, A: np.zeros(A.shape), X)
    assert nothing.verdict == "undefined"
    assert nothing.study().answer.startswith("Undefined")


def test_signs_count_unless_sizes_are_asked_for(rng) -> None:
    X = rng.normal(size=(5, 7))
    flip = {"as it is": 1, "flipped": -1}
    assert AttributionSensitivity(flip).run(lambda sign, A: sign * A, X).index == pytest.approx(-1)
    by_size = AttributionSensitivity(flip, signed=False).run(lambda sign, A: sign * A, X)
    assert by_size.index == 1.0
    assert "contributions are compared by size, without sign" in by_size.notes


# -- accuracy ----------------------------------------------------------------------------------------------------------


def test_deletion_is_the_area_under_the_score_as_parts_are_hidden(rng) -> None:
    weights = np.array([4.0, 3.0, 2.0, 1.0])
    games = [filled_game(lambda A: A @ weights, np.ones(4), np.zeros(4), np.arange(4))] * 2
    best, worst = deletion_area(games, np.stack([weights, -weights]))
    assert_allclose(best, np.trapezoid([1.0, 0.6, 0.3, 0.1, 0.0]) / 4)
    assert_allclose(worst, np.trapezoid([1.0, 0.9, 0.7, 0.4, 0.0]) / 4)
    flat = [filled_game(lambda A: np.zeros(len(A)), np.ones(4), np.zeros(4), np.arange(4))]
    assert np.isnan(deletion_area(flat, weights[None])[0])
    many = [filled_game(lambda A: A.sum(axis=1), np.ones(1000), np.zeros(1000), np.arange(1000))]
    assert_allclose(deletion_area(many, rng.normal(size=(1, 1000))), 0.5, atol=1e-3)
    assert many[0].evaluations == 33


def test_pointing_and_overlap_are_those_of_sets(rng) -> None:
    values, truth = rng.normal(size=(30, 4, 5)), rng.uniform(size=(30, 4, 5)) < 0.3
    truth[0] = False
    points, shares = pointing_game(truth, values), overlap(truth, values)
    assert np.isnan(points[0])
    assert np.isnan(shares[0])
    for v, t, p, share in list(zip(values, truth, points, shares, strict=True))[1:]:
        assert p == t[np.unravel_index(v.argmax(), v.shape)]
        each = [((v >= c * v.max()) & t).sum() / ((v >= c * v.max()) | t).sum() for c in np.arange(1, 10) / 10]
        assert_allclose(share, np.mean(each))
    assert overlap(truth[1:2], truth[1:2].astype(float))[0] == 1.0


def test_the_spread_of_single_items_is_set_against_that_of_their_mean(rng) -> None:
    X = rng.normal(size=(40, 6))
    truth = X.max(axis=1, keepdims=True) == X
    found = AttributionSensitivity({f"{s}": (s, 1.0) for s in range(5)}).run(
        noisy, X, truth, score=lambda A: np.abs(A).sum(axis=1), fill={"zero": 0.0, "mean": X.mean(axis=0)}
    )
    assert set(found.accuracy) == {"deletion, zero", "deletion, mean", "pointing game", "overlap with the truth"}
    points = found.accuracy["pointing game"]
    spread = found.spread("pointing game")
    assert_allclose(spread.by_setting, points.mean(axis=1))
    assert_allclose(spread.of_items, points.std(axis=0, ddof=1).mean())
    assert_allclose(spread.of_mean, points.mean(axis=1).std(ddof=1))
    assert spread.ratio > 1.5
    table = found.study().blocks[-1]
    assert [row[0] for row in table.rows] == list(found.accuracy)


# -- the detectors' own settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("across", ["seeds", "evaluations", "methods"])
def test_sampled_explanations_of_a_detector_vary_and_exact_ones_do_not(across, rng) -> None:
    usual = rng.normal(size=(300, 10)) @ rng.normal(size=(10, 10))
    X = rng.normal(size=(6, 10)) * 3
    sampled = AttributionSensitivity.for_detector(unusual.make("KNN").fit(usual), X, across=across, evaluations=64)
    assert 0 < sampled.index < 1
    assert sampled.ceiling == 1.0
    assert abs(sampled.null) < sampled.index
    assert "deletion" in sampled.accuracy
    exact = AttributionSensitivity.for_detector(unusual.make("Mahalanobis").fit(usual), X, across=across)
    if across == "methods":
        assert exact.settings[0] == "its own"
    else:
        assert exact.index == 1.0
        assert any("nothing is drawn" in note for note in exact.notes)


def test_more_samples_make_seeds_agree_more(rng) -> None:
    usual = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12))
    detector = unusual.make("KNN").fit(usual)
    X = rng.normal(size=(10, 12)) * 3
    few, many = (AttributionSensitivity.for_detector(detector, X, evaluations=e).index for e in (52, 1600))
    assert many > few + 0.05


def test_a_single_row_of_a_fitted_scan_gets_a_figure(rng) -> None:
    usual = {"load": rng.normal(size=300), "kind": np.array(["a", "b", "c"] * 100, dtype=object)}
    usual["heat"] = usual["load"] + rng.normal(0, 0.2, 300)
    model = unusual.fit(usual)
    one = read_table({name: values[:1] for name, values in usual.items()})
    found = AttributionSensitivity.for_detector(model, one)
    assert found.similarity["rank correlation"].shape == (1, 5, 5)
    assert not np.isnan(found.null)
    assert found.interval is None
    assert "rank correlation" in found.study().answer


def test_walks_of_other_seeds_are_other_samples_of_the_same(rng) -> None:
    usual = rng.normal(size=(64, 5))
    X = rng.normal(size=(3, 5))

    def score(A: np.ndarray) -> np.ndarray:
        return np.abs(A).sum(axis=1) * A[:, 0]

    default = contributions(score, X, usual, 100)
    assert_allclose(contributions(score, X, usual, 100), default)
    seeds = [contributions(score, X, usual, 100, random_state=s) for s in range(200)]
    assert (seeds[0] != seeds[1]).any()
    assert_allclose(contributions(score, X, usual, 100, random_state=0), seeds[0])
    assert_allclose(np.mean(seeds, axis=0), contributions(score, X, usual, 64 * 12), atol=0.25)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "explain", "sentence"),
    [
        ({"only": 1}, lambda _, X: X, "1 different settings"),
        (["a", "a"], lambda _, X: X, "1 different settings"),
        (["a", "b"], lambda _, X: X[:2], "have shape"),
        (["a", "b"], lambda s, X: X if s == "a" else np.full(X.shape, np.nan), "under 'b' of 4 of 4 items hold NaN"),
        (["a", "b"], lambda s, X: X if s == "a" else X[:, :3], "one shape is due"),
    ],
)
def test_explanations_that_cannot_be_compared_are_refused(settings, explain, sentence, rng) -> None:
    with pytest.raises(InputError, match=sentence):
        AttributionSensitivity(settings).run(explain, rng.normal(size=(4, 5)))


def test_a_wrong_truth_or_sweep_is_refused(rng) -> None:
    X = rng.normal(size=(4, 5))
    with pytest.raises(InputError, match="truth has shape"):
        AttributionSensitivity(["a", "b"]).run(lambda _, A: A, X, truth=np.ones(4))
    with pytest.raises(InputError, match="did you mean 'seeds'"):
        AttributionSensitivity.for_detector(unusual.make("PCA").fit(X), X, across="seed")
    with pytest.raises(InputError, match="no anomaly_score"):
        AttributionSensitivity.for_detector(SimpleNamespace(), X)
