"""Localisation of each image on its own, at false-positive rates so low that a normal image stays all but clean.

Source: Bertoldo et al., AUPIMO: Redefining Visual Anomaly Detection Benchmarks with High Speed and Low Tolerance, 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.evaluate.maps_and_masks import Maps, pairs_of
from unusual.parts.bootstrap import Interval, bootstrap_interval
from unusual.study import Block, Distribution, Study, Words

Vector = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class PerImageOverlap:
    """Share of a defect found in each image, averaged over low false-positive rates.

    Attributes
    ----------
    values : (a,)
        0 to 1, one per image with a defect.
    images : (a,)
        Their places in the input.
    mean : float
    interval : Interval or None
        Of the mean, images resampled; None for one image.
    bounds : (low, high)
        Shares of the pixels of a normal image, on average over normal images.
    chance : float
        What a map that knows nothing gets.
    """

    values: Vector
    images: Index
    mean: float
    interval: Interval | None
    bounds: tuple[float, float]
    chance: float

    def study(self) -> Study:
        """How many images are localised, and how well."""
        low, high = self.bounds
        answer = (
            f"While {low:g} to {high:g} of the pixels of normal images are flagged, {self.mean:.1%} of a defect is "
            f"found on average over {len(self.values):,} images; nothing at all in {(self.values == 0).mean():.0%}."
        )
        sure = "" if self.interval is None else f" 95 % interval {self.interval.low:.1%} to {self.interval.high:.1%}."
        worst = ", ".join(str(i) for i in self.images[np.argsort(self.values, kind="stable")[:5]])
        blocks: list[Block] = [
            Distribution("Share of a defect found, image by image", "AUPIMO", self.values),
            Words(f"The images with the least found are {worst} (counted from 0).{sure}"),
        ]
        notes = ["False positives are counted on images without defect only."]
        return Study("Is a defect found in each image?", answer, blocks, notes)


def aupimo(maps: Maps, masks: Maps, bounds: tuple[float, float] = (1e-5, 1e-4)) -> PerImageOverlap:
    """Area under the share of an image's defect found against the logarithm of the mean false-positive rate.

    The rate is the share of pixels flagged in an image without defect, averaged over such images; the area between both
    bounds is divided by their logarithmic distance. Curves are exact: every pixel of normal images up to the upper
    bound is a threshold.

    Parameters
    ----------
    maps, masks : as in `pixel_curve`
    bounds : (low, high)

    Raises
    ------
    InputError
        As `pixel_curve`; if there is no image with or without defect, or too few normal pixels to know a rate of `low`.
    """
    low, high = bounds
    if not 0 < low < high <= 1:
        raise InputError(f"bounds are {bounds}; give two shares of pixels, the lower first")
    tail, rate = _tail(maps, masks, high)
    if rate[0] > low * (1 + 1e-9):
        raise InputError(
            f"a rate of {low:g} is less than one pixel in the normal images ({rate[0]:.1e}); raise the lower bound or "
            "give more normal images"
        )
    before = np.append(0.0, rate[:-1])
    start, stop = np.clip(before, low, high), np.clip(rate, low, high)
    width = np.log(stop / start)
    slope = (stop - start - before * width) / (rate - before)  # a line in the rate, measured on its logarithm
    values, images = [], []
    for i, (scores, mask) in enumerate(pairs_of(maps, masks)):
        if mask is not None:
            found = np.sort(scores[mask].astype(np.float64))
            over, reached = (1 - np.searchsorted(found, tail, side) / len(found) for side in ("right", "left"))
            values.append(float(over @ width + (reached - over) @ slope) / math.log(high / low))
            images.append(i)
    if not values:
        raise InputError("no mask holds a defect; there is nothing to find")
    v = np.array(values)
    interval = bootstrap_interval(v) if len(v) > 1 else None
    return PerImageOverlap(v, np.array(images), float(v.mean()), interval, bounds, (high - low) / math.log(high / low))


def _tail(maps: Maps, masks: Maps, most: float) -> tuple[Vector, Vector]:
    """Distinct scores (k,) of pixels of normal images, highest first, and their mean false-positive rates (k,).

    Kept up to the first rate of at least `most`; pixels that cannot be among them are dropped on the way.
    """
    values, weights, normal, kept = np.empty(0), np.empty(0), 0, 0
    for scores, mask in pairs_of(maps, masks):
        if mask is not None:
            continue
        normal += 1
        flat = scores.ravel().astype(np.float64, copy=False)
        values = np.concatenate([values, flat])
        weights = np.concatenate([weights, np.full(len(flat), 1 / len(flat))])
        if len(values) > 2 * kept:
            values, weights = _highest(values, weights, most * len(maps))
            kept = len(values)
    if not normal:
        raise InputError("every image has a defect; false-positive rates are counted on images without")
    values, weights = _highest(values, weights, most * normal)
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return values[ends], np.cumsum(weights)[ends] / normal


def _highest(values: Vector, weights: Vector, mass: float) -> tuple[Vector, Vector]:
    """The highest values, descending, up to the first that brings their weight to `mass`, with all tied to it."""
    order = np.argsort(values)[::-1]
    last = min(int(np.searchsorted(np.cumsum(weights[order]), mass * (1 - 1e-12))), len(order) - 1)
    count = len(values) - int(np.searchsorted(values[order[::-1]], values[order[last]]))
    return values[order[:count]], weights[order[:count]]
