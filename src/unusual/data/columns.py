"""What each column of a table is, and what is to be done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.table import Array, Table, missing, plain

SAMPLE = 200_000  # rows looked at where counting distinct values would take long
LABELS = frozenset({"label", "labels", "anomaly", "is_anomaly", "outlier", "is_outlier", "target", "class"})
MOSTLY_MISSING = 0.9  # above this share only "there or not" is used
FEW_LEVELS = 50
FEW_SHARE = 0.05

_ID = re.compile(r"(^|[_\s.-])(id|uuid|guid)$|[a-z](Id|ID)$|^(index|unnamed: 0|row|row[_ ]?(number|no|id)|key)$")
_RUNS = (re.compile(r"[A-Z]+"), "A"), (re.compile(r"[a-z]+"), "a"), (re.compile(r"\d+"), "0")


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether it is used, and in plain English how.

    Attributes
    ----------
    name : str
    kind : str
        number, boolean, category, date, text, identifier, constant or mostly missing.
    used : bool
        Whether rows are compared by it.
    treatment : str
        "used as a number; 12 missing cells filled with the median, and marked".
    missing : int
        Missing cells.
    levels : int
        Distinct values among the cells that are there (in at most 200,000 rows).
    example : str
        The first value that is there.
    """

    name: str
    kind: str
    used: bool
    treatment: str
    missing: int
    levels: int
    example: str


@dataclass(frozen=True)
class Facts:
    """What the kind of a column is judged by.

    `some` are at most 200,000 of the cells that are there, from all over the column, in order; `head` are its first.
    """

    name: str
    some: Array
    head: Array
    rows: int
    missing: int
    levels: int

    @property
    def unique(self) -> bool:
        return bool(self.levels == len(self.some)) and self.missing == 0 and self.rows >= 10

    @property
    def mostly_missing(self) -> bool:
        return self.missing > MOSTLY_MISSING * self.rows


def describe_columns(
    table: Table, *, id: str | None = None, group: str | None = None, label: str | None = None, time: str | None = None
) -> list[Column]:
    """Say for each column what it is and what is done with it.

    Parameters
    ----------
    table : Table
    id, group, label : str, optional
        Columns that name the rows, keep rows together, or say which rows are anomalous; all are left out.
    time : str, optional
        The column with the time of each row: used for the hour and the day of the week only.

    Returns
    -------
    list of Column
        In the order of the table.

    Raises
    ------
    InputError
        If a named column is not in the table.
    """
    roles: dict[str, str] = {}
    for role, name in (("time", time), ("label", label), ("group", group), ("id", id)):
        if name is not None:
            table[name]
            roles[name] = role
    return [_describe(name, values, roles.get(name, "")) for name, values in table.columns.items()]


def _describe(name: str, values: Array, role: str) -> Column:
    facts = facts_of(name, values)
    kind, used, treatment = _judged(facts, role)
    example = "" if not len(facts.some) else str(plain(facts.some[0]))[:60]
    return Column(name, kind, used, treatment, facts.missing, facts.levels, example)


def facts_of(name: str, values: Array) -> Facts:
    """Count the missing cells of a column (n,) and the distinct ones among the others."""
    gaps = missing(values)
    here = values[~gaps] if gaps.any() else values
    some = here[spread(len(here))]
    levels = len(set(some)) if some.dtype.kind == "O" else len(np.unique(some))
    if levels == 1 and len(some) < len(here) and bool((here != some[0]).any()):
        levels = 2
    return Facts(name, some, here[:SAMPLE], len(values), int(gaps.sum()), levels)


def spread(n: int) -> Array | slice:
    """All of n rows, or 200,000 of them in order: one at random from each of as many equal stretches.

    Every k-th row would see only some of the values of data that repeat every so many rows. The draw never changes.
    """
    if n <= SAMPLE:
        return slice(None)
    starts = np.arange(SAMPLE + 1) * n // SAMPLE
    return np.random.default_rng(0).integers(starts[:-1], starts[1:])


def _judged(facts: Facts, role: str) -> tuple[str, bool, str]:
    """Kind, whether used, and treatment."""
    if role == "id":
        return "identifier", False, "left out; it names the rows"
    if role == "group":
        return "identifier", False, "left out; rows with the same value are kept together"
    if role == "label" or (facts.name.lower() in LABELS and is_flag(facts)):
        return "boolean" if is_flag(facts) else "category", False, "left out; it says which rows are anomalous"
    if facts.levels == 0:
        return "mostly missing", False, "all cells are missing; a value in new data counts as unusual"
    if facts.mostly_missing:
        share = f"{100 * facts.missing / facts.rows:.4g} %"
        return "mostly missing", True, f"used as there or missing only; {share} of its cells are missing"
    if facts.levels == 1 and facts.missing == 0:
        return "constant", False, "the same in every row; a different value in new data counts as unusual"
    if facts.levels == 1:
        return "boolean", True, f"used as there or missing; {facts.missing:,} cells are missing, the others are equal"
    if facts.some.dtype.kind == "M":
        return _date(facts, running=role == "time")
    return _text(facts) if facts.some.dtype.kind == "O" else _number(facts)


