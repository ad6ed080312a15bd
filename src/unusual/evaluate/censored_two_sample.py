"""CensoredTwoSample: whether two groups last equally long when many of their items are still alive.

role: test
data: table
names: CensoredTwoSample
system: 161
paper: Philonenko, Machine Learning for Two-Sample Testing under Right-Censored Data: A Simulation Study, 2024
needs: -
checkpoint: none

Thirteen classical statistics, the log-rank family among them, are combined by weights learned from simulated pairs of
samples that differ in their whole course, early, late, by crossing, in scale or in the tail. The p-value comes from
dealing out the group labels anew: it is exact where both groups are censored by the same law, and only there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.censored_comparison import CensoredComparison, limits_of, mean_difference
from unusual.evaluate.censored_statistics import STATISTICS, thirteen
from unusual.evaluate.stacked_statistics import log_odds, tabled_p_value
from unusual.parts.survival import Pooled, SurvivalCurve

Vector = NDArray[np.float64]

FEWEST = 5  # items of a group
BLOCK_VALUES = 32_768  # of permuted labels at once: what they are worked into stays in the cache
METHODS = ("permutation", "table")
CLOSE = 1e-9  # statistics this near are equal: permutations that tell the same groups apart differ by rounding


class CensoredTwoSample:
    """Test of equal survival of two groups with right-censored times.

    Parameters
    ----------
    permutations : int, default 999
        Dealings of the group labels.
    method : "permutation" or "table", default "permutation"
        "table" takes p-values from simulated laws and chi-squared tables: at once, for large samples, not below 0.001
        for the learned statistic; Q, MAX and MIN3 are then corrected for their choice by its number (upper limits).
    event : 0 or 1, default 1
        The value of the flag that says that the event was seen; 0 where the flag says "censored".
    random_state : int, default 0
    """

    def __init__(
        self, permutations: int = 999, method: str = "permutation", event: int = 1, random_state: int = 0
    ) -> None:
        self.permutations = permutations
        self.method = method
        self.event = event
        self.random_state = random_state

    def test(self, time: ArrayLike, flag: ArrayLike, group: ArrayLike) -> CensoredComparison:
        """Compare the two groups.

        Parameters
        ----------
        time : (n,) positive numbers
            When the event was seen, or when the item was last seen without it.
        flag : (n,) of 0 and 1
            Whether the event was seen, as `event` says.
        group : (n,) labels of two groups; the first in their order is the first sample

        Raises
        ------
        InputError
            If times, flags or groups cannot be used, or no event was seen at all.
        """
        t, seen, names, first = self._checked(time, flag, group)
        order = np.argsort(t, kind="stable")
        pooled = Pooled.of(t[order][None], seen[order][None].astype(np.float64))
        own = first[order].astype(np.float64)
        chi, closed = (values[0, 0] for values in thirteen(pooled, own[None, None]))
        smaller, censored = int(min(first.sum(), (~first).sum())), float(1 - seen.mean())
        statistic = float(log_odds(closed, smaller, censored))
        if self.method == "table":
            p_value = tabled_p_value(statistic, smaller, censored)
            p_values = np.minimum(closed * np.r_[np.ones(10), 2, 2, 3], 1.0)
        else:
            p_value, p_values = self._permuted(pooled, own, closed, statistic, smaller, censored)
        curves = SurvivalCurve.of(t[first], seen[first]), SurvivalCurve.of(t[~first], seen[~first])
        effect, interval, until = mean_difference(*curves)
        classical = dict(zip(STATISTICS, zip(chi.tolist(), p_values.tolist(), strict=True), strict=True))
        return CensoredComparison(
            statistic, p_value, effect, interval, until, classical, names, curves, limits_of(t, seen, first, names)
        )

    def _permuted(
        self, pooled: Pooled, own: Vector, closed: Vector, statistic: float, smaller: int, censored: float
    ) -> tuple[float, Vector]:
        """p-values of the learned statistic and of the thirteen (13,): ranks among dealings of the labels."""
        rng = np.random.default_rng(self.random_state)
        block = max(1, BLOCK_VALUES // len(own))
        as_far, as_far_each = 1, np.ones(len(closed))
        for start in range(0, self.permutations, block):
            count = min(block, self.permutations - start)
            dealt = rng.permuted(np.broadcast_to(own, (count, len(own))), axis=1)
            p = thirteen(pooled, dealt[None])[1][0]  # (count, 13)
            as_far += int((log_odds(p, smaller, censored) >= statistic - CLOSE * max(1.0, abs(statistic))).sum())
            as_far_each += (p <= closed * (1 + CLOSE)).sum(axis=0)
        return as_far / (self.permutations + 1), as_far_each / (self.permutations + 1)

    def _checked(
        self, time: Any, flag: Any, group: Any
    ) -> tuple[Vector, NDArray[np.bool_], tuple[str, str], NDArray[np.bool_]]:
        """Times (n,), events seen (n,), names of the groups, members of the first (n,)."""
        if self.method not in METHODS or self.event not in (0, 1) or self.permutations < 1:
            raise InputError(
                f"method is {self.method!r}, event {self.event!r} and permutations {self.permutations!r}; choose "
                f"{' or '.join(METHODS)}, an event of 0 or 1 and at least one permutation"
            )
        t, flags, label = np.asarray(time), np.asarray(flag), np.asarray(group)
        if t.ndim == 2:
            raise InputError(
                f"time has shape {t.shape}; times of entry (left truncation) are not supported, give one time per item"
            )
        if t.ndim != 1 or t.dtype.kind not in "fiu" or flags.shape != t.shape or label.shape != t.shape:
            raise InputError(
                f"time, flag and group have shapes {t.shape}, {flags.shape} and {label.shape}; give numbers, 0/1 flags "
                "and labels of the same items"
            )
        t = t.astype(np.float64)
        if not (np.isfinite(t) & (t > 0)).all():
            raise InputError(
                f"{int((~(np.isfinite(t) & (t > 0))).sum()):,} of {len(t):,} times are not positive numbers; leave out "
                "items that were never under watch, or give them half of the smallest unit"
            )
        return t, self._events(flags), *_two_groups(label)

    def _events(self, flags: NDArray[Any]) -> NDArray[np.bool_]:
        if flags.dtype != bool and not np.isin(flags, (0, 1)).all():
            odd = next(v for v in flags.tolist() if v not in (0, 1))
            raise InputError(
                f"flag holds {odd!r}; it must be 1 where the event was seen and 0 where the item was censored, or the "
                "other way round with event=0"
            )
        seen: NDArray[np.bool_] = flags.astype(np.int64) == self.event
        if not seen.any():
            raise InputError(
                f"no event was seen: all {len(seen):,} flags are {1 - self.event}; if that value means that the event "
                f"was seen, pass event={1 - self.event}"
            )
        return seen


def _two_groups(label: NDArray[Any]) -> tuple[tuple[str, str], NDArray[np.bool_]]:
    names, code, counts = np.unique(label, return_inverse=True, return_counts=True)
    if len(names) != 2:
        raise InputError(f"group has {len(names)} different labels; give the items of exactly two groups")
    if counts.min() < FEWEST:
        raise InputError(
            f"group {names[counts.argmin()]!s} has {counts.min()} items; at least {FEWEST} are needed in each"
        )
    return (str(names[0]), str(names[1])), code == 0
