"""Pictures as SVG: histogram, range strip, contribution bars, level bars and line, without any dependency.

Each function returns one `<svg>` element that stands by itself: it scales by its viewBox, carries a title and a
description for screen readers, and has its colours as attributes, so that a page can restyle it by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.report.axis import LARGEST, Axis, brief, counts_to_rule
from unusual.report.svg import (
    ACCENT,
    ALARM,
    CALM,
    COOL,
    GROUND,
    PLAIN,
    QUIET,
    anchor,
    mark,
    path,
    picture,
    rect,
    rule,
    text,
)

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)  # what a strip shows of the reference
OFF_SCALE = 2.5  # a value more than so many reference ranges away is drawn at the edge, with an arrow
RARE = 0.02  # a value that no more of the reference rows have is drawn as an alarm
LONG_COUNTS = 20  # counts are on a log scale where the largest is so many times the smallest
GRID, AXIS, CUT = (GROUND, "u-grid"), (QUIET, "u-axis"), (ACCENT, "u-cut")


def histogram(
    values: ArrayLike,
    threshold: float | None = None,
    *,
    title: str,
    label: str = "score",
    counted: str = "number of rows",
    cut_name: str = "threshold",
    width: int = 640,
    height: int = 230,
) -> str:
    """How values are distributed; bars above the threshold stand out.

    Parameters
    ----------
    values : (n,) numbers
        Those that are not finite are left out.
    threshold : float, optional
        Drawn as a line where it is finite; no bar crosses it, and a value equal to it counts as below.
    title, label : str
        For screen readers; under the axis.
    counted, cut_name : str
        What the bars count, and what the line is called.
    width, height : int
        Of the viewBox: pixels at full size.
    """
    v = _finite(values)
    if not len(v):
        return _empty("histogram", width, title)
    cut = _line_at(threshold)
    axis = Axis.of(v if cut is None else np.append(v, cut), 40, width - 10)
    edges = axis.edges(cut, max(12, width // 14))
    places = np.clip(np.searchsorted(edges, axis.bent(v)) - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    alarms = edges[:-1] >= (math.inf if cut is None else float(axis.bent(cut)))
    top, base = 26.0, height - 38.0
    most, log = int(counts.max()), int(counts.max()) > LONG_COUNTS * int(counts[counts > 0].min())
    rise = (np.log1p(counts) / math.log1p(most) if log else counts / most) * (base - top)
    body = []
    for c in counts_to_rule(most, log):
        y = base - (math.log1p(c) / math.log1p(most) if log else c / most) * (base - top)
        body += [rule(40, y, width - 10, y, GRID), text(35, y + 3.5, brief(c), anchor="end")]
    for i in np.flatnonzero(counts):
        x, high = axis.at(edges[i]), max(2.0, float(rise[i]))
        wide = max(1.0, axis.at(edges[i + 1]) - x - 1)
        body.append(rect(x + 0.5, base - high, wide, high, ALARM if alarms[i] else PLAIN))
    body.append(rule(40, base, width - 10, base, AXIS))
    body += [text(x, base + 15, brief(t), anchor="middle") for t, x in axis.ticks(max(3, width // 90))]
    body.append(text(40, height - 5, f"{counted}, log scale" if log else counted))
    body.append(text(width - 10, height - 5, label, anchor="end"))
    about = f"{len(v):,} values from {brief(float(v.min()))} to {brief(float(v.max()))}."
    if cut is not None:
        body += _cut(axis(cut), f"{cut_name} {brief(cut)}", top, base, width)
        about += f" {int((v > cut).sum()):,} lie above the {cut_name} of {brief(cut)}."
    return picture("histogram", width, height, title, body, about)


def _cut(x: float, said: str, top: float, base: float, width: float) -> list[str]:
    left = x > 0.6 * width
    words = text(x + (-6 if left else 6), top - 8, said, "u-strong", anchor="end" if left else "start")
    return [rule(x, top - 18, x, base, CUT, 1.5, "5 3"), words]


def strip(
    value: float,
    quantiles: Sequence[float],
    *,
    title: str,
    said: str | None = None,
    ends: tuple[str, str] | None = None,
    width: int = 260,
) -> str:
    """Where one value lies against the 1, 25, 50, 75 and 99 % quantiles of the reference.

    Parameters
    ----------
    value : float
        Drawn at the edge, with an arrow, where it lies far off the reference.
    quantiles : five ascending numbers
    title : str
    said : str, optional
        The value as a text, over its mark; "" leaves it to the page.
    ends : two texts, optional
        For the 1 % and the 99 % quantile, in place of their numbers.
    width : int
    """
    q, value = [_held(x) for x in quantiles], _held(value)
    said, (left, right) = brief(value) if said is None else said, ends or (brief(q[0]), brief(q[4]))
    reach = OFF_SCALE * (q[4] - q[0]) if q[4] > q[0] else math.inf
    drawn = min(q[4] + reach, max(q[0] - reach, value))
    axis = Axis.of([min(q[0], drawn), max(q[4], drawn)], 12, width - 12)
    low, q1, middle, q3, high = (axis(x) for x in q)
    x, y, centre = axis(drawn), 28.0 if said else 10.0, (low + high) / 2
    look = CALM if q[0] <= value <= q[4] else ALARM
    span = left if left == right else f"{left} to {right}"
    body = [
        rule(4, y, width - 4, y, GRID),
        rect(low, y - 5, max(2.0, high - low), 10, (GROUND, "u-range"), 5),
        rect(q1, y - 5, max(1.0, q3 - q1), 10, (QUIET, "u-middle"), 2),
        rule(middle, y - 7, middle, y + 7, (QUIET, "u-median"), 2),
        mark(x, y, (look[0], f"{look[1]} u-mark"), value - drawn),
        text(x, y - 14, said, "u-strong", anchor=anchor(x, width, 60), most=28) if said else "",
        text(centre, y + 21, f"usual {span}", anchor=anchor(centre, width, 80), most=44),
    ]
    about = f"The value is {said or brief(value)}; 98 % of the reference lies between {left} and {right}."
    return picture("strip", width, y + 26, title, body, about)


def bars(
    names: Sequence[str], values: Sequence[float], *, title: str, said: Sequence[str] = (), width: int = 480
) -> str:
    """Contributions as horizontal bars: those above 0 to the right of one line, those below to its left.

    Parameters
    ----------
    names, values : of equal length
    title : str
    said : texts, optional
        What stands at the right of each bar, in place of the number.
    width : int
    """
    numbers = [_held(v) for v in values]
    words = list(said) or [brief(v) for v in numbers]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    start, end = 0.36 * width, width - 76.0
    zero = start + (end - start) * (-low / 2) / (high / 2 - low / 2) if high > low else start
    body = []
    for i, (name, v, word) in enumerate(zip(names, numbers, words, strict=True)):
        y, tip = 6 + 22 * i, zero + (end - start) * (v / 2) / (high / 2 - low / 2) if v else zero
        body.append(text(start - 8, y + 12, name, anchor="end", most=max(8, int(start / 6.4))))
        body.append(rect(min(zero, tip), y, max(1.0, abs(tip - zero)), 15, ALARM if v > 0 else CALM, 2))
        body.append(text(max(zero, tip) + 6, y + 12, word, "u-strong", most=14))
    height = 22 * len(numbers) + 10
    body.append(rule(zero, 2, zero, height - 4, AXIS))
    about = "; ".join(f"{name} {word}" for name, word in zip(names, words, strict=True))
    return picture("bars", width, height, title, body, about)


def levels(counts: Sequence[tuple[str, int]], value: str, total: int, *, title: str, width: int = 260) -> str:
    """How common the values of a category are in the reference, with one of them marked.

    Parameters
    ----------
    counts : pairs of a value and how many reference rows have it
        Those to draw, from the top; `value` is added where it is not among them.
    value : str
        The one to mark.
    total : int
        Reference rows.
    title : str
    width : int
    """
    drawn = list(counts) if any(name == value for name, _ in counts) else [*counts, (value, 0)]
    most = max(1, *(count for _, count in drawn), 1)
    start, end = 0.42 * width, width - 52.0
    body = []
    for i, (name, count) in enumerate(drawn):
        seldom = ALARM if count <= RARE * total else CALM
        y, look = 3 + 18 * i, seldom if name == value else PLAIN
        kind = "u-strong" if name == value else "u-soft"
        tip = start + max(1.5, count / most * (end - start))
        share = f"{100 * count / max(1, total):.2g} %" if 0 < count < total else "never" if not count else "all"
        body.append(text(start - 6, y + 11, name, kind, anchor="end", most=max(6, int(start / 6.6))))
        body.append(rect(start, y + 1, tip - start, 12, look, 2))
        body.append(text(tip + 5, y + 11, share, kind))
    about = "; ".join(f"{name}: {count:,} of {total:,}" for name, count in drawn)
    return picture("levels", width, 18 * len(drawn) + 4, title, body, about)


def line(
    values: ArrayLike,
    threshold: float | None = None,
    *,
    title: str,
    spans: Sequence[tuple[int, int]] = (),
    width: int = 640,
    height: int = 180,
) -> str:
    """Values in their order, with gaps where they are not finite; of long ones, the extremes under each pixel.

    Parameters
    ----------
    values : (n,) numbers
    threshold : float, optional
    title : str
    spans : pairs of the first and the last index of a stretch to mark
    width, height : int
    """
    v = np.asarray(values, dtype=np.float64).ravel()
    finite, cut = _finite(v), _line_at(threshold)
    if not len(finite):
        return _empty("line", width, title)
    axis = Axis.of(finite if cut is None else np.append(finite, cut), height - 24.0, 12)
    step = (width - 50) / max(1, len(v) - 1)
    body = []
    for a, b in spans:
        body.append(rect(40 + a * step, 8, max(2.0, (b - a) * step), height - 32, (GROUND, "u-span"), 2))
    for value, y in axis.ticks(4):
        body += [rule(40, y, width - 10, y, GRID), text(35, y + 3.5, brief(value), anchor="end")]
    if cut is not None:
        body.append(rule(40, axis(cut), width - 10, axis(cut), CUT, 1.5, "5 3"))
    for run in _runs(v, width):
        body.append(path([(40 + i * step, axis(float(v[i]))) for i in run], (COOL, "u-line")))
    body.append(text(40, height - 5, "0"))
    if len(v) > 1:
        body.append(text(width - 10, height - 5, f"{len(v) - 1:,}", anchor="end"))
    about = f"{len(v):,} values from {brief(float(finite.min()))} to {brief(float(finite.max()))}."
    return picture("line", width, height, title, body, about)


def _runs(v: NDArray[np.float64], width: int) -> list[list[int]]:
    """Indices to draw, cut at gaps; where there are many, the lowest and the highest of each pixel's share."""
    there = np.isfinite(v)
    kept = np.flatnonzero(there)
    if len(v) > 4 * width:
        chosen: set[int] = set()
        for part in np.array_split(kept, width):
            if len(part):
                chosen |= {int(part[np.argmin(v[part])]), int(part[np.argmax(v[part])])}
        kept = np.array(sorted(chosen))
    gaps = np.concatenate([[0], np.cumsum(~there)])[kept]  # how many gaps come before
    runs = np.split(kept, np.flatnonzero(np.diff(gaps)) + 1)
    return [[int(i) for i in run] for run in runs]


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    v = np.asarray(values, dtype=np.float64).ravel()
    return np.clip(v[np.isfinite(v)], -LARGEST, LARGEST)


def _held(value: float) -> float:
    """A number that can be drawn: 0 for NaN, infinities at the largest."""
    return 0.0 if math.isnan(value) else min(LARGEST, max(-LARGEST, float(value)))


def _line_at(threshold: float | None) -> float | None:
    return _held(threshold) if threshold is not None and math.isfinite(threshold) else None


def _empty(kind: str, width: float, title: str) -> str:
    return picture(kind, width, 60, title, [text(width / 2, 34, "nothing to draw", anchor="middle")])
