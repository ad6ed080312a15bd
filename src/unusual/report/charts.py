"""The charts of a study as SVG: lines with bands, intervals, specification curves, and maps as small pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from unusual.report.axis import LARGEST, Axis, brief
from unusual.report.draw import histogram
from unusual.report.svg import (
    ACCENT,
    ALARM,
    CALM,
    COOL,
    GROUND,
    QUIET,
    anchor,
    escaped,
    mark,
    picture,
    rect,
    rule,
    text,
)
from unusual.report.timeline import timeline
from unusual.study import Distribution, Heat, Intervals, Lines, Specifications, TimeLine

COLOURS = (COOL, ACCENT, "#3c7d4f", "#7a4ea3", "#8a6d1b", QUIET, "#b0417a", "#11808a")  # told apart without red-green
DASHES = ("", "6 3", "2 3", "9 3 2 3")
GRID, AXIS, LEVEL = (GROUND, "u-grid"), (QUIET, "u-axis"), (ACCENT, "u-cut")
LEFT, RIGHT = 52.0, 12.0
MOST_POINTS = 2000  # drawn of one line
MOST_SPECIFICATIONS = 600
NARROW = 500  # pixels below which an interval is drawn but not written out

Vector = NDArray[np.float64]


def chart(block: Any, width: int = 860) -> str:
    """One chart of a study as an `<svg>` element (a map: as an `<img>`)."""
    return str(_DRAWN[type(block)](block, width))


def lines(block: Lines, width: int) -> str:
    """Lines over common axes, their bands behind them, the names in a legend above."""
    points = {name: _pairs(*pair) for name, pair in block.lines.items()}
    bands = {name: _pairs(*pair, keep=True) for name, pair in block.bands.items()}
    height, top, base = 300, 16.0 + 18 * _legend_rows(list(points), width), 300 - 40.0
    xs = np.concatenate([x for x, _ in points.values()])
    ys = [y for _, y in points.values()] + [edge for pair in bands.values() for edge in pair]
    across = np.concatenate([*ys, np.array(list(block.levels.values()), dtype=np.float64)])
    if not np.isfinite(xs).any() or not np.isfinite(across).any():
        return picture("lines", width, 60, block.caption, [text(width / 2, 34, "nothing to draw", anchor="middle")])
    x_axis, y_axis = Axis.of(_finite(xs), LEFT, width - RIGHT), Axis.of(_finite(across), base, top)
    body = _frame(x_axis, y_axis, width, base, block.x_label, block.y_label, height)
    for i, name in enumerate(points):
        if name in bands:
            body.append(_band(points[name][0], *bands[name], x_axis, y_axis, COLOURS[i % len(COLOURS)]))
    for name, value in block.levels.items():
        body += [rule(LEFT, y_axis(value), width - RIGHT, y_axis(value), LEVEL, 1.2, "5 3")]
        body.append(text(width - RIGHT - 4, y_axis(value) - 5, name, "u-strong", anchor="end"))
    for i, (x, y) in enumerate(points.values()):
        body += _line(x, y, x_axis, y_axis, i, block.dots)
    body += _legend(list(points), width)
    return picture("lines", width, height, block.caption, body, _said(points))


def intervals(block: Intervals, width: int) -> str:
    """Estimates as dots with whiskers, one under the other, against an optional level."""
    numbers = [v for row in block.rows for v in row[1:]] + ([] if block.level is None else [block.level])
    finite = _finite(np.array(numbers, dtype=np.float64))
    start = min(0.42 * width, 12 + 6.4 * max((len(row[0]) for row in block.rows), default=0))
    if not len(finite):
        return picture("intervals", width, 60, block.caption, [text(width / 2, 34, "nothing to draw", anchor="middle")])
    said = [_span(*row[1:]) if width > NARROW else f"{row[1]:.3g}" for row in block.rows]
    right = width - 14 - 6.3 * max(len(words) for words in said)
    axis = Axis.of(finite, start + 8, right)
    base = 10.0 + 24 * len(block.rows)
    body = []
    for value, x in axis.ticks(max(2, int((right - start) / 80))):
        body += [rule(x, 4, x, base, GRID), text(x, base + 15, brief(value), anchor="middle")]
    if block.level is not None:
        body.append(rule(axis(block.level), 2, axis(block.level), base, LEVEL, 1.5, "5 3"))
    for i, ((name, value, low, high), words) in enumerate(zip(block.rows, said, strict=True)):
        y = 16.0 + 24 * i
        beyond = block.level is not None and not low <= block.level <= high
        look = ALARM if beyond else CALM
        stroke = (look[0], "u-cut" if beyond else "u-line")
        if np.isfinite([low, high]).all():
            body += [rule(axis(low), y, axis(high), y, stroke, 2), *_ends(axis(low), axis(high), y, stroke)]
        body.append(text(start, y + 4, name, anchor="end", most=max(10, int(start / 6))))
        if np.isfinite(value):
            body.append(mark(axis(value), y, look))
        body.append(text(right + 10, y + 4, words, "u-strong", most=40))
    body.append(text(start + 8, base + 32, block.label))
    about = "; ".join(f"{name} {_span(v, low, high)}" for name, v, low, high in block.rows)
    return picture("intervals", width, base + 38, block.caption, body, about)


def specifications(block: Specifications, width: int) -> str:
    """Results in ascending order, and below each the choices it was made of."""
    values = np.asarray(block.values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    if not len(order):
        return picture("specifications", width, 60, block.caption, [text(8, 34, "nothing to draw")])
    if len(order) > MOST_SPECIFICATIONS:
        order = order[np.linspace(0, len(order) - 1, MOST_SPECIFICATIONS).round().astype(int)]
    rows = [(factor, level) for factor, given in block.choices.items() for level in dict.fromkeys(given)]
    start, base = min(0.36 * width, 190.0), 190.0
    drawn = np.append(values[order], [] if block.level is None else block.level)
    low, high = float(drawn.min()), float(drawn.max())
    axis = (
        Axis(low, high, base - 8, 12) if high > low else Axis.of(drawn, base - 8, 12)
    )  # never bent: gaps are the point
    at = start + 8 + (np.arange(len(order)) + 0.5) * (width - RIGHT - start - 8) / len(order)
    body = []
    for value, y in axis.ticks(5):
        body += [rule(start, y, width - RIGHT, y, GRID), text(start - 6, y + 4, brief(value), anchor="end")]
    if block.level is not None:
        body.append(rule(start, axis(block.level), width - RIGHT, axis(block.level), LEVEL, 1.5, "5 3"))
    size = float(np.clip((at[1] - at[0]) * 0.7 if len(at) > 1 else 6, 1.0, 7.0))
    body += [rect(x - size / 2, axis(values[i]) - size / 2, size, size, CALM, size / 2) for x, i in zip(at, order)]  # noqa: B905
    last = ""
    for k, (factor, level) in enumerate(rows):
        y = base + 12 + 16 * k
        given = block.choices[factor]
        name = f"{factor}: {level}" if factor != last else str(level)
        last = factor
        body += [rule(start, y, width - RIGHT, y, GRID), text(start - 6, y + 4, name, anchor="end", most=30)]
        body += [rect(x - size / 2, y - 4, size, 8, ALARM, 1) for x, i in zip(at, order) if given[i] == level]  # noqa: B905
    height = base + 16 * len(rows) + 28
    body.append(text(start + 8, height - 4, f"{len(order):,} configurations, sorted by {block.label}"))
    about = f"{block.label} from {brief(float(values[order[0]]))} to {brief(float(values[order[-1]]))}."
    return picture("specifications", width, height, block.caption, body, about)


def heat(block: Heat, width: int) -> str:
    """A map as a picture of its own pixels, blue to orange, over the grey picture it belongs to."""
    values = np.asarray(block.values, dtype=np.float64)
    low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (0.0, 0.0)
    share = np.nan_to_num((values - low) / (high - low) if high > low else np.zeros(values.shape))[..., None]
    cold, warm = np.array([232.0, 240, 250]), np.array([194.0, 65, 12])
    colours = cold + share * (warm - cold)
    if block.picture is not None:
        grey = np.asarray(block.picture, dtype=np.float64)
        grey = (grey - grey.min()) / max(np.ptp(grey), 1e-12) * 255
        colours = (1 - 0.75 * share) * grey[..., None] + 0.75 * share * warm
    image = Image.fromarray(colours.round().astype(np.uint8))
    scale = max(1, min(16, 384 // max(image.size)))
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode()
    shown = min(width, image.width)
    return f'<img alt="{escaped(block.caption)}" width="{shown}" src="data:image/png;base64,{data}">'


def distribution(block: Distribution, width: int) -> str:
    """A histogram of the numbers."""
    return histogram(
        block.values, block.cut, title=block.caption, label=block.label, counted="how many", cut_name="cut", width=width
    )


_DRAWN: dict[type, Any] = {
    Lines: lines,
    Intervals: intervals,
    Specifications: specifications,
    Heat: heat,
    Distribution: distribution,
    TimeLine: timeline,
}


def _pairs(x: ArrayLike, y: ArrayLike, *, keep: bool = False) -> tuple[Vector, Vector]:
    """Two lists as floats (m,), thinned to what can be seen; `keep`: all of them, as a band must match its line."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not keep and len(a) > MOST_POINTS:
        chosen = np.linspace(0, len(a) - 1, MOST_POINTS).round().astype(int)
        a, b = a[chosen], b[chosen]
    return a, b


