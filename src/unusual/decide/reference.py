"""Is the reference fit to judge these data? Too small, contaminated, in other units, or from another time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.data.table import Table
from unusual.parts.conformal import Calibration

SMALL = 50  # rows: below it neither spread nor tail of a column is known
UNITS = 4.0  # centre and spread changed by the same factor of at least this
BULK_MOVED = 0.15  # distance between what the p-values of the bulk are and what they should be
CONTAMINATED = 6.0  # spreads above the middle: no normal row scores there
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Health:
    """Sentences on what is wrong with a reference, and whether its alarm rate can still be promised."""

    sentences: list[str]
    withdrawn: bool


def profile(table: Table, names: list[str]) -> dict[str, list[float]]:
    """Five quantiles of each named numeric column: what `compare` later holds new data against."""
    found = {}
    for name in names:
        values = table[name].astype(np.float64)
        values = values[np.isfinite(values)]
        if len(values):
            found[name] = [float(q) for q in np.quantile(values, PROBABILITIES)]
    return found


def examine(count: int, rate: float, calibration: Calibration) -> list[str]:
    """Sentences on the reference itself: its size, and rows in it that do not belong.

    Parameters
    ----------
    count : rows of the reference
    rate : the alarm rate asked for
    calibration : scores of reference rows that the fit has not seen
    """
    said = []
    if count < SMALL:
        said.append(f"the reference has only {count} rows; at least {SMALL} are needed to know what is usual")
    if calibration.smallest_rate > rate:
        needed = math.ceil(1 / rate) - 1
        said.append(
            f"{len(calibration)} calibration rows support no alarm rate below {calibration.smallest_rate:.2%}; "
            f"{needed:,} would be needed for {rate:.2%}"
        )
    strange = strange_share(calibration.scores)
    if strange > 0:
        rows = max(1, round(strange * count))
        said.append(
            f"about {rows:,} of {count:,} reference rows look anomalous themselves; the alarm rate then errs on the "
            "quiet side: remove them if they do not belong"
        )
    return said


def strange_share(scores: Vector) -> float:
    """Share of scores so far above the middle that no normal row would be there."""
    middle = float(np.median(scores))
    spread = float(np.quantile(scores, 0.9)) - middle
    return float(np.mean(scores > middle + CONTAMINATED * spread)) if spread > 0 else 0.0


def compare(
    reference: dict[str, list[float]], table: Table, p_values: Vector, calibration_rows: int, related: float = 1.0
) -> Health:
    """Do new data still look like the reference? Columns first, then the scores of the bulk of the rows.

    Anomalies, up to nearly half of the rows, may not trigger this: columns are compared by their medians, and
    p-values only where they are above 0.3, where normal rows are uniform and anomalies are not. `related` is how many
    rows of one group there are on average: related rows bear witness once.
    """
    sentences, withdrawn = [], False
    moved = []
    for name, quantiles in reference.items():
        now = profile(table, [name]).get(name)
        if now is None:
            continue
        factor = _units(quantiles, now)
        if factor is not None:
            sentences.append(f"`{name}` seems to be in other units: about {_times(factor)} the reference")
            withdrawn = True
        elif not quantiles[0] <= now[2] <= quantiles[-1]:
            moved.append(name)
    if moved:
        names = ", ".join(f"`{name}`" for name in moved[:3]) + (f" and {len(moved) - 3} more" if len(moved) > 3 else "")
        sentences.append(f"the middle of {names} lies outside 90 % of the reference: the bulk has moved")
        withdrawn = True
    if not withdrawn and bulk_moved(p_values, calibration_rows, related):
        sentences.append("most rows score unlike the reference rows did: the bulk has moved")
        withdrawn = True
    return Health(sentences, withdrawn)


def bulk_moved(p_values: Vector, calibration_rows: int, related: float = 1.0, floor: float = 0.3) -> bool:
    """Whether the p-values above `floor` are far from uniform: Kolmogorov-Smirnov, with both samples' sizes counted."""
    from scipy.stats import kstwobign

    if len(p_values) < SMALL:
        return False
    kept = np.sort((p_values[p_values > floor] - floor) / (1 - floor))
    if len(kept) < 0.3 * len(p_values):  # even a third of the rows is no longer ordinary
        return True
    steps = np.arange(len(kept) + 1) / len(kept)
    distance = float(max((steps[1:] - kept).max(), (kept - steps[:-1]).max()))
    behind = (1 - floor) * calibration_rows  # scores that these p-values were counted among
    size = len(kept) * behind / (len(kept) + behind) / related
    return distance > BULK_MOVED and bool(kstwobign.sf(distance * np.sqrt(size)) < 0.001)


def _units(before: list[float], now: list[float]) -> float | None:
    """The factor between two columns if centre and spread changed by about the same large factor."""
    spread_before, spread_now = before[3] - before[1], now[3] - now[1]
    if min(spread_before, spread_now, abs(before[2]), abs(now[2])) <= 0 or before[2] * now[2] < 0:
        return None
    centre, spread = now[2] / before[2], spread_now / spread_before
    alike = 1 / 1.5 < centre / spread < 1.5
    return centre if alike and not 1 / UNITS < centre < UNITS else None


def _times(factor: float) -> str:
    rounded = float(f"{max(factor, 1 / factor):.2g}")
    return f"{rounded:,.6g} times" if factor > 1 else f"one {rounded:,.6g}th of"
