"""Leaking splits and oracle thresholds: planted duplicates are named, clean splits are not, real tiles tell."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from unusual import InputError
from unusual.evaluate.leaks import leaking_groups, leaking_rows
from unusual.evaluate.optimism import threshold_optimism

CLEAN = {
    "normal, 2 columns": lambda r, n: r.normal(size=(n, 2)),
    "normal, 30 columns": lambda r, n: r.normal(size=(n, 30)),
    "uniform": lambda r, n: r.uniform(size=(n, 3)),
    "heavy tails": lambda r, n: r.standard_t(2, size=(n, 5)),
    "log-normal": lambda r, n: r.lognormal(sigma=1.5, size=(n, 4)),
    "unlike units": lambda r, n: r.normal(size=(n, 6)) * 10.0 ** np.arange(6),
    "clusters": lambda r, n: r.normal(size=(n, 8)) / 20 + np.eye(8)[r.integers(8, size=n)],
    "densities from 1 to 10,000": lambda r, n: r.normal(size=(n, 6)) * 10 ** r.uniform(-2, 2, size=(n, 1)),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_independent_rows_are_no_near_duplicates(kind, rng) -> None:
    X = CLEAN[kind](rng, 900)
    found = leaking_rows(X[:600], X[600:])
    assert not found.leaks
    assert (found.near | found.equal).mean() < 0.01
    assert found.inside < 0.01


@pytest.mark.parametrize("kind", ["normal, 30 columns", "heavy tails", "unlike units"])
def test_planted_near_duplicates_are_named_with_their_row(kind, rng) -> None:
    X = CLEAN[kind](rng, 900)
    train, test = X[:600], X[600:].copy()
    test[:60] = train[100:160] + 0.02 * train.std(axis=0) * rng.normal(size=(60, X.shape[1]))
    test[60:70] = train[:10]
    found = leaking_rows(train, test)
    assert found.near[:60].mean() > 0.9
    assert found.equal.nonzero()[0].tolist() == list(range(60, 70))
    assert found.near[60:].mean() < 0.01
    right = found.near[:60]
    assert (found.nearest[:60][right] == np.arange(100, 160)[right]).all()
    assert found.leaks
    study = found.study()
    assert "10 equal" in study.answer
    assert "Split by group" in study.notes[0]
    json.dumps(study.as_dict(), allow_nan=False)


def test_dimension_and_closeness_are_what_they_say(rng) -> None:
    X = rng.normal(size=(800, 4)) @ rng.normal(size=(4, 12))
    found = leaking_rows(X[:700], X[700:])
    assert found.dimension == pytest.approx(4, abs=0.4)
    scaled = X / X[:700].std(axis=0)
    D = np.sort(np.linalg.norm(scaled[700:, None] - scaled[None, :700], axis=2), axis=1)
    assert found.closeness == pytest.approx(D[:, 0] / D[:, 9], rel=1e-5)
    units = leaking_rows(X[:700] * 10.0 ** np.arange(12) + 5, X[700:] * 10.0 ** np.arange(12) + 5)
    assert units.closeness == pytest.approx(found.closeness, rel=1e-4)


def test_duplicates_kept_on_one_side_are_no_leak(rng) -> None:
    X = np.repeat(rng.normal(size=(400, 8)), 3, axis=0) + 0.01 * rng.normal(size=(1200, 8))
    group = np.repeat(np.arange(400), 3)
    split = leaking_rows(X[:900], X[900:])
    assert not split.leaks
    assert split.inside > 0.9
    assert "keeps them together" in split.notes[0]
    assert leaking_rows(X[:900], X[900:], group[:900]).inside < 0.02
    order = rng.permutation(1200)
    assert leaking_rows(X[order[:900]], X[order[900:]]).leaks


def test_independent_groups_tell_what_is_near_by_nature(rng) -> None:
    X = rng.integers(0, 2, size=(900, 8)) + rng.normal(size=(900, 8)) / 20  # two or three rows in each corner
    assert leaking_rows(X[:600], X[600:]).leaks
    assert not leaking_rows(X[:600], X[600:], np.arange(600)).leaks


def tiles(real_data, pixels=16):
    """Small grey pixels (n, 256) of every tile photograph, each without its own mean and contrast, and the tiles."""
    root = real_data / "image" / "magnetic_tile"
    if not (root / "groups.csv").is_file():
        pytest.skip(f"no tile photographs at {root}")
    with (root / "groups.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    X = []
    for row in rows:
        with Image.open(root / row["file"]) as picture:
            grey = np.asarray(picture.convert("L").resize((pixels, pixels), Image.Resampling.BOX), dtype=float).ravel()
        X.append((grey - grey.mean()) / grey.std())
    return np.array(X), np.array([row["tile"] for row in rows]), np.array([row["file"][:5] == "train" for row in rows])


def test_a_random_split_of_tile_photographs_is_flagged_and_the_split_by_tile_is_not(real_data, rng) -> None:
    X, tile, in_training = tiles(real_data)
    assert not leaking_rows(X[in_training], X[~in_training]).leaks
    assert not len(leaking_groups(tile[in_training], tile[~in_training]).shared)
    order = rng.permutation(len(X))
    train, test = order[:360], order[360:]
    found = leaking_rows(X[train], X[test])
    assert found.leaks
    named = found.near | found.equal
    assert named.mean() > 0.5
    assert (tile[train][found.nearest] == tile[test])[named].mean() > 0.9
    assert leaking_groups(tile[train], tile[test]).test_share > 0.8


def test_small_training_sets_are_searched_for_equal_rows_only(rng) -> None:
    X = rng.normal(size=(12, 3))
    found = leaking_rows(X[:8], np.vstack([X[8:], X[:1]]))
    assert found.equal.tolist() == [False] * 4 + [True]
    assert not found.near.any()
    assert "only equal rows" in found.notes[0]
    assert found.study().answer.startswith("20.0% of 5")


def test_rows_of_few_values_are_equal_by_chance_and_it_is_said(rng) -> None:
    X = rng.integers(0, 2, size=(600, 4))
    found = leaking_rows(X[:400], X[400:])
    assert found.equal.all()
    assert "few different rows" in found.notes[-1]


def test_shared_groups_are_listed() -> None:
    found = leaking_groups(["a", "b", "b"], ["b", "c", "b", "d"])
    assert found.shared.tolist() == ["b"]
    assert found.test_share == 0.5
    assert "1 groups" in found.study().answer
    assert "No group" in leaking_groups([1], [2]).study().answer


def test_an_oracle_threshold_overstates_more_the_fewer_the_anomalies(rng) -> None:
    gaps = []
    for anomalous in (8, 30, 400):
        y = np.repeat([1, 0], [anomalous, 5 * anomalous])
        found = threshold_optimism(y, rng.normal(size=len(y)) + 1.5 * y, repeats=60)
        assert (found.overstated >= 0).all()
        assert found.oracle - found.honest == pytest.approx(found.overstated.mean())
        gaps.append(found.oracle - found.honest)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[0] > 0.05 > 0.02 > gaps[2]
    assert "overstates by" in found.study().answer


def test_related_items_stay_in_one_half(rng) -> None:
    y = np.repeat(np.tile([1, 0, 0], 40), 10)
    s = np.repeat(rng.normal(size=120), 10) + 0.01 * rng.normal(size=1200)
    apart = threshold_optimism(y, s, np.repeat(np.arange(120), 10), repeats=40)
    ignored = threshold_optimism(y, s, repeats=40)
    assert apart.overstated.mean() > 2 * ignored.overstated.mean()


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: leaking_rows(np.ones((5, 2)), np.ones((5, 3))), "2 columns and test 3"),
        (lambda: leaking_rows(np.ones((5, 2)), np.ones((5, 2))), "constant"),
        (lambda: leaking_rows(np.ones(5), np.ones((5, 2))), "train has shape"),
        (lambda: leaking_rows(np.eye(5), np.eye(5) * np.nan), "test holds values that are missing"),
        (lambda: leaking_rows(np.eye(30), np.eye(30), [1]), "one per row"),
        (lambda: leaking_groups([], [1]), "one label per item"),
        (lambda: threshold_optimism([0, 0, 0, 1], [1, 2, 3, 4]), "too few"),
        (lambda: threshold_optimism([0, 1, 0, 1], [1, 2, 3, 4], repeats=0), "at least one"),
    ],
)
def test_what_cannot_be_checked_is_refused(call, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        call()
