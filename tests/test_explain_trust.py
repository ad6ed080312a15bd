"""TrustAudit: verdicts, planted cues, counterfactual parts, blanking, every kind of data, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

import unusual
from unusual import InputError
from unusual.explain.trust import TrustAudit
from unusual.explain.trust_report import TrustReport
from unusual.parts.masking import Game
from unusual.parts.segments import grid
from unusual.study import Study


class Toy:
    """A detector by a formula, with an optional explanation of its own."""

    def __init__(self, formula, threshold: float, own=None) -> None:
        self.anomaly_score = formula
        self.threshold_ = threshold
        if own is not None:
            self.explain = own


def sizes_of(X: np.ndarray) -> np.ndarray:
    return np.abs(X).sum(axis=1)


def odd_rows(rng: np.random.Generator, columns: list[int], n: int = 12, d: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """n normal rows, then n with a large value in each of some columns; and the mask of those."""
    X = rng.normal(0, 0.1, size=(2 * n, d))
    truth = np.zeros(X.shape, dtype=bool)
    truth[n:, columns] = True
    X[truth] += 5
    return X, truth


ORDINARY = np.zeros((4, 8))
QUICK = TrustAudit(n_samples=200, fill=ORDINARY)


def audited(detector, X, truth=None, audit: TrustAudit = QUICK, **options) -> TrustReport:
    report = audit.run(detector, X, truth, **options)
    assert isinstance(report.study(), Study)
    report.study().as_dict()
    return report


# -- verdicts ----------------------------------------------------------------------------------------------------------


def test_alarms_on_the_true_columns_are_localised_by_every_explainer(rng) -> None:
    X, truth = odd_rows(rng, [2, 5])
    report = audited(Toy(sizes_of, 3.0, own=np.abs), X, truth)
    assert report.explainers == ["lime", "shap", "occlusion", "own"]
    for name in report.explainers:
        assert report.verdicts[name] == ["correct reject"] * 12 + ["detected and localised"] * 12
        assert_array_equal(report.blamed[name], truth[12:])
        assert_allclose(report.located[name].at_share, 1)
    assert all(value > 0.2 for value in report.agreement.values())
    assert report.answer == "Of 12 alarms 12 fall where the defect is; 0 are raised for another reason."


def test_every_verdict_is_given(rng) -> None:
    X, truth = odd_rows(rng, [2])
    X[0, 4] = 9  # a normal row that alarms
    X[12, 2] = 0.1  # an anomaly that does not
    X[13, [2, 4]] = [0.1, 9]  # one that alarms for another reason
    said = audited(Toy(sizes_of, 3.0), X, truth).verdicts["shap"]
    assert said[:2] == ["false alarm", "correct reject"]
    assert said[12:15] == ["missed", "detected for the wrong reason", "detected and localised"]


def test_a_detector_that_reacts_to_a_nuisance_is_wrong_in_each_category(rng) -> None:
    X, truth = odd_rows(rng, [2], n=10)
    X[10:15, 6] = 40  # the nuisance of the first five anomalies
    kinds = ["normal"] * 10 + ["a"] * 5 + ["b"] * 5
    report = audited(Toy(sizes_of, 3.0), X, truth, categories=kinds)
    shares = {r.category: (r.wrong, r.judged) for r in report.wrong_reasons if r.explainer == "lime"}
    assert shares == {"all": (5, 10), "a": (5, 5), "b": (0, 5), "normal": (0, 0)}
    assert report.answer.startswith("Of 10 alarms 5 fall where the defect is; 5 are raised for another reason")


def test_the_interval_of_the_wrong_share_is_wilsons(rng) -> None:
    X, truth = odd_rows(rng, [2], n=10)
    X[10:13, 6] = 40
    found = next(r for r in audited(Toy(sizes_of, 3.0), X, truth).wrong_reasons if r.explainer == "shap")
    z, n, p = norm.ppf(0.975), 10, 0.3
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (found.wrong, found.judged) == (3, 10)
    assert_allclose([found.low, found.high], np.array([middle - half, middle + half]) / (1 + z**2 / n))


def test_with_few_columns_only_the_first_place_counts_as_localised(rng) -> None:
    X, truth = odd_rows(rng, [1], n=5, d=4)
    X[5:, 3] = 9  # blamed more than the true column, which comes second: half the overlap, often reached by chance
    report = audited(Toy(sizes_of, 3.0), X, truth, TrustAudit(n_samples=60, fill=np.zeros((2, 4))))
    assert_allclose(report.located["shap"].max_iou, 0.5)
    assert report.verdicts["shap"].count("detected for the wrong reason") == 5
    assert any("the best 5 % of them" in note for note in report.notes)


def test_defects_smaller_than_the_parts_are_not_judged(rng) -> None:
    images = rng.normal(0, 0.01, size=(3, 20, 20))
    truth = np.zeros(images.shape, dtype=bool)
    truth[:, 4, 7] = True
    images[truth] += 5
    audit = TrustAudit(kind="image", segments="grid", parts=4, n_samples=60, fill="mean")
    report = audited(Toy(lambda X: X.max(axis=(1, 2)), 1.0), images, truth, audit)
    assert report.verdicts["lime"] == ["too small to judge"] * 3
    assert "3 defects are too small to tell" in report.answer


# -- probes that need no truth -----------------------------------------------------------------------------------------


def test_counterfactual_parts_and_blanking_tell_true_explanations_from_noise(rng) -> None:
    X, _ = odd_rows(rng, [2, 5])
    noise = Toy(sizes_of, 3.0, own=lambda rows: np.roll(np.abs(rows), 1, axis=1))  # blames the columns beside
    report = audited(noise, X)
    assert report.verdicts is None
    for name in ("lime", "shap", "occlusion"):
        found = report.probes[name]
        assert found.passed == 1
        assert_allclose(found.needed, 2 / 8, atol=1 / 8)
    lie = report.probes["own"]
    assert lie.passed == 0
    assert_array_equal(lie.ends, 0)  # what it blames replaced: the alarm stays
    assert_array_equal(lie.alone, 0)  # all else blanked: the alarm is gone
    assert lie.needed.min() >= 0.5
    assert "passes all tests for 100%" in report.answer


def test_fills_that_alarm_by_themselves_are_noticed(rng) -> None:
    X, _ = odd_rows(rng, [2])
    audit = TrustAudit(n_samples=60, fill=np.full((2, 8), 3.0))
    report = audited(Toy(sizes_of, 3.0), X, audit=audit)
    assert np.isnan(report.probes["lime"].passed)
    assert any("what fills hidden parts is itself unusual" in note for note in report.notes)


@pytest.mark.parametrize("name", ["KNN", "Mahalanobis", "AutoTable"])
@pytest.mark.parametrize("varied", [False, True])
def test_a_nuisance_that_was_the_same_in_training_is_found_as_a_planted_cue(name, varied, rng) -> None:
    def rows(n: int, nuisance: np.ndarray) -> np.ndarray:
        return np.column_stack([rng.normal(size=(n, 5)), nuisance])

    train = rows(300, rng.uniform(-6, 6, 300) if varied else rng.normal(0, 0.05, 300))
    X = rows(10, rng.uniform(2, 4, 10))
    X[:, 1] += 8
    truth = np.zeros(X.shape, dtype=bool)
    truth[:, 1] = True
    audit = TrustAudit(("lime", "shap"), n_samples=100)
    report = audited(unusual.make(name).fit(train), X, truth, audit, cue=["column 5"])
    effect = float(np.median(report.cue.share))
    wrong = report.verdicts["lime"].count("detected for the wrong reason")
    if varied:
        assert effect < 0.2
        assert wrong <= 1
        assert not report.cue.alone.any()
    else:
        assert effect > 0.5
        assert wrong >= 9
        assert report.cue.alone.all()
        assert "The cue alone raises 10 of 10" in report.answer


def test_the_effect_of_a_cue_is_what_hiding_gives(rng) -> None:
    X, _ = odd_rows(rng, [2], n=3)
    X[3:, 6] = [1.0, 2.0, 9.0]
    cue = audited(Toy(sizes_of, 3.0), X, cue=[6]).cue
    assert_allclose(cue.share, X[3:, 6] / np.abs(X[3:]).sum(axis=1))
    assert_array_equal(cue.alone, [False, False, True])
    assert_array_equal(cue.ends, [False, False, False])


def test_a_frame_of_images_is_found_as_a_cue_and_blamed(rng) -> None:
    X = rng.normal(0, 0.01, size=(6, 30, 30))
    truth = np.zeros(X.shape, dtype=bool)
    truth[:, 12:18, 12:18] = True
    X[truth] += 1
    frame = np.ones((30, 30), dtype=bool)
    frame[3:-3, 3:-3] = False
    X[:, frame] += 2
    audit = TrustAudit(
        ("lime", "occlusion"), kind="image", segments="grid", parts=100, n_samples=300, fill=np.zeros_like
    )
    lit = audited(Toy(lambda X: np.abs(X).mean(axis=(1, 2)), 0.05), X, truth, audit, cue="frame")
    assert lit.verdicts["occlusion"] == ["detected for the wrong reason"] * 6
    assert np.median(lit.cue.share) > 0.8
    inner = Toy(lambda X: np.abs(X[:, 3:-3, 3:-3]).mean(axis=(1, 2)), 0.02)
    good = audited(inner, X, truth, audit, cue=frame)
    assert good.verdicts["occlusion"] == ["detected and localised"] * 6
    assert_allclose(good.cue.share, 0, atol=0.01)


def test_series_are_audited_by_stretches_and_own_maps_by_steps(rng) -> None:
    X = rng.normal(0, 0.05, size=(4, 120, 2))
    truth = np.zeros((4, 120), dtype=bool)
    truth[:, 60:66] = True
    X[truth] += 4
    detector = Toy(lambda S: np.abs(S).mean(axis=(1, 2)), 0.1, own=lambda S: np.abs(S).sum(axis=2))
    audit = TrustAudit(kind="series", parts=80, n_samples=300)
    report = audited(detector, X, truth, audit, cue=np.arange(120) < 10)
    assert [set(v) for v in report.verdicts.values()] == [{"detected and localised"}] * 4
    assert_allclose(report.located["own"].max_iou, 1)
    assert np.median(report.cue.share) < 0.1


def test_a_fitted_scan_is_audited_by_its_own_columns(rng) -> None:
    frame = {f"x{j}": rng.normal(size=300) for j in range(4)} | {"site": np.array(["north", "south", "west"] * 100)}
    from unusual.data.read_table import read_table

    model = unusual.fit(frame)
    odd = {name: values[:6].copy() for name, values in frame.items()}
    odd["x2"] = odd["x2"] + 12
    table = read_table(odd)
    names = TrustAudit(n_samples=60).run(model, table).names
    truth = np.tile([name == "x2" for name in names], (6, 1))
    report = audited(model, table, truth, TrustAudit(n_samples=100), cue=["x0"])
    assert report.verdicts["lime"].count("detected and localised") == 6
    columns = next(b for b in report.study().blocks if getattr(b, "caption", "").startswith("columns blamed"))
    assert columns.rows[0][0] == "x2"


# -- what one should know ----------------------------------------------------------------------------------------------


def test_scores_that_differ_from_call_to_call_are_repeated_and_said(rng) -> None:
    shaky = np.random.default_rng(1)
    X, truth = odd_rows(rng, [2], n=4)
    report = audited(Toy(lambda rows: sizes_of(rows) + shaky.normal(0, 0.2, len(rows)), 3.0), X, truth)
    assert 0.1 < report.spread < 0.8
    assert any("differ from call to call" in note for note in report.notes)
    assert report.verdicts["shap"].count("detected and localised") == 4


def test_many_alarms_are_sampled_and_said(rng) -> None:
    X, truth = odd_rows(rng, [2], n=30)
    report = audited(Toy(sizes_of, 3.0), X, truth, TrustAudit(n_samples=60, fill=ORDINARY, most=10))
    assert len(report.items) == 10
    assert report.verdicts["lime"].count("not explained") == 20
    assert "10 of 30 alarms were explained, evenly chosen" in report.notes


def test_without_an_alarm_there_is_nothing_to_explain(rng) -> None:
    X, truth = odd_rows(rng, [2], n=4)
    report = audited(Toy(sizes_of, 1e9), X, truth, cue=[3])
    assert report.answer == "There is no alarm to explain on an anomaly."
    assert report.verdicts["lime"] == ["correct reject"] * 4 + ["missed"] * 4
    assert audited(Toy(lambda rows: np.ones(len(rows)), 2.0), X).answer == "There is no alarm to explain."


def test_scores_of_few_values_are_said(rng) -> None:
    X = rng.normal(0, 0.1, size=(2, 60))
    X[:, 7] = 5
    steps = Toy(lambda rows: (np.abs(rows).max(axis=1) > 3) * 1.0, 0.5)
    report = audited(steps, X, audit=TrustAudit(fill=np.zeros((2, 60))))
    assert any("takes few values" in note for note in report.notes)
    assert report.blamed["occlusion"][0].nonzero()[0].tolist() == [7]


def test_the_audit_is_the_same_each_time_and_leaves_its_parameters(rng) -> None:
    X, truth = odd_rows(rng, [2], n=5, d=8)
    before = QUICK.get_params()
    first, again = (audited(Toy(sizes_of, 3.0), X, truth) for _ in range(2))
    assert_array_equal(first.weights["lime"], again.weights["lime"])
    assert first.verdicts == again.verdicts
    after = QUICK.get_params()
    assert after.pop("fill") is before.pop("fill")
    assert after == before


ROWS = np.r_[np.zeros((2, 8)), np.full((2, 8), 5.0)]
TRUTH = ROWS > 0


@pytest.mark.parametrize(
    ("parameters", "options", "says"),
    [
        ({"explainers": ("lime", "shapp")}, {}, "did you mean 'shap'"),
        ({"explainers": ()}, {}, "name an explainer"),
        ({"limit": 0}, {}, r"shares in \(0, 1\]"),
        ({"share": 1.5}, {}, r"shares in \(0, 1\]"),
        ({}, {"truth": TRUTH[:3]}, "3 masks for 4 items"),
        ({}, {"truth": TRUTH[:, :5]}, r"shape \(5,\)"),
        ({}, {"truth": TRUTH & False, "labels": [0, 0, 1, 1]}, "item 2 is labelled anomalous but its truth is empty"),
        ({}, {"truth": TRUTH, "labels": [0, 0, 0, 1]}, "item 2 is labelled normal"),
        ({}, {"labels": [0, 1]}, "2 labels for 4 items"),
        ({}, {"labels": [-1, 1, -1, 1]}, "from_sklearn_labels"),
        ({}, {"categories": ["a"]}, "1 categories for 4 items"),
        ({}, {"cue": ["colunm 3"]}, "did you mean 'column 3'"),
        ({}, {"cue": [17]}, "no column 17"),
        ({}, {"cue": list(range(8))}, "everything or nothing"),
        ({}, {"threshold": np.nan}, "no threshold"),
        ({"fill": None}, {}, "keeps no rows"),
        ({"n_samples": 10}, {}, "more than 50"),
    ],
)
def test_what_cannot_be_audited_is_refused_with_a_sentence(parameters, options, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        TrustAudit(**{"fill": ORDINARY, **parameters}).run(Toy(sizes_of, 3.0), ROWS, **options)
    assert "\n" not in str(caught.value)


def test_cues_and_own_maps_of_other_shapes_are_refused() -> None:
    images = np.ones((2, 12, 12))
    audit = TrustAudit(kind="image", parts=9, segments="grid", n_samples=60, fill=np.zeros_like)
    toy = Toy(lambda X: X.mean(axis=(1, 2)), 0.5)
    with pytest.raises(InputError, match="'frame' for images"):
        audit.run(toy, images, cue="border")
    with pytest.raises(InputError, match="everything or nothing"):
        audit.run(toy, images, cue=np.zeros((12, 12)))
    with pytest.raises(InputError, match=r"\(12, 12\) are due"):
        audit.run(Toy(toy.anomaly_score, 0.5, own=lambda X: X[:, :3]), images)
    assert grid((12, 12), 9).max() == 8
    with pytest.raises(InputError, match="at least 2"):
        Game(1, lambda Z: Z[:, 0])
