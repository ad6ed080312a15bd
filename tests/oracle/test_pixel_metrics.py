"""Pixel metrics beside loops over thresholds and pixels, and beside golden values."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from unusual.evaluate.per_image import aupimo
from unusual.evaluate.pixels import image_scores, pixel_curve
from unusual.evaluate.regions import per_region_overlap


def made(seed, images=5, size=14, digits=1, dtype=np.float64):
    """Maps with many ties and masks of a few rectangles, the first image without."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((images, size, size), dtype=np.uint8)
    for mask in masks[1:]:
        for _ in range(3):
            r, c = rng.integers(0, size - 4, 2)
            mask[r : r + rng.integers(1, 5), c : c + rng.integers(1, 5)] = 1
    maps = (rng.normal(size=masks.shape) + masks).round(digits).astype(dtype)
    return maps, masks


def flood(mask, connectivity):
    """Regions as sets of pixels, one seed after the other."""
    left = {tuple(p) for p in np.argwhere(mask)}
    regions = []
    while left:
        todo, region = [left.pop()], set()
        while todo:
            r, c = todo.pop()
            region.add((r, c))
            around = [(r + a, c + b) for a in (-1, 0, 1) for b in (-1, 0, 1) if connectivity == 8 or a == 0 or b == 0]
            todo += [p for p in around if p in left]
            left -= set(around)
        regions.append(region)
    return regions


def slow_pro(maps, masks, connectivity, limit):
    regions = [(i, region) for i, mask in enumerate(masks) for region in flood(mask, connectivity)]
    points = [(0.0, 0.0)]
    for t in sorted(set(maps.ravel()), reverse=True):
        fpr = (maps[masks == 0] >= t).mean()
        points.append((fpr, np.mean([np.mean([maps[i][p] >= t for p in region]) for i, region in regions])))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 <= limit:
            area += (x1 - x0) * (y0 + y1) / 2
        elif x0 < limit:
            y = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            area += (limit - x0) * (y0 + y) / 2
    return area / limit


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.sampled_from([4, 8]), st.sampled_from([0.05, 0.3, 1.0]))
def test_overlap_per_region_walks_the_thresholds(seed, connectivity, limit) -> None:
    maps, masks = made(seed)
    found = pixel_curve(maps, masks, connectivity).au_pro(limit)
    assert found.value == pytest.approx(slow_pro(maps, masks, connectivity, limit), abs=1e-12)
    assert found.error == 0


@settings(max_examples=60)
@given(
    st.integers(0, 10_000), st.integers(2, 300), st.sampled_from([0, 1, 6]), st.sampled_from([np.float32, np.float64])
)
def test_a_few_thresholds_are_off_by_no_more_than_they_say(seed, bins, digits, dtype) -> None:
    maps, masks = made(seed, digits=digits, dtype=dtype)
    exact, few = pixel_curve(maps, masks), pixel_curve(maps, masks, bins=bins)
    for read in ("auroc", "average_precision", "au_pro"):
        truth, found = getattr(exact, read)(), getattr(few, read)()
        assert abs(found.value - truth.value) <= found.error + 1e-12
    if digits == 0 and bins == 300:  # few distinct scores, all of them thresholds
        assert few.au_pro().error == 0


def test_more_thresholds_say_they_are_nearer() -> None:
    maps, masks = made(1, images=20, size=40, digits=9)
    errors = [pixel_curve(maps, masks, bins=bins).au_pro().error for bins in (50, 500, 5000)]
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


def test_pixel_figures_are_scikit_learns() -> None:
    maps, masks = made(3, images=6, size=30)
    curve = pixel_curve(list(maps), [None, *masks[1:]])
    assert curve.auroc().value == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()), abs=1e-12)
    expected = average_precision_score(masks.ravel(), maps.ravel())
    assert curve.average_precision().value == pytest.approx(expected, abs=1e-12)
    cut = curve.threshold(0.1)
    assert (maps[masks == 0] >= cut).mean() <= 0.1 < (maps[masks == 0] >= cut - 0.1001).mean()


