"""What tests of columns give back: contributions, what is claimed of them, and how far to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.decide.fdr import findings_needed
from unusual.explain.explanation import Explanation
from unusual.study import Block, Intervals, Study, Table

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHOWN = 15


@dataclass(frozen=True, kw_only=True)
class Claims(Explanation):
    """Contributions of columns, and which of them are claimed to be more than chance.

    Attributes
    ----------
    values, low, high : (n, G) arrays
        How far the score falls when the column is replaced by typical values: mean, 5 % and 95 % of the draws.
    names : sequence of str, length G
        Of the columns or groups of columns.
    evidence : (n, G) array
        p-values of IRT, or changes t of OSFT, large ones speaking for importance.
    selected : (n, G) bool
        What is claimed: p-value at or below, or t at or above, `cut` (n,) of its row.
    untestable : (n, G) bool
        Where the other columns leave the value no choice, so that replacing it tests nothing.
    tested : (n, G) bool
        Columns that were replaced at all; the others count as tests that found nothing.
    level : float
        Share of false ones that the claims may hold on average.
    test : "IRT" or "OSFT"
    sided : "one" or "two"
    pooled : bool
        Whether the rate holds over all rows together.
    sampler : str
        Where replacements came from.
    draws, finest : int
        Replacements scored for each test, and how many of them can differ: no more than there are reference rows.
    scores : (n,) array
        Of the rows as they are.
    """

    low: Matrix
    high: Matrix
    evidence: Matrix
    selected: Mask
    cut: Vector
    untestable: Mask
    tested: Mask
    level: float
    test: str
    sided: str
    pooled: bool
    sampler: str
    draws: int
    finest: int
    scores: Vector

    @property
    def untestable_columns(self) -> list[str]:
        """Columns that follow from the others in every row."""
        return [name for name, idle in zip(self.names, np.all(self.untestable, axis=0).tolist(), strict=True) if idle]

    def claimed(self, i: int) -> list[str]:
        """Names of the columns claimed for row i, largest contribution first."""
        return [self.names[j] for j in np.argsort(-self.values[i], kind="stable") if self.selected[i, j]]

    @property
    def notes(self) -> list[str]:
        """What limits the claims."""
        return [*self._power(), *self._validity()]

    def study(self) -> Study:
        """The claims as one reads them: of one row in full, of many by column."""
        if len(self.values) == 1:
            return Study("Which columns made this row unusual, beyond chance?", self._one(), self._row(0), self.notes)
        total, rows = int(self.selected.sum()), int(self.selected.any(axis=1).sum())
        answer = (
            f"{total:,} of {self.selected.size:,} pairs of row and column are claimed, in {rows:,} of "
            f"{len(self.values):,} rows; on average at most {self.level:.0%} of the claims are false."
        )
        order = np.argsort(-self.selected.sum(axis=0), kind="stable")[:SHOWN]
        claimed, fall, idle = self.selected.sum(axis=0), self.values.mean(axis=0), self.untestable.sum(axis=0)
        counts = [(self.names[j], int(claimed[j]), float(fall[j]), int(idle[j])) for j in order]
        head = ("column", "rows claimed", "mean fall of the score", "rows untestable")
        table = Table("Columns by the rows in which they are claimed", head, counts)
        falls = np.quantile(self.values, [0.05, 0.95], axis=0)  # (2, G)
        bars = [(self.names[j], float(fall[j]), float(falls[0, j]), float(falls[1, j])) for j in order]
        caption = "What replacing each column does: the mean, and the middle 90 % of the rows"
        chart = Intervals(caption, "fall of the score", bars, 0.0)
        return Study("Which columns made these rows unusual, beyond chance?", answer, [chart, table], self.notes)

    def _one(self) -> str:
        named = [f"`{name}`" for name in self.claimed(0)]
        if not named:
            return f"No column is claimed at a false-discovery rate of {self.level:.0%}: none stands out beyond chance."
        verb = "is" if len(named) == 1 else "are"
        return (
            f"{', '.join(named)} {verb} claimed, of {len(self.names)} columns; on average at most {self.level:.0%} of "
            "such claims are false."
        )

    def _row(self, i: int) -> list[Block]:
        order = np.argsort(-self.values[i], kind="stable")[:SHOWN]
        bars = [
            (self._marked(i, j), float(self.values[i, j]), float(self.low[i, j]), float(self.high[i, j])) for j in order
        ]
        label = "fall of the score when the column is replaced by what the others lead one to expect"
        what = "p-value" if self.test == "IRT" else "change of the score"
        rows = [(self.names[j], float(self.values[i, j]), float(self.evidence[i, j]), self._said(i, j)) for j in order]
        return [
            Intervals("What replacing each column does; claimed ones are marked *", label, bars, 0.0),
            Table("The tests behind it", ("column", "mean fall of the score", what, ""), rows),
        ]

    def _marked(self, i: int, j: int) -> str:
        return self.names[j] + " *" * bool(self.selected[i, j])

    def _said(self, i: int, j: int) -> str:
        return "claimed" if self.selected[i, j] else "untestable" if self.untestable[i, j] else ""

    def _power(self) -> list[str]:
        """What cannot be claimed for want of tests or draws."""
        tests = self.selected.size if self.pooled else self.selected.shape[1]
        if self.test == "OSFT":
            needed = math.ceil(1 / self.level - 1e-9)
            where = "over all rows" if self.pooled else "in a row"
            return [
                f"at {self.level:.0%} at least {needed} columns {where} must stand out at once before any can be "
                "claimed; IRT can claim single ones"
            ]
        needed = findings_needed(tests, self.level, self.finest)
        if needed <= 1:
            return []
        enough = f"{math.ceil(tests / self.level - 1e-9):,}"
        things = "reference rows" if self.finest < self.draws else "draws"
        return [
            f"with {self.finest:,} {things} {needed:,} of {tests:,} tests must reach the smallest p-value before "
            f"any is claimed; {enough} {things} allow single claims"
        ]

    def _validity(self) -> list[str]:
        notes = [
            f"replacements come from: {self.sampler}; the rate of false claims is kept as far as these are what the "
            "other columns lead one to expect",
            "a claim says that a value is not what the rest of the row leads one to expect; a column that belongs "
            "closely to a wrong one may be claimed with it",
        ]
        if not self.tested.all():
            most = int(self.tested.sum(axis=1).max())
            notes.append(f"the {most} most promising columns of a row were tested, the others count as not claimed")
        idle = self.untestable_columns
        if idle:
            some = ", ".join(f"`{name}`" for name in idle[:5]) + (f" and {len(idle) - 5} others" * (len(idle) > 5))
            notes.append(f"{some} follow{'s' * (len(idle) == 1)} from the other columns and cannot be tested")
        return notes
