"""Which alarms appear and which vanish when one detector takes the place of another on the same items.

Source: McNemar, Note on the Sampling Error of the Difference between Correlated Proportions, 1947 (exact form);
Cohen, A Coefficient of Agreement for Nominal Scales, 1960.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest, spearmanr

from unusual.errors import InputError
from unusual.evaluate.checks import scores_of
from unusual.study import Block, Cell, Lines, Study, Table

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
MOST_ROWS = 200
MOST_DOTS = 2000


@dataclass(frozen=True)
class AlarmChanges:
    """Two detectors on the same items.

    Attributes
    ----------
    appeared, vanished, kept : (k,) positions of the items, most unusual first
    statistic : int
        Alarms that appeared.
    p_value : float
        Chance of so uneven a number of appeared and vanished alarms if both detectors alarm equally often.
    effect : float
        Change of the share of items that alarm.
    interval : (float, float)
        95 % interval of that change.
    agreement : float
        Cohen's kappa of the alarms, NaN where neither detector ever or always alarms.
    rank_correlation : float
        Spearman's, of the scores; NaN where one is constant.
    old_scores, new_scores : (n,)
    names : what the detectors are called
    items : what the n items are called; their positions unless given
    reasons : why an item was alarmed, by position
    """

    appeared: NDArray[np.int64]
    vanished: NDArray[np.int64]
    kept: NDArray[np.int64]
    statistic: int
    p_value: float
    effect: float
    interval: tuple[float, float]
    agreement: float
    rank_correlation: float
    old_scores: Vector
    new_scores: Vector
    names: tuple[str, str] = ("old", "new")
    items: Sequence[Any] | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.appeared) + len(self.vanished)

    def study(self) -> Study:
        """The page: the answer, the alarms that changed and why they were raised, both scores side by side."""
        old, new = self.names
        n = len(self.old_scores)
        answer = (
            f"{_counted(len(self.appeared))} appear and {_counted(len(self.vanished))} vanish among {n:,} items; "
            f"{len(self.kept):,} stay"
        )
        low, high = self.interval
        more = "more" if self.effect > 0 else "less"
        verdict = (
            f"`{new}` alarms {more} often than `{old}` (p {self.p_value:.2g}); the share changes by {self.effect:+.2%}"
            if self.p_value < 0.05
            else f"both alarm about equally often (p {self.p_value:.2g}); the share changes by {self.effect:+.2%}"
        )
        blocks: list[Block] = [
            Table(
                f"{verdict}, 95 % interval {low:+.2%} to {high:+.2%}",
                ["", f"`{new}` alarms", f"`{new}` is silent"],
                [
                    (f"`{old}` alarms", len(self.kept), len(self.vanished)),
                    (f"`{old}` is silent", len(self.appeared), n - len(self.kept) - len(self)),
                ],
            ),
            Table(
                "How far they agree",
                ["figure", "value"],
                [("agreement of the alarms (kappa)", _or_none(self.agreement)),
                 ("rank correlation of the scores", _or_none(self.rank_correlation))],
            ),
        ]  # fmt: skip
        for what, rows in (("Alarms that appear", self.appeared), ("Alarms that vanish", self.vanished)):
            if len(rows):
                blocks.append(self._changed(what, rows[:MOST_ROWS]))
        blocks.append(self._ranks())
        return Study(f"What changes from `{old}` to `{new}`?", answer, blocks)

    def _changed(self, what: str, rows: NDArray[np.int64]) -> Table:
        head = ["item", *(f"score under {name}" for name in self.names), *(["why"] if self.reasons else [])]
        cells: list[list[Cell]] = []
        for i in rows.tolist():
            item = str(i if self.items is None else self.items[i])
            why = [self.reasons.get(i, "")] if self.reasons else []
            cells.append([item, float(self.old_scores[i]), float(self.new_scores[i]), *why])
        return Table(what, head, cells)

    def _ranks(self) -> Lines:
        n = len(self.old_scores)
        old, new = (np.argsort(np.argsort(s)) / max(1, n - 1) for s in (self.old_scores, self.new_scores))
        changed = np.concatenate([self.appeared, self.vanished])
        rest = np.setdiff1d(np.arange(n), changed)
        rest = rest[:: max(1, len(rest) // MOST_DOTS)]
        lines = {"same decision": (old[rest], new[rest])}
        for what, rows in (("appear", self.appeared), ("vanish", self.vanished)):
            if len(rows):
                lines[what] = (old[rows], new[rows])
        return Lines(
            "Ranks of the scores: 1 is the most unusual item",
            f"rank under {self.names[0]}",
            f"rank under {self.names[1]}",
            lines,
            dots=True,
        )


def alarm_changes(
    old_scores: ArrayLike, old_alarms: ArrayLike, new_scores: ArrayLike, new_alarms: ArrayLike
) -> AlarmChanges:
    """Compare scores and alarms, each (n,), of two detectors on the same items.

    Raises
    ------
    InputError
        If lengths differ or scores are NaN.
    """
    a, b = scores_of(old_scores, "old scores"), scores_of(new_scores, "new scores")
    was, now = np.asarray(old_alarms, dtype=bool), np.asarray(new_alarms, dtype=bool)
    lengths = {len(v) for v in (a, b, was, now)}
    if len(lengths) > 1:
        raise InputError(f"scores and alarms have lengths {sorted(lengths)}; both detectors must judge the same items")
    gone, come, both = was & ~now, now & ~was, was & now
    discordant = int(gone.sum() + come.sum())
    p = binomtest(int(come.sum()), discordant).pvalue if discordant else 1.0
    effect = float(now.mean() - was.mean())
    error = math.sqrt(max(0.0, discordant / len(a) - effect**2) / len(a))
    return AlarmChanges(
        _by_score(come, b),
        _by_score(gone, a),
        _by_score(both, b),
        int(come.sum()),
        float(p),
        effect,
        (effect - 1.96 * error, effect + 1.96 * error),
        _kappa(was, now),
        float(spearmanr(a, b).statistic) if len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0 else math.nan,
        a,
        b,
    )


def _by_score(mask: Mask, scores: Vector) -> NDArray[np.int64]:
    rows = np.flatnonzero(mask)
    return rows[np.argsort(-scores[rows], kind="stable")]


def _kappa(was: Mask, now: Mask) -> float:
    p, q = was.mean(), now.mean()
    by_chance = p * q + (1 - p) * (1 - q)
    return float(((was == now).mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else math.nan


def _counted(count: int) -> str:
    return f"{count:,} alarm{'s' * (count != 1)}"


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
