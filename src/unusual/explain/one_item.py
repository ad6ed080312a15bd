"""Why this row: contributions of its columns, how steady they are, and which of them are more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.ranks import shown
from unusual.explain.claims import Claims
from unusual.explain.null_features import DRAWS, IRT, SPARE
from unusual.explain.sensitivity import AttributionSensitivity
from unusual.explain.stability import Stability
from unusual.parts.conditional import MOST_ROWS as MOST_REFERENCE
from unusual.study import Block, Intervals, Study, Table, Words

Matrix = NDArray[np.float64]

EVALUATIONS = 1024  # scored rows behind the contributions of one row
MOST_TESTED, MANY_COLUMNS = 20_000, 60  # scored rows behind the tests of one row, fewer where there are more columns
LEAST_TESTED = 3  # columns
SHOWN = 15
MOST_ROWS = 5  # told in full


@dataclass(frozen=True)
class Explained:
    """What is known of why rows are unusual.

    Attributes
    ----------
    names : sequence of str, length G
        Of the columns.
    contributions : (n, G) array
        What each column adds to the score of a row; positive pushes towards unusual.
    stability : Stability
        How the contributions change with other draws.
    claims : Claims
        Tests of each column of each row.
    cells : list of n dicts from column to (value, usual values), as text
    """

    names: Sequence[str]
    contributions: Matrix
    stability: Stability
    claims: Claims
    cells: Sequence[dict[str, tuple[str, str]]]

    def study(self) -> Study:
        """Contributions with their range over seeds, what is claimed, and what limits both."""
        several = len(self.contributions) > 1
        blocks: list[Block] = []
        for i in range(min(len(self.contributions), MOST_ROWS)):
            blocks += [Words(f"Row {i + 1}: {self.answer(i)}")] * several + self._blocks(i)
        title = "Why are these rows unusual?" if several else "Why is this row unusual?"
        steady = self.stability.answer
        answer = f"{len(self.contributions)} rows. {steady}" if several else f"{self.answer(0)} {steady}"
        left = len(self.contributions) - MOST_ROWS
        notes = [*self.claims.notes, *self.stability.notes, *[f"{left} more rows are not shown"] * (left > 0)]
        return Study(title, answer, blocks, notes)

    def answer(self, i: int) -> str:
        """Row i in a sentence or two."""
        values, named = self.contributions[i], self.claims.claimed(i)
        first = int(values.argmax())
        level = f"{self.claims.level:.0%}"
        pushes = f"`{self.names[first]}` pushes the score most"
        if values[first] <= 0:
            pushes = "No column pushes the score up"
        if not named:
            return f"{pushes}; no column is claimed to be more than chance when at most {level} of claims may be false."
        listed = ", ".join(f"`{name}`" for name in named)
        many = "stands" if len(named) == 1 else "stand"
        return f"{pushes}; {listed} {many} out beyond chance (at most {level} of such claims are false)."

    def _blocks(self, i: int) -> list[Block]:
        order = np.argsort(-self.contributions[i], kind="stable")[:SHOWN]
        runs = self.stability.values[:, i]  # (k, G)
        bars, rows = [], []
        for j in order:
            name, value = self.names[j], float(self.contributions[i, j])
            claimed, idle = bool(self.claims.selected[i, j]), bool(self.claims.untestable[i, j])
            bars.append((name + " *" * claimed, value, float(runs[:, j].min()), float(runs[:, j].max())))
            cell, usual = self.cells[i].get(name, ("", ""))
            said = "claimed" if claimed else "follows from the others" if idle else ""
            p = float(self.claims.evidence[i, j]) if self.claims.tested[i, j] else None
            rows.append((name, cell, usual, value, p, said))
        head = ("column", "value", "usual", "adds to the score", "p-value", "")
        caption = f"What each column adds to the score, and its range over {len(runs)} runs; * is more than chance"
        return [Intervals(caption, "adds to the score", bars, 0.0), Table("Column by column", head, rows)]


def explained(detector: Any, X: Any, level: float = 0.1, random_state: int = 0, reference: Any = None) -> Explained:
    """Explain one row or a few: contributions, their stability, and which columns survive a test.

    Parameters
    ----------
    detector : fitted detector or scan of a table
    X : (n, d) rows, or a table with the columns of the scan
    level : float in (0, 1), default 0.1
        Share of false ones that the claimed columns of a row may hold on average.
    random_state : int, default 0
    reference : usual rows in the form of X, from a few hundred on; by default the few that the detector keeps

    Returns
    -------
    Explained

    Raises
    ------
    InputError
        If the rows cannot be scored, or there is nothing to compare them with.
    """
    stability = AttributionSensitivity.for_detector(detector, X, evaluations=EVALUATIONS)
    values = stability.values[0]  # (n, G)
    count = values.shape[1]
    draws = max(DRAWS[0], round(SPARE * count / level) - 1)
    if reference is not None:
        draws = min(draws, SPARE * max(DRAWS[0], min(len(reference), MOST_REFERENCE)))  # more would tell nothing new
    affordable = int(MOST_TESTED * min(1, MANY_COLUMNS / count)) // draws
    tested = np.argsort(np.argsort(-values, axis=1), axis=1) < max(LEAST_TESTED, affordable)
    claims = IRT(level=level, draws=draws, random_state=random_state).explain(detector, X, reference, tested)
    return Explained(claims.names, values, stability, claims, _cells(detector, X, claims.names))


def _cells(detector: Any, X: Any, names: Sequence[str]) -> list[dict[str, tuple[str, str]]]:
    """Values and usual values of each row, as they are read."""
    encoder = getattr(detector, "encoder", None)
    if encoder is not None:
        rows = [X.row(i) for i in range(len(X))]
        return [{name: (shown(row.get(name)), encoder.usual_range(name)) for name in names} for row in rows]
    known = np.quantile(detector.background_, [0.01, 0.99], axis=0)
    usual = [f"{shown(low)} to {shown(high)}" for low, high in known.T]
    return [dict(zip(names, zip(map(shown, row), usual, strict=True), strict=True)) for row in np.asarray(X)]
