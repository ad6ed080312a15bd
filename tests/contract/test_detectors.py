"""The contract of every detector of tables, written once and run for every entry of the catalogue."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import CASES, Case
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import check_estimator

import unusual
from unusual import InputError
from unusual.catalogue import DATA, FIELDS, PACKAGE, ROLES, cards
from unusual.cluster import fit_parts
from unusual.detector import FINAL, Detector
from unusual.store import load

TABLES = [case for case in CASES if cards()[case.name].data == "table" and cards()[case.name].role == "detector"]
FLOOR = 0.85  # AUROC every detector reaches on each planted kind, unless its case says why it cannot

every = pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=[pytest.mark.slow] if c.slow else []) for c in TABLES]
)


def fitted(case: Case, X: np.ndarray) -> Detector:
    return unusual.make(case.name, **case.parameters).fit(X)


def normal_rows(rng: np.random.Generator, n: int = 400) -> np.ndarray:
    """Correlated columns in very different units."""
    mix = np.array([[1, 0.8, 0.2], [0, 0.6, 0.3], [0, 0, 0.9]])
    return rng.normal(size=(n, 3)) @ mix * [1.0, 1000.0, 0.01] + [0.0, 5000.0, 1.0]


def planted(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training rows, test rows, labels of the test rows."""
    if kind == "far":
        train, test = normal_rows(rng), normal_rows(rng, 200)
        odd = normal_rows(rng, 20) + np.array([6.0, 6000.0, 0.06]) * rng.choice([-1, 1], (20, 3))
    elif kind == "ring":  # the distance to the mean is smallest for the anomalies
        angle = rng.uniform(0, 2 * np.pi, 600)
        ring = np.column_stack([np.cos(angle), np.sin(angle)]) * 4 + rng.normal(0, 0.25, (600, 2))
        train, test = ring[:400], ring[400:]
        odd = rng.normal(0, 0.4, (20, 2))
    else:
        raise ValueError(kind)
    return train, np.vstack([test, odd]), np.r_[np.zeros(len(test)), np.ones(len(odd))]


def test_every_card_has_a_case_and_every_case_a_card() -> None:
    assert sorted(cards()) == sorted(case.name for case in CASES)


