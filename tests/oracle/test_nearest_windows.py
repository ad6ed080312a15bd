"""The nearest windows against every pair measured by itself, and against the profiles a peer computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unusual import kernels

LEVELS = kernels.available()
every_level = pytest.mark.parametrize("level", LEVELS)


def slow(X, m, k, reference=None, normalised=True, excluded=None):
    """Squared distances (n, k) of the nearest windows and all squared distances (n, r), excluded ones infinite."""
    A, B = (np.lib.stride_tricks.sliding_window_view(S, m, axis=0) for S in (X, X if reference is None else reference))
    both = (np.ptp(A, axis=2) == 0)[:, None] & (np.ptp(B, axis=2) == 0)  # (n, r, C)
    if normalised:
        A, B = ((W - W.mean(axis=2, keepdims=True)) / scale(W) for W in (A, B))
    D = ((A[:, None] - B) ** 2).sum(axis=3)
    D = np.where(both, 0, D).sum(axis=2) if normalised else D.sum(axis=2)
    if excluded:
        lag = np.arange(len(B)) - np.arange(len(A))[:, None]
        D[(lag >= excluded[0]) & (lag <= excluded[1])] = np.inf
    D[np.isnan(D)] = np.inf
    nearest = np.full((len(D), k), np.inf)
    some = min(k, D.shape[1])
    nearest[:, :some] = np.sort(D, axis=1)[:, :some]
    return nearest, D


def scale(W):
    """Standard deviations (n, C, 1); infinite for constant windows, which normalise to zeros."""
    return np.where(np.ptp(W, axis=2) == 0, np.inf, W.std(axis=2))[..., None]


def assert_agree(found, expected, atol=1e-9):
    distance, index = found
    nearest, D = expected
    np.testing.assert_allclose(distance, nearest, rtol=1e-9, atol=atol)
    for i, p in zip(*np.nonzero(index >= 0), strict=True):
        assert D[i, index[i, p]] == pytest.approx(nearest[i, p], rel=1e-9, abs=atol)
    np.testing.assert_array_equal(index < 0, np.isinf(nearest))
    assert all(len(set(row[row >= 0])) == (row >= 0).sum() for row in index)


def series_of(rng, steps, channels, kind):
    X = rng.normal(size=(steps, channels))
    if kind == "walk":
        X = X.cumsum(axis=0) + 1e4
    if kind == "rounded":
        X = np.round(X)
    if kind == "constant stretches":
        X[steps // 4 : steps // 2, 0] = 3.0
        X[steps // 3 :, -1] = -1.0
    if kind == "missing":
        X[steps // 3] = np.nan
        X[steps // 2 : steps // 2 + 4, 0] = np.nan
    if kind == "scales":
        X *= np.exp(rng.normal(0, 4, (steps, 1)))
    return X


@every_level
@pytest.mark.parametrize("kind", ["noise", "walk", "rounded", "constant stretches", "missing", "scales"])
@pytest.mark.parametrize("steps, channels, m, k", [(150, 1, 10, 1), (90, 3, 7, 4), (40, 1, 20, 16), (70, 1, 64, 2)])
@pytest.mark.parametrize("normalised", [True, False])
def test_self_joins_are_every_pair_measured_by_itself(rng, level, kind, steps, channels, m, k, normalised):
    X = series_of(rng, steps, channels, kind)
    zone = -(-m // 4)
    expected = slow(X, m, k, normalised=normalised, excluded=(-zone, zone))
    with kernels.at_level(level):
        assert_agree(kernels.nearest_windows(X, m, k, normalised=normalised), expected)


@every_level
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_lags_and_any_reference(level, data):
    m, channels = data.draw(st.integers(2, 9)), data.draw(st.integers(1, 2))
    n, r = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    excluded = data.draw(st.none() | st.tuples(st.integers(-60, 60), st.integers(-60, 60)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    X, R = (series_of(rng, size + m - 1, channels, "noise") for size in (n, r))
    normalised, k = data.draw(st.booleans()), data.draw(st.integers(1, 5))
    own = data.draw(st.booleans())
    zone = (-m // 4, -(-m // 4)) if own else None
    expected = slow(X, m, k, None if own else R, normalised, excluded or zone)
    with kernels.at_level(level):
        found = kernels.nearest_windows(
            X, m, k, None if own else R, normalised=normalised, excluded=excluded, n_jobs=data.draw(st.integers(1, 3))
        )
    assert_agree(found, expected)


@pytest.fixture(scope="module")
def profiles(real_data: Path) -> dict[str, np.ndarray]:
    path = real_data / "oracles" / "stumpy_profiles.npz"
    if not path.is_file():
        pytest.skip(f"no golden values at {path}")
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


@every_level
@pytest.mark.parametrize("name, m", [("taxi", 48), ("taxi", 100), ("ucr135", 48), ("ucr135", 100)])
def test_profiles_of_a_peer(profiles, level, name, m):
    if level == "numpy" and name != "taxi":
        pytest.skip("the twin is slow, and checked against the kernel")
    x, zone = profiles[f"{name}/x"], -(-m // 4)
    with kernels.at_level(level):
        distance, index = kernels.nearest_windows(x, m)
        earlier = kernels.nearest_windows(x, m, excluded=(-zone, len(x)))[1]
        later = kernels.nearest_windows(x, m, excluded=(-len(x), zone))[1]
    np.testing.assert_allclose(np.sqrt(distance[:, 0]), profiles[f"{name}/m{m}/profile"], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(index[:, 0], profiles[f"{name}/m{m}/index"])
    np.testing.assert_array_equal(earlier[:, 0], profiles[f"{name}/m{m}/index_left"])
    np.testing.assert_array_equal(later[:, 0], profiles[f"{name}/m{m}/index_right"])


@every_level
def test_constant_windows_are_as_a_peer_has_them(profiles, level):
    theirs = profiles["taxi_constant/m48/profile"]
    with kernels.at_level(level):
        distance, index = kernels.nearest_windows(profiles["taxi_constant/x"], 48)
    ours = np.sqrt(distance[:, 0])
    exact = np.delete(np.arange(len(ours)), [399, 899])  # windows with one differing value: 4e-6 in the peer, 0 here
    np.testing.assert_allclose(ours[exact], theirs[exact], rtol=0, atol=1e-8)
    assert (ours[[399, 899]] < 1e-12).all()
    clear = (theirs > 1e-3) & (np.abs(theirs - np.sqrt(48)) > 1e-3)  # as far as from every constant window
    np.testing.assert_array_equal(index[clear, 0], profiles["taxi_constant/m48/index"][clear])


@every_level
def test_raw_windows_and_another_series_are_as_a_peer_has_them(profiles, level):
    x = profiles["taxi/x"]
    with kernels.at_level(level):
        raw, raw_index = kernels.nearest_windows(x, 48, normalised=False)
        other, other_index = kernels.nearest_windows(x[:1000], 48, reference=x[1000:])
    np.testing.assert_allclose(np.sqrt(raw[:, 0]), profiles["taxi/m48/aamp_profile"], rtol=1e-12)
    np.testing.assert_array_equal(raw_index[:, 0], profiles["taxi/m48/aamp_index"])
    np.testing.assert_allclose(np.sqrt(other[:, 0]), profiles["taxi_ab/m48/profile"], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(other_index[:, 0], profiles["taxi_ab/m48/index"])
