"""One row, or a few, of a table under a fitted model: which they are, and the study of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unusual.data.read_table import read_table
from unusual.data.table import Table
from unusual.errors import InputError
from unusual.explain.one_item import explained
from unusual.parts.rows import some_rows
from unusual.store import load
from unusual.study import Study

MOST_REFERENCE = 5000  # usual rows that replacements are learned from
ENOUGH = 300  # rows without an alarm from which they stand in for a reference: single columns can then be claimed


def study_of(
    model: Any,
    source: Any,
    item: str | int | Sequence[str | int] | None,
    reference: Any,
    level: float,
    random_state: int,
) -> Study:
    """See `unusual.explain.run`."""
    fitted = load(model) if isinstance(model, str | Path) else model
    if not hasattr(fitted, "encoder"):
        raise InputError(
            f"{model} is no model of a table; a bare detector explains with .explain(X), and a scan of a series shows "
            "the nearest normal stretch of every event"
        )
    table = read_table(source)
    id = fitted.settings.get("id")
    every = fitted.anomaly_score(table)
    rows = rows_of(table, item, id) if item is not None else [int(np.argmax(every))]
    quiet = np.flatnonzero(every <= fitted.detector.threshold_)
    usual, notes = None, []
    if reference is not None:
        usual = read_table(reference)
        usual = usual.take(some_rows(len(usual), MOST_REFERENCE))
    elif len(quiet) >= ENOUGH:
        usual = table.take(quiet[some_rows(len(quiet), MOST_REFERENCE)])
        notes.append("no reference was given, so usual values are those of the rows of these data that do not alarm")
    chosen, scores = table.take(np.array(rows)), every[rows]
    study = explained(fitted, chosen, level, random_state, usual).study()
    p = fitted.detector.calibration_.p_value(scores)
    judged = zip(rows, scores, p, strict=True)
    named = ", ".join(f"{_name(table, i, id)} (score {s:.3g}, p {q:.2g})" for i, s, q in judged)
    chosen_by = "the most unusual row, as none was named: " if item is None else ""
    return replace(study, title=f"{study.title} {chosen_by}{named} of {table.name}", notes=[*notes, *study.notes])


def rows_of(table: Table, item: str | int | Sequence[str | int], id: str | None) -> list[int]:
    """Positions of items: by the values of the column that names rows, else row numbers from 0.

    Raises
    ------
    InputError
        If there is no such item.
    """
    wanted = [item] if isinstance(item, str | int) else list(item)
    if id is not None and id in table.names:
        names = [str(value) for value in table[id].tolist()]
        lacking = [w for w in wanted if str(w) not in names]
        if lacking:
            raise InputError(f"{table.name} has no item {lacking[0]!r} in its column {id!r}; name one that is there")
        return [names.index(str(w)) for w in wanted]
    rows = []
    for w in wanted:
        if not str(w).isdigit() or int(w) >= len(table):
            raise InputError(f"item is {w!r}; {table.name} has rows 0 to {len(table) - 1:,}, so give one of these")
        rows.append(int(w))
    return rows


def _name(table: Table, i: int, id: str | None) -> str:
    return str(table[id][i]) if id is not None and id in table.names else f"row {i:,}"
