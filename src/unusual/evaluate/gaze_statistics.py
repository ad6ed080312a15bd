"""Figures of how people looked at each of many images: how spread out, how long, how alike, how much at the alteration.

Maps sum Gaussians of one degree, weighted by duration, on a grid of 32 x 32 cells, whatever the size of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from unusual.data.fixations import GazeRecords

Vector = NDArray[np.float64]
Index = NDArray[np.int64]

GRID = 32
BLUR = 1 / 20  # of the width of an image, where the visual angle is not known


@dataclass(frozen=True)
class Gaze:
    """Recordings of one image after another, and what the statistics read from them.

    Attributes
    ----------
    records : GazeRecords
    equal : (f,) bool
        Fixations kept where a statistic grows with their number: as many in both images of a pair.
    sigma : float or None
        Of the map in pixels; None for one degree, or a twentieth of the width where that is not known.
    """

    records: GazeRecords
    equal: NDArray[np.bool_]
    sigma: float | None = None

    @classmethod
    def of(cls, records: GazeRecords, random_state: int, sigma: float | None = None) -> Gaze:
        """Choose at random as many fixations of one image of a pair as the other has."""
        counts = np.bincount(records.image, minlength=len(records.images))
        most = counts.copy()
        for pair in records.pairs:
            both = [pair.real, pair.fake]
            if min(both) >= 0 and counts[both].min() > 0:  # nobody saw one of them: there is nothing to compare with
                most[both] = np.minimum(most[both], counts[both].min())
        order = np.lexsort((np.random.default_rng(random_state).uniform(size=len(records.image)), records.image))
        first = np.cumsum(counts) - counts
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - first[records.image[order]]
        return cls(records, place < most[records.image], sigma)

    @cached_property
    def groups(self) -> list[Index]:
        """Fixations of each image."""
        return _grouped(self.records.image, len(self.records.images))

    @cached_property
    def maps(self) -> Vector:
        """Density (k, 32, 32) of the gaze on each image, from as many fixations in both of a pair; 0 where none is."""
        kept = self.equal.astype(np.float64) * self.records.duration
        made = np.array([self._mass(i, rows, kept[rows]) for i, rows in enumerate(self.groups)])
        total = made.sum(axis=(1, 2), keepdims=True)
        return np.asarray(made / np.where(total > 0, total, 1.0))

    @cached_property
    def cells(self) -> Index:
        """Row and column (f, 2) of the grid in which each fixation lies."""
        r = self.records
        share = np.column_stack([r.y, r.x]) / r.sizes[r.image][:, ::-1]
        return np.clip((share * GRID).astype(np.int64), 0, GRID - 1)

    def counts(self, image: int) -> Vector:
        """Fixations (32, 32) in each cell of an image."""
        where = self.cells[self.groups[image]]
        found = np.bincount(where[:, 0] * GRID + where[:, 1], minlength=GRID * GRID).reshape(GRID, GRID)
        return found.astype(np.float64)

    def _mass(self, image: int, rows: Index, weights: Vector) -> Vector:
        """Gaussians (32, 32) at the centres of the cells, summed with weights; not brought to sum 1."""
        down, across = self.kernels(image, rows)
        return np.asarray((down * weights[:, None]).T @ across)

    def kernels(self, image: int, rows: Index) -> tuple[Vector, Vector]:
        """The Gaussian of each fixation at the centres of the cells, down and across: (f, 32) each."""
        size = self.records.sizes[image]
        sigma = self.sigma or self.records.degree or BLUR * size[0]
        centres = (np.arange(GRID) + 0.5) / GRID
        at = ((self.records.y[rows], size[1]), (self.records.x[rows], size[0]))
        down, across = (np.exp(-0.5 * ((v[:, None] - centres * length) / sigma) ** 2) for v, length in at)
        return down, across


def _grouped(labels: Index, count: int | None = None) -> list[Index]:
    """Positions of each label 0, 1, ..., in order."""
    sizes = np.bincount(labels, minlength=count or 0)
    return np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])


def entropy(gaze: Gaze) -> Vector:
    """Shannon entropy (k,) of the map in bits: 0 where all look at one cell, 10 where they look everywhere."""
    p = gaze.maps
    found = -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=(1, 2))
    return np.asarray(np.where(p.sum(axis=(1, 2)) > 0, found, np.nan))


def looked_at(gaze: Gaze) -> Vector:
    """Share (k,) of the image where the map is above half of its maximum."""
    top = gaze.maps.max(axis=(1, 2))
    share = (gaze.maps > top[:, None, None] / 2).mean(axis=(1, 2))
    return np.asarray(np.where(top > 0, share, np.nan))


def dispersion(gaze: Gaze) -> Vector:
    """Root mean square distance (k,) to the centroid, weighted by duration, in diagonals of the image."""
    r = gaze.records
    total = np.bincount(r.image, r.duration, len(r.images))
    with np.errstate(invalid="ignore"):  # an image without gaze has no centroid
        x, y = (np.bincount(r.image, r.duration * v, len(r.images)) / total for v in (r.x, r.y))
        squares = np.bincount(r.image, r.duration * ((r.x - x[r.image]) ** 2 + (r.y - y[r.image]) ** 2), len(r.images))
        return np.asarray(np.sqrt(squares / total) / np.hypot(*r.sizes.T))


def hull(gaze: Gaze) -> Vector:
    """Area (k,) of the convex hull of as many fixations in both images of a pair, as a share of the image."""
    r = gaze.records
    areas = []
    for rows in gaze.groups:
        kept = rows[gaze.equal[rows]]
        points = np.column_stack([r.x[kept], r.y[kept]])
        flat = len(points) < 3 or np.linalg.matrix_rank(points - points[0]) < 2
        areas.append(np.nan if not len(points) else 0.0 if flat else float(ConvexHull(points).volume))
    return np.asarray(np.array(areas) / r.sizes.prod(axis=1))


def duration(gaze: Gaze) -> Vector:
    """Mean duration (k,) of a fixation in ms."""
    r = gaze.records
    counts = np.bincount(r.image, minlength=len(r.images))
    total = np.bincount(r.image, r.duration, len(r.images))
    return np.asarray(np.divide(total, counts, out=np.full(len(counts), np.nan), where=counts > 0))


def count(gaze: Gaze) -> Vector:
    """Fixations (k,) per observer."""
    r = gaze.records
    return np.asarray(np.bincount(r.image, minlength=len(r.images)) / _observers(gaze))


def path(gaze: Gaze) -> Vector:
    """Mean length (k,) of an observer's scan path, in diagonals of the image."""
    r = gaze.records
    order = np.lexsort((r.start, r.observer, r.image))
    image, x, y = r.image[order], r.x[order], r.y[order]
    same = (np.diff(image) == 0) & (np.diff(r.observer[order]) == 0)
    steps = np.where(same, np.hypot(np.diff(x), np.diff(y)), 0.0)
    total = np.bincount(image[1:], steps, len(r.images))
    return np.asarray(total / np.hypot(*r.sizes.T) / _observers(gaze))


