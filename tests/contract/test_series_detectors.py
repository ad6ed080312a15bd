"""The contract of every detector of series, written once and run for every entry of the catalogue."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from cases import CASES, Case
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

import unusual
from unusual import InputError
from unusual.catalogue import cards
from unusual.detector import FINAL
from unusual.series_detector import SeriesDetector
from unusual.store import load

SERIES = [case for case in CASES if cards()[case.name].data == "series" and cards()[case.name].role == "detector"]
FLOOR = 0.85  # AUROC every detector reaches on each planted kind, unless its case says why it cannot
PERIOD, STEPS = 40, 1600

every = pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=[pytest.mark.slow] if c.slow else []) for c in SERIES]
)


def normal_series(rng: np.random.Generator, steps: int = STEPS) -> np.ndarray:
    """Two channels of one period in very different units (steps, 2)."""
    t = np.arange(steps)
    wave = np.column_stack([np.sin(2 * np.pi * t / PERIOD), np.sin(2 * np.pi * t / PERIOD + 1) ** 3])
    return (wave + 0.08 * rng.normal(size=wave.shape)) * [1.0, 1000.0] + [0.0, 5000.0]


def planted(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A series with anomalies after step 400, and which steps they cover."""
    X, label = normal_series(rng), np.zeros(STEPS, dtype=int)
    for start in (500, 830, 1210):
        if kind == "spike":
            X[start : start + 3] += [3.0, 3000.0]
            label[start : start + 3] = 1
        elif kind == "flat":  # every value is as usual, and lies near the mean
            X[start : start + PERIOD] = [0.0, 5000.0]
            label[start : start + PERIOD] = 1
        elif kind == "level":
            X[start : start + PERIOD] += [1.5, 1500.0]
            label[start : start + PERIOD] = 1
        else:
            raise ValueError(kind)
    return X, label


