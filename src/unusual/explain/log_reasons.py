"""Why a line of a log, or a sequence of lines, is unusual, in one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.log_events import LogEvents
from unusual.data.log_header import LEVEL_NAMES
from unusual.data.ranks import shown
from unusual.data.sequences import Sequences
from unusual.detect.events.auto_log import AutoLog
from unusual.detect.events.slot_values import PLACES, SAME_KEY, SAME_KIND
from unusual.detect.events.template_bursts import Burst

Vector = NDArray[np.float64]
Index = NDArray[np.int64]

LONGEST = 80  # letters of a template in a sentence
FEWEST_SEVERE = 0.1  # share of lines below which a level is worth a word


@dataclass
class LineReasons:
    """Says why lines of a log are unusual to a fitted detector; values are looked up once.

    `own` says that the lines are those of the fit.
    """

    detector: AutoLog
    events: LogEvents
    own: bool

    def __post_init__(self) -> None:
        views = self.detector.views_
        self.bursts: dict[int, Burst] = {}
        if "time" in views:
            self.bursts = {int(b.rows[0]): b for b in views["time"]._bursts(self.events, 0.0, self.own)}
        row, place, p = views["value"].value_p(self.events, own=self.own)
        order = np.lexsort((p, row))
        first = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
        self._least = dict(
            zip(row[first].tolist(), zip(place[first].tolist(), p[first].tolist(), strict=True), strict=True)
        )

    def place(self, row: int) -> int:
        """The place of the most unusual value of a line, or of its delay."""
        return int(self._least.get(row, (0, 1.0))[0])

    def say(self, row: int, view: str) -> str:
        """The sentence for one line in one view: "kind", "time", "value" or "order"."""
        says = {"kind": self._kind, "time": self._time, "value": self._value, "order": self._order}
        return says[view](row)

    def _kind(self, row: int) -> str:
        rare, number = self.detector.views_["kind"], int(self.events.template[row])
        times = int(rare.times_[number]) if number < len(rare.times_) else 0
        total, level = int(rare.severe_[0]), int(self.events.level[row])
        if times == 0:
            near = self.events.tree.near(number)
            said = "a kind of line never seen in the reference"
            said += f"; the nearest is {quoted(self.events.text(near))}" if near >= 0 else ""
        else:
            said = f"{times:,} of {total:,} lines are of this kind"
        severe = rare.severe_[level + 1] / total
        if rare.severity and level >= 0 and severe < FEWEST_SEVERE:
            share = f"{severe:.1%} of all are" if severe > 0 else "no line of the reference is"
            said += f", and {share} as severe as {LEVEL_NAMES[level]}"
        return said

    def _time(self, row: int) -> str:
        burst = self.bursts[row]
        span = burst.end - burst.start
        within = lasting(span) if np.isfinite(self.events.time).all() else f"{span:,.0f} lines of the file"
        return f"{len(burst.rows):,} such lines within {within}, where {burst.usual:.2g} are usual"

    def _value(self, row: int) -> str:
        place = self.place(row)
        view, number = self.detector.views_["value"], int(self.events.template[row])
        group = number * PLACES + place
        known = view.numbers_.of_group(group)
        slots = self.events.slots
        if place in (SAME_KIND, SAME_KEY):
            what = "the last such line" if place == SAME_KIND else "what came before in its sequence"
            low, high = np.expm1(np.quantile(known, [0.01, 0.99])) if len(known) else (0.0, 0.0)
            return f"came {self._delay(row, place)} after {what}, where {lasting(low)} to {lasting(high)} are usual"
        word = self._word(row, place)
        here = slice(slots.first[row], slots.first[row + 1])
        value = slots.number[here][slots.place[here] == place]
        if len(known) and len(value):
            return f"word {place + 1}, {quoted(word)}, is {shown(float(value[0]))}, where {_usual(known)} are usual"
        return f"word {place + 1} is {quoted(word)}, which hardly ever stands there"

    def _delay(self, row: int, place: int) -> str:
        """Time since the line before, as text."""
        events = self.events
        earlier = np.flatnonzero(events.template[:row] == events.template[row])
        if place == SAME_KEY and events.member is not None and events.member_of is not None:
            keys = events.member_of[events.member == row]
            rows = events.member[np.isin(events.member_of, keys)]
            earlier = rows[rows < row]
        return lasting(float(events.time[row] - events.time[earlier.max()])) if len(earlier) else "long"

    def _word(self, row: int, place: int) -> str:
        """One word of the message, counted from its end, since the file is read again with its head."""
        template = self.events.tree.known.get(int(self.events.template[row]))
        words = self.events.raw(row)[0][1].split()
        back = len(template.words) - place if template is not None else 0
        return words[-back] if 0 < back <= len(words) else ""

    def _order(self, row: int) -> str:
        events = self.events
        if events.member is None or events.member_of is None:
            return ""
        before = None
        for key in events.member_of[events.member == row].tolist():
            rows = events.member[events.member_of == key]
            earlier = rows[rows < row]
            before = str(events.template[earlier.max()]) if len(earlier) else None
        if before is None:
            return "comes first in its sequence, where it hardly ever does"
        return after(self.detector.views_["order"], before, str(events.template[row]), events)


def after(view: Any, before: str, event: str, events: LogEvents) -> str:
    """What usually follows an event, and how often this one did."""
    known = view.after(before)
    total = sum(known.values())
    if not total:
        return f"comes after {quoted(events.text(int(before)))}, which is itself unknown"
    times = known.get(event, 0)
    best, most = next(iter(known.items()))
    usual = "the end" if best == "" else quoted(events.text(int(best)))
    did = "this never did" if times == 0 else f"this did {times:,} times"
    return f"after {quoted(events.text(int(before)))} usually comes {usual} ({most:,} of {total:,} times); {did}"


def of_sequence(detector: AutoLog, one: Sequences, events: LogEvents) -> tuple[str, int | None]:
    """Why the only one of some sequences is unusual, and the place of the event to look at first.

    There is no such place where an event is missing.
    """
    magnitude = {name: float(value[0]) for name, value in detector.magnitudes(one).items()}
    names = one[0].events
    view = max(magnitude, key=lambda name: magnitude[name])
    if view == "count" and detector.clean:
        gaps = detector.views_["count"].difference(one)[0]
        more = [_several(n, name, events) for name, n in gaps.items() if n > 0 and name]
        fewer = [_several(-n, name, events) for name, n in gaps.items() if n < 0]
        unknown = f"{gaps['']} of unknown kinds" if gaps.get("") else ""
        parts = [f"{', '.join([*more, *([unknown] if unknown else [])])} more" if more or unknown else "",
                 f"{', '.join(fewer)} fewer" if fewer else ""]  # fmt: skip
        said = f"has {' and '.join(part for part in parts if part)} than the most similar usual sequence"
        surplus = {name for name, n in gaps.items() if n > 0}
        return said, next((k for k, name in enumerate(names) if name in surplus), None)
    order = detector.views_["order"]
    surprise = order._surprise(order._matrix(one, reset=False))[1:]  # without the mark of the beginning
    at = int(surprise.argmax())
    if at == len(names):
        return f"ends after {quoted(events.text(int(names[-1])))}, where it hardly ever does", at - 1
    if at == 0:
        return f"begins with {quoted(events.text(int(names[0])))}, where it hardly ever does", 0
    return after(order, names[at - 1], names[at], events), at


def lasting(seconds: float) -> str:
    """A stretch of time in the unit people would use."""
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"


def quoted(text: str) -> str:
    """A template or a word between quotation marks, shortened in its middle."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 2 // 3]} … {text[-LONGEST // 4 :]}"
    return f"“{text}”"


def _usual(known: Vector) -> str:
    if not len(known):
        return "others"
    low, high = np.quantile(known, [0.01, 0.99])
    return shown(float(low)) if low == high else f"{low:.3g} to {high:.3g}"


def _several(count: int, name: str, events: LogEvents) -> str:
    return f"{count} × {quoted(events.text(int(name)))}"
