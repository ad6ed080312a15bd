"""Steps above a threshold as events: merged, cut to what is unusual, beside the normal stretch most like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._series_model import SeriesModel
from unusual.data.ranks import shown
from unusual.data.series import Series
from unusual.explain.nearest_stretch import LONGEST, nearest_stretch
from unusual.series_detector import SeriesDetector
from unusual.series_findings import Event, moment

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
CANDIDATES = 5  # events shown where none is called unusual
FELT = 0.1  # share of the largest squared difference from the usual that a step has at the ends of an event
ALSO = 0.2  # share of the push from which a second channel is named


def runs_above(above: Mask, detector: SeriesDetector) -> list[tuple[int, int]]:
    """First and last step of each stretch above the threshold; stretches less than half a window apart are one."""
    steps = np.flatnonzero(above)
    if not len(steps):
        return []
    cuts = np.flatnonzero(np.diff(steps) > max(1, detector.window_ // 2))
    return [(int(part[0]), int(part[-1])) for part in np.split(steps, cuts + 1)]


def normal_steps(T: int, runs: list[tuple[int, int]]) -> Mask:
    usable = np.ones(T, dtype=bool)
    for a, b in runs:
        usable[a : b + 1] = False
    return usable


def event_of(
    model: SeriesModel, series: Series, scores: Vector, p: Vector, run: tuple[int, int], usable: Mask, own: bool
) -> Event:
    """One event with the normal stretch that is most like it."""
    detector, (a, b) = model.detector_of(series), run
    peak = a + int(np.argmax(scores[a : b + 1]))
    values = model.values_of(series)
    half = detector.window_ // 2
    begin, end = max(0, a - half), min(len(values), b + half + 1)
    if end - begin > LONGEST:
        begin = max(begin, peak - LONGEST // 2)
        end = min(end, begin + LONGEST)
    Z = detector._standard(values)
    pool = Z if own else detector._standard(detector.background_)
    usable = usable if own else np.ones(len(pool), dtype=bool)
    found = nearest_stretch(Z, begin, end, pool, usable)
    normal = np.zeros((end - begin, Z.shape[1])) if found is None else found.values
    gaps = (Z[begin:end] - normal) ** 2
    if begin <= a and b < end:
        a, b = _felt(gaps.sum(axis=1)[a - begin : b + 1 - begin], a)
        peak = min(max(peak, a), b)
    inside = slice(max(a, begin) - begin, min(b + 1, end) - begin)
    push = gaps[inside].sum(axis=0)
    order = np.argsort(-push, kind="stable")
    drivers = [(model.channels[c], float(push[c] / max(push.sum(), 1e-300))) for c in order]
    lead = int(order[0])
    step = inside.start + int(np.argmax(gaps[inside, lead]))
    usual = normal * detector.scaling_.scale + detector.scaling_.mean
    seen, was = float(values[begin + step, lead]), float(usual[step, lead])
    also = [f"`{name}`" for name, share in drivers[1:3] if share >= ALSO]
    at = moment(series.time[begin + step])
    long = f"{b - a + 1:,} steps" if b > a else "one step"
    values_said = [shown(float(f"{value:.4g}")) for value in (seen, was)]
    reason = f"`{drivers[0][0]}` is {values_said[0]} at {at}, where {values_said[1]} would be usual ({long})"
    if also:
        reason += f"; {' and '.join(also)} leave{'s' * (len(also) == 1)} the usual course, too"
    return Event(
        series.name, a, b, peak, _plain(series.time[a]), _plain(series.time[b]), _plain(series.time[peak]),
        float(scores[peak]), float(p[peak]), _excess(detector, float(scores[peak])), drivers, seen, was, reason, begin,
        usual,
    )  # fmt: skip


def _felt(gaps: Vector, start: int) -> tuple[int, int]:
    """First and last step of an event that differ from the usual: windows that hold one odd step all score high."""
    far = np.flatnonzero(gaps >= FELT * gaps.max())
    return start + int(far[0]), start + int(far[-1])


def _plain(value: Any) -> Any:
    return value if isinstance(value, np.datetime64) else value.item()


def kept(events: list[Event], budget: int | None) -> list[Event]:
    """Most unusual first, at most as many as one can look at."""
    return sorted(events, key=lambda e: -e.excess)[:budget]


def _excess(detector: SeriesDetector, score: float) -> float:
    """How far a score lies above the usual highest scores of a stretch, in units of their spread."""
    low, middle, high = np.quantile(detector.calibration_.scores, [0.25, 0.5, 0.75])
    return float((score - middle) / max(high - low, 1e-12 * abs(middle), 1e-300))


def candidates_of(
    model: SeriesModel, series: Sequence[Series], scores: list[Vector], p_values: list[Vector], own: bool
) -> list[Event]:
    """The highest peaks, apart from each other, where nothing lies above the threshold."""
    found = []
    for s, score, p in zip(series, scores, p_values, strict=True):
        block, left = model.detector_of(s).block_, score.copy()
        for _ in range(min(CANDIDATES, max(1, len(score) // block))):
            peak = int(np.argmax(left))
            a, b = max(0, peak - block // 4), min(len(score) - 1, peak + block // 4)
            found.append((model, s, score, p, (a, b), normal_steps(len(s), [(a, b)]), own))
            left[max(0, peak - block) : peak + block + 1] = -np.inf
    return kept([event_of(*one) for one in found], CANDIDATES)
