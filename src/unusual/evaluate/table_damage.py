"""Damage to the rows of a table, of growing size: values that move, cells that go missing or belong to another row.

Each kind is planned once (which columns, which way, which other row), so that a row is damaged in the same place at
every size. Nothing here knows labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.data.table import Array, Table, missing

Vector = NDArray[np.float64]
Plan = NDArray[np.float64]

SPREADS = np.concatenate([[0.0], np.geomspace(0.25, 32, 29)])  # each a fifth larger than the one before
NORMAL_IQR = 1.349  # distance of the quartiles of a normal law with spread 1
MOST_COUNTS = 10  # different numbers of cells


@dataclass(frozen=True)
class Damage:
    """One kind of damage to the n rows of a table.

    Attributes
    ----------
    kind, unit : str
        What is done, and what its size is measured in.
    sizes : (s,) ascending from 0
    done : callable
        `done(size)` is the table with each row damaged so much.
    """

    kind: str
    unit: str
    sizes: Vector
    done: Callable[[float], Table]


def damages(table: Table, spreads: Mapping[str, float], columns: Sequence[str], random_state: int) -> list[Damage]:
    """Every kind of damage that these rows allow.

    Parameters
    ----------
    table : rows to damage
    spreads : numeric column -> its spread, above 0
    columns : all columns that a detector looks at
    random_state : seed of the plans
    """
    rng = np.random.default_rng(random_state)
    numbers, n, made = list(spreads), len(table), []
    if numbers:
        one = rng.permuted(np.tile(np.arange(len(numbers)) == 0, (n, 1)), axis=1)
        made.append(moving("one value moves", table, spreads, one * rng.choice([-1.0, 1.0], (n, 1))))
    if len(numbers) > 2:
        third = rng.permuted(np.tile(np.arange(len(numbers)) < max(2, len(numbers) // 3), (n, 1)), axis=1)
        made.append(moving("several values move", table, spreads, third * rng.choice([-1.0, 1.0], third.shape)))
    holes = [name for name in columns if not missing(table.columns[name]).all()]
    if holes:
        made.append(emptying(table, holes, _order(n, len(holes), rng)))
    if len(columns) > 1 and n > 1:
        other = (np.arange(n) + rng.integers(1, n, n)) % n
        made.append(swapping(table, columns, _order(n, len(columns), rng), other))
    return made


def moving(kind: str, table: Table, spreads: Mapping[str, float], ways: Plan) -> Damage:
    """Values move by `size` spreads of their column, times ways (n, d): -1, 0 or 1."""

    def damaged(size: float) -> Table:
        moved = {
            name: table.columns[name] + size * scale * ways[:, j] for j, (name, scale) in enumerate(spreads.items())
        }
        return Table({**table.columns, **moved}, table.name)

    return Damage(kind, "spreads", SPREADS, damaged)


def emptying(table: Table, columns: Sequence[str], order: Plan) -> Damage:
    """The cells that come before `size` in order (n, d) go missing."""

    def damaged(size: float) -> Table:
        holed = {name: _emptied(table.columns[name], order[:, j] < size) for j, name in enumerate(columns)}
        return Table({**table.columns, **holed}, table.name)

    return Damage("cells go missing", "cells", _counts(len(columns)), damaged)


def swapping(table: Table, columns: Sequence[str], order: Plan, other: NDArray[np.int64]) -> Damage:
    """The cells that come before `size` in order (n, d) are those of the row `other` (n,): usual, but not together."""

    def damaged(size: float) -> Table:
        mixed = {}
        for j, name in enumerate(columns):
            values = table.columns[name]
            mixed[name] = np.where(order[:, j] < size, values[other], values)
        return Table({**table.columns, **mixed}, table.name)

    return Damage("cells come from another row", "cells", _counts(len(columns)), damaged)


def spread(values: Array) -> float:
    """Standard deviation of the normal law that has the quartiles of a column, or its own where those are equal."""
    v = np.asarray(values, dtype=np.float64)
    v = v[np.isfinite(v)]
    if not len(v):
        return 0.0
    low, high = np.quantile(v, [0.25, 0.75])
    return float(high - low) / NORMAL_IQR or float(v.std())


def _order(n: int, d: int, rng: np.random.Generator) -> Plan:
    """For each row, in which order its cells are hit (n, d)."""
    return rng.permuted(np.tile(np.arange(d, dtype=np.float64), (n, 1)), axis=1)


def _counts(d: int) -> Vector:
    return np.concatenate([[0.0], np.unique(np.geomspace(1, d, min(d, MOST_COUNTS)).round())])


def _emptied(values: Array, hit: NDArray[np.bool_]) -> Array:
    if values.dtype.kind == "M":
        return np.where(hit, np.datetime64("NaT"), values)
    if values.dtype.kind in "Ob":
        emptied = values.astype(object)
        emptied[hit] = None
        return emptied
    return np.where(hit, np.nan, values.astype(np.float64 if values.dtype.kind in "iu" else values.dtype))
