"""Runs of ones in labels and predictions as stretches of rows, and which of them meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import binary

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def segments(labels: ArrayLike) -> Index:
    """First row and row after the last of each run of ones: int64 (k, 2), in order.

    Parameters
    ----------
    labels : (n,) of 0 and 1, or bool

    Raises
    ------
    InputError
        If labels are not one list of 0 and 1.
    """
    runs = runs_of(binary(labels)[None])
    return np.column_stack([runs.start, runs.stop])


def merged(bounds: Index, gap: int) -> Index:
    """Stretches (k, 2), in order, joined where at most `gap` rows lie between two: int64 (m, 2).

    Raises
    ------
    InputError
        If gap is negative.
    """
    if gap < 0:
        raise InputError(f"gap is {gap}; give the number of rows, 0 or more, across which two stretches are joined")
    new = np.append(True, bounds[1:, 0] - bounds[:-1, 1] > gap)[: len(bounds)]
    return np.column_stack([bounds[new, 0], bounds[np.roll(new, -1), 1]])


def event_pieces(labels: ArrayLike) -> list[Index]:
    """The series cut half-way between events: row numbers of each event with the rows around it, (S,) arrays in order.

    Raises
    ------
    InputError
        If labels (n,) are not one list of 0 and 1.
    """
    y = binary(labels)
    events = segments(y)
    return np.split(np.arange(len(y)), (events[:-1, 1] + events[1:, 0] + 1) // 2)


def labels_and_predictions(labels: ArrayLike, predictions: ArrayLike) -> tuple[Mask, Mask]:
    """Both as bool (n,).

    Raises
    ------
    InputError
        If lengths differ, either is not 0 and 1, or the labels hold one class only.
    """
    y, p = binary(labels), binary(predictions, "predictions")
    if y.shape != p.shape:
        raise InputError(f"there are {len(y):,} labels for {len(p):,} predictions; give one label per prediction")
    if y.all() or not y.any():
        raise InputError(f"all {len(y):,} labels are {'anomalous' if y.all() else 'normal'}; there is nothing to find")
    return y, p


@dataclass(frozen=True)
class Runs:
    """Runs of ones in m vectors: which vector each lies in (k,), its first row (k,) and the row after its last (k,)."""

    vector: Index
    start: Index
    stop: Index
    length: int  # of each vector

    def __len__(self) -> int:
        return len(self.vector)


def runs_of(masks: Mask) -> Runs:
    """The runs of ones in the vectors of masks (m, n), ordered by vector and start."""
    m, n = masks.shape
    framed = np.zeros((m, n + 1), dtype=bool)
    framed[:, :n] = masks
    flat = framed.ravel()  # the zero that ends a vector stands before the next one
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        edges = np.append(0, edges)
    start, stop = edges[::2], edges[1::2]
    counts = np.diff(np.searchsorted(start, np.arange(m + 1) * (n + 1)))
    vector = np.repeat(np.arange(m), counts)
    begin = vector * (n + 1)
    return Runs(vector, start - begin, stop - begin, n)


def meetings(runs: Runs, bounds: NDArray[np.number]) -> tuple[Index, Index]:
    """All pairs of a run and a stretch (k, 2) that share more than an edge: numbers of runs (p,), of stretches (p,).

    The stretches are in order and do not overlap; pairs come run by run.
    """
    rows = np.arange(runs.length + 1)  # there are often more runs than rows: look each row up once
    first = np.searchsorted(bounds[:, 1], rows, side="right")[runs.start]
    count = np.maximum(np.searchsorted(bounds[:, 0], rows, side="left")[runs.stop] - first, 0)
    run = np.repeat(np.arange(len(runs)), count)
    within = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    return run, first[run] + within
