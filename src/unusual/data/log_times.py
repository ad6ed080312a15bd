"""Time stamps as logs write them: which form a log uses, and seconds since 1970 of many at once.

Each form is a pattern with the groups `date` (looked up once for each distinct text), `clock` (digits at fixed places)
and, where there is one, `zone`. Times without a zone are taken as they stand; a form without a year counts years from
the first line, one more at each turn from December to January, and one without a date counts days so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Index = NDArray[np.int64]

DAY = 86_400.0
NO_YEAR = 1972  # where a log does not say: a leap year, so that every date exists
_MONTHS = {name: k for k, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = rb"(?P<clock>[0-2]\d[:.][0-5]\d[:.][0-6]\d(?:[.,]\d{1,9})?)"
_ZONE = rb"(?P<zone>Z|[ ]?(?:[+-]\d\d:?\d\d|UTC|GMT)(?![\d:]))?"


@dataclass(frozen=True)
class TimeForm:
    """One way to write a time. `day` turns the text of the date into days since 1970; `wraps` is after how many days
    the dates begin again, 0 where they do not."""

    name: str
    pattern: bytes
    day: Callable[[bytes], float]
    wraps: float = 0.0


def _days(year: int, month: int, day: int) -> float:
    return (datetime(year, month, day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(days=1)


def _numbers(date: bytes) -> list[int]:
    return [int(part) for part in re.findall(rb"\d+", date)]


def _year_first(date: bytes) -> float:
    year, month, day = _numbers(date)
    return _days(year + 2000 if year < 100 else year, month, day)


def _year_last(date: bytes) -> float:
    first, second, year = _numbers(date)
    year += 2000 if year < 100 else 0
    points = b"." in date or first > 12  # 31.12.2024 is German, 12/31/2024 American
    return _days(year, second, first) if points else _days(year, first, second)


def _month_name(date: bytes) -> float:
    """ "Jun 14", "Sun Dec 04 2005", "10/Oct/2000": a month by name, a day, and perhaps a year."""
    month = next(_MONTHS[part] for part in re.findall(rb"[A-Za-z]{3}", date.lower()) if part in _MONTHS)
    numbers = _numbers(date)
    return _days(numbers[1] if len(numbers) > 1 else NO_YEAR, month, numbers[0])


def _packed(date: bytes) -> float:
    text = date.decode()
    year = int(text[:-4])
    return _days(year + 2000 if year < 100 else year, int(text[-4:-2]), int(text[-2:]))


def _month_day(date: bytes) -> float:
    return _days(NO_YEAR, int(date[:2]), int(date[-2:]))


def _none(_: bytes) -> float:
    return 0.0


YEAR = 366.0
FORMS = (
    TimeForm("ISO", rb"(?P<date>\d{4}[-/.]\d\d[-/.]\d\d)[T _-]" + _CLOCK + _ZONE, _year_first),
    TimeForm("day and month name", rb"(?P<date>[A-Z][a-z]{2} " + _MONTH + rb" [ \d]\d)[ ]" + _CLOCK
             + rb"(?P<year> \d{4})", _month_name),
    TimeForm("access log", rb"(?P<date>\d\d/" + _MONTH + rb"/\d{4}):" + _CLOCK + _ZONE, _month_name),
    TimeForm("syslog", rb"(?P<date>" + _MONTH + rb" [ \d]\d)[ ]" + _CLOCK, _month_name, YEAR),
    TimeForm("glog", rb"(?<=[IWEF])(?P<date>\d{4}) " + _CLOCK, _month_day, YEAR),
    TimeForm("month and day", rb"(?P<date>[01]\d-[0-3]\d) " + _CLOCK, _month_day, YEAR),
    TimeForm("short", rb"(?P<date>\d\d/\d\d/\d\d)[ T]" + _CLOCK, _year_first),
    TimeForm("year last", rb"(?P<date>\d\d?[./]\d\d?[./]\d{4})[ T,]{1,2}" + _CLOCK, _year_last),
    TimeForm("packed", rb"(?P<date>(?:20)?\d\d[01]\d[0-3]\d)[ T-]?(?P<clock>[0-2]\d[0-5]\d[0-5]\d)(?!\d)", _packed),
    TimeForm("milliseconds", rb"(?P<date>)(?P<clock>1\d{12})(?!\d)", _none),
    TimeForm("seconds", rb"(?P<date>)(?P<clock>1\d{9}(?:\.\d{1,9})?)(?!\d)", _none),
    TimeForm("since start", rb"(?P<date>)(?<=\[)(?P<clock>[ \d]{1,5}\d\.\d{6})(?=\])", _none),
    TimeForm("clock", rb"(?P<date>)" + _CLOCK, _none, 1.0),
)  # fmt: skip
_PLAIN = ("milliseconds", "seconds", "since start")


class Clock:
    """Turns the spans of time stamps into seconds since 1970; remembers the last one across blocks of lines."""

    def __init__(self, form: TimeForm) -> None:
        self.form = form
        self.turns = 0  # of the year, or of the day
        self.last = -np.inf
        self._days: dict[tuple[bytes, ...], float] = {}

    def seconds(self, fields: dict[str, list[Any]]) -> Vector:
        """Seconds (n,) of the lines whose heads hold these fields, NaN where the date does not exist."""
        clocks = fields["clock"]
        if self.form.name in _PLAIN:
            scale = 1e-3 if self.form.name == "milliseconds" else 1.0
            return np.array(clocks, dtype="S").astype(np.float64) * scale
        keys = list(zip(*(fields[name] for name in ("date", "year", "zone") if name in fields), strict=True))
        for key in dict.fromkeys(keys):
            self._day(key)
        days = np.fromiter(map(self._days.__getitem__, keys), np.float64, len(keys))
        found = days * DAY + _of_clocks(clocks)
        return self._unwrapped(found) if self.form.wraps else found

    def _day(self, key: tuple[bytes, ...]) -> float:
        known = self._days.get(key)
        if known is not None:
            return known
        try:
            day = self.form.day(b" ".join(part for part in key[:2] if part and b":" not in part))
        except (ValueError, StopIteration):
            day = np.nan
        self._days[key] = day - (_offset(key[-1]) if b"<zone>" in self.form.pattern else 0.0) / DAY
        return self._days[key]

    def _unwrapped(self, seconds: Vector) -> Vector:
        """Times that go on where years or days turn: a fall by more than half of the period is a turn."""
        period = self.form.wraps * DAY
        before = np.concatenate([[self.last if np.isfinite(self.last) else seconds[:1].sum()], seconds[:-1]])
        turned = np.cumsum(seconds < before - period / 2)
        if len(seconds):
            self.last = seconds[-1]
        found = seconds + period * (self.turns + turned)
        self.turns += int(turned[-1]) if len(turned) else 0
        return np.asarray(found)


def _of_clocks(clocks: list[bytes]) -> Vector:
    """Seconds of the day (n,) of "15:16:01", "15.42.50.675872" or "203615"."""
    if not clocks:
        return np.zeros(0)
    lengths = np.fromiter(map(len, clocks), np.int64, len(clocks))
    found = np.empty(len(clocks))
    for length in np.unique(lengths).tolist():  # one or two forms of fraction
        same = np.flatnonzero(lengths == length)
        text = b"".join([clocks[i] for i in same.tolist()]) if len(same) < len(clocks) else b"".join(clocks)
        digits = np.frombuffer(text, dtype=np.uint8).reshape(len(same), length).astype(np.int64) - ord("0")
        places = (0, 1, 2, 3, 4, 5) if length == 6 else (0, 1, 3, 4, 6, 7)
        seconds = digits[:, places] @ np.array([36000, 3600, 600, 60, 10, 1])
        fraction = digits[:, 9:] @ 0.1 ** np.arange(1, length - 8) if length > 9 else 0.0
        found[same] = seconds + fraction
    return found


def _offset(zone: bytes | None) -> float:
    """Seconds ahead of UTC of "+02:00", "-0700"; 0 of "Z" and where there is none."""
    digits = re.sub(rb"[^\d]", b"", zone or b"")
    if len(digits) != 4:
        return 0.0
    return (int(digits[:2]) * 3600.0 + int(digits[2:]) * 60.0) * (-1 if b"-" in (zone or b"") else 1)