def _finite(values: Vector) -> Vector:
    return np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)


def _frame(x_axis: Axis, y_axis: Axis, width: float, base: float, x: str, y: str, height: float) -> list[str]:
    body = []
    for value, at in y_axis.ticks(5):
        body += [rule(LEFT, at, width - RIGHT, at, GRID), text(LEFT - 6, at + 4, brief(value), anchor="end")]
    for value, at in x_axis.ticks(max(3, int(width / 110))):
        body.append(text(at, base + 16, brief(value), anchor=anchor(at, width, 20)))
    body.append(rule(LEFT, base, width - RIGHT, base, AXIS))
    return [*body, text(LEFT, height - 6, f"↑ {y}"), text(width - RIGHT, height - 6, f"{x} →", anchor="end")]


def _line(x: Vector, y: Vector, x_axis: Axis, y_axis: Axis, i: int, dots: bool) -> list[str]:
    colour, dash = COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]
    there = np.isfinite(x) & np.isfinite(y)
    if dots or there.sum() == 1:
        return [
            f'<circle cx="{x_axis(a):.1f}" cy="{y_axis(b):.1f}" r="2.6" fill="{colour}"/>'
            for a, b in zip(x[there], y[there], strict=True)
        ]
    cuts = np.flatnonzero(np.diff(np.flatnonzero(there)) > 1) + 1
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = []
    for run in np.split(np.flatnonzero(there), cuts):
        joined = " ".join(f"{x_axis(x[j]):.1f},{y_axis(y[j]):.1f}" for j in run)
        drawn.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"{dashed}/>')
    return drawn