def is_flag(facts: Facts) -> bool:
    """Whether the column holds only 0 and 1, or false and true."""
    return facts.levels <= 2 and facts.some.dtype.kind in "bif" and bool(np.all((facts.some == 0) | (facts.some == 1)))


def _number(facts: Facts) -> tuple[str, bool, str]:
    if is_flag(facts):
        return "boolean", True, "used as 0 and 1" + filled(facts)
    whole = facts.some.dtype.kind == "i" or bool(np.all(np.trunc(facts.some) == facts.some))
    if whole and facts.unique and (_ID.search(facts.name) or _in_sequence(facts.head)):
        return "identifier", False, "left out; it numbers the rows"
    if whole and _ID.search(facts.name):
        if facts.levels <= max(FEW_LEVELS, FEW_SHARE * len(facts.some)):
            return (
                "category",
                True,
                "used as a category, by how common its values are; its name says it is an identifier",
            )
        return "identifier", False, "left out; its name says it is an identifier"
    return "number", True, "used as a number" + filled(facts)


def _in_sequence(values: Array) -> bool:
    steps = np.diff(values)
    return len(steps) > 0 and bool(np.all(steps == steps[0])) and bool(steps[0] != 0)


def marks_missing(gaps: int, rows: int) -> bool:
    """Whether missing cells get a feature of their own: not where they are so few that the mark would outshine all."""
    return gaps >= max(5, 0.01 * rows)


def filled(facts: Facts) -> str:
    """What is done with the missing cells of a number."""
    if not facts.missing:
        return ""
    cells = f"; {facts.missing:,} missing cell{'s' * (facts.missing > 1)} filled with the median"
    return cells + (", and marked" if marks_missing(facts.missing, facts.rows) else "")


def _date(facts: Facts, running: bool) -> tuple[str, bool, str]:
    parts = date_parts(facts.some, running)
    if not parts:
        return "date", False, "left out; new rows are always later, and the time of day does not vary"
    said = " and ".join(
        {"day": "a day count", "hour": "hour of the day", "weekday": "day of the week"}[p] for p in parts
    )
    left = "" if "day" in parts else "; the date itself is left out, as new rows are always later"
    return "date", True, f"used as {said}{left}{filled(facts).replace('the median', 'a middle value')}"


def date_parts(days: Array, running: bool = False) -> list[str]:
    """Which of "day", "hour" and "weekday" say something about the dates (m,), none missing.

    The day count of dates that run along the rows (or are said to) is not one of them: it would make all later data
    unusual.
    """
    steps = np.diff(days)
    running = running or (len(days) > 2 and bool(np.all(steps >= np.timedelta64(0, "us"))))
    clock = (days - days.astype("datetime64[D]")) // np.timedelta64(1, "h")
    span = (days.max() - days.min()) / np.timedelta64(1, "D")
    names = [] if running else ["day"]
    if len(np.unique(clock)) > 2:
        names.append("hour")
    if span >= 14 and len(np.unique(days.astype("datetime64[D]"))) >= 14:
        names.append("weekday")
    return names


def _text(facts: Facts) -> tuple[str, bool, str]:
    named = bool(_ID.search(facts.name))
    if facts.unique and (named or _one_shape(facts.some)):
        return "identifier", False, "left out; every row has another value"
    few = facts.levels <= FEW_LEVELS and facts.levels <= 0.5 * len(facts.some)
    if few or facts.levels <= FEW_SHARE * len(facts.some):
        gaps = f"; {facts.missing:,} missing cells are a value of their own" if facts.missing else ""
        return "category", True, f"used as a category of {facts.levels:,} values, by how common they are{gaps}"
    if named:
        return "identifier", False, "left out; its name says it is an identifier"
    return "text", True, "used by its length, number of words, and shares of digits, capitals and signs" + filled(facts)


def _one_shape(texts: NDArray[Any]) -> bool:
    """Whether all texts are alike up to their letters and digits ("AB-123", or codes of one length)."""
    some = texts[:1000]
    if len({len(text) for text in some}) == 1 and not any(" " in text for text in some):
        return any(c.isdigit() for c in some[0])
    shapes = set()
    for text in some:
        for run, sign in _RUNS:
            text = run.sub(sign, text)
        shapes.add(text)
    return len(shapes) == 1 and "0" in next(iter(shapes))