def near(scores: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest score about each anomaly against the highest scores of quiet stretches of the same length."""
    edges = np.arange(0, STEPS, 2 * PERIOD)
    blocks = [slice(a, a + 2 * PERIOD) for a in edges]
    return np.array([scores[b].max() for b in blocks]), np.array([label[b].max() for b in blocks])


def made(case: Case) -> SeriesDetector:
    return unusual.make(case.name, **case.parameters)


@every
def test_public_methods_are_final(case: Case) -> None:
    assert not [name for name in FINAL if name in vars(unusual.catalogue.find(case.name))]


@every
@pytest.mark.parametrize("kind", ["spike", "flat", "level"])
@pytest.mark.parametrize("how", ["own", "reference"])
def test_planted_anomalies_stand_out(case: Case, kind: str, how: str) -> None:
    if kind in case.blind_to:
        pytest.skip(case.blind_to[kind])
    X, label = planted(kind, np.random.default_rng(1))
    if how == "own":
        scores = made(case).fit_anomaly_score(X)
    else:
        scores = made(case).fit(normal_series(np.random.default_rng(2))).anomaly_score(X)
    assert scores.shape == (STEPS,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0
    assert roc_auc_score(near(scores, label)[1], near(scores, label)[0]) >= FLOOR


@every
def test_same_seed_same_scores_and_units_do_not_matter(case: Case) -> None:
    X, _ = planted("spike", np.random.default_rng(3))
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    before = X.copy()
    first = made(case).fit_anomaly_score(X)
    assert_array_equal(first, made(case).fit_anomaly_score(X))
    other = made(case).fit_anomaly_score(X * [1000.0, 0.01] + [7.0, 3.0])
    assert_allclose(first, other, rtol=1e-6, atol=1e-6 * np.ptp(first))
    assert_array_equal(X, before)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@every
def test_what_follows_does_not_depend_on_what_was_scored_before(case: Case) -> None:
    detector = made(case).fit(normal_series(np.random.default_rng(4)))
    a, b = planted("spike", np.random.default_rng(5))[0], planted("flat", np.random.default_rng(6))[0]
    alone = detector.anomaly_score(b)
    detector.anomaly_score(a)
    assert_array_equal(detector.anomaly_score(b), alone)


@every
def test_one_channel_may_be_a_flat_array_and_several_series_one_fit(case: Case) -> None:
    x = normal_series(np.random.default_rng(7))[:, 0]
    detector = made(case).fit([x[:800], x[800:]])
    assert detector.anomaly_score(x).shape == (STEPS,)
    assert_allclose(detector.anomaly_score(x), detector.anomaly_score(x[:, None]))


@every
def test_a_series_too_short_to_learn_from_calibrates_nothing_and_gets_the_lowest_score(case: Case) -> None:
    X = normal_series(np.random.default_rng(15))
    detector = made(case).set_params(window=20)
    detector.fit(X)
    other = made(case).set_params(window=20)
    both = other.fit_anomaly_score([X, X[:12]])
    assert len(other.calibration_) == len(detector.calibration_)
    assert both.shape == (STEPS + 12,)
    assert_array_equal(both[STEPS:], both[:STEPS].min())


@every
def test_few_normal_blocks_alarm(case: Case) -> None:
    rates = []
    for seed in range(3):
        rng = np.random.default_rng([8, seed])
        detector = made(case).set_params(alarm_rate=0.1).fit(normal_series(rng, 3 * STEPS))
        new = normal_series(rng, 3 * STEPS)
        blocks = detector._calibrating(detector.anomaly_score(new))
        rates.append((blocks > detector.threshold_).mean())
        assert_array_equal(detector.is_anomaly(new), detector.p_value(new) <= 0.1)
    assert np.mean(rates) <= 0.3


@every
def test_saved_and_loaded_in_a_fresh_process_it_scores_the_same(case: Case, tmp_path) -> None:
    X, _ = planted("spike", np.random.default_rng(9))
    detector = made(case).fit(normal_series(np.random.default_rng(10)))
    detector.save(tmp_path / "m.unusual")
    assert_array_equal(load(tmp_path / "m.unusual").anomaly_score(X), detector.anomaly_score(X))
    np.save(tmp_path / "x.npy", X)
    code = (
        "import pickle, numpy as np\n"
        "def refuse(*a, **k): raise RuntimeError('pickle')\n"
        "pickle.loads = pickle.load = refuse\n"
        "import unusual\n"
        f"m = unusual.load({str(tmp_path / 'm.unusual')!r})\n"
        f"np.save({str(tmp_path / 's.npy')!r}, m.anomaly_score(np.load({str(tmp_path / 'x.npy')!r})))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert_allclose(np.load(tmp_path / "s.npy"), detector.anomaly_score(X), rtol=1e-9)


@every
def test_contributions_point_at_the_channel(case: Case) -> None:
    X = normal_series(np.random.default_rng(11))
    detector = made(case).fit(X)
    new = normal_series(np.random.default_rng(12))
    new[700:703, 1] += 4000.0
    values = detector.explain(new)
    assert values.shape == new.shape
    assert np.isfinite(values).all()
    if "one channel" not in case.blind_to:
        assert values[690:712, 1].max() > values[690:712, 0].max()


@every
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((100, 2), np.nan), "NaN"),
        (np.zeros((5, 1)), "5 steps"),
        (np.zeros((0, 2)), "sample|steps|minimum"),
        (np.array([["a"] * 2] * 50), "numeric|convert|string"),
    ],
)
def test_bad_input_is_one_sentence(case: Case, X: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        made(case).fit(X)


@every
def test_a_series_shorter_than_a_window_or_of_other_channels_is_refused(case: Case) -> None:
    detector = made(case).fit(normal_series(np.random.default_rng(13)))
    with pytest.raises(InputError, match=r"features|channels"):
        detector.anomaly_score(np.zeros((200, 3)))
    if detector.window_ > 1:
        with pytest.raises(InputError, match="fewer than one window"):
            detector.anomaly_score(np.zeros((detector.window_ - 1, 2)))
    with pytest.raises(InputError, match="window is 0"):
        clone(detector).set_params(window=0).fit(normal_series(np.random.default_rng(14)))


@every
def test_a_constant_series_gives_equal_scores(case: Case) -> None:
    scores = made(case).fit_anomaly_score(np.full((400, 1), 3.0))
    assert np.isfinite(scores).all()
    assert np.ptp(scores) <= 1e-9 * max(1.0, abs(scores[0]))
