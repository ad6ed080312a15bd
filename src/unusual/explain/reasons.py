"""Reasons in one sentence, made of real column names and values, from the contributions of the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.encoder import TableEncoder
from unusual.data.ranks import shown

LEADING_SHARE = 0.5  # columns are named until they make up this share of what pushes the score up
MOST_NAMED = 3
TAIL = 0.02  # a value beyond all but this share of the reference is called extreme by itself


@dataclass(frozen=True)
class Contribution:
    """What one column adds to a score.

    Attributes
    ----------
    feature : str
    contribution : float
        In units of the score; positive pushes towards unusual.
    value : the cell as it was read (number, text, date, None where missing)
    usual : str
        The usual range or levels in the reference, in words.
    """

    feature: str
    contribution: float
    value: Any
    usual: str


def contributions(encoder: TableEncoder, row: dict[str, Any], values: NDArray[np.float64]) -> list[Contribution]:
    """The columns of one row, those that push hardest first; `values` (d,) in the order of `encoder.columns_`."""
    names = [column.name for column in encoder.columns_]
    order = np.argsort(-values, kind="stable")
    used = [j for j in order if encoder.columns_[j].used or values[j] != 0]
    return [Contribution(names[j], float(values[j]), row.get(names[j]), encoder.usual_range(names[j])) for j in used]


def leading(found: list[Contribution]) -> list[Contribution]:
    """The few contributions that make up most of what pushes the score up."""
    positive = [c for c in found if c.contribution > 0]
    total = sum(c.contribution for c in positive)
    named: list[Contribution] = []
    for c in positive[:MOST_NAMED]:
        if named and sum(n.contribution for n in named) >= LEADING_SHARE * total:
            break
        named.append(c)
    return named


def reason(encoder: TableEncoder, found: list[Contribution], *, among: bool = False) -> str:
    """Why a row is unusual, in one sentence; `among`: it is itself one of the rows learned from."""
    named = leading(found)
    if not named:
        return "no single column stands out; the row is unusual as a whole"
    clauses = [_clause(encoder, c, int(among)) for c in named]
    extreme = [clause for clause, by_itself in clauses if by_itself]
    ordinary = [c.feature for c, (_, by_itself) in zip(named, clauses, strict=True) if not by_itself]
    if not ordinary:
        return _together(extreme)
    if not extreme:
        if len(ordinary) == 1:
            return f"{clauses[0][0]}; ordinary by itself, but not together with the other columns"
        names = _joined([f"`{name}`" for name in ordinary])
        return f"{names} are ordinary one by one ({'; '.join(c for c, _ in clauses)}), but unusual together"
    names = _joined([f"`{name}`" for name in ordinary])
    verb = "is" if len(ordinary) == 1 else "are"
    return f"{_together(extreme)}; {names} {verb} ordinary alone, but not together with it"


def _clause(encoder: TableEncoder, c: Contribution, own: int) -> tuple[str, bool]:
    """What is to be said of one cell against all rows but its `own`, and whether it is extreme by itself."""
    cell = f"`{c.feature}` is missing" if c.value is None else f"`{c.feature}` {shown(c.value)}"
    how = encoder.treatment_of(c.feature)
    if how == "category" and c.value is not None:
        equal, n = encoder.count_of(c.feature, c.value)
        return _frequency(cell, equal, n, own)
    if how == "constant":
        return f"{cell} (in the reference {c.usual})", True
    if how == "presence" or c.value is None:
        return _presence(encoder, cell, c, own)
    if not encoder.has_order(c.feature):
        return f"{cell} is unlike {'the other' if own else 'the reference'} texts in length or make-up", True
    below, equal, above, n, _ = encoder.rank_of(c.feature, c.value)
    if isinstance(c.value, bool):
        return _frequency(cell, equal, n, own)
    high, low, n = above + max(0, equal - own), below + max(0, equal - own), n - own
    if high <= TAIL * n and above <= below:
        return f"{cell} lies {_beyond('above', high, n, own)}", True
    if low <= TAIL * n and below < above:
        return f"{cell} lies {_beyond('below', low, n, own)}", True
    return f"{cell} (usual: {c.usual})", False


def _frequency(cell: str, equal: int, n: int, own: int) -> tuple[str, bool]:
    equal, n = max(0, equal - own), n - own
    if equal == 0:
        return f"{cell} never occurs in {_rows(n, own)}", True
    rare = equal <= TAIL * n
    return f"{cell} is {'rare' if rare else 'usual'} ({equal:,} of {_rows(n, own)} have it)", rare


def _presence(encoder: TableEncoder, cell: str, c: Contribution, own: int) -> tuple[str, bool]:
    """A cell of which it matters that it is missing, or there."""
    missing = next(column.missing for column in encoder.columns_ if column.name == c.feature)
    alike, n = max(0, (missing if c.value is None else encoder.rows_ - missing) - own), encoder.rows_ - own
    there = "" if c.value is None else " is filled in"
    return f"{cell}{there}, as in {f'{alike:,}' if alike else 'none'} of {_rows(n, own)}", alike <= TAIL * n


def _beyond(side: str, others: int, n: int, own: int) -> str:
    return f"{side} all {_rows(n, own)}" if others == 0 else f"{side} all but {others:,} of {_rows(n, own)}"


def _rows(n: int, own: int) -> str:
    return f"{n:,} other rows" if own else f"{n:,} reference rows"


def _together(clauses: list[str]) -> str:
    """Clauses as one; neighbours that lie above or below the same rows share their verb."""
    groups: list[tuple[list[str], str]] = []
    for clause in clauses:
        cell, lies, where = clause.rpartition(" lies ")
        if lies and groups and groups[-1][1] == where:
            groups[-1][0].append(cell)
        else:
            groups.append(([cell], where) if lies else ([clause], ""))
    said = [f"{_joined(c)} lie{'s' * (len(c) == 1)} {where}" if where else c[0] for c, where in groups]
    return _joined(said) if len(said) == len(clauses) else "; ".join(said)


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
