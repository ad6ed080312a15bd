"""Hiding parts of rows, series and images, and cutting series and images into parts."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from unusual import InputError, MissingExtra
from unusual.parts.masking import Game, blurred, bridged_game, filled_game, part_means, table_game
from unusual.parts.segments import clusters, grid, slic, stretches


class Seen:
    """A score that remembers what it was given."""

    def __init__(self) -> None:
        self.items = np.empty(0)
        self.calls = 0

    def __call__(self, items: np.ndarray) -> np.ndarray:
        self.items, self.calls = items, self.calls + 1
        return items.reshape(len(items), -1).sum(axis=1).astype(float)


def all_masks(p: int) -> np.ndarray:
    return np.array([[b >> j & 1 for j in range(p)] for b in range(2**p)], dtype=bool)


def test_hidden_columns_take_the_values_of_each_background_row(rng) -> None:
    row, background = rng.normal(size=4), rng.normal(size=(3, 4))
    index = np.array([0, 1, 1, 0])  # two groups of two columns
    game = table_game(lambda X: X[:, 0] * X[:, 1] + X[:, 3], row, background, index)
    mixed = [np.mean([row[0] * b[1] + row[3] for b in background]), np.mean([b[0] * row[1] + b[3] for b in background])]
    assert_allclose(game([[True, False], [False, True]]), mixed)
    assert game.whole == pytest.approx(row[0] * row[1] + row[3])


def test_each_set_of_parts_is_scored_once_and_in_blocks() -> None:
    seen = Seen()
    game = Game(3, lambda Z: seen(Z), at_once=4)
    masks = np.tile(all_masks(3), (5, 1))
    assert_array_equal(game(masks), masks.sum(axis=1))
    assert (seen.calls, game.evaluations) == (2, 8)
    assert game.whole == 3
    assert game.hidden == 0
    assert seen.calls == 2


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_hidden_segments_show_the_filling_in_all_channels(dtype, rng) -> None:
    image = rng.uniform(0, 255, size=(5, 6, 3)).astype(dtype)
    index, filled, seen = grid((5, 6), 4), np.zeros_like(image), Seen()
    game = filled_game(seen, image, filled, index)
    kept = np.array([[True, False, False, True]])
    game(kept)
    assert seen.items.dtype == dtype
    for i in range(5):
        for j in range(6):
            assert_array_equal(seen.items[0, i, j], image[i, j] if kept[0, index[i, j]] else 0)


def test_a_bridge_runs_straight_between_kept_steps_and_level_at_the_ends() -> None:
    series = np.array([5.0, 9.0, 1.0, 0.0, 7.0, 7.0, 3.0, 8.0])
    seen = Seen()
    game = bridged_game(seen, series, np.array([0, 0, 1, 1, 1, 2, 2, 3]))
    game([[True, False, True, True]])
    assert_allclose(seen.items[0], [5, 9, 8.5, 8, 7.5, 7, 3, 8])
    game([[False, True, False, False]])
    assert_allclose(seen.items[0], [1, 1, 1, 0, 7, 7, 7, 7])
    game([[False] * 4])
    assert_allclose(seen.items[0], np.full(8, series.mean()))


@given(st.integers(2, 12), st.integers(1, 3), st.integers(0, 99))
def test_bridges_are_what_interpolation_gives(steps, channels, seed) -> None:
    rng = np.random.default_rng(seed)
    series, seen = rng.normal(size=(steps, channels)), Seen()
    index = np.arange(steps * channels).reshape(steps, channels)
    mask = rng.random(steps * channels) < 0.4
    mask[: 2 * channels] = True  # something is kept in each channel
    bridged_game(seen, series, index)(mask[None])
    for c in range(channels):
        kept = np.flatnonzero(mask[index[:, c]])
        assert_allclose(seen.items[0][:, c], np.interp(np.arange(steps), kept, series[kept, c]), atol=1e-12)


@pytest.mark.parametrize("shape", [(40,), (40, 3)])
def test_a_kept_series_is_untouched_and_stays_in_its_shape(shape, rng) -> None:
    series, seen = rng.normal(size=shape).astype(np.float32), Seen()
    game = bridged_game(seen, series, stretches(shape, 9))
    assert game.parts == 9
    game(np.ones((1, 9), dtype=bool))
    assert_array_equal(seen.items[0], series)
    assert seen.items.dtype == np.float32


def test_stretches_cut_time_evenly_and_keep_channels_apart() -> None:
    index = stretches((10, 2), 6)
    assert_array_equal(np.unique(index), np.arange(6))
    assert set(index[:, 0]).isdisjoint(index[:, 1])
    assert_array_equal(np.bincount(stretches((12,), 4)), [3, 3, 3, 3])
    assert len(np.unique(stretches((5, 30), 10))) == 30  # never fewer parts than channels


@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 60))
def test_a_grid_covers_the_image_with_numbered_parts(height, width, count) -> None:
    index = grid((height, width), count)
    assert index.shape == (height, width)
    assert_array_equal(np.unique(index), np.arange(index.max() + 1))
    for part in range(index.max() + 1):
        rows, columns = np.nonzero(index == part)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)  # a full rectangle


def purity(index: np.ndarray, truth: np.ndarray) -> float:
    """Share of pixels on the side to which most of their part belongs."""
    inside = np.bincount(index.ravel(), weights=truth.ravel())
    return float(np.maximum(inside, np.bincount(index.ravel()) - inside).sum() / truth.size)


@pytest.mark.parametrize("channels", [0, 3])
def test_clusters_follow_edges_that_a_grid_cuts_through(channels, rng) -> None:
    i, j = np.indices((48, 60))
    disc = (i - 21) ** 2 + (j - 33) ** 2 < 14**2
    image = disc * 80.0 + rng.normal(0, 5, size=(48, 60)) + 100
    image = np.stack([image, image / 2, -image], axis=-1) if channels else image
    index = clusters(image, 30)
    assert_array_equal(np.unique(index), np.arange(index.max() + 1))
    assert 20 <= index.max() + 1 <= 36
    assert purity(index, disc) > 0.99 > 0.97 > purity(grid((48, 60), 30), disc)
    assert_array_equal(clusters(image * 7 + 3, 30), index)  # units of the colour do not matter


def test_clusters_of_a_flat_image_are_the_grid() -> None:
    assert_array_equal(clusters(np.full((20, 20), 3, dtype=np.uint8), 16), grid((20, 20), 16))


def test_slic_comes_from_scikit_image_and_says_how_to_get_it(monkeypatch) -> None:
    image = np.zeros((30, 30), dtype=np.uint8)
    image[:, 17:] = 200
    if find_spec("skimage"):
        assert purity(slic(image, 9), image > 0) > 0.99
        assert purity(slic(np.stack([image, 255 - image, image // 2], axis=-1), 9), image > 0) > 0.99
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(MissingExtra, match=r"unusual\[superpixels\]"):
        slic(image, 9)


def test_fillings_keep_type_and_shape_and_lose_detail(rng) -> None:
    image = rng.integers(0, 255, size=(32, 32, 3)).astype(np.uint8)
    assert blurred(image).dtype == np.uint8
    assert blurred(image).std() < 0.2 * image.std()
    index = grid((32, 32), 4)
    means = part_means(image, index)
    assert_array_equal(means[0, 0], np.rint(image[:16, :16].reshape(-1, 3).mean(axis=0)).astype(np.uint8))


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: Game(1, lambda Z: Z[:, 0]), "at least 2"),
        (lambda: grid((10, 10), 1), "at least 2"),
        (lambda: stretches((10,), 1), "at least 2"),
        (lambda: Game(3, lambda Z: Z[:, 0])(np.ones((2, 4), dtype=bool)), r"\(m, 3\)"),
        (lambda: table_game(lambda X: X[:2, 0], np.ones(3), np.zeros((4, 3))).whole, "shape"),
        (lambda: table_game(lambda X: X[:, 0] / 0 * 0 + np.nan, np.ones(3), np.zeros((1, 3))).whole, "nan"),
        (lambda: filled_game(lambda X: X, np.ones((3, 3)), np.ones((2, 3)), np.eye(3, dtype=int)), "shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_what_cannot_be_hidden_is_refused(act, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        act()
    assert "\n" not in str(caught.value)
