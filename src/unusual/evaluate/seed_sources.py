"""Which of several seeds moves the result, and tables that rest on one seed only.

Source: Searle, Casella, McCulloch, Variance Components, 1992 (balanced crossed designs, expected mean squares).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.study import Cell, Study, Table

Vector = NDArray[np.float64]

LABEL = "single seed"
FEW_LEVELS = 5


@dataclass(frozen=True)
class VarianceComponents:
    """Variance of a result by what was drawn: `components` by the names of factors joined by " x ".

    The last one, of all factors together, holds what no factor explains; estimates below zero are given as they are.
    """

    components: dict[str, float]
    levels: dict[str, int]

    def share(self, name: str) -> float:
        """Share of the total variance, estimates below zero counted as zero."""
        total = sum(max(value, 0.0) for value in self.components.values())
        return max(self.components[name], 0.0) / total if total else 0.0

    def study(self) -> Study:
        """Which source of randomness matters."""
        rows: list[list[Cell]] = [
            [name, value, max(value, 0.0) ** 0.5, self.share(name)] for name, value in self.components.items()
        ]
        best = max(self.components, key=self.share)
        answer = f"{self.share(best):.0%} of the variance over seeds comes from {best}."
        notes = [
            f"{name} was tried at {count} levels only: its variance is known roughly."
            for name, count in self.levels.items()
            if count < FEW_LEVELS
        ]
        head = ("source", "variance", "standard deviation", "share")
        return Study("Which seed matters?", answer, [Table("Variance by source", head, rows)], notes)


def variance_components(results: ArrayLike, names: list[str]) -> VarianceComponents:
    """Components of a crossed design with one result in each cell: results (a, b, ...), one axis for each name.

    Every factor is random. The component of a set of factors is the alternating sum of the mean squares of the sets
    that contain it, over the number of results at each of its levels.

    Raises
    ------
    InputError
        If an axis has fewer than two levels, names do not fit, or results are not finite.
    """
    y = np.asarray(results, dtype=np.float64)
    if y.ndim < 2 or y.ndim != len(names) or min(y.shape) < 2 or not np.isfinite(y).all():
        raise InputError(
            f"results have shape {y.shape} for {len(names)} names or are not finite; give one axis of two levels or "
            "more for each of at least two names"
        )
    axes = range(y.ndim)
    sets = [chosen for size in range(1, y.ndim + 1) for chosen in combinations(axes, size)]
    squares = {chosen: _mean_square(y, chosen) for chosen in sets}
    components = {}
    for chosen in sets:
        signed = sum((-1) ** (len(other) - len(chosen)) * squares[other] for other in sets if set(chosen) <= set(other))
        repeats = np.prod([y.shape[axis] for axis in axes if axis not in chosen])
        components[" x ".join(names[axis] for axis in chosen)] = float(signed / repeats)
    return VarianceComponents(components, dict(zip(names, y.shape, strict=True)))


def _mean_square(y: Vector, chosen: tuple[int, ...]) -> float:
    """Mean square of the interaction of the chosen axes: means over the others, centred along each chosen one."""
    others = tuple(axis for axis in range(y.ndim) if axis not in chosen)
    means = y.mean(axis=others)
    for axis in range(means.ndim):
        means = means - means.mean(axis=axis, keepdims=True)
    freedom = np.prod([y.shape[axis] - 1 for axis in chosen])
    return float(np.prod([y.shape[axis] for axis in others]) * (means**2).sum() / freedom)


def single_seed_rows(table: Table) -> list[str]:
    """Rows of a comparison that rest on one seed, or do not say on how many, and are not labelled "single seed".

    The table says it in a column "seeds"; the label stands in a cell of the row or in the caption.
    """
    if LABEL in table.caption.lower():
        return []
    heads = [str(head).lower() for head in table.head]
    at = heads.index("seeds") if "seeds" in heads else None
    found = []
    for row in table.rows:
        count = row[at] if at is not None else None
        several = isinstance(count, int | float) and count > 1
        if not several and not any(LABEL in str(cell).lower() for cell in row):
            found.append(str(row[0]))
    return found


def refuse_single_seeds(table: Table) -> Table:
    """The table itself, unless rows rest on a single seed without saying so.

    Raises
    ------
    InputError
        Naming the rows.
    """
    rows = single_seed_rows(table)
    if rows:
        raise InputError(
            f"table {table.caption!r} compares {', '.join(rows[:5])}{' and others' if len(rows) > 5 else ''} by one "
            f'seed or does not say by how many; run more and give a column "seeds", or label them "{LABEL}"'
        )
    return table
