"""Channels of a series over time as one SVG: a panel for each, events marked through all of them, the score below."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.report.axis import Axis, brief
from unusual.report.svg import ACCENT, COOL, GROUND, QUIET, path, picture, rect, rule, text
from unusual.study import TimeLine

Vector = NDArray[np.float64]

LEFT, RIGHT, PANEL, APART = 52.0, 10.0, 84.0, 16.0
MOST_PANELS = 8  # channels drawn; those that vary within the marked stretches most
EXPECTED = "expected"
GRID, CUT, SPAN = (GROUND, "u-grid"), (ACCENT, "u-cut"), ("#fdf0e9", "u-span")
SEEN, USUAL, SCORE = (COOL, "u-line"), (QUIET, "u-axis"), (ACCENT, "u-cut")


def timeline(block: TimeLine, width: int) -> str:
    """The whole picture."""
    channels = {name: np.asarray(v, dtype=np.float64) for name, v in block.lines.items() if name != EXPECTED}
    expected = block.lines.get(EXPECTED)
    names = _foremost(channels, list(block.spans))
    scored = block.scores is not None
    T = len(np.asarray(block.time))
    height = (PANEL + APART) * (len(names) + scored) + 26
    across = Axis(0, max(1, T - 1), LEFT, width - RIGHT)
    body = []
    for a, b in block.spans:
        body.append(rect(across(a) - 1, 4, max(3.0, across(b) - across(a) + 2), height - 30, SPAN, 2))
    for k, name in enumerate(names):
        top = 6 + k * (PANEL + APART)
        second = np.asarray(expected, dtype=np.float64) if expected is not None and k == 0 else None
        body += _panel(name, channels[name], second, top, across, width)
    if scored:
        top = 6 + len(names) * (PANEL + APART)
        body += _panel("anomaly score", np.asarray(block.scores, dtype=np.float64), None, top, across, width, SCORE)
        if block.threshold is not None and np.isfinite(block.threshold):
            values = np.append(np.asarray(block.scores, dtype=np.float64), block.threshold)
            y = Axis.of(values[np.isfinite(values)], top + PANEL, top + 14)(block.threshold)
            body.append(rule(LEFT, y, width - RIGHT, y, CUT, 1.2, "5 3"))
    body += _times(np.asarray(block.time), across, width, height)
    about = f"{T:,} steps of {len(channels)} channels; {len(block.spans)} stretches are marked."
    return picture("timeline", width, height, block.caption, body, about)


def _panel(
    name: str,
    values: Vector,
    expected: Vector | None,
    top: float,
    across: Axis,
    width: float,
    look: tuple[str, str] = SEEN,
) -> list[str]:
    """One channel with its own axis, and what was expected of it as a pale line."""
    both = values if expected is None else np.concatenate([values, expected])
    finite = both[np.isfinite(both)]
    if not len(finite):
        return []
    low, high = float(finite.min()), float(finite.max())
    axis = Axis(low, high if high > low else low + 1, top + PANEL, top + 14)
    body = [text(LEFT, top + 8, name, "u-strong", most=60)]
    if expected is not None:
        body.append(text(width - RIGHT, top + 8, "pale: expected", anchor="end"))
    for value in (low, high):
        body += [rule(LEFT, axis(value), width - RIGHT, axis(value), GRID)]
        body.append(text(LEFT - 5, axis(value) + 3.5, brief(value), anchor="end"))
    for line, drawn in ((expected, USUAL), (values, look)):
        if line is not None:
            steps = _extremes(line, int(width))
            body.append(path([(across(int(i)), axis(float(line[i]))) for i in steps], drawn))
    return body


def _extremes(values: Vector, width: int) -> NDArray[np.int64]:
    """Steps to draw: all, or the lowest and the highest under each pixel."""
    kept = np.flatnonzero(np.isfinite(values))
    if len(kept) <= 3 * width:
        return kept
    parts = np.array_split(kept, width)
    return np.unique([part[pick(values[part])] for part in parts for pick in (np.argmin, np.argmax)])


def _foremost(channels: dict[str, Vector], spans: list[tuple[int, int]]) -> list[str]:
    """The channels to draw, in their order: all, or those that leave their usual range most where spans are."""
    if len(channels) <= MOST_PANELS:
        return list(channels)
    inside = np.zeros(len(next(iter(channels.values()))), dtype=bool)
    for a, b in spans:
        inside[a : b + 1] = True

    def far(v: Vector) -> float:
        spread = float(np.nanstd(v))
        rest = v[inside] if inside.any() else v
        return float(np.nanmax(np.abs(rest - np.nanmedian(v)))) / spread if spread > 0 else 0.0

    chosen = sorted(channels, key=lambda name: -far(channels[name]))[:MOST_PANELS]
    return [name for name in channels if name in chosen]


def _times(time: NDArray[Any], across: Axis, width: float, height: float) -> list[str]:
    """A few times under the panels, with the day only where it changes."""
    body = []
    most = max(2, int(width / 170))
    for k, i in enumerate(np.linspace(0, len(time) - 1, most).round().astype(int)):
        side = "start" if k == 0 else "end" if k == most - 1 else "middle"
        said = (
            str(time[i].astype("datetime64[s]")).replace("T", " ") if time.dtype.kind == "M" else brief(float(time[i]))
        )
        body.append(text(across(int(i)), height - 6, said, anchor=side, most=24))
    return body


def _moment(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]")).replace("T", " ")
    return brief(float(value))
