"""Windows of time with lines of one kind in them, at any length, without sorting more than once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class TimedLines:
    """Template and time (n,) of lines, the order that sorts them by template, and where that goes to another one."""

    template: Index
    time: Vector
    order: Index
    other: NDArray[np.bool_]

    @classmethod
    def of(cls, template: Index, time: Vector) -> TimedLines:
        """Lines in their order, whose times do not fall."""
        order = np.argsort(template, kind="stable")
        return cls(template, time, order, np.diff(template[order]) != 0)


@dataclass(frozen=True)
class Windows:
    """Windows with lines of one template: template and count (w,); the window of each line (n,); how many hold any."""

    template: Index
    counts: Index
    place: Index
    windows: int

    @classmethod
    def of(cls, lines: TimedLines, length: float, offset: float) -> Windows:
        """Windows of one length, moved by a share of it; times do not fall, so no sorting is needed."""
        window = np.floor(lines.time / length + offset)
        windows = 1 + int(np.count_nonzero(np.diff(window)))
        ordered = window[lines.order]
        new = np.concatenate([[True], lines.other | (ordered[1:] != ordered[:-1])])
        first = np.flatnonzero(new)
        place = np.empty(len(window), dtype=np.int64)
        place[lines.order] = np.cumsum(new) - 1
        return cls(lines.template[lines.order][first], np.diff(first, append=len(window)), place, windows)


def followed_closely(time: Vector, burst: Index) -> NDArray[np.bool_]:
    """Whether the next line of a burst follows (n,) after at most twice its mean gap.

    A window may begin with a line of the quiet before; the burst begins with the first line that is followed closely.
    """
    order = np.argsort(burst, kind="stable")
    same = burst[order][1:] == burst[order][:-1]
    gap = np.append(np.where(same, np.diff(time[order]), 0.0), 0.0)
    _, which, size = np.unique(burst[order], return_inverse=True, return_counts=True)
    mean = np.bincount(which, gap) / np.maximum(size - 1, 1)
    close = np.empty(len(time), dtype=bool)
    close[order] = gap <= 2 * mean[which]
    return close


def burst_number(template: Index, scale: Index, window: Index) -> Index:
    """One number for each burst: a window is already counted within its template and scale."""
    return (template * (int(scale.max()) + 1) + scale) * (int(window.max()) + 1) + window
