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


def reason(encoder: TableEncoder, found: list[Contribution]) -> str:
    """Why a row is unusual, in one sentence."""
    named = leading(found)
    if not named:
        return "no single column stands out; the row is unusual as a whole"
    clauses = [_clause(encoder, c) for c in named]
    extreme = [clause for clause, by_itself in clauses if by_itself]
    ordinary = [c.feature for c, (_, by_itself) in zip(named, clauses, strict=True) if not by_itself]
    if not ordinary:
        return _joined(extreme)
    if not extreme:
        if len(ordinary) == 1:
            return f"{clauses[0][0]}; ordinary by itself, but not together with the other columns"
        names = _joined([f"`{name}`" for name in ordinary])
        return f"{names} are ordinary one by one ({'; '.join(c for c, _ in clauses)}), but unusual together"
    names = _joined([f"`{name}`" for name in ordinary])
    verb = "is" if len(ordinary) == 1 else "are"
    return f"{_joined(extreme)}; {names} {verb} ordinary alone, but not together with it"


def _clause(encoder: TableEncoder, c: Contribution) -> tuple[str, bool]:
    """What is to be said of one cell, and whether it is extreme by itself."""
    cell = f"`{c.feature}` is missing" if c.value is None else f"`{c.feature}` {shown(c.value)}"
    how = encoder.treatment_of(c.feature)
    if how == "category":
        equal, n = encoder.count_of(c.feature, c.value)
        return _frequency(cell, equal, n)
    if how == "constant" or how == "presence":
        return f"{cell} (in the reference {c.usual})", True
    if c.value is None or not encoder.has_order(c.feature):
        return cell, c.value is None
    below, equal, above, n, _ = encoder.rank_of(c.feature, c.value)
    if isinstance(c.value, bool):
        return _frequency(cell, equal, n)
    if above + equal <= TAIL * n and above <= below:
        return f"{cell} lies {_beyond('above', above + equal, n)}", True
    if below + equal <= TAIL * n and below < above:
        return f"{cell} lies {_beyond('below', below + equal, n)}", True
    return f"{cell} (usual: {c.usual})", False


def _frequency(cell: str, equal: int, n: int) -> tuple[str, bool]:
    if equal == 0:
        return f"{cell} never occurs in {n:,} reference rows", True
    rare = equal <= TAIL * n
    return f"{cell} is {'rare' if rare else 'usual'} ({equal:,} of {n:,} reference rows have it)", rare


def _beyond(side: str, others: int, n: int) -> str:
    return f"{side} all {n:,} reference rows" if others == 0 else f"{side} all but {others:,} of {n:,} reference rows"


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
