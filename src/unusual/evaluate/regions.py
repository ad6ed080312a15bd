"""Which defects are found, by their size: overlap of each region with what a threshold flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.evaluate.maps_and_masks import Maps, pairs_of, regions_of
from unusual.evaluate.pixels import pixel_curve
from unusual.parts.bootstrap import Interval, bootstrap_interval
from unusual.study import Cell, Intervals, Study, Table

Vector = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class SizeClass:
    """Regions of `smallest` up to, not including, `largest` pixels.

    `overlap` is the mean share covered, `half` the share of regions covered by at least half, `touched` by at least one
    pixel. `interval`, of the mean, resamples images; None where there are fewer than two.
    """

    smallest: int
    largest: int
    regions: int
    overlap: float
    half: float
    touched: float
    interval: Interval | None


@dataclass(frozen=True)
class OverlapBySize:
    """Overlap of the regions by decades of their size, at one threshold.

    Attributes
    ----------
    threshold, fpr : float
        Pixels at or above are flagged; the share of normal pixels that are.
    classes : tuple of SizeClass
    sizes, overlaps, images : (r,)
        Pixels, share covered, and image of each region.
    """

    threshold: float
    fpr: float
    classes: tuple[SizeClass, ...]
    sizes: Index
    overlaps: Vector
    images: Index

    def study(self) -> Study:
        """Overlap against size."""
        small, large = self.classes[0], self.classes[-1]
        answer = (
            f"At a threshold that {self.fpr:.2%} of the normal pixels reach, {small.overlap:.0%} of a region under "
            f"{small.largest:,} pixels is covered"
        )
        answer += f", and {large.overlap:.0%} of one of {large.smallest:,} or more." if large is not small else "."
        rows: list[list[Cell]] = [
            [f"{c.smallest:,} to {c.largest - 1:,}", c.regions, c.overlap, c.half, c.touched] for c in self.classes
        ]
        head = ["pixels", "regions", "mean overlap", "at least half covered", "touched"]
        known = [
            (f"{c.smallest:,} to {c.largest - 1:,} pixels", c.overlap, c.interval.low, c.interval.high)
            for c in self.classes
            if c.interval
        ]
        chart = [Intervals("Mean overlap of the regions by size", "share covered", known)] if known else []
        notes = ["Intervals resample images; a size class with one image has none."]
        return Study("Which defects are found?", answer, [*chart, Table("By size", head, rows)], notes)


def per_region_overlap(
    maps: Maps, masks: Maps, *, fpr: float = 0.05, threshold: float | None = None, connectivity: int = 8
) -> OverlapBySize:
    """Share of each defect region at or above a threshold, by decades of region size.

    Parameters
    ----------
    maps, masks, connectivity : as in `pixel_curve`
    fpr : float in (0, 1)
        Share of normal pixels that the threshold may flag, read from these very images.
    threshold : float, optional
        A threshold chosen beforehand, in place of `fpr`.
    """
    if not 0 < fpr < 1:
        raise InputError(f"fpr is {fpr}; give a share of normal pixels between 0 and 1")
    cut = pixel_curve(maps, masks, connectivity).threshold(fpr) if threshold is None else threshold
    sizes, overlaps, images = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.int64)]
    flagged, normal = 0, 0
    for i, (scores, mask) in enumerate(pairs_of(maps, masks)):
        above = scores >= cut
        flagged += int(np.count_nonzero(above if mask is None else above & ~mask))
        normal += scores.size if mask is None else int(np.count_nonzero(~mask))
        if mask is not None:
            region, size = regions_of(mask, connectivity)
            sizes.append(size)
            overlaps.append(np.bincount(region, above[mask]) / size)
            images.append(np.full(len(size), i))
    found = np.concatenate(sizes), np.concatenate(overlaps), np.concatenate(images)
    if not len(found[0]) or not normal:
        raise InputError("the masks hold no defect, or nothing else; overlap needs regions and normal pixels")
    return OverlapBySize(float(cut), flagged / normal, _classes(*found), *found)


def _classes(sizes: Index, overlaps: Vector, images: Index) -> tuple[SizeClass, ...]:
    decade = np.floor(np.log10(sizes) + 1e-9).astype(np.int64)
    classes = []
    for d in np.unique(decade).tolist():
        here = decade == d
        o, of = overlaps[here], images[here]
        interval = bootstrap_interval(o, groups=of) if len(np.unique(of)) > 1 else None
        half, touched = float((o >= 0.5).mean()), float((o > 0).mean())
        classes.append(SizeClass(10**d, 10 ** (d + 1), len(o), float(o.mean()), half, touched, interval))
    return tuple(classes)
