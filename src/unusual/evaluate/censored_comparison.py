"""What a test of two censored samples gives back: p-value, difference of mean lifetimes, curves and all statistics."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from unusual.evaluate.censored_statistics import chi_squared_tail
from unusual.evaluate.stacked_statistics import learned
from unusual.parts.survival import Pooled, SurvivalCurve, log_rank_types
from unusual.study import Cell, Lines, Study, Table

Vector = NDArray[np.float64]

FEW = 10  # items of a group


@dataclass(frozen=True)
class CensoredComparison:
    """Two groups compared.

    Attributes
    ----------
    statistic, p_value : float
        Learned log odds that the groups differ, and the chance of as much if they do not.
    effect, interval : float, (low, high)
        Mean time lived within `until` by the second group, less that of the first, and its 95 % limits.
    until : float
        The time to which both groups were watched.
    statistics : dict of name -> (statistic, p-value)
        The thirteen classical ones.
    groups : (first, second)
        Their names.
    curves : (SurvivalCurve, SurvivalCurve)
        Kaplan-Meier estimates.
    notes : tuple of str
        What limits the answer.
    """

    statistic: float
    p_value: float
    effect: float
    interval: tuple[float, float]
    until: float
    statistics: dict[str, tuple[float, float]]
    groups: tuple[str, str]
    curves: tuple[SurvivalCurve, SurvivalCurve] = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    def study(self, level: float = 0.05) -> Study:
        """The answer, the survival curves with their bands, and all statistics."""
        first, second = self.groups
        low, high = self.interval
        longer = "longer" if self.effect >= 0 else "shorter"
        found = "differ in how long they last" if self.p_value <= level else "show no more difference than chance makes"
        hidden = self.p_value <= level and low <= 0 <= high
        answer = (
            f"{first} and {second} {found} (p = {self.p_value:.2g}). Within {self.until:.3g} units of time {second} "
            f"lasts {abs(self.effect):.3g} {longer} in the mean than {first} (difference {low:.3g} to {high:.3g})"
            f"{', so the difference lies in the course, not in the mean' if hidden else ''}."
        )
        lines, bands = {}, {}
        counts: list[list[Cell]] = []
        for name, curve in zip(self.groups, self.curves, strict=True):
            x, y = _steps(curve.time, curve.survival)
            lines[name] = x, y
            low_limit, high_limit = curve.band()
            bands[name] = _steps(curve.time, low_limit)[1], _steps(curve.time, high_limit)[1]
            counts.append([name, int(curve.at_risk[0]), int(curve.events.sum()), _median(curve)])
        chart = Lines("Share not yet failed", "time", "share", lines, bands)
        sizes = Table("The groups", ("group", "items", "events", "median time"), counts)
        weights = learned()["coefficients"]
        rows: list[list[Cell]] = [
            [name, statistic, p, weight]
            for (name, (statistic, p)), weight in zip(self.statistics.items(), weights, strict=False)
        ]
        head = ("statistic", "value", "p-value", "weight")
        table = Table("The classical statistics, and the learned weight of each one's -log p", head, rows)
        return Study("Do both groups last equally long?", answer, [chart, sizes, table], self.notes)


def mean_difference(first: SurvivalCurve, second: SurvivalCurve) -> tuple[float, tuple[float, float], float]:
    """Difference of the restricted means, second less first, its 95 % limits, and the time to which it holds."""
    until = float(min(first.time[-1], second.time[-1]))
    (a, sa), (b, sb) = first.restricted_mean(until), second.restricted_mean(until)
    half = float(ndtri(0.975)) * float(np.hypot(sa, sb))
    return b - a, (b - a - half, b - a + half), until


def limits_of(t: Vector, seen: NDArray[np.bool_], first: NDArray[np.bool_], names: tuple[str, str]) -> tuple[str, ...]:
    """Sentences on what limits a comparison of times t (n,), seen (n,), members of the first group (n,)."""
    notes = []
    members = dict(zip(names, (first, ~first), strict=True))
    if any(mask.sum() < FEW for mask in members.values()):
        notes.append(f"A group has fewer than {FEW} items: only a large difference can be found.")
    notes += [
        f"No event was seen in {name}; its curve stays at 1." for name, mask in members.items() if not seen[mask].any()
    ]
    end = t == t.max()
    if end.sum() >= 3 and seen[end].all() and not seen.all():
        notes.append("All of the several longest times carry events: if they are the end of the watch, pass event=0.")
    if not seen.all():
        order = np.argsort(t, kind="stable")
        exits = Pooled.of(t[order][None], np.asarray(~seen[order], dtype=np.float64)[None])  # censoring as the event
        labelled = exits.labelled(first[order][None, None].astype(np.float64))
        p = float(chi_squared_tail(log_rank_types(labelled, [[np.ones((1, len(t)))]])[0][0, 0], 1))
        if p < 0.05:
            notes.append(
                f"The groups are censored by different laws (log-rank test of the censoring times, p = {p:.2g}): the "
                "p-value is then approximate."
            )
    return tuple(notes)


def _median(curve: SurvivalCurve) -> float | None:
    """The first time at which half or fewer are left, None if there is none."""
    below = np.flatnonzero(curve.survival <= 0.5 + 1e-12)
    return float(curve.time[below[0]]) if len(below) else None


def _steps(time: Vector, height: Vector) -> tuple[Vector, Vector]:
    """Corners (2 m + 1,) of a curve that starts at 1 and steps to `height` (m,) at `time` (m,)."""
    return np.append(0.0, np.repeat(time, 2)), np.repeat(np.append(1.0, height), 2)[:-1]
