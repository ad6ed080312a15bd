"""MatrixProfile and SubKNN: against distances measured one by one, as streams, and what they show and refuse."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from unusual import InputError, make
from unusual.parts.neighbour_windows import joined, most_compared, shown
from unusual.parts.period import leading_lag, whole_periods
from unusual.store import load


def wave(rng, steps, channels=1, period=25):
    t = np.arange(steps)[:, None]
    return np.sin(2 * np.pi * t / period + np.arange(channels)) + 0.1 * rng.normal(size=(steps, channels))


def gaps(A, B, m, shape):
    """Root mean squared difference (n, r) of all windows of A and B, standardised first for their shape."""
    A, B = (np.lib.stride_tricks.sliding_window_view(S, m, axis=0) for S in (A, B))
    if shape:
        A, B = ((W - W.mean(axis=2, keepdims=True)) / W.std(axis=2, keepdims=True) for W in (A, B))
    return np.sqrt(((A[:, None] - B) ** 2).mean(axis=(2, 3)))


def covered(distance, m):
    """Mean over the windows that cover each step."""
    return np.array([distance[max(0, t - m + 1) : t + 1].mean() for t in range(len(distance) + m - 1)])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("method", "shape", "k"), [("MatrixProfile", True, 1), ("SubKNN", False, 5)])
def test_scores_are_the_distances_measured_one_by_one(rng, method, shape, k, channels):
    m, first, second, new = 20, wave(rng, 150, channels), wave(rng, 90, channels), wave(rng, 80, channels)
    new[40] += 3
    detector = make(method, window=m).fit([first, second])
    a, b, z = (detector._standard(part) for part in (first, second, new))
    D = np.sort(np.hstack([gaps(z, a, m, shape), gaps(z, b, m, shape)]), axis=1)
    assert_allclose(detector.anomaly_score(new), covered(D[:, k - 1], m), rtol=1e-9)
    own = gaps(a, a, m, shape)
    zone = 5 if shape else 10
    own[np.abs(np.subtract.outer(*[np.arange(len(own))] * 2)) <= zone] = np.inf
    D = np.sort(np.hstack([own, gaps(a, b, m, shape)]), axis=1)
    scores = make(method, window=m).fit_anomaly_score([first, second])
    assert len(scores) == 240
    assert_allclose(scores[:150], covered(D[:, k - 1], m), rtol=1e-9)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("cuts", [[], [100], [5, 9, 30, 31, 32, 180]])
def test_a_stream_gives_the_scores_of_the_batch(rng, channels, cuts):
    reference, X = wave(rng, 300, channels), wave(rng, 200, channels)
    X[120:140] = X[60:80] = rng.normal(size=(20, channels))  # unusual once
    detector = make("MatrixProfile", window=20, left=True).fit(reference)
    batch, stream = detector.anomaly_score(X), detector.stream()
    assert not stream.ready
    parts = [stream.append(part) for part in np.split(X, cuts)]
    found = np.concatenate(parts)
    assert stream.ready
    assert len(found) == len(X) - 19
    assert_allclose(batch[19:], found, rtol=1e-7, atol=1e-9)
    assert_array_equal(batch[:19], batch.min())
    assert found[120 + 19 - 19] < 0.05 * found[60]  # the second time it is known


def test_only_what_came_before_counts_in_the_series_learned_from(rng):
    X = wave(rng, 240)
    D = gaps(X, X, 20, True)
    lag = np.subtract.outer(*[np.arange(len(D))] * 2)
    D[lag <= 5] = np.inf  # row - column
    scores = make("MatrixProfile", window=20, left=True).fit_anomaly_score(X)
    assert_allclose(scores[25:], D.min(axis=1)[6:], rtol=1e-9)
    assert (scores[:25] <= scores.min()).all()  # nothing to compare with yet


def test_a_stream_forgets_all_but_what_it_is_to_keep(rng):
    reference, X = wave(rng, 200), wave(rng, 400)
    detector = make("MatrixProfile", window=20, left=True).fit(reference)
    stream = detector.stream(keep=60)
    found = np.concatenate([stream.append(X[i : i + 10]) for i in range(0, 400, 10)])
    alone = detector.anomaly_score(X[330:])[-10:]
    assert_allclose(found[-10:], alone, rtol=1e-7)
    assert len(stream._windows.steps) == 60
    with pytest.raises(InputError, match="two windows, 40 steps"):
        detector.stream(keep=39)


@pytest.mark.parametrize("method", ["MatrixProfile", "SubKNN"])
def test_what_is_expected_is_the_usual_course(rng, method):
    X = wave(rng, 500, 2)
    new = wave(rng, 300, 2)
    usual = new.copy()
    new[150:160] += [2.0, 0.0]
    detector = make(method, window=25).fit(X)
    expected = detector._expected(detector._standard(new)) * detector.scaling_.scale + detector.scaling_.mean
    error = np.abs(expected - usual)
    assert error[:120].mean() < 0.15
    seen = np.abs(new - expected)
    assert seen[150:160, 0].mean() > 1.0
    assert seen[150:160, 0].mean() > 3 * seen[150:160, 1].mean()


def test_what_neighbours_show_is_the_mean_over_the_windows_that_cover_a_step(rng):
    Z, R = rng.normal(size=(30, 2)), rng.normal(size=(50, 2))
    index = rng.integers(-1, 45, 25)
    sums, counts = np.zeros((30, 2)), np.zeros((30, 1))
    lifted = np.zeros((30, 2))
    for i, j in enumerate(index):
        near = R[j : j + 6] if j >= 0 else Z[i : i + 6]
        sums[i : i + 6] += near
        counts[i : i + 6] += 1
        lifted[i : i + 6] += near + np.median(Z[i : i + 6] - near, axis=0)
    assert_allclose(shown(Z, index, R, 6, levelled=False), sums / counts)
    assert_allclose(shown(Z, index, R, 6, levelled=True), lifted / counts)


@pytest.mark.parametrize("method", ["MatrixProfile", "SubKNN"])
def test_a_piece_shorter_than_a_window_is_left_out_of_the_reference(rng, method):
    parts = [wave(rng, 120), wave(rng, 7), wave(rng, 90)]
    whole = make(method, window=20).fit_anomaly_score(parts)
    without = make(method, window=20).fit_anomaly_score([parts[0], parts[2]])
    assert len(whole) == 217
    assert_allclose(np.delete(whole, np.s_[120:127]), without, rtol=0.05)
    assert np.ptp(whole[120:127]) == 0
    assert whole[120] <= whole.min() + 1e-12


def test_left_out_lags_hardly_change_the_scores_of_a_long_series(rng, monkeypatch):
    X = wave(rng, 6000)
    X[3000:3010] += 2
    full = make("SubKNN", window=50).fit_anomaly_score(X)
    monkeypatch.setattr("unusual.parts.neighbour_windows.MOST", 1500)
    thinned = make("SubKNN", window=50).fit_anomaly_score(X)
    assert np.median(thinned / full) < 1.2
    assert (thinned > full - 1e-9).all()
    assert np.argmax(thinned) == pytest.approx(3005, abs=50)


def test_the_work_for_many_channels_is_bounded():
    assert [most_compared(c) for c in (1, 4, 20, 1000)] == [50_000, 50_000, 10_000, 5_000]


def test_windows_are_whole_periods_of_at_least_64_steps(rng):
    for period, expected in ((25, 75), (90, 90), (7, 70)):
        assert whole_periods(wave(rng, 3000, 2, period)) == pytest.approx(expected, abs=3)
    assert leading_lag(np.arange(300.0)[:, None]) == 125  # no peak
    assert leading_lag(wave(rng, 3000, 1, 4)) == 125  # a peak below 6
    assert leading_lag(np.ones((500, 2))) == 125
    assert whole_periods(np.ones((40, 1))) == 10
    assert whole_periods(np.ones((8, 1))) == 2


def test_joined_series_are_parted_by_a_missing_step():
    Z = joined([np.ones((3, 2)), np.zeros((2, 2))])
    assert_array_equal(np.isnan(Z).all(axis=1), [False, False, False, True, False, False])


def test_left_scores_survive_saving(rng, tmp_path):
    detector = make("MatrixProfile", window=20, left=True).fit([wave(rng, 200), wave(rng, 100)])
    detector.save(tmp_path / "m.unusual")
    X = wave(rng, 100)
    assert_array_equal(load(tmp_path / "m.unusual").anomaly_score(X), detector.anomaly_score(X))


@pytest.mark.parametrize(
    ("method", "parameters", "message"),
    [
        ("MatrixProfile", {"window": 1}, "at least 2"),
        ("SubKNN", {"n_neighbors": 0}, "n_neighbors is 0"),
        ("SubKNN", {"n_neighbors": 17}, "from 1 to 16"),
    ],
)
def test_bad_parameters_are_one_sentence(rng, method, parameters, message):
    with pytest.raises(InputError, match=message):
        make(method, **parameters).fit(wave(rng, 300))
