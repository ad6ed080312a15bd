"""A specification curve as one reads it: the answer, every configuration, what each choice does, what the best is."""

from __future__ import annotations

import numpy as np

from unusual.audit.specification_curve import SpecificationCurve
from unusual.study import Block, Cell, Intervals, Specifications, Study, Table

MOST_SHOWN = 15


def study_of(curve: SpecificationCurve) -> Study:
    """The answer, a chart for each criterion, and the tables that go with them."""
    charts: list[Block] = [_chart(curve, name) for name in curve.criteria]
    tables: list[Block] = [_shares(curve)]
    if len(curve.criteria) > 1:
        tables.append(_agreement(curve))
    tables.append(_foremost(curve))
    if curve.halves:
        tables += [_intervals(curve), _held(curve)]
    return Study("How much of the result is the choice?", _answer(curve), [*charts, *tables],
                 [curve.sentence, *curve.notes])  # fmt: skip


def _answer(curve: SpecificationCurve) -> str:
    name, *others = curve.criteria
    values = curve.criteria[name]
    said = f"Over {len(curve)} configurations {name} goes from {np.nanmin(values):.3g} to {np.nanmax(values):.3g}"
    shares = curve.eta_squared(name)
    factor = max(shares, key=lambda f: shares[f])
    if shares[factor] > 0:
        said += f"; {factor} alone explains {shares[factor]:.0%} of its variance"
    if curve.ceilings:
        reached = int(curve.inside_all().sum())
        return f"{said}. {reached} of {len(curve)} cannot be told from the real rows by {_and(list(curve.ceilings))}."
    if others:
        said += f". The best on {name} is number {curve.ranks_of_best()[0, 1]} on {others[0]}"
    return f"{said}."


def _chart(curve: SpecificationCurve, name: str) -> Specifications:
    order = np.argsort(curve.oriented(name))
    choices = {factor: [levels[i] for i in order] for factor, levels in curve.choices.items()}
    side = "lower" if name in curve.lower_is_better else "higher"
    level = "; the level is what the real rows reach against themselves" if name in curve.ceilings else ""
    caption = f"Every configuration by {name}, worst first ({side} is better{level})"
    ceiling = curve.ceilings[name].estimate if name in curve.ceilings else None
    return Specifications(caption, name, curve.criteria[name][order], choices, ceiling)


def _shares(curve: SpecificationCurve) -> Table:
    shares = [curve.eta_squared(name) for name in curve.criteria]
    rows: list[list[Cell]] = []
    for factor, levels in curve.choices.items():
        count = len(set(levels))
        rows.append([factor, count, *(share[factor] for share in shares), (count - 1) / (len(curve) - 1)])
    caption = "Share of the variance of each criterion that a choice alone explains (eta squared)"
    return Table(caption, ["choice", "levels", *curve.criteria, "by chance"], rows)


def _agreement(curve: SpecificationCurve) -> Table:
    ranks, tau = curve.ranks_of_best(), curve.kendall()
    rows: list[list[Cell]] = [
        [name, *(f"{ranks[i, j]} ({tau[i, j]:.2f})" for j in range(len(tau)))] for i, name in enumerate(curve.criteria)
    ]
    caption = "Rank of the best on one criterion (row) on each, and Kendall's tau between the two"
    return Table(caption, ["best on", *(f"rank on {name}" for name in curve.criteria)], rows)


def _front(curve: SpecificationCurve) -> list[int]:
    """Configurations of the Pareto set, the best on the first criterion first."""
    front = curve.pareto()
    first = curve.oriented(next(iter(curve.criteria)))
    return [int(i) for i in front[np.argsort(-first[front], kind="stable")]]


def _foremost(curve: SpecificationCurve) -> Table:
    front = _front(curve)
    figures = [*curve.criteria.values(), *curve.details.values()]
    rows: list[list[Cell]] = [
        [*(levels[i] for levels in curve.choices.values()), *(float(values[i]) for values in figures)]
        for i in front[:MOST_SHOWN]
    ]
    shown = f", the first {MOST_SHOWN}" if len(front) > MOST_SHOWN else ""
    caption = f"{len(front)} configurations that no other beats on every criterion{shown}"
    return Table(caption, [*curve.choices, *curve.criteria, *curve.details], rows)


def _intervals(curve: SpecificationCurve) -> Intervals:
    name = next(name for name in curve.criteria if name in curve.halves)
    limits = curve.intervals(name)
    assert limits is not None
    rows = [
        (", ".join(levels[i] for levels in curve.choices.values()), float(curve.criteria[name][i]),
         float(limits[i, 0]), float(limits[i, 1]))
        for i in _front(curve)[:MOST_SHOWN]
    ]  # fmt: skip
    ceiling = curve.ceilings[name].estimate if name in curve.ceilings else None
    return Intervals(f"The same by {name}, with 95 % intervals", name, rows, ceiling)


def _held(curve: SpecificationCurve) -> Table:
    found = {name: curve.held_out(name) for name in curve.criteria}
    rows: list[list[Cell]] = [[n, h.chosen, h.reported, h.worse] for n, h in found.items() if h is not None]
    caption = "The best on one half of the data, on that half and on the other"
    return Table(caption, ["criterion", "where chosen", "on the other half", "share of halvings worse"], rows)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
