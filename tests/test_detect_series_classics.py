"""Classics of series: each against an obvious slow version or a planted case that only the right formula solves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from unusual import InputError, make
from unusual.detect.series.change_points import _ratio
from unusual.detect.series.k_shape import _distances, _moved, _shapes
from unusual.detect.series.polynomial_residual import local_polynomial
from unusual.parts.period import period
from unusual.parts.windows import smoothed
from unusual.series_detector import FOLDS


def wave(rng: np.random.Generator, steps: int = 1200, p: int = 40, noise: float = 0.1) -> np.ndarray:
    return (np.sin(2 * np.pi * np.arange(steps) / p) + noise * rng.normal(size=steps))[:, None]


@pytest.mark.parametrize("m", [1, 2, 5, 50])
def test_smoothing_is_the_mean_of_the_steps_around(rng: np.random.Generator, m: int) -> None:
    x = rng.normal(size=20)
    slow = [x[max(0, t - m // 2) : t + (m - 1) // 2 + 1].mean() for t in range(20)]
    assert_allclose(smoothed(x, m), slow, atol=1e-12)


def test_the_period_is_no_multiple_of_itself() -> None:
    found = [period(wave(np.random.default_rng(seed), 1600, noise=0.3)) for seed in range(20)]
    assert_allclose(found, 40, atol=1)


def test_the_course_is_that_of_a_polynomial_fit_without_the_own_window(rng: np.random.Generator) -> None:
    Z, m, degree = rng.normal(size=(200, 2)), 8, 2
    course = local_polynomial(Z, m, degree)
    half = 5 * m
    for t in (0, 3, 57, 120, 199):
        around = [j for j in range(max(0, t - half), min(200, t + half + 1)) if abs(j - t) > m // 2]
        u = (np.array(around) - t) / half
        slow = [np.polyval(np.polyfit(u, Z[around, c], degree), 0.0) for c in range(2)]
        assert_allclose(course[t], slow, atol=1e-5)


def test_a_polynomial_leaves_no_energy() -> None:
    t = np.linspace(-1, 1, 400)
    scores = make("PolynomialResidual", window=10).fit_anomaly_score(t**3 - t)
    assert scores.max() < 1e-4


def test_own_forecasts_are_those_of_a_fit_without_the_fifth(rng: np.random.Generator) -> None:
    X = np.column_stack([wave(rng, 500)[:, 0], rng.normal(size=500)])
    detector = make("AutoRegression", window=10, lags=5)
    scores = detector.fit_anomaly_score(X)
    Z = detector._standard(X)
    rows = np.column_stack([np.column_stack([Z[k : 495 + k] for k in range(5)]), np.ones(495)])
    errors, edges = np.zeros((500, 2)), np.linspace(0, 500, FOLDS + 1).astype(int)
    for a, b in pairwise(edges.tolist()):
        step = np.arange(5, 500)
        inside = (step >= a) & (step < b)
        A, y = rows[~inside], Z[5:][~inside]
        coefficients = np.linalg.solve(A.T @ A + 1e-3 * len(A) * np.eye(11), A.T @ y)  # the columns in another order
        errors[step[inside]] = Z[5:][inside] - rows[inside] @ coefficients
    slow = smoothed(np.abs(errors / detector.spread_).mean(axis=1), 10)
    assert_allclose(scores, slow, rtol=1e-8)


def test_a_forecast_reaches_the_noise_and_shows_a_break(rng: np.random.Generator) -> None:
    x = np.zeros(4000)
    for t in range(2, 4000):
        x[t] = 1.6 * x[t - 1] - 0.9 * x[t - 2] + rng.normal()
    detector = make("AutoRegression", window=20).fit(x)
    Z = detector._standard(x[:, None])
    gaps = (Z - detector._expected(Z))[50:] * detector.scaling_.scale
    assert gaps.std() == pytest.approx(1.0, abs=0.05)
    y = x.copy()
    y[2000:2100] = y[2000:2100][::-1]  # as large, and as rough, but backwards
    y[2500:2600] = rng.normal(size=100) * x.std()
    assert 2490 <= np.argmax(detector.anomaly_score(y)) <= 2610


def test_the_season_is_found_at_any_phase(rng: np.random.Generator) -> None:
    detector = make("SeasonalTrend").fit([wave(rng)[5:], wave(rng)[:900] + 3])
    t = np.arange(400)
    trend = 0.002 * t
    new = np.sin(2 * np.pi * (t + 17) / 40) + trend
    expected = detector._expected(detector._standard(new[:, None])) * detector.scaling_.scale + detector.scaling_.mean
    assert detector.window_ == 40
    assert np.abs(expected[90:-90, 0] - new[90:-90]).mean() < 0.1
    spread = detector.season_.std() * detector.scaling_.scale[0]
    assert spread == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_moving_z_is_that_of_a_loop_and_looks_back_only(rng: np.random.Generator) -> None:
    x = rng.normal(size=300)
    detector = make("MovingZ", window=4).fit(x)
    Z = detector._standard(x[:, None])
    middle = np.array([np.sort(Z[t - 20 : t, 0])[10] for t in range(20, 300)])
    assert_allclose(detector._expected(Z)[20:, 0], middle)
    gap = np.abs(Z[20:, 0] - middle)
    slow = [gap[t] / (1.4826 * np.sort(gap[t - 20 : t])[10] + 0.05) for t in range(20, 280)]
    assert_allclose(detector.anomaly_score(x)[40:], slow)
    changed = x.copy()
    changed[200:] += 50
    assert_array_equal(detector.anomaly_score(changed)[40:200], detector.anomaly_score(x)[40:200])


def test_a_change_is_told_at_its_step_by_the_likelihood_of_two_gaussians(rng: np.random.Generator) -> None:
    Z = np.concatenate([rng.normal(size=(150, 1)), 3 + rng.normal(size=(150, 1))])
    w = 30
    ratio = _ratio(Z, w)
    log = lambda part: np.log(part.var() + 0.01)  # noqa: E731
    t = 100
    slow = 2 * w * log(Z[t - w : t + w]) - w * log(Z[t - w : t]) - w * log(Z[t : t + w])
    assert ratio[t] == pytest.approx(max(slow, 0) / (2 * w), abs=1e-9)
    assert abs(np.argmax(ratio) - 150) <= 2
    louder = np.concatenate([rng.normal(size=(150, 1)), 4 * rng.normal(size=(150, 1))])
    assert abs(np.argmax(_ratio(louder, w)) - 150) <= 5


def test_saliency_finds_one_jump_in_two_waves(rng: np.random.Generator) -> None:
    t = np.arange(2000)
    x = np.sin(t / 7) + np.sin(t / 31) + 0.05 * rng.normal(size=2000)
    x[1300] += 2
    assert abs(np.argmax(make("SpectralResidual", window=3).fit_anomaly_score(x)) - 1300) <= 2


def test_distance_to_typical_windows(rng: np.random.Generator) -> None:
    X = wave(rng, 800)
    detector = make("KMeansWindows", window=20, n_clusters=5).fit(X)
    Z = detector._standard(X)
    rows = np.stack([Z[i : i + 20, 0] for i in range(781)])
    distance = np.sqrt(((rows[:, None] - detector.centres_[None]) ** 2).sum(axis=2)).min(axis=1)
    slow = [distance[max(0, t - 19) : min(t, 780) + 1].mean() for t in range(800)]
    assert_allclose(detector.anomaly_score(X), slow, rtol=1e-6)


def test_the_distance_of_shapes_is_that_of_all_shifts(rng: np.random.Generator) -> None:
    a, b = _shapes(rng.normal(size=(6, 2, 9))), _shapes(rng.normal(size=(3, 2, 9)))
    distance, shift = _distances(a, b)
    for i, j in np.ndindex(6, 3):
        slow = {s: float((_moved(a[i : i + 1], np.array([s])) * b[j]).sum()) for s in range(-8, 9)}
        assert distance[i, j] == pytest.approx(1 - max(slow.values()), abs=1e-12)
        assert shift[i, j] == max(slow, key=lambda s: slow[s])
    assert_array_equal(_moved(np.arange(4.0).reshape(1, 1, 4), np.array([1]))[0, 0], [0, 0, 1, 2])


def test_centres_are_the_shapes_a_series_is_made_of(rng: np.random.Generator) -> None:
    beat = np.exp(-0.5 * ((np.arange(40) - 20) / 3) ** 2)
    x = np.concatenate([beat * size for size in rng.uniform(0.5, 2, 60)]) + 0.02 * rng.normal(size=2400)
    x[1200:1240] = np.sin(np.arange(40) / 2) * 0.5
    detector = make("KShape", window=40, n_clusters=2)
    scores = detector.fit_anomaly_score(x)
    assert 1190 <= np.argmax(scores) <= 1250
    assert_allclose(np.linalg.norm(detector.centres_, axis=(1, 2)), 1.0)
    assert _distances(_shapes(beat.reshape(1, 1, 40)), detector.centres_)[0].min() < 0.1
    assert detector.weights_.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("PolynomialResidual", {"degree": 9}, "degree is 9"),
        ("AutoRegression", {"lags": 0}, "lags is 0"),
        ("AutoRegression", {"ridge": 0.0}, "ridge 0.0"),
        ("KMeansWindows", {"n_clusters": 0}, "n_clusters is 0"),
        ("KShape", {"n_clusters": 0}, "n_clusters is 0"),
    ],
)
def test_a_parameter_that_cannot_be_is_one_sentence(name: str, parameters: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(name, **parameters).fit(wave(np.random.default_rng(0)))


# -- AutoSeries -------------------------------------------------------------------------------------------------------


def test_auto_series_adds_its_members_by_what_they_are_worth(rng: np.random.Generator) -> None:
    X = np.column_stack([wave(rng, 1600)[:, 0], wave(rng, 1600)[:, 0]])
    detector = make("AutoSeries").fit(X)
    Z = detector._standard(X)
    assert [type(member).__name__ for member in detector.members_] == 2 * ["SubKNN"] + [
        "AutoRegression",
        "ChangePoints",
    ]
    assert [member.window_ for member in detector.members_] == [80, 160, 80, 80]
    near = 3 / np.sqrt(2)
    assert_allclose(detector.weights_, [near, near, 1, 1])
    said = [scale(member._steps(Z)) for scale, member in zip(detector.scales_, detector.members_, strict=True)]
    assert detector.point_ == 0
    assert_allclose(detector.anomaly_score(X), np.average(said, axis=0, weights=[near, near, 1, 1]))
    assert "80 and 160 steps" in detector.why_
    assert "2 channels" in detector.why_


def test_auto_series_takes_series_too_short_for_its_long_windows(rng: np.random.Generator) -> None:
    detector = make("AutoSeries").fit([wave(rng, 1600), wave(rng, 100), wave(rng, 20)])
    assert [member.window_ for member in detector.members_[:2]] == [80, 160]
    assert detector.anomaly_score(wave(rng, 100)).shape == (100,)
    assert len(detector.calibration_) == 1600 // 160 + 1  # what was too short to be learned from calibrates nothing


def test_auto_series_finds_what_each_member_alone_would_miss(rng: np.random.Generator) -> None:
    X = wave(rng, 3000)
    X[1000:1040] = 0.1 * rng.normal(size=(40, 1))  # frozen: an odd shape of usual values
    X[2000] += 4  # one step
    scores = make("AutoSeries").fit_anomaly_score(X)
    top = scores > np.quantile(scores, 0.9)
    assert top[1000:1040].all()
    assert top[2000]


def test_auto_series_tells_single_steps_from_stretches(rng: np.random.Generator) -> None:
    X, Y = wave(rng, 4000), wave(rng, 4000)
    steps = [500, 1300, 2222, 3100]
    X[steps] += 3
    for start in steps:
        Y[start : start + 60] = rng.normal(size=(60, 1))
    of_points, of_stretches = make("AutoSeries"), make("AutoSeries")
    scores = of_points.fit_anomaly_score(X)
    of_stretches.fit(Y)
    assert of_points.point_ > 0.8
    assert of_stretches.point_ < 0.4
    assert "single steps stand out" in of_points.why_
    for step in steps:
        about = scores[step - 60 : step + 61]
        assert abs(np.argmax(about) - 60) <= 2
        assert (about > about.max() - 0.2 * np.ptp(about)).sum() <= 10
