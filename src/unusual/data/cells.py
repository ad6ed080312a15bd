"""What the cells of a column say: numbers, dates and truth values out of text, missing cells, infinities."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError

Array = NDArray[Any]

MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "-", "?"})  # compared in lower case
INFINITE = re.compile(r"^[+-]?inf(inity)?$", re.IGNORECASE)
MOSTLY = 0.9  # a text column is one of numbers or dates when this share of its cells is
EXACT = 2**53  # beyond it float64 rounds integers
LARGE = 1_000_000  # rows from which numbers are kept as float32

_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)
_POINT = re.compile(r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$")
_COMMA = re.compile(r"^[+-]?((\d{1,3}(\.\d{3})+|\d+)(,\d*)?|,\d+)(e[+-]?\d+)?$", re.IGNORECASE)
_CURRENCY = re.compile(
    r"^([+-]?)\s*(?:[$€£¥]|EUR|USD|GBP|CHF)?\s*([+-]?[\d.,\s'’]*\d[\d.,]*)\s*(?:[$€£¥%]|EUR|USD|GBP|CHF)?$"
)
_GROUP_GAP = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_CLOCK = re.compile(r"^(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$")
_CODE = re.compile(r"^0\d+$")
_DATE_FORMATS = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S",
                 "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M",
                 "%m/%d/%Y %H:%M:%S", "%d-%m-%Y", "%Y%m%dT%H%M%S")  # fmt: skip


def plain_number(text: str) -> float:
    """The number that `text` writes with a decimal point, or NaN."""
    if _NUMBER.match(text):
        return float(text)
    return float(text) if INFINITE.match(text) else math.nan


def _thousands(text: str) -> float:
    return float(text.replace(",", "")) if _POINT.match(text) else plain_number(text)


def _decimal_comma(text: str) -> float:
    if not _COMMA.match(text):
        return plain_number(text) if "." not in text else math.nan
    return float(text.replace(".", "").replace(",", "."))


def _stripped(read: Callable[[str], float]) -> Callable[[str], float]:
    """The same reading after currency signs, per cent and gaps between groups of digits are taken away."""

    def inner(text: str) -> float:
        parts = _CURRENCY.match(text)
        return read(_GROUP_GAP.sub("", parts[1] + parts[2])) if parts else math.nan

    return inner


STYLES: list[tuple[str, Callable[[str], float]]] = [
    ("", plain_number),
    ("commas between thousands", _thousands),
    ("decimal commas", _decimal_comma),
    ("currency signs, per cent signs or gaps between digits", _stripped(plain_number)),
    ("currency or per cent signs and commas between thousands", _stripped(_thousands)),
    ("currency or per cent signs and decimal commas", _stripped(_decimal_comma)),
]


def clock(text: str) -> float:
    """Seconds of "12:30" or "12:30:05", or NaN."""
    parts = _CLOCK.match(text)
    return 3600 * int(parts[1]) + 60 * int(parts[2]) + float(parts[3] or 0) if parts else math.nan


def is_code(texts: list[str]) -> bool:
    """Whether digit strings are codes (leading zeros, all of one length; or too long for any integer)."""
    if len({len(text) for text in texts}) != 1:
        return False
    return any(_CODE.match(text) for text in texts) or (len(texts[0]) > 18 and texts[0].isdigit())


def read_numbers(levels: list[str], counts: Array, comma: str) -> tuple[Array, str] | None:
    """Numbers of the distinct texts (L,) and the style they are written in, or None if most are no numbers.

    `comma` is "decimal" or "thousands": how "1,234" is read where the column alone does not tell.
    """
    if is_code(levels):
        return None
    styles = STYLES if comma == "thousands" else [STYLES[i] for i in (0, 2, 1, 3, 5, 4)]
    best: tuple[float, Array, str] | None = None
    for style, read in styles:
        numbers = np.array([read(text) for text in levels])
        share = float(counts[~np.isnan(numbers)].sum() / counts.sum())
        if best is None or share > best[0]:
            best = share, numbers, style
        if share == 1.0:
            break
    return (best[1], best[2]) if best and best[0] >= MOSTLY else None


def read_dates(levels: list[str], counts: Array) -> tuple[Array, str] | None:
    """datetime64[us] of the distinct texts (L,), time zones turned to UTC, and their format, or None if most are not.

    Where day and month cannot be told apart, the day comes first.
    """
    if sum(c.isdigit() for c in levels[0]) < 6:
        return None
    for form in ("", *_DATE_FORMATS):
        days = np.array([_date(text, form) for text in levels], dtype="datetime64[us]")
        if counts[~np.isnat(days)].sum() >= MOSTLY * counts.sum():
            return days, form
    return None


def read_clock(levels: list[str], counts: Array) -> Array | None:
    """Seconds of the distinct texts (L,) if most are times such as "12:30:05", else None."""
    if clock(levels[0]) != clock(levels[0]) and clock(levels[-1]) != clock(levels[-1]):
        return None
    seconds = np.array([clock(text) for text in levels])
    return seconds if counts[~np.isnan(seconds)].sum() >= MOSTLY * counts.sum() else None


def _date(text: str, form: str) -> datetime | None:
    if form == "" and text.isdigit():
        return None  # "20240131" is left a number
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def factorise(values: Array) -> tuple[list[str], Array, Array]:
    """Distinct texts (L,), the code of each cell (n,), -1 where missing, and how often each text occurs (L,)."""
    index: dict[Any, int] = {}
    try:
        raw = np.fromiter((index.setdefault(v, len(index)) for v in values), dtype=np.intp, count=len(values))
    except TypeError:  # lists and dicts cannot be keys
        raw = np.fromiter((index.setdefault(str(v), len(index)) for v in values), dtype=np.intp, count=len(values))
    texts = [_text(value) for value in index]
    distinct = {text: None for text in texts if text is not None}
    place = {text: i for i, text in enumerate(distinct)}
    recode = np.array([-1 if text is None else place[text] for text in texts] or [-1], dtype=np.intp)
    codes = recode[raw]
    return list(distinct), codes, np.bincount(codes[codes >= 0], minlength=len(distinct))


def _text(value: Any) -> str | None:
    """A cell as stripped text; None where it is missing or one of the usual signs of that."""
    if isinstance(value, (datetime, date)):
        return None if value != value else value.isoformat()  # pandas' NaT is a datetime
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text.strip()
    return None if text.lower() in MISSING or text == "<NA>" else text


def understand(name: str, values: Array, comma: str = "thousands") -> tuple[Array, list[str]]:
    """A column as one of the types of `Table`, and what has to be said about it.

    Parameters
    ----------
    name : str
        For the sentences.
    values : array (n,)
        Of any type.
    comma : {"thousands", "decimal"}
        How "1,234" is read where the column alone does not tell.

    Returns
    -------
    (array (n,), list of str)

    Raises
    ------
    InputError
        If the cells are complex numbers.
    """
    kind = values.dtype.kind
    if kind == "c":
        raise InputError(f"column {name!r} holds complex numbers; give its real part, size or angle.")
    if kind in "OSUV":
        levels, codes, counts = factorise(values.astype(object))
        return understand_levels(name, levels, codes, counts, comma)
    if kind == "b":
        return values, []
    if kind == "M":
        return values.astype("datetime64[us]"), []
    if kind == "m":
        seconds = values.astype("timedelta64[us]").astype(np.float64) / 1e6
        return np.where(np.isnat(values), np.nan, seconds), [f"the durations in `{name}` were read as seconds"]
    return _tidy_numbers(name, values)


def understand_levels(
    name: str, levels: list[str], codes: Array, counts: Array, comma: str = "thousands"
) -> tuple[Array, list[str]]:
    """The same for a column of text, given as distinct texts (L,), codes (n,), -1 where missing, and counts (L,)."""
    if not levels:
        return np.full(len(codes), np.nan), []
    lower = {text.lower() for text in levels}
    if lower <= {"true", "false"}:
        truth = np.array([*(text.lower() == "true" for text in levels), np.nan])[codes]
        return (truth if (codes < 0).any() else truth.astype(bool)), []
    numbers = read_numbers(levels, counts, comma)
    if numbers is not None:
        notes = [f"the numbers in `{name}` were read with {numbers[1]}"] if numbers[1] else []
        notes += _not_read(name, "numbers", levels, counts, np.isnan(numbers[0]))
        values, more = _tidy_numbers(name, np.append(numbers[0], np.nan)[codes])
        return values, notes + more
    seconds = read_clock(levels, counts)
    if seconds is not None:
        notes = [
            f"the times in `{name}` were read as seconds",
            *_not_read(name, "times", levels, counts, np.isnan(seconds)),
        ]
        return np.append(seconds, np.nan)[codes], notes
    days = read_dates(levels, counts)
    if days is not None:
        first = {"%d/": "day", "%m/": "month"}.get(days[1][:3])
        notes = [f"the dates in `{name}` were read with the {first} first"] if first else []
        notes += _not_read(name, "dates", levels, counts, np.isnat(days[0]))
        return np.append(days[0], np.datetime64("NaT", "us"))[codes], notes
    texts = np.empty(len(levels) + 1, dtype=object)
    texts[:-1], texts[-1] = levels, None
    return texts[codes], []


def _not_read(name: str, what: str, levels: list[str], counts: Array, bad: Array) -> list[str]:
    if not bad.any():
        return []
    shown = ", ".join(repr(levels[i][:30]) for i in np.flatnonzero(bad)[:3])
    cells = f"{int(counts[bad].sum()):,} of {int(counts.sum()):,} cells"
    return [f"{cells} of `{name}` are not {what} ({shown}{', ...' if bad.sum() > 3 else ''}) and count as missing"]


def _tidy_numbers(name: str, values: Array) -> tuple[Array, list[str]]:
    """Integers as int64, floats without infinities, float32 in large tables where nothing is lost."""
    notes = []
    if values.dtype.kind in "iu":
        if values.dtype == np.uint64 and len(values) and values.max() > np.iinfo(np.int64).max:
            return values.astype(np.float64), [_rounded(name)]
        return _compact(values.astype(np.int64, copy=False)), []
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        many = int(infinite.sum())
        notes.append(f"{many:,} infinite cell{'s' * (many > 1)} of `{name}` count{'s' * (many == 1)} as missing")
        values = np.where(infinite, values.dtype.type(np.nan), values)
    if values.dtype == np.float64 and len(values):
        whole = bool(np.all(np.trunc(values[:1000]) == values[:1000])) and bool(np.all(np.trunc(values) == values))
        size = float(np.fmax.reduce(np.abs(values)))
        if whole and size < EXACT:
            values = values.astype(np.int64)
        elif size >= EXACT and np.all(~(np.trunc(values[:1000]) != values[:1000]) | np.isnan(values[:1000])):
            notes.append(_rounded(name))
    return _compact(values), notes


def _rounded(name: str) -> str:
    return f"`{name}` holds integers beyond 2^53, which are rounded to about 16 digits"


def _compact(values: Array) -> Array:
    """float32 for the columns of large tables, where it keeps six digits of the spread of the column."""
    if len(values) <= LARGE or values.dtype == np.float32:
        return values
    some = values[:: max(1, len(values) // 100_000)].astype(np.float64)
    some = some[~np.isnan(some)]
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    size = max(abs(float(low)), abs(float(high)))
    if values.dtype == np.int64:
        return values.astype(np.float32) if size <= 2**24 else values
    ten, ninety = np.percentile(some, [10, 90], method="lower") if len(some) else (0.0, 0.0)
    spread = float(ninety) - float(ten)
    fits = size < float(np.finfo(np.float32).max) and (spread == 0.0 or np.median(np.abs(some)) * 6e-8 < spread * 1e-6)
    return values.astype(np.float32) if fits else values
