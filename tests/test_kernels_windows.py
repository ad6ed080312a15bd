"""The kernel of nearest windows: levels and threads agree, large values leave no trace, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from unusual import kernels
from unusual.errors import InputError
from unusual.kernels.shapes import window_moments

COMPILED = kernels.available()[:-1]
both_kinds = pytest.mark.parametrize("normalised", [True, False])


def wave(rng, steps, channels=1):
    t = np.arange(steps)[:, None]
    return np.sin(t / 9 + np.arange(channels)) + 0.2 * rng.normal(size=(steps, channels))


@both_kinds
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("k", [1, 6])
def test_levels_and_threads_give_the_same_bits(rng, normalised, channels, k):
    X = np.round(wave(rng, 1500, channels), 1)  # with ties
    results = []
    for level in COMPILED:
        with kernels.at_level(level):
            results += [kernels.nearest_windows(X, 33, k, normalised=normalised, n_jobs=jobs) for jobs in (1, 3)]
    for distance, index in results[1:]:
        np.testing.assert_array_equal(distance, results[0][0])
        np.testing.assert_array_equal(index, results[0][1])


@both_kinds
@pytest.mark.parametrize("m", [5, 64, 200])
def test_long_series_agree_with_the_twin(rng, normalised, m):
    X = wave(rng, 2500) + np.where(np.arange(2500) > 1200, 300.0, 0.0)[:, None]
    X[700:703] *= 1e5
    with kernels.at_level("numpy"):
        twin = kernels.nearest_windows(X, m, 3, normalised=normalised)
    for level in COMPILED:
        with kernels.at_level(level):
            distance, index = kernels.nearest_windows(X, m, 3, normalised=normalised)
        np.testing.assert_allclose(distance, twin[0], rtol=1e-9, atol=1e-9)
        assert (index != twin[1])[twin[0] > 1e-6].mean() < 1e-3


@both_kinds
@pytest.mark.parametrize("level", kernels.available())
@pytest.mark.parametrize("size", [1e6, 1e9, 1e12])
def test_a_spike_does_not_disturb_the_distances_of_windows_without_it(rng, normalised, level, size):
    X, m, at = wave(rng, 1200), 40, 150
    later = slice(at + 1, None)
    spiked = X.copy()
    spiked[at] += size
    with kernels.at_level(level):
        clean = kernels.nearest_windows(X[later], m, 2, X[later], normalised=normalised, excluded=(-10, 10))
        found = kernels.nearest_windows(X[later], m, 2, spiked, normalised=normalised, excluded=(at - 9, at + 11))
        own = kernels.nearest_windows(spiked, m, 2, normalised=normalised)
        plain = kernels.nearest_windows(X, m, 2, normalised=normalised)
    without = (found[1] > at).all(axis=1)  # whose nearest windows lie after the spike, too
    assert without.sum() > 600
    np.testing.assert_allclose(found[0][without], clean[0][without], rtol=1e-9)
    touched = np.abs(plain[1] - at + m / 2) <= m / 2 + 1
    same = ~touched.any(axis=1) & (np.arange(len(plain[1])) > at)
    assert same.sum() > 600
    np.testing.assert_allclose(own[0][same], plain[0][same], rtol=1e-9)


@both_kinds
def test_fewer_lags_find_windows_that_are_as_far_as_said(rng, normalised):
    X = wave(rng, 3000)
    all_of_them = kernels.nearest_windows(X, 50, normalised=normalised)[0]
    results = []
    for level in [*COMPILED[:1], "numpy"]:
        with kernels.at_level(level):
            results.append(kernels.nearest_windows(X, 50, normalised=normalised, most=600))
    for distance, index in results:
        assert (distance >= all_of_them - 1e-9).all()
        assert np.median(distance / all_of_them) < 1.5
        assert len(set((index[:, 0] - np.arange(len(index))).tolist())) <= 2 * 640
    np.testing.assert_allclose(results[0][0], results[-1][0], rtol=1e-9)


@pytest.mark.parametrize("m", [1, 2, 7, 50, 100])
def test_moments_of_windows_are_those_of_each_alone(rng, m):
    X = wave(rng, 100, 2)
    X[30] = 1e9
    X[60:, 0] = 4.0
    mean, squares = window_moments(X, m)
    windows = np.lib.stride_tricks.sliding_window_view(X, m, axis=0)
    np.testing.assert_allclose(mean, windows.mean(axis=2), rtol=1e-12)
    np.testing.assert_allclose(squares, windows.var(axis=2) * m, rtol=1e-12, atol=1e-18)
    constant = np.ptp(windows, axis=2) == 0
    assert (squares[constant] == 0).all()


def test_units_and_tiny_values_do_not_matter(rng):
    X = wave(rng, 400)
    distance, index = kernels.nearest_windows(X, 30)
    for scale, level in ((1e-140, 0.0), (1e140, 0.0), (3.0, 1e6)):
        d, i = kernels.nearest_windows(X * scale + level, 30)
        np.testing.assert_allclose(d, distance, rtol=1e-6)
        assert (i == index).mean() > 0.99


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": np.zeros((10, 2), np.float32)}, "float32"),
        ({"X": np.zeros((3, 2))}, "no window of 5 steps"),
        ({"m": 0}, "no window of 0 steps"),
        ({"m": 1}, "no shape"),
        ({"k": 0}, "k is 0"),
        ({"k": 17}, "from 1 to 16"),
        ({"reference": np.zeros((20, 3))}, "reference has shape"),
        ({"reference": np.zeros((4, 2))}, "reference has shape"),
        ({"X": np.full((20, 2), 1e200)}, "beyond 1e[+]150"),
        ({"X": np.full((20, 2), np.inf)}, "beyond 1e[+]150"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_bad_input_is_one_sentence(rng, changed, message):
    given = {"X": wave(rng, 30, 2), "m": 5, "k": 1, **changed}
    with pytest.raises(InputError, match=message):
        kernels.nearest_windows(**given)


def test_nothing_but_missing_steps_has_no_neighbours():
    for normalised in (True, False):
        distance, index = kernels.nearest_windows(np.full(30, np.nan), 5, 2, normalised=normalised)
        assert np.isinf(distance).all()
        assert (index == -1).all()