def _band(x: Vector, low: Vector, high: Vector, x_axis: Axis, y_axis: Axis, colour: str) -> str:
    there = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    upper = [f"{x_axis(a):.1f},{y_axis(b):.1f}" for a, b in zip(x[there], high[there], strict=True)]
    lower = [f"{x_axis(a):.1f},{y_axis(b):.1f}" for a, b in zip(x[there], low[there], strict=True)]
    return f'<polygon points="{" ".join([*upper, *reversed(lower)])}" fill="{colour}" fill-opacity="0.16"/>'


def _places(names: Sequence[str], width: float) -> list[tuple[float, int]]:
    """Where each name of a legend starts, and in which row."""
    places, x, row = [], LEFT, 0
    for name in names:
        need = 34 + 6.4 * min(len(name), 40)
        if x + need > width - RIGHT and x > LEFT:
            x, row = LEFT, row + 1
        places.append((x, row))
        x += need
    return places


def _legend_rows(names: Sequence[str], width: float) -> int:
    return 0 if len(names) < 2 else 1 + max(row for _, row in _places(names, width))


def _legend(names: Sequence[str], width: float) -> list[str]:
    if len(names) < 2:
        return []
    body = []
    for i, (name, (x, row)) in enumerate(zip(names, _places(names, width), strict=True)):
        y, dash = 12 + 18 * row, DASHES[i // len(COLOURS) % len(DASHES)]
        body.append(rule(x, y - 4, x + 18, y - 4, (COLOURS[i % len(COLOURS)], "u-key"), 3, dash))
        body.append(text(x + 23, y, name, most=40))
    return body


def _ends(low: float, high: float, y: float, look: tuple[str, str]) -> list[str]:
    return [rule(x, y - 4, x, y + 4, look, 2) for x in (low, high)]


def _span(value: float, low: float, high: float) -> str:
    if not np.isfinite([low, high]).all():
        return f"{value:.3g}" if np.isfinite(value) else "–"
    return f"{value:.3g} ({low:.3g} to {high:.3g})"


def _said(points: Mapping[str, tuple[Vector, Vector]]) -> str:
    """What a chart of lines shows, for those who do not see it."""
    said = []
    for name, (_, y) in points.items():
        there = y[np.isfinite(y)]
        if len(there):
            said.append(f"{name} from {brief(float(there[0]))} to {brief(float(there[-1]))}")
    return "; ".join(said)