@pytest.mark.parametrize("card", cards().values(), ids=lambda card: card.name)
def test_cards_are_complete(card) -> None:
    source = Path(PACKAGE.parent, *card.module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    docstring = source.split('"""')[1]
    for name in set(FIELDS) - {"names"}:
        assert f"\n{name}: " in docstring, f"{card.name} has no {name} on its card"
    assert card.role in ROLES
    assert card.data in DATA
    assert card.title.startswith(card.title.split(":")[0])
    assert hasattr(unusual, card.name)


@every
def test_public_methods_are_final(case: Case) -> None:
    overridden = [name for name in FINAL if name in vars(unusual.catalogue.find(case.name))]
    assert not overridden


@every
def test_same_seed_same_scores_and_parameters_untouched(case: Case, rng) -> None:
    X = normal_rows(rng)
    detector = unusual.make(case.name, **case.parameters)
    before = clone(detector).get_params()
    assert_array_equal(detector.fit(X).anomaly_score(X), clone(detector).fit(X).anomaly_score(X))
    assert detector.get_params() == before


@every
def test_no_global_random_state(case: Case, rng) -> None:
    X = normal_rows(rng)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what is watched
    first = fitted(case, X).anomaly_score(X)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert_array_equal(fitted(case, X).anomaly_score(X), first)


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scores_depend_on_the_row_alone(case: Case, dtype, rng) -> None:
    X = normal_rows(rng).astype(dtype)
    detector = fitted(case, X)
    scores = detector.anomaly_score(X)
    assert scores.dtype == np.float64
    assert scores.shape == (len(X),)
    tolerance = 1e-9 if dtype == np.float64 else 1e-5
    order = rng.permutation(len(X))
    assert_allclose(detector.anomaly_score(X[order]), scores[order], rtol=tolerance, atol=tolerance)
    one_by_one = [detector.anomaly_score(X[i : i + 1])[0] for i in range(20)]
    assert_allclose(one_by_one, scores[:20], rtol=tolerance, atol=tolerance)


@every
def test_scores_are_not_constant_and_do_not_depend_on_units(case: Case, rng) -> None:
    X = normal_rows(rng)
    scores = fitted(case, X).anomaly_score(X)
    assert np.ptp(scores) > 1e-3 * max(1.0, np.abs(scores).max())
    units = np.array([2.0**7, 2.0**-9, 2.0**3])  # powers of two: no rounding of its own
    assert_allclose(fitted(case, X * units).anomaly_score(X * units), scores, rtol=1e-6, atol=1e-6)


@every
@pytest.mark.parametrize("kind", ["far", "ring"])
def test_planted_anomalies_rank_above_normal(case: Case, kind: str, rng) -> None:
    train, test, labels = planted(kind, rng)
    found = roc_auc_score(labels, fitted(case, train).anomaly_score(test))
    to_mean = roc_auc_score(labels, np.linalg.norm((test - train.mean(0)) / train.std(0), axis=1))
    if kind in case.blind_to:
        assert found < FLOOR, f"{case.name} does see {kind}: take it out of blind_to"
        return
    assert found >= FLOOR
    assert found > to_mean or to_mean > 0.99


@every
def test_threshold_p_value_and_alarm_are_one_rule(case: Case, rng) -> None:
    X, new = normal_rows(rng), normal_rows(rng, 300) * 1.3
    detector = fitted(case, X).set_params(alarm_rate=0.05)
    alarm = detector.is_anomaly(new)
    assert_array_equal(alarm, detector.p_value(new) <= 0.05)
    assert_array_equal(detector.predict(new), np.where(alarm, -1, 1))
    assert_array_equal(detector.decision_function(new) < 0, alarm)


@every
def test_unseen_normal_rows_alarm_at_the_promised_rate(case: Case, rng) -> None:
    detector = fitted(case, normal_rows(rng, 600)).set_params(alarm_rate=0.1)
    rate = detector.is_anomaly(normal_rows(rng, 2000)).mean()
    assert 0.05 < rate < 0.17  # 99.9 % of Beta(60, 541) is 0.063 to 0.146; cross-fitting adds a little


@every
def test_explanations_point_at_the_planted_column(case: Case, rng) -> None:
    X = normal_rows(rng)
    detector = fitted(case, X)
    odd = X[:10].copy()
    odd[:, 2] += 0.08
    values = detector.explain(odd)
    assert values.shape == (10, 3)
    assert np.isfinite(values).all()
    assert (values.argmax(axis=1) == 2).mean() >= 0.8


@every
def test_saved_and_loaded_in_a_fresh_process_gives_equal_scores(case: Case, rng, tmp_path) -> None:
    X = normal_rows(rng)
    detector = fitted(case, X)
    detector.save(tmp_path / "m.unusual")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, sys, numpy as np\n"
        "def refuse(*a, **k): raise AssertionError('unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "import unusual\n"
        "m = unusual.load('m.unusual')\n"
        "X = np.load('X.npy', allow_pickle=False)\n"
        "np.save('out.npy', np.column_stack([m.anomaly_score(X), m.p_value(X)]))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    out = np.load(tmp_path / "out.npy", allow_pickle=False)
    assert_array_equal(out[:, 0], detector.anomaly_score(X))
    assert_array_equal(out[:, 1], detector.p_value(X))
    assert load(tmp_path / "m.unusual").get_params() == detector.get_params()


@every
@pytest.mark.parametrize("bad", ["nan", "inf", "empty", "one row", "wrong columns", "text", "three dimensions"])
def test_bad_input_is_refused_with_a_sentence(case: Case, bad: str, rng) -> None:
    X = normal_rows(rng)
    spoilt = {
        "nan": np.where(X[0, 0] == X, np.nan, X),
        "inf": np.where(X[0, 0] == X, np.inf, X),
        "empty": X[:0],
        "one row": X[:1],
        "wrong columns": X[:, :2],
        "text": np.full((5, 3), "a"),
        "three dimensions": X[None],
    }[bad]
    detector = unusual.make(case.name, **case.parameters)
    if bad == "wrong columns":
        detector.fit(X)
        act = detector.anomaly_score
    else:
        act = detector.fit
    with pytest.raises(InputError) as caught:
        act(spoilt)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20


@every
def test_merged_parts_agree_with_the_whole(case: Case, rng) -> None:
    detector = unusual.make(case.name, **case.parameters)
    if not hasattr(detector, "_merge"):
        pytest.skip("this method has no summaries that add up")
    X = normal_rows(rng)
    whole = clone(detector).fit(X).anomaly_score(X)
    for parts in (1, 2, 7):
        merged = fit_parts(clone(detector), np.array_split(X, parts))
        assert_allclose(merged._score(X), whole, rtol=1e-8, atol=1e-8)


@every
def test_only_the_libraries_of_the_card_are_imported(case: Case) -> None:
    code = (
        f"import sys, unusual; unusual.{case.name}\n"
        "print(*sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'faiss', 'duckdb', 'jinja2'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= set(cards()[case.name].needs)


@every
def test_scikit_learn_accepts_it(case: Case) -> None:
    # One in a hundred of 300 training rows need not alarm under a calibrated threshold, and the check demands an alarm.
    detector = unusual.make(case.name, **{**case.parameters, "alarm_rate": 0.1})
    results = check_estimator(detector, expected_failed_checks=case.failing_checks, on_skip=None, on_fail=None)
    failed = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    assert not failed
    assert len(results) > 40


def test_constructors_only_store() -> None:
    for case in TABLES:
        method = unusual.catalogue.find(case.name)
        source = inspect.getsource(method.__init__)
        body = [line.strip() for line in source.split("None:")[-1].splitlines() if line.strip()]
        assert all(line.startswith("self.") and "(" not in line for line in body), case.name
