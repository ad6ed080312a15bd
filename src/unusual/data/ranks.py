"""Where a value stands among the reference rows: what reasons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from unusual.data.table import Array, missing

QUANTILES = 1_000
MOST_EXACT = 100_000  # rows up to which all sorted values are kept
MOST_KEPT = 5_000_000  # values kept over all columns


class Rank(NamedTuple):
    """How many reference rows lie below, at and above a value; counts are rounded where `exact` is False."""

    below: int
    equal: int
    above: int
    n: int
    exact: bool


def kept(values: Array, columns: int) -> dict[str, Any]:
    """Sorted values (m,) of a numeric column, or 1,000 of its quantiles, with the number of values they stand for."""
    ordered = np.sort(values[~missing(values)])
    n = len(ordered)
    if n > QUANTILES and (n > MOST_EXACT or n * columns > MOST_KEPT):
        ordered = ordered[np.linspace(0, n - 1, QUANTILES).round().astype(np.intp)]
    return {"sorted": ordered, "n": n}


def rank(state: dict[str, Any], value: Any) -> Rank:
    """Where `value` stands among the kept values."""
    ordered, n = state["sorted"], int(state["n"])
    if ordered.dtype.kind == "M":
        value = np.datetime64(value, "us")
    elif ordered.dtype == np.float32:
        value = np.float32(value)  # or 0.1 would not equal the 0.1 of the reference
    below, upto = np.searchsorted(ordered, value, "left"), np.searchsorted(ordered, value, "right")
    if len(ordered) == n:
        return Rank(int(below), int(upto - below), int(n - upto), n, True)
    scale = (n - 1) / (len(ordered) - 1)  # reference rows between two kept quantiles
    under = 0 if below == 0 else n if below == len(ordered) else round(float((below - 0.5) * scale))
    over = 0 if upto == len(ordered) else n if upto == 0 else round(float((len(ordered) - upto - 0.5) * scale))
    return Rank(under, max(0, n - under - over), over, n, False)


def saved(state: dict[str, Any]) -> dict[str, Any]:
    """The kept values with dates as whole microseconds, since files of arrays know no dates."""
    dates = state["sorted"].dtype.kind == "M"
    return {"sorted": state["sorted"].astype(np.int64) if dates else state["sorted"], "n": state["n"], "dates": dates}


def restored(state: dict[str, Any]) -> dict[str, Any]:
    """What `saved` was given."""
    ordered = np.asarray(state["sorted"])
    return {"sorted": ordered.astype("datetime64[us]") if state["dates"] else ordered, "n": int(state["n"])}


def middle(state: dict[str, Any], share: float = 0.98) -> tuple[Any, Any]:
    """The ends of the middle `share` of the kept values."""
    ordered = state["sorted"]
    last = len(ordered) - 1
    return ordered[round(last * (1 - share) / 2)], ordered[round(last * (1 + share) / 2)]


def quantiles(state: dict[str, Any], shares: Sequence[float]) -> list[Any]:
    """The kept values at these shares of the way up; no value in between is made up."""
    ordered = state["sorted"]
    return [ordered[round((len(ordered) - 1) * share)] for share in shares]


def shown(value: Any) -> str:
    """A value as it stands in a sentence: "2,615", "0.0123", "2024-01-31", "'steel'", "missing"."""
    if value is None or value != value:
        return "missing"
    if isinstance(value, (np.datetime64, datetime)):
        text = str(np.array(value, dtype="datetime64[s]")).replace("T", " ")
        return text.removesuffix(" 00:00:00")
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    number = float(value)
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return (
        f"{number:,.0f}" if 1e4 <= abs(number) < 1e15 else f"{number:,.4g}" if abs(number) >= 1e-4 else f"{number:.3g}"
    )
