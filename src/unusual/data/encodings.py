"""One column as numbers: for each kind, what is learned from the reference, and the features of any rows.

Detectors standardise each feature themselves, so a feature cannot be made less important by making it small; only the
number of features and their shape decide how much a column weighs. Hence few features per column:

- A category becomes its rarity (-log of its share: one feature, which puts rare values far out for distances and at
  one end for trees) and, where there are at most ten values and more than two, one 0/1 feature for each value that at
  least a tenth of the rows have, so that "this number is odd for that machine" can be seen. Rarer values get no 0/1
  feature: standardised, it would lie tens of deviations out, a second time. A value never seen counts as half a row.
  Against rare values, values that do not fit the numbers beside them, and odd numbers, in generated tables, this was
  ahead of rarity alone, 0/1 features for all values and points on a circle for isolation forests, and close to the
  best of them for nearest neighbours.
- A number is counted from the median, which keeps the digits of large numbers in float32. A missing one is filled
  with the median, the least unusual value, and gets a 0/1 feature of its own only if missing cells are common enough
  that the feature is not constant in all but a few rows. Where the reference has no missing cell at all, a missing one
  is itself unusual and stands far outside, as a number never seen would; the reference's own rows are not touched.
- The time of day and the day of the week become sine and cosine, so that 23:59 is next to 0:00.
- A column that is the same in every reference row becomes 0, and 10 (as far out as ten deviations, for a detector that
  leaves a constant feature unscaled) where a row differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unusual.data.cells import factorise
from unusual.data.columns import date_parts, marks_missing
from unusual.data.ranks import shown
from unusual.data.table import Array, missing
from unusual.errors import InputError

State = dict[str, Any]

MOST_HOT = 10
HOT_SHARE = 0.1
DIFFERENT = 10.0
DAY = 86_400e6  # microseconds
FARTHEST = 1e38  # finite in float32 too
OUTSIDE = 10.0  # ranges of the reference beyond its largest value: where a cell stands that was never missing before


def fit_number(values: Array) -> State:
    """Median, whether missing cells are marked, and where they stand, of a numeric or boolean column (n,)."""
    gaps = missing(values)
    median = float(np.percentile(values[~gaps].astype(np.float64), 50, method="lower"))  # one of the values, never inf
    marked = marks_missing(int(gaps.sum()), len(values))
    return {"median": median, "marked": marked, "gap": 0.0 if gaps.any() else _outside(values, median)}


def _outside(values: Array, median: float) -> float:
    """Distance from the median of a place far beyond all values (n,), infinite ones left aside."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return 0.0
    low, high = float(finite.min()), float(finite.max())
    return min(FARTHEST, high - median + OUTSIDE * (high - low))


def number(name: str, values: Array, state: State) -> list[tuple[str, Array]]:
    """The distance from the median, and whether the cell is missing."""
    _same_type(name, values, "bif", "numbers")
    gaps = missing(values)
    kind = np.float32 if values.dtype == np.float32 else np.float64
    with np.errstate(over="ignore"):
        centred = np.subtract(values, kind(state["median"]), dtype=kind)
    centred[gaps] = state["gap"]
    np.clip(centred, -FARTHEST, FARTHEST, out=centred)
    return [(name, centred)] + ([(f"{name} missing", gaps)] if state["marked"] else [])