def test_golden_values(real_data) -> None:
    path = real_data / "oracles" / "aupro"
    if not path.with_suffix(".json").is_file():
        pytest.skip(f"no golden values at {path}")
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as archive:
        arrays = dict(archive)
    for key, told in json.loads(path.with_suffix(".json").read_text()).items():
        name, kind, *limit = key.split("/")
        maps = arrays[f"maps_{name}"]
        if kind == "pixel":
            curve = pixel_curve(maps, arrays["masks"])
            assert curve.auroc().value == pytest.approx(told["AUROC"], abs=1e-12)
            assert curve.average_precision().value == pytest.approx(told["AP"], abs=1e-12)
        else:
            curve = pixel_curve(maps, arrays["masks"], int(kind[-1]))
            assert curve.regions == told["regions"]
            assert curve.au_pro(float(limit[0][5:])).value == pytest.approx(told["AUPRO"], abs=1e-12)


def slow_aupimo(maps, masks, low, high, points=4000):
    """Many rates evenly spaced on the logarithm; between two thresholds a straight line in the rate."""
    normal = [m for m, k in zip(maps, masks, strict=True) if not k.any()]
    levels = sorted({v for m in normal for v in m.ravel()}, reverse=True)
    rates = np.array([0.0, *(np.mean([(m >= v).mean() for m in normal]) for v in levels)])
    x = np.exp((np.arange(points) + 0.5) / points * math.log(high / low)) * low
    values = []
    for m, k in zip(maps, masks, strict=True):
        if k.any():
            inside = m[k > 0]
            i = np.clip(np.searchsorted(rates, x), 1, len(levels))
            over = np.array([(inside > levels[j - 1]).mean() for j in i])
            reached = np.array([(inside >= levels[j - 1]).mean() for j in i])
            values.append((over + (reached - over) * (x - rates[i - 1]) / (rates[i] - rates[i - 1])).mean())
    return np.array(values)


@pytest.mark.parametrize("digits", [1, 6])
def test_per_image_overlap_at_low_rates_is_a_fine_sum(digits) -> None:
    maps, masks = made(5, images=12, size=20, digits=digits)
    masks[:5] = 0
    sizes = [m[: 20 - 2 * (i % 3)] for i, m in enumerate(maps)]  # images of unlike size count alike
    kept = [k[: 20 - 2 * (i % 3)] for i, k in enumerate(masks)]
    found = aupimo(sizes, kept, (2e-3, 2e-1))
    assert found.values == pytest.approx(slow_aupimo(sizes, kept, 2e-3, 2e-1), abs=2e-3)
    assert found.images.tolist() == [i for i, k in enumerate(kept) if k.any()]
    assert found.mean == pytest.approx(found.values.mean())


def test_a_map_that_knows_nothing_gets_the_chance_level(rng) -> None:
    maps = rng.normal(size=(60, 100, 100))
    masks = np.zeros((60, 100, 100), dtype=bool)
    masks[30:, 20:60, 20:60] = True
    found = aupimo(maps, masks, (1e-3, 1e-1))
    assert found.mean == pytest.approx(found.chance, rel=0.05)
    assert found.chance == pytest.approx(0.0215, abs=1e-4)


def test_overlap_by_size_counts_every_region() -> None:
    maps, masks = made(7, images=8, size=30, digits=3)
    found = per_region_overlap(maps, masks, fpr=0.1)
    assert found.fpr == pytest.approx(0.1, abs=0.002)
    regions = [(i, region) for i, mask in enumerate(masks) for region in flood(mask, 8)]
    covered = {frozenset(region): np.mean([maps[i][p] >= found.threshold for p in region]) for i, region in regions}
    for row in found.classes:
        here = [v for region, v in covered.items() if row.smallest <= len(region) < row.largest]
        assert row.regions == len(here)
        assert row.overlap == pytest.approx(np.mean(here))
        assert row.half == pytest.approx(np.mean(np.array(here) >= 0.5))
        assert row.touched == pytest.approx(np.mean(np.array(here) > 0))
    assert sum(row.regions for row in found.classes) == len(regions)
    given = per_region_overlap(maps, masks, threshold=found.threshold)
    assert given.classes == found.classes


def test_image_scores_are_the_highest_of_each_map(rng) -> None:
    maps = rng.normal(size=(4, 10, 10))
    assert image_scores(maps) == pytest.approx(maps.max(axis=(1, 2)))
    expected = np.sort(maps.reshape(4, -1))[:, -5:].mean(axis=1)
    assert image_scores(list(maps), top=0.05) == pytest.approx(expected)
