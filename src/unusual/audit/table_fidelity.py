"""How faithful a synthetic table is to a real one, on halves of the real rows, beside what the halves reach themselves.

Three criteria: whether the same people rank high, whether columns are distributed alike, whether they hang together
alike. Source: Cummins, The Threat of Analytic Flexibility in Using Large Language Models to Simulate Human Data, 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from unusual.data.table import require
from unusual.errors import InputError
from unusual.parts.bootstrap import Interval
from unusual.parts.two_sample import column_distances, correlation_gap, correlations

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

RANKS, MARGINS, STRUCTURE = "rank order", "distributions", "structure"
LOWER = (MARGINS, STRUCTURE)  # distances
DETAILS = ("Wasserstein-1 in sd", "mean gap in sd", "sd ratio", "correlation of the correlations")
LEAST_ROWS = 20


@dataclass(frozen=True)
class RealTable:
    """The real rows, halved again and again.

    Attributes
    ----------
    X : (n, d) array
    names : list of str, length d
    scales : mapping of name to columns (numbers); each column by itself where none are given
    halves : (s, 2, n // 2) row numbers
    """

    X: Matrix
    names: list[str]
    scales: Mapping[str, Index]
    halves: Index

    @classmethod
    def of(
        cls, X: Matrix, names: list[str], scales: Mapping[str, Sequence[str]] | None, halvings: int, random_state: int
    ) -> RealTable:
        """Halve the rows of X (n, d) `halvings` times; a scale is a list of columns whose mean is its score."""
        if len(X) < LEAST_ROWS:
            raise InputError(f"there are {len(X)} real rows; at least {LEAST_ROWS} are needed to halve them")
        if halvings < 2:
            raise InputError(f"halvings is {halvings}; give at least 2, or no spread can be told")
        for columns in (scales or {}).values():
            require(list(columns), names, "the real table")
        made = {name: np.array([names.index(c) for c in columns]) for name, columns in (scales or {}).items()}
        rng = np.random.default_rng(random_state)
        half = len(X) // 2
        orders = np.array([rng.permutation(len(X))[: 2 * half] for _ in range(halvings)])
        return cls(X, names, made or {name: np.array([j]) for j, name in enumerate(names)}, orders.reshape(-1, 2, half))

    def criteria(self, S: Matrix, partner: Index | None, random_state: int) -> dict[str, Matrix]:
        """Values (s, 2) of each criterion for synthetic rows S (m, d) against each half of the real rows.

        As many synthetic rows as the half has, or all there are, are drawn for each comparison. `partner` (n,) is the
        row of S that stands for each real row, -1 for none; without it the order of people cannot be compared.
        """
        rng = np.random.default_rng(random_state)
        count = min(self.halves.shape[2], len(S))
        values = []
        for rows in self.halves.reshape(-1, self.halves.shape[2]):
            R, T = self.X[rows], S[rng.choice(len(S), count, replace=False)]
            ranks = np.nan if partner is None else self._rank_order(rows, S, partner[rows])
            values.append([ranks, column_distances(R, T).kolmogorov.mean(), correlation_gap(R, T)[0]])
        table = np.array(values).reshape(*self.halves.shape[:2], 3)
        found = dict(zip((RANKS, MARGINS, STRUCTURE), np.moveaxis(table, 2, 0), strict=True))
        return {name: v for name, v in found.items() if name != RANKS or partner is not None}

    def details(self, S: Matrix) -> tuple[float, ...]:
        """DETAILS for all rows of S (m, d) and all real rows, means over columns that vary among the real rows."""
        sd = self.X.std(axis=0)
        varies = sd > 0
        away = column_distances(self.X, S).wasserstein[varies] / sd[varies]
        gap = np.abs(S.mean(axis=0) - self.X.mean(axis=0))[varies] / sd[varies]
        ratio = S.std(axis=0)[varies] / sd[varies]
        return float(away.mean()), float(gap.mean()), float(ratio.mean()), correlation_gap(self.X, S)[1]

    def ceilings(self, matched: bool) -> dict[str, Interval]:
        """What one half of the real rows reaches against the other; for the order of people, half of a scale's items.

        The agreement of two half scales is stepped up to that of whole ones by the Spearman-Brown formula.
        """
        apart = [(column_distances(A, B).kolmogorov.mean(), correlation_gap(A, B)[0])
                 for A, B in ((self.X[a], self.X[b]) for a, b in self.halves)]  # fmt: skip
        found = {name: _interval(np.array(v)) for name, v in zip(LOWER, zip(*apart, strict=True), strict=True)}
        long = [columns for columns in self.scales.values() if len(columns) > 1]
        if matched and long:
            rows = self.halves.reshape(-1, self.halves.shape[2])
            pairs = [(self.X[:, c[::2]].mean(axis=1), self.X[:, c[1::2]].mean(axis=1)) for c in long]
            r = np.array([np.mean([_spearman(a[half], b[half]) for a, b in pairs]) for half in rows])
            found[RANKS] = _interval(2 * r / (1 + r))
        return {name: limits for name, limits in found.items() if np.isfinite(limits.estimate)}

    def notes(self, made: Sequence[Matrix], matched: bool) -> list[str]:
        """What limits a comparison with the synthetic tables `made`."""
        flat = [(np.ptp(self.X, axis=0) == 0) | (np.ptp(S, axis=0) == 0) for S in made]
        constant = [name for name, is_flat in zip(self.names, np.any(flat, axis=0), strict=True) if is_flat]
        return [
            *([] if matched else ["Rows have no partners among the real ones, so their order is not compared."]),
            *([f"Constant in a table, so without correlations there: {', '.join(constant)}."] if constant else []),
            "Choosing is held out, fitting is not: a generator that saw all real rows also saw the other half.",
        ]

    def _rank_order(self, rows: Index, S: Matrix, partner: Index) -> float:
        """Mean over scales of Spearman's correlation between scores of the real people `rows` and of their partners."""
        both = partner >= 0
        if both.sum() < 3:
            return float("nan")
        R, T = self.X[rows[both]], S[partner[both]]
        found = np.array([_spearman(R[:, c].mean(axis=1), T[:, c].mean(axis=1)) for c in self.scales.values()])
        return float(found[np.isfinite(found)].mean()) if np.isfinite(found).any() else float("nan")


def _spearman(a: Matrix, b: Matrix) -> float:
    """Spearman's correlation by mid-ranks; NaN where one side is constant."""
    return float(correlations(rankdata(np.column_stack([a, b]), axis=0))[0, 1])


def _interval(values: Matrix) -> Interval:
    """Mean of values (s,), and where 95 % of such values lie."""
    spread = 1.96 * float(values.std(ddof=1))
    return Interval(float(values.mean()), float(values.mean()) - spread, float(values.mean()) + spread, 0.95)
