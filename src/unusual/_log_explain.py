"""Lines and sequences above their thresholds as findings: merged, with the reason and the lines around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._log_model import LogModel
from unusual.data.log_events import LogEvents
from unusual.data.sequences import Sequences
from unusual.detect.events.auto_log import AutoLog
from unusual.detect.events.slot_values import SAME_KEY, SAME_KIND
from unusual.explain.log_reasons import LineReasons, of_sequence
from unusual.findings import Promise
from unusual.log_findings import LogFinding

Vector = NDArray[np.float64]
Index = NDArray[np.int64]

AROUND = 3  # lines shown before and after
MOST_LINES = 100  # numbers of lines kept of each finding
LEAST_BURST = 3  # lines
NAMES = {"kind": "rare", "time": "burst", "value": "value", "order": "order"}


class ScoredSequences:
    """Sequences of a log with their detector, scores and cut; none where nothing ties lines together."""

    def __init__(
        self, detector: AutoLog | None, parts: Sequences | None, scores: Vector, threshold: float, said: Promise | None
    ) -> None:
        self.detector, self.parts, self.scores, self.threshold, self.said = detector, parts, scores, threshold, said

    @classmethod
    def none(cls) -> ScoredSequences:
        return cls(None, None, np.zeros(0), np.inf, None)

    def rows(self, i: int) -> Index:
        """The lines of one sequence, in its order."""
        if self.parts is None or self.parts.row is None:
            return np.zeros(0, dtype=np.int64)
        return self.parts.row[self.parts.first[i] : self.parts.first[i + 1]]


class FindingMaker:
    """Makes findings of lines and sequences above a threshold."""

    def __init__(
        self,
        model: LogModel,
        events: LogEvents,
        views: dict[str, Vector],
        scores: Vector,
        p: Vector,
        reasons: LineReasons,
    ) -> None:
        self.model, self.events, self.views, self.scores, self.p, self.reasons = (
            model,
            events,
            views,
            scores,
            p,
            reasons,
        )

    def of_lines(self, threshold: float, most: int) -> list[LogFinding]:
        """Lines above the threshold, those of one template that are unusual in the same way together."""
        rows = np.flatnonzero(self.scores > threshold)
        rows = rows[np.argsort(-self.scores[rows], kind="stable")]
        together: dict[tuple[Any, ...], list[int]] = {}
        for row in rows.tolist():
            view = self._view(row)
            own = (row,) if view == "time" else (self.reasons.place(row),) if view == "value" else ()
            together.setdefault((view, int(self.events.template[row]), *own), []).append(row)
            if len(together) > 4 * most:
                break
        found = [self._line(group, view) for (view, *_), group in together.items()]
        return found[:most]

    def _view(self, row: int) -> str:
        """The view in which a line is most unusual; a new kind is named as such, a burst has at least three lines."""
        if self.events.template[row] >= self.model.lines.views_["kind"].known_:
            return "kind"
        strength = {name: float(values[row]) for name, values in self.views.items()}
        burst = self.reasons.bursts.get(row)
        if burst is None or len(burst.rows) < LEAST_BURST:
            strength.pop("time", None)
        return max(strength, key=lambda name: strength[name])

    def _line(self, rows: list[int], view: str) -> LogFinding:
        row = rows[0]
        number = int(self.events.template[row])
        kind = NAMES[view]
        if view == "kind" and number >= self.model.lines.views_["kind"].known_:
            kind = "new"
        if view == "value" and self.reasons.place(row) in (SAME_KIND, SAME_KEY):
            kind = "delay"
        lines = self.reasons.bursts[row].rows if view == "time" else np.sort(np.array(rows))
        return self._finding(kind, self.reasons.say(row, view), row, lines, float(self.scores[row]), float(self.p[row]),
                             {name: float(values[row]) for name, values in self.views.items()})  # fmt: skip

    def of_sequences(self, given: ScoredSequences, most: int) -> list[LogFinding]:
        """Sequences above their threshold, those with the same events together."""
        if given.detector is None or given.parts is None:
            return []
        rows = np.flatnonzero(given.scores > given.threshold)
        together: dict[bytes, list[int]] = {}
        for i in rows[np.argsort(-given.scores[rows], kind="stable")].tolist():
            codes = given.parts.codes[given.parts.first[i] : given.parts.first[i + 1]]
            together.setdefault(codes.tobytes(), []).append(i)
        p = given.detector.calibration_.p_value(given.scores)
        found = []
        for group in list(together.values())[:most]:
            i = group[0]
            reason, at = of_sequence(given.detector, given.parts.take([i]), self.events)
            if len(group) > 1:
                reason += f"; {len(group) - 1:,} more have the same events"
            in_order = given.rows(i)
            row = int(in_order[at if at is not None else -1])
            lines = np.unique(in_order)
            views = {name: float(v[0]) for name, v in given.detector.magnitudes(given.parts.take([i])).items()}
            found.append(self._finding("sequence", reason, row, lines, float(given.scores[i]), float(p[i]), views,
                                       given.parts.keys[i]))  # fmt: skip
        return found

    def _finding(
        self,
        kind: str,
        reason: str,
        row: int,
        rows: Index,
        score: float,
        p: float,
        views: dict[str, float],
        key: str = "",
    ) -> LogFinding:
        events = self.events
        first = rows[:MOST_LINES]
        return LogFinding(
            kind, reason, events.text(int(events.template[row])), score, p, events.paths[events.file[row]],
            (int(events.line[row]), *(int(n) for n in events.line[first] if n != events.line[row])),
            (int(events.offset[row]), *(int(n) for n in events.offset[first] if n != events.offset[row])),
            len(rows), float(np.min(events.time[rows])), float(np.max(events.time[rows])), key,
            tuple(events.raw(row, AROUND)), views,
        )  # fmt: skip