def altered(gaze: Gaze) -> Vector:
    """Share (k,) of the time spent on the altered region of the pair; NaN where no mask tells it."""
    r = gaze.records
    found = np.full(len(r.images), np.nan)
    for pair in r.pairs:
        for i in (pair.real, pair.fake):
            if pair.mask is None or i < 0 or not len(gaze.groups[i]):
                continue
            rows = gaze.groups[i]
            scale = np.array(pair.mask.shape[::-1]) / r.sizes[i]
            x, y = (np.column_stack([r.x[rows], r.y[rows]]) * scale).astype(np.int64).T
            found[i] = np.average(pair.mask[y, x], weights=r.duration[rows])
    return found


def congruency(gaze: Gaze) -> Vector:
    """How well the map of the others predicts each observer (k,): normalised scan-path saliency, leaving one out."""
    r = gaze.records
    found = np.full(len(r.images), np.nan)
    for i, rows in enumerate(gaze.groups):
        rows = rows[np.argsort(r.observer[rows], kind="stable")]
        starts = np.flatnonzero(np.diff(r.observer[rows], prepend=-1))
        if len(starts) < 2:
            continue
        down, across = gaze.kernels(i, rows)
        each = (down * r.duration[rows, None])[:, :, None] * across[:, None, :]  # (f, 32, 32)
        of_observer = np.add.reduceat(each.reshape(len(rows), -1), starts)  # (o, 1024)
        others = of_observer.sum(axis=0) - of_observer
        z = (others - others.mean(axis=1, keepdims=True)) / others.std(axis=1, keepdims=True)
        sizes = np.diff(starts, append=len(rows))
        at = z[np.repeat(np.arange(len(starts)), sizes), gaze.cells[rows, 0] * GRID + gaze.cells[rows, 1]]
        found[i] = (np.add.reduceat(at, starts) / sizes).mean()
    return found


def _observers(gaze: Gaze) -> Vector:
    """Number (k,) of observers of each image, NaN for none."""
    r = gaze.records
    seen = np.unique(r.image * len(r.observers) + r.observer) // len(r.observers)
    number = np.bincount(seen, minlength=len(r.images)).astype(np.float64)
    return np.where(number > 0, number, np.nan)


STATISTICS: dict[str, Callable[[Gaze], Vector]] = {
    "entropy": entropy,
    "area looked at": looked_at,
    "dispersion": dispersion,
    "convex hull": hull,
    "fixation duration": duration,
    "fixations": count,
    "scan path": path,
    "time on the alteration": altered,
    "congruency": congruency,
}


def figures(gaze: Gaze, names: Sequence[str]) -> Vector:
    """The named statistics of every image: (k, s)."""
    return np.column_stack([STATISTICS[name](gaze) for name in names])
