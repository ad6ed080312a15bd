"""Distances between samples: against SciPy, against plain loops, against golden values, and what they must not do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from unusual.parts.two_sample import (
    Cloud,
    cloud_distances,
    column_distances,
    correlation_gap,
    histogram_divergence,
    modes,
)

columns = arrays(np.float64, st.integers(2, 30), elements=st.integers(-6, 6).map(lambda k: k / 3))


@given(columns, columns)
def test_column_distances_agree_with_scipy(x, y) -> None:
    found = column_distances(x[:, None], y[:, None])
    assert found.wasserstein[0] == pytest.approx(stats.wasserstein_distance(x, y), abs=1e-12)
    assert found.kolmogorov[0] == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic, abs=1e-12)
    assert found.energy[0] == pytest.approx(stats.energy_distance(x, y), abs=1e-7)


def test_column_distances_agree_with_golden_values(real_data) -> None:
    folder = real_data / "oracles"
    if not (folder / "drift_statistics.npz").is_file():
        pytest.skip(f"no golden values in {folder}")
    golden = json.loads((folder / "drift_statistics.json").read_text())["scipy_tests"]
    with np.load(folder / "drift_statistics.npz", allow_pickle=False) as kept:
        samples = {
            "same": (kept["reference"], kept["same"]),
            "shifted": (kept["reference"], kept["shifted"]),
            "rounded": (kept["rounded_reference"], kept["rounded_same"]),
        }
    for name, (X, Y) in samples.items():
        found = column_distances(X, Y)
        for j, values in enumerate(golden[name].values()):
            assert found.wasserstein[j] == pytest.approx(values["wasserstein1"], abs=1e-9)
            assert found.energy[j] == pytest.approx(values["energy_distance"], abs=1e-9)
            assert found.kolmogorov[j] == pytest.approx(values["ks_two-sided_exact"][0], abs=1e-12)


def test_columns_are_compared_one_by_one(rng) -> None:
    X, Y = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    whole = column_distances(X, Y)
    for j in range(3):
        alone = column_distances(X[:, [j]], Y[:, [j]])
        assert whole.wasserstein[j] == pytest.approx(alone.wasserstein[0], rel=1e-12)
        assert whole.kolmogorov[j] == alone.kolmogorov[0]


def naive_cloud(X, Y, k):
    distance = lambda a, b: float(np.sqrt(((a - b) ** 2).sum()))  # noqa: E731 - shorter than a function of its own

    def reach(A):
        return [sorted(distance(a, b) for j, b in enumerate(A) if j != i)[k - 1] for i, a in enumerate(A)]

    in_x, in_y = reach(X), reach(Y)
    precision = np.mean([any(distance(y, x) <= r for x, r in zip(X, in_x, strict=True)) for y in Y])
    recall = np.mean([any(distance(x, y) <= r for y, r in zip(Y, in_y, strict=True)) for x in X])
    coverage = np.mean([min(distance(x, y) for y in Y) <= r for x, r in zip(X, in_x, strict=True)])
    nearest = np.median([min(distance(a, b) for j, b in enumerate(X) if j != i) for i, a in enumerate(X)])
    near = np.mean([min(distance(x, y) for x in X) <= 0.1 * nearest for y in Y])
    mean = lambda A, B: np.mean([[distance(a, b) for b in B] for a in A])  # noqa: E731
    return np.sqrt(2 * mean(X, Y) - mean(X, X) - mean(Y, Y)), precision, recall, coverage, near


def test_clouds_agree_with_the_definition(rng) -> None:
    X, Y = rng.normal(size=(30, 2)), rng.normal(0.7, 0.8, (24, 2))
    Y[:3] = X[:3]
    found = cloud_distances(Cloud.of(X, 3), Cloud.of(Y, 3))
    energy, *shares = naive_cloud(X, Y, 3)
    assert found.energy == pytest.approx(energy, rel=1e-9)
    assert (found.precision, found.recall, found.coverage, found.near_duplicates) == pytest.approx(tuple(shares))
    assert found.near_duplicates >= 3 / 24
    assert 0 < found.coverage < 1


def test_the_energy_of_clouds_in_one_column_is_that_of_the_margins(rng) -> None:
    X, Y = rng.normal(size=(50, 1)), rng.normal(1, 2, (40, 1))
    found = cloud_distances(Cloud.of(X), Cloud.of(Y)).energy
    assert found == pytest.approx(column_distances(X, Y).energy[0], rel=1e-9)


def test_a_collapsed_cloud_has_precision_without_coverage_and_a_wide_one_the_reverse(rng) -> None:
    X = Cloud.of(rng.normal(size=(300, 2)))
    narrow = cloud_distances(X, Cloud.of(0.2 * rng.normal(size=(300, 2))))
    wide = cloud_distances(X, Cloud.of(4 * rng.normal(size=(300, 2))))
    assert narrow.precision > 0.99
    assert narrow.recall < 0.5
    assert wide.precision < 0.5
    assert wide.recall > 0.9


def test_the_correlation_gap_is_the_mean_difference_and_skips_constant_columns(rng) -> None:
    X = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    Y = rng.normal(size=(150, 4))
    upper = np.triu_indices(4, 1)
    a, b = np.corrcoef(X.T)[upper], np.corrcoef(Y.T)[upper]
    gap, alike = correlation_gap(X, Y)
    assert gap == pytest.approx(np.abs(a - b).mean(), rel=1e-9)
    assert alike == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-9)
    flat = np.column_stack([Y, np.full(150, 0.1)])
    assert correlation_gap(np.column_stack([X, X[:, 0]]), flat)[0] == pytest.approx(gap, rel=1e-9)
    assert np.isnan(correlation_gap(X[:, :1], Y[:, :1])[0])


def test_the_histogram_divergence_has_the_bias_it_states(rng) -> None:
    n, m = 800, 500
    found = [histogram_divergence(rng.normal(size=(n, 1)), rng.normal(size=(m, 1)))[0] for _ in range(300)]
    assert np.mean(found) == pytest.approx(19 / 2 * (1 / n + 1 / m), rel=0.15)
    moved = histogram_divergence(rng.normal(size=(20_000, 1)), rng.normal(0.5, 1, (20_000, 1)))[0]
    assert moved == pytest.approx(0.125, rel=0.1)  # half the squared shift


def test_modes_are_counted(rng) -> None:
    one = rng.normal(size=1000)
    two = np.r_[rng.normal(-3, 1, 500), rng.normal(3, 1, 500)]
    three = np.r_[two, rng.normal(9, 1, 500)]
    assert [modes(x) for x in (one, two, three, np.ones(50))] == [1, 2, 3, 1]
    assert modes(1000 * two + 7) == 2
    assert modes(np.r_[two, 1e9]) == 2  # one far row is no mode, and must not hide the others


def test_modes_of_cauchy_rows_do_not_need_a_variance(rng) -> None:
    assert modes(rng.standard_cauchy(2000)) == 1
