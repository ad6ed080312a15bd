"""Findings that share a cause: the same columns push their scores, the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.data.ranks import shown
from unusual.explain.reasons import Contribution, leading

ALIKE = 0.8  # cosine between the contributions of two findings


@dataclass(frozen=True)
class Cause:
    """One problem behind one or more findings.

    Attributes
    ----------
    rows : list of int
        Positions in the input, most unusual first.
    features : list of str
        The columns that lead.
    sentence : str
        "40 rows, one problem: `pressure` 0 to 0.1 (usual: 3.2 to 4.9)".
    """

    rows: list[int]
    features: list[str]
    sentence: str


def causes(rows: list[int], found: list[list[Contribution]]) -> list[Cause]:
    """Group findings, given most unusual first, with their contributions.

    A finding joins the first group whose first member has the same leading column, on the same side of the usual
    values, and contributions in the same proportions (cosine at least 0.8); else it opens a group of its own.
    """
    vectors = _vectors(found)
    groups: list[list[int]] = []
    for i, one in enumerate(found):
        for group in groups:
            first = group[0]
            if _side(one) == _side(found[first]) and vectors[i] @ vectors[first] >= ALIKE:
                group.append(i)
                break
        else:
            groups.append([i])
    made = [_cause([rows[i] for i in group], [found[i] for i in group]) for group in groups]
    return sorted(made, key=lambda cause: -len(cause.rows))


def _vectors(found: list[list[Contribution]]) -> NDArray[np.float64]:
    """Positive contributions as rows of length 1, one column for each feature that occurs."""
    names = sorted({c.feature for one in found for c in one})
    place = {name: j for j, name in enumerate(names)}
    V = np.zeros((len(found), max(1, len(names))))
    for i, one in enumerate(found):
        for c in one:
            V[i, place[c.feature]] = max(0.0, c.contribution)
    return np.asarray(V / np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-300))


def _side(one: list[Contribution]) -> tuple[str, str]:
    """The leading column, and what its cell is: a text, missing, or a number above or below the others seen."""
    if not one:
        return "", ""
    c = one[0]
    return c.feature, repr(c.value) if isinstance(c.value, str | bool | None) else "number"


def _cause(rows: list[int], found: list[list[Contribution]]) -> Cause:
    names = [c.feature for c in leading(found[0])] or ["the row as a whole"]
    said = []
    for name in names:
        cells = [c for one in found for c in one if c.feature == name]
        said.append(f"`{name}` {_span([c.value for c in cells])} (usual: {cells[0].usual})" if cells else name)
    many = f"{len(rows)} rows, one problem" if len(rows) > 1 else "1 row"
    return Cause(rows, names, f"{many}: {'; '.join(said)}")


def _span(values: list[object]) -> str:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers and len(numbers) == len(values):
        low, high = min(numbers), max(numbers)
        return shown(low) if low == high else f"{shown(low)} to {shown(high)}"
    texts = list(dict.fromkeys(shown(v) for v in values))
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} others" if len(texts) > 3 else "")