def fit_date(values: Array, running: bool = False) -> State:
    """First day, where a missing date stands, and which parts of the dates (n,) say something."""
    gaps = missing(values)
    days = values[~gaps]
    state: State = {f"has {part}": True for part in date_parts(days, running)}
    ordered = np.sort(days).astype(np.int64)
    first, last = int(ordered[0]), int(ordered[-1])
    middle = int(ordered[len(ordered) // 2])
    state |= {"first": first, "gap": middle if gaps.any() else first - int(OUTSIDE) * (last - first)}
    return state | {"marked": marks_missing(int(gaps.sum()), len(values))}


def date(name: str, values: Array, state: State) -> list[tuple[str, Array]]:
    """Days since the first, and sine and cosine of hour and weekday."""
    _same_type(name, values, "M", "dates")
    gaps = missing(values)
    micros = values.astype("datetime64[us]").astype(np.int64)
    micros[gaps] = state["gap"]
    days = micros / DAY  # (n,), since 1970-01-01, a Thursday
    features = []
    if state.get("has day"):
        features.append((f"{name} day", (micros - state["first"]) / DAY))
    for part, turns in (("hour", days), ("weekday", np.floor(days) / 7)):
        if state.get(f"has {part}"):
            wave = np.exp(2j * np.pi * (turns % 1.0))
            features += [(f"{name} {part} sine", wave.imag), (f"{name} {part} cosine", wave.real)]
    return features + ([(f"{name} missing", gaps)] if state["marked"] else [])


def fit_category(values: Array) -> State:
    """Values and how often each occurs, commonest first; missing cells are the value ""."""
    levels, codes, counts = factorise(_texts(values))
    pairs = sorted(
        [*zip(levels, counts.tolist(), strict=True), ("", int((codes < 0).sum()))], key=lambda p: (-p[1], p[0])
    )
    pairs = [pair for pair in pairs if pair[1]]
    n = len(values)
    hot = [i for i, (_, count) in enumerate(pairs) if count >= HOT_SHARE * n] if 2 < len(pairs) <= MOST_HOT else []
    return {"levels": [level for level, _ in pairs], "counts": [count for _, count in pairs], "n": n, "hot": hot}


def category(name: str, values: Array, state: State) -> list[tuple[str, Array]]:
    """Rarity, and which of the common values."""
    codes = category_codes(values, state)
    share = np.array([*state["counts"], 0.5]) / state["n"]  # (L + 1,), the last for values never seen
    features = [(f"{name} rarity", -np.log(share)[codes])]
    return features + [(f"{name} = {state['levels'][i]}", codes == i) for i in state["hot"]]


def category_codes(values: Array, state: State) -> Array:
    """The place of each cell's value among those of the reference (n,), -1 where it was never seen."""
    levels, codes, _ = factorise(_texts(values))
    place = {level: i for i, level in enumerate(state["levels"])}
    recode = np.array([place.get(level, -1) for level in [*levels, ""]], dtype=np.intp)
    return recode[codes]


def _texts(values: Array) -> Array:
    """Cells as text, so that 1, 1.0 and "1" are the same value."""
    if values.dtype.kind == "O":
        return values
    distinct, codes = np.unique(values, return_inverse=True)
    return np.array([None if v != v else text_of(v) for v in distinct], dtype=object)[codes]


def text_of(value: Any) -> str:
    """A number, truth value or date as the text that a category column would hold."""
    if isinstance(value, (float, np.floating)) and value == int(value):
        return str(int(value))
    return str(value)


def text_numbers(values: Array) -> Array:
    """Length, words, and shares of digits, capitals and signs of texts, (n, 5), NaN where missing."""
    index: dict[Any, int] = {}
    codes = np.fromiter((index.setdefault(v, len(index)) for v in values), dtype=np.intp, count=len(values))
    return np.array([_one_text(v) for v in index], dtype=np.float64).reshape(-1, 5)[codes]


def _one_text(text: str | None) -> tuple[float, ...]:
    if text is None:
        return (np.nan,) * 5
    n = max(1, len(text))
    digits, capitals = sum(c.isdigit() for c in text) / n, sum(c.isupper() for c in text) / n
    signs = sum(not (c.isalnum() or c.isspace()) for c in text) / n
    return np.log1p(len(text)), np.log1p(len(text.split())), digits, capitals, signs


TEXT_FEATURES = ("length", "words", "digits", "capitals", "signs")


def fit_text(values: Array) -> State:
    """Medians of the five numbers of the texts (n,)."""
    found = text_numbers(values)
    gaps = missing(values)
    return {"medians": np.median(found[~gaps], axis=0), "marked": marks_missing(int(gaps.sum()), len(values))}


def text(name: str, values: Array, state: State) -> list[tuple[str, Array]]:
    """The five numbers of each text, and whether it is missing."""
    gaps = missing(values)
    found = text_numbers(values if values.dtype.kind == "O" else _texts(values))
    found[gaps] = state["medians"]
    features = [(f"{name} {what}", found[:, j]) for j, what in enumerate(TEXT_FEATURES)]
    return features + ([(f"{name} missing", gaps)] if state["marked"] else [])


def fit_presence(values: Array) -> State:
    """The share of cells (n,) that are there."""
    return {"share": 1 - float(missing(values).mean())}


def presence(name: str, values: Array, _: State) -> list[tuple[str, Array]]:
    """Whether the cell is there."""
    return [(f"{name} there", ~missing(values))]


def fit_constant(values: Array) -> State:
    """The one value of the column, as text, None where every cell is missing."""
    here = values[~missing(values)]
    return {"value": text_of(here[0]) if len(here) else None}


def constant(name: str, values: Array, state: State) -> list[tuple[str, Array]]:
    """Whether the cell differs from the one value of the reference."""
    return [(f"{name} changed", differs(values, state) * DIFFERENT)]


def differs(values: Array, state: State) -> Array:
    """Where the cells (n,) are not the one value of the reference."""
    gaps = missing(values)
    return ~gaps if state["value"] is None else gaps | (_texts(values) != state["value"])


def _same_type(name: str, values: Array, kinds: str, what: str) -> None:
    if values.dtype.kind in kinds or missing(values).all():
        return
    example = shown(values[~missing(values)][0])
    raise InputError(
        f"column {name!r} holds {what} in the reference, but {example} here; "
        "give it the same type in both, or leave it out with columns=."
    )


ENCODINGS: dict[str, tuple[Callable[[Array], State], Callable[[str, Array, State], list[tuple[str, Array]]]]] = {
    "number": (fit_number, number),
    "date": (fit_date, date),
    "category": (fit_category, category),
    "text": (fit_text, text),
    "presence": (fit_presence, presence),
    "constant": (fit_constant, constant),
}
