"""Anomaly maps against masks: per-region overlap, pixel AUROC and average precision, exact or over millions of pixels.

Images are read one after the other, twice; beyond five million pixels counts are kept only at some thousand thresholds
chosen from a sample, and every figure says by how much it can be off.
Sources: Bergmann et al., Uninformed Students, 2020 (per-region overlap); Bergmann et al., The MVTec Anomaly Detection
Dataset, 2021 (limit 0.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.evaluate.maps_and_masks import Map, Maps, map_of, pairs_of, regions_of
from unusual.study import Cell, Lines, Study, Table

Vector = NDArray[np.float64]

EXACT_PIXELS = 5_000_000  # sorted at once up to so many: under 300 MB
THRESHOLDS = 8192
SAMPLED_NORMAL, SAMPLED_DEFECT = 2000, 500  # pixels per image, and per region, from which thresholds are chosen
MOST_POINTS = 400  # of a curve in a chart


@dataclass(frozen=True)
class Bounded:
    """A figure and the most by which it can be off; 0 where every pixel was sorted."""

    value: float
    error: float


@dataclass(frozen=True)
class PixelCurve:
    """Pixels at or above each of k thresholds, highest first; the last entry counts all.

    Attributes
    ----------
    thresholds : (k,)
    normal, defect : (k,)
        Counts of normal and of defect pixels.
    overlap : (k,)
        Mean share covered of the regions, each region counting alike.
    sure : bool (k,)
        Whether no two scores between a threshold and the one before it differ: there the curve is exact.
    regions, images : int
    """

    thresholds: Vector = field(repr=False)
    normal: Vector = field(repr=False)
    defect: Vector = field(repr=False)
    overlap: Vector = field(repr=False)
    sure: NDArray[np.bool_] = field(repr=False)
    regions: int
    images: int

    def au_pro(self, limit: float = 0.3) -> Bounded:
        """Area under mean overlap per region against the share of normal pixels, up to `limit`, divided by it.

        Straight lines between thresholds, also at the limit; 1 is best, limit / 2 is chance.
        """
        if not 0 < limit <= 1:
            raise InputError(f"limit is {limit}; give a share of normal pixels above 0 and at most 1")
        width, rise = _steps(self.normal / self.normal[-1]), _steps(self.overlap)
        kept = np.clip(limit - (self.normal / self.normal[-1] - width), 0, width)
        part = np.divide(kept, width, out=np.zeros_like(width), where=width > 0)
        area = float(kept @ (self.overlap - rise + part * rise / 2))
        loose = np.where(self.sure, 0.0, kept * rise * np.where(kept < width, 1.0, 0.5))
        return Bounded(area / limit, float(loose.sum()) / limit)

    def auroc(self) -> Bounded:
        """Chance that a defect pixel scores above a normal one, all images together."""
        pairs = self.defect[-1] * self.normal[-1]
        width, rise = _steps(self.normal), _steps(self.defect)
        loose = (width * rise)[~self.sure].sum() / 2
        return Bounded(float(width @ (self.defect - rise / 2) / pairs), float(loose / pairs))

    def average_precision(self) -> Bounded:
        """Precision averaged over the defect pixels of all images."""
        rise, false = _steps(self.defect), self.normal - _steps(self.normal)
        found = rise > 0
        rise, true, before = rise[found], self.defect[found], self.normal[found]
        start = true - rise
        least = 1 - before * np.log((true + before) / np.where(start + before > 0, start + before, 1)) / rise
        most = true / (true + false[found])
        flagged = start + false[found]
        first = np.divide(start, flagged, out=np.ones_like(start), where=flagged > 0)
        last = true / (true + before)
        precision = np.where(self.sure[found], last, np.clip((first + last) / 2, least, most))
        loose = np.where(self.sure[found], 0.0, np.maximum(most - precision, precision - least))
        return Bounded(float(rise @ precision / self.defect[-1]), float(rise @ loose / self.defect[-1]))

    def threshold(self, fpr: float) -> float:
        """The lowest threshold that at most the share `fpr` of the normal pixels reaches; inf if none is so high."""
        if not 0 <= fpr <= 1:
            raise InputError(f"fpr is {fpr}; give a share of normal pixels from 0 to 1")
        allowed = np.flatnonzero(self.normal <= fpr * self.normal[-1] * (1 + 1e-12))
        return float(self.thresholds[allowed[-1]]) if len(allowed) else float("inf")

    def study(self, limit: float = 0.3) -> Study:
        """Overlap of the regions with its curve, and the figures over pixels beside it."""
        pro, area, precision = self.au_pro(limit), self.auroc(), self.average_precision()
        answer = (
            f"Averaged over {self.regions:,} defect regions, {pro.value:.1%} of a region is covered for normal pixels "
            f"flagged up to a share of {limit:g} (AU-PRO; {limit / 2:.1%} is chance)."
        )
        share = float(self.defect[-1] / (self.defect[-1] + self.normal[-1]))
        rows: list[list[Cell]] = [
            [f"AU-PRO up to {limit:g}", pro.value, pro.error, limit / 2],
            ["pixel AUROC", area.value, area.error, 0.5],
            ["pixel average precision", precision.value, precision.error, share],
        ]
        some = np.unique(np.linspace(0, len(self.normal) - 1, MOST_POINTS).round().astype(np.int64))
        x = np.append(0.0, self.normal[some] / self.normal[-1])
        inside = x <= limit
        curve = {"mean overlap per region": (x[inside], np.append(0.0, self.overlap[some])[inside])}
        return Study(
            "Are the defects found where they are?",
            answer,
            [
                Lines("Overlap of the regions", "share of normal pixels flagged", "share of a region covered", curve),
                Table("Figures over all pixels", ["figure", "value", "off by at most", "by chance"], rows),
            ],
            ["Pixel AUROC and average precision are ruled by the largest regions; AU-PRO counts each region alike."],
        )


def pixel_curve(maps: Maps, masks: Maps, connectivity: int = 8, bins: int | None = None) -> PixelCurve:
    """Counts of normal pixels, defect pixels and covered regions over thresholds.

    Parameters
    ----------
    maps : sequence of (H, W) float arrays
        Higher is more unusual; sizes may differ. Read one after the other, twice, so it may load them lazily.
    masks : sequence of (H, W) arrays of 0 and 1, or None for an image without defect
    connectivity : 8 or 4
        Whether pixels that touch at a corner only belong to one region.
    bins : int, optional
        How many thresholds to keep; by default all scores up to five million pixels, else 8,192.

    Raises
    ------
    InputError
        If shapes differ, maps hold NaN, masks are not 0 and 1, or there is no defect or no normal pixel.
    """
    if connectivity not in (4, 8):
        raise InputError(f"connectivity is {connectivity}; use 8 or 4")
    if bins is not None and bins < 2:
        raise InputError(f"bins is {bins}; give at least 2 thresholds")
    pixels, edges = _edges(maps, masks, connectivity, THRESHOLDS if bins is None else bins)
    if bins is None and pixels <= EXACT_PIXELS:
        return _sorted(maps, masks, connectivity)
    return _binned(maps, masks, connectivity, edges)


def au_pro(maps: Maps, masks: Maps, limit: float = 0.3, connectivity: int = 8, bins: int | None = None) -> float:
    """Mean overlap per region, averaged over shares of normal pixels flagged up to `limit`: see `PixelCurve.au_pro`."""
    return pixel_curve(maps, masks, connectivity, bins).au_pro(limit).value


def pixel_auroc(maps: Maps, masks: Maps, bins: int | None = None) -> float:
    """AUROC of the pixels of all images together."""
    return pixel_curve(maps, masks, bins=bins).auroc().value


def pixel_average_precision(maps: Maps, masks: Maps, bins: int | None = None) -> float:
    """Average precision of the pixels of all images together."""
    return pixel_curve(maps, masks, bins=bins).average_precision().value


def image_scores(maps: Maps, top: float = 0.0) -> Vector:
    """One score per image (n,): the mean of the highest share `top` of its map, or the maximum for 0."""
    if not 0 <= top <= 1:
        raise InputError(f"top is {top}; give a share of the pixels from 0 to 1")
    scores = []
    for i, one in enumerate(maps):
        values = map_of(one, i).ravel()
        count = max(1, round(top * len(values)))
        scores.append(np.partition(values, -count)[-count:].mean(dtype=np.float64))
    return np.array(scores)


def _edges(maps: Maps, masks: Maps, connectivity: int, count: int) -> tuple[int, Map]:
    """Number of pixels, and ascending thresholds where a sample of normal and of defect pixels has its quantiles.

    A score that many pixels share gets its own two, so that the tie stays exact.
    """
    rng = np.random.default_rng(0)
    pixels, normal, defect = 0, [], []
    for scores, mask in pairs_of(maps, masks):
        pixels += scores.size
        picked = rng.integers(scores.size, size=min(SAMPLED_NORMAL, scores.size))
        normal.append(scores.ravel()[picked] if mask is None else scores.ravel()[picked[~mask.ravel()[picked]]])
        if mask is not None:
            region, sizes = regions_of(mask, connectivity)
            first = np.cumsum(sizes) - sizes
            of_region = np.minimum(sizes, SAMPLED_DEFECT)
            place = rng.random(int(of_region.sum())) * np.repeat(sizes, of_region)
            inside = scores[mask][np.argsort(region, kind="stable")]
            defect.append(inside[np.repeat(first, of_region) + place.astype(np.int64)])
    if not defect:
        raise InputError("no mask holds a defect; overlap needs at least one")
    linear = np.linspace(0, 1, count // 4 + 1)
    rare = 1 - np.geomspace(1e-6, 1, count // 4 + 1)  # small shares of normal pixels are where overlap is read
    chosen = (
        [np.quantile(np.concatenate(normal), np.append(linear, rare), method="lower")] if any(map(len, normal)) else []
    )
    chosen.append(np.quantile(np.concatenate(defect), np.linspace(0, 1, count // 2 + 1), method="lower"))
    values, times = np.unique(np.concatenate(chosen), return_counts=True)
    infinity = values.dtype.type(np.inf)
    return pixels, np.unique(np.concatenate([values, np.nextafter(values[times > 1], infinity), [-infinity]]))


def _sorted(maps: Maps, masks: Maps, connectivity: int) -> PixelCurve:
    """The curve at every score, by one sort."""
    scores, defect, weight, regions = [], [], [], 0
    for one, mask in pairs_of(maps, masks):
        scores.append(one.astype(np.float64).ravel())
        flags = np.zeros(one.shape, dtype=bool) if mask is None else mask
        share = np.zeros(one.shape)
        if mask is not None:
            region, sizes = regions_of(mask, connectivity)
            share[mask] = 1 / sizes[region]
            regions += len(sizes)
        defect.append(flags.ravel())
        weight.append(share.ravel())
    s = np.concatenate(scores)
    order = np.argsort(s)[::-1]
    s = s[order]
    ends = np.flatnonzero(np.append(s[1:] != s[:-1], True))
    found = np.concatenate(defect)[order]
    below = np.cumsum(~found, dtype=np.float64)[ends], np.cumsum(found, dtype=np.float64)[ends]
    overlap = np.cumsum(np.concatenate(weight)[order])[ends] / regions
    return _curve(s[ends], *below, overlap, np.ones(len(ends), dtype=bool), regions, len(scores))


def _binned(maps: Maps, masks: Maps, connectivity: int, edges: Map) -> PixelCurve:
    """The curve at the thresholds `edges`, ascending from -inf: exact there, unknown between."""
    above = np.zeros(len(edges))  # normal pixels at or above each
    defect, overlap, regions = np.zeros(len(edges)), np.zeros(len(edges)), 0
    for one, mask in pairs_of(maps, masks):
        scores = one.astype(edges.dtype, copy=False)
        normal = np.sort(scores, axis=None) if mask is None else np.sort(scores[~mask])
        above += len(normal) - np.searchsorted(normal, edges)
        if mask is not None:
            region, sizes = regions_of(mask, connectivity)
            bin_of = np.searchsorted(edges, scores[mask], side="right") - 1
            defect += np.bincount(bin_of, minlength=len(edges))
            overlap += np.bincount(bin_of, 1 / sizes[region], minlength=len(edges))
            regions += len(sizes)
    upper = np.append(edges[1:], np.inf)
    sure = np.nextafter(edges, edges.dtype.type(np.inf)) == upper
    found, covered = np.cumsum(defect[::-1]), np.cumsum(overlap[::-1]) / regions
    return _curve(edges[::-1].astype(np.float64), above[::-1], found, covered, sure[::-1], regions, len(maps))


def _curve(
    thresholds: Vector, normal: Vector, defect: Vector, overlap: Vector, sure: Any, regions: int, images: int
) -> PixelCurve:
    if normal[-1] == 0:
        raise InputError("the masks cover every pixel; there is no normal pixel to raise a false alarm on")
    return PixelCurve(thresholds, normal, defect, overlap, sure, regions, images)


def _steps(values: Vector) -> Vector:
    return np.diff(values, prepend=0)
