"""Stream: the steps of a series as they come, scored by a fitted detector, and merged into alarms.

A score is the one that the detector gives to the step in a series of all steps so far and, where it looks ahead, of as
many after it as it looks at; until then there is none. The state can be saved at any time and goes on after a stop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.decide.spot import SPOT
from unusual.decide.tail import cut_within_reach
from unusual.errors import InputError, suggest
from unusual.parts.windows import held
from unusual.series_detector import SeriesDetector, reach

Vector = NDArray[np.float64]
Steps = NDArray[np.float64]

LEARN = ("none", "all", "normal", "delayed")
THRESHOLDS = ("calibration", "spot")
SEEN_AT_ONCE = 20  # windows scored again and again where a score sees everything
PEAKS = 15  # block maxima in the tail before a threshold is set from them


@dataclass(frozen=True)
class Alarm:
    """A stretch of steps above the threshold, told when it begins and again when it has ended.

    `number` counts the alarms of a stream from 1; what is told twice, after a restart, has the same `number` and
    `ended`. `start`, `end` and `peak` are steps of the stream from 0, and `time`, `end_time`, `peak_time` their times.
    """

    number: int
    ended: bool
    start: int
    end: int
    peak: int
    time: str | float | None
    end_time: str | float | None
    peak_time: str | float | None
    score: float
    threshold: float
    channel: int


class Stream:
    """Scores and alarms of steps that come one by one, or in blocks: the cut into blocks changes nothing.

    Parameters
    ----------
    detector : SeriesDetector
        Fitted.
    alarms_per_day : float or None
        How many stretches of normal steps may alarm in a day; None takes the detector's `alarm_rate` for each block.
    steps_per_day : float or None
        Needed with `alarms_per_day`.
    threshold : {"calibration", "spot"}
        Cut by the detector's calibration, or, once enough steps were seen, by the tail of the block maxima of the
        stream itself, which follows it where it drifts.
    learn : {"none", "all", "normal", "delayed"}
        Whether the detector learns on from the steps: not at all; from all; from those that do not alarm; or from
        those about which no alarm has come within a block, which keeps the onset of an anomaly out too.
    cooldown : int or None
        Steps without a high score that end an alarm; None takes a block.

    Attributes
    ----------
    exact : bool
        Whether scores equal those of all steps at once; False where a score depends on all steps, as with a filter
        over the whole series: then the last 20 windows are scored again for each block.
    delay, warm : int
        Steps until the score of a step is known, and first steps that have none, since not enough lie before them.
    extrapolated : bool
        Whether the cut lies beyond what so few calibration blocks support, and comes from their tail.
    pending : list of Alarm
        Told, and not yet acknowledged.
    position : dict
        Where the source was; set by whoever reads it, saved along.
    """

    def __init__(
        self,
        detector: SeriesDetector,
        *,
        alarms_per_day: float | None = None,
        steps_per_day: float | None = None,
        threshold: str = "calibration",
        learn: str = "none",
        cooldown: int | None = None,
    ) -> None:
        _one_of(learn, LEARN, "learn")
        _one_of(threshold, THRESHOLDS, "threshold")
        if not isinstance(detector, SeriesDetector) or not hasattr(detector, "calibration_"):
            raise InputError(f"a stream needs a fitted detector of series; this is {type(detector).__name__}")
        if learn != "none" and not hasattr(detector, "_learn_more"):
            raise InputError(f"{type(detector).__name__} cannot learn step by step; use learn='none'")
        if cooldown is not None and cooldown < 1:
            raise InputError(f"cooldown is {cooldown}; give a number of steps from 1")
        self.detector, self.learn, self.threshold = detector, learn, threshold
        self.cooldown = int(cooldown) if cooldown is not None else detector.block_
        self.rate = self._rate_of(alarms_per_day, steps_per_day)
        seen = reach(detector)
        self.exact = seen is not None
        self.back, self.delay = seen or (SEEN_AT_ONCE * detector.window_, 0)
        self.warm = self.back if self.exact else detector.window_ - 1
        self.calibrated, self.extrapolated = cut_within_reach(detector.calibration_, self.rate)
        self.count, self.skipped, self.number = 0, 0, 0
        self.values = np.empty((0, detector.n_features_in_))
        self.times: list[str | float | None] = []
        self.open: Alarm | None = None
        self.pending: list[Alarm] = []
        self.position: dict[str, Any] = {}
        self.spot: SPOT | None = None
        self.maxima: list[float] = []
        self.block_high, self.block_filled, self.quiet = -math.inf, 0, detector.block_ + 1

    def push(self, values: ArrayLike, time: str | float | None = None) -> float | None:
        """Take one step (C,): the score of the step `delay` before it, None while there is none.

        A missing value is held from the step before.

        Raises
        ------
        InputError
            If the number of channels is another.
        """
        return self.extend(np.atleast_2d(np.asarray(values, dtype=np.float64)), [time])[0]

    def extend(self, X: ArrayLike, times: Sequence[str | float | None] | None = None) -> list[float | None]:
        """Take steps X (n, C) at once: what `push` gives for each."""
        rows = np.asarray(X, dtype=np.float64)
        channels = self.values.shape[1]
        if rows.ndim != 2 or rows.shape[1] != channels or np.isinf(rows).any():
            raise InputError(f"steps have the shape {rows.shape}; give finite numbers (n, {channels})")
        when: list[str | float | None] = [None] * len(rows) if times is None else list(times)
        if len(when) != len(rows):
            raise InputError(f"{len(when)} times for {len(rows)} steps; give one for each")
        rows = held(rows, self.values[-1] if len(self.values) else None)
        ready = ~np.isnan(rows).any(axis=1)  # before every channel had a value
        out: list[float | None] = [None] * int((~ready).sum())
        self.skipped += len(out)
        rows, when = rows[ready], when[len(out) :]
        one_by_one = self.learn in ("normal", "delayed")  # what is learned depends on the alarm before
        size = 1 if one_by_one else max(1, len(rows))
        for i in range(0, len(rows), size):
            out += self._taken(rows[i : i + size], when[i : i + size])
        return out

    def acknowledge(self) -> None:
        """Say that the pending alarms have arrived: they are not told again."""
        self.pending = []

    @property
    def cut(self) -> float:
        """The score above which the next step alarms."""
        return self.calibrated if self.spot is None else self.spot.threshold_

    def save(self, path: str | Path) -> None:
        """Write the whole state, the detector in it, to one file of numbers and text; whole or not at all."""
        from unusual.store import save

        save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Stream:
        """The stream that was saved.

        Raises
        ------
        InputError
            If the file holds something else.
        """
        from unusual.store import load

        made = load(path)
        if not isinstance(made, cls):
            raise InputError(f"{path} holds a {type(made).__name__} and no stream; give the file that a stream saved")
        return made

    def state(self) -> dict[str, Any]:
        """What `store` writes."""
        values = dict(vars(self))
        values["open"] = None if self.open is None else asdict(self.open)
        values["pending"] = [asdict(alarm) for alarm in self.pending]
        return values

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Stream:
        """The stream that `state` described."""
        made = cls.__new__(cls)
        vars(made).update(state)
        made.open = None if state["open"] is None else Alarm(**state["open"])
        made.pending = [Alarm(**alarm) for alarm in state["pending"]]
        return made

    # -- machinery --------------------------------------------------------------------------------------------------

    def _rate_of(self, alarms_per_day: float | None, steps_per_day: float | None) -> float:
        """The share of normal blocks that may alarm."""
        if alarms_per_day is None:
            return float(self.detector.alarm_rate)
        if steps_per_day is None or not steps_per_day > 0:
            raise InputError("alarms_per_day needs steps_per_day, how many steps of the stream make a day")
        rate = alarms_per_day * self.detector.block_ / steps_per_day
        if not 0 < rate < 1:
            raise InputError(
                f"{alarms_per_day} alarms per day are not possible: a day has {steps_per_day / self.detector.block_:g} "
                "blocks of steps, each of which can alarm once; give a number above 0 and below that"
            )
        return rate

    def _taken(self, rows: Steps, when: list[str | float | None]) -> list[float | None]:
        known = self.count - self.delay  # steps that have been scored, or had no full window
        self.values, self.times = np.concatenate([self.values, rows]), self.times + when
        self.count += len(rows)
        scores = self._scores(len(rows)) if self.count >= self.detector.window_ else np.empty(0)
        out: list[float | None] = []
        for step in range(known, known + len(rows)):
            place = step - self.count + len(self.values)
            ready = self.warm <= step
            out.append(float(scores[place]) if ready else None)
            if ready:
                self._judge(step, place, float(scores[place]))
        if self.learn in ("normal", "delayed"):
            self._learn_one()
        keep = max(self.back + self.delay, self.detector.window_ + self.detector.block_)
        self.values, self.times = self.values[-keep:].copy(), self.times[-keep:]
        return out

    def _scores(self, new: int) -> Vector:
        """Scores of the steps that are kept; only those not yet told are asked for."""
        m = self.detector.window_
        if self.learn != "all":
            return self.detector.anomaly_score(self.values)
        fresh = self.values[-min(len(self.values), new + m - 1) :]
        return np.concatenate([np.full(len(self.values) - len(fresh), np.nan), self.detector.learn(fresh)])

    def _learn_one(self) -> None:
        """Learn the latest window, or the one a block ago, unless an alarm is about."""
        m, ago = self.detector.window_, self.detector.block_ if self.learn == "delayed" else 0
        stop = len(self.values) - ago
        if stop >= m and self.quiet > ago:
            self.detector.learn(self.values[stop - m : stop])

    def _judge(self, step: int, place: int, score: float) -> None:
        """Open, carry on or end an alarm; then the step counts for the threshold."""
        cut = self.cut
        self.quiet = 0 if score > cut else self.quiet + 1
        if score > cut:
            self._high(step, place, score, cut)
        elif self.open is not None and step - self.open.end >= self.cooldown:
            self.pending = [*self.pending, Alarm(**{**asdict(self.open), "ended": True})]
            self.open = None
        if self.threshold == "spot":
            self._follow(score)

    def _high(self, step: int, place: int, score: float, cut: float) -> None:
        time = self.times[place]
        if self.open is None:
            self.number += 1
            first = max(0, min(place - self.back, len(self.values) - self.detector.window_))
            about = self.values[first : place + self.delay + 1]
            channel = int(np.argmax(self.detector.explain(about)[place - first]))
            self.open = Alarm(self.number, False, step, step, step, time, time, time, score, cut, channel)
            self.pending = [*self.pending, self.open]
            return
        changed: dict[str, Any] = {**asdict(self.open), "end": step, "end_time": time}
        if score > self.open.score:
            changed |= {"peak": step, "peak_time": time, "score": score}
        self.open = Alarm(**changed)

    def _follow(self, score: float) -> None:
        """The highest score of each block of steps sets the threshold, once there are enough."""
        self.block_high, self.block_filled = max(self.block_high, score), self.block_filled + 1
        if self.block_filled < self.detector.block_:
            return
        if self.spot is not None:
            self.spot.step(self.block_high)
        else:
            level = float(np.clip(1 - 10 * self.rate, 0.5, 0.98))
            self.maxima.append(self.block_high)
            if len(self.maxima) * (1 - level) >= PEAKS and np.ptp(self.maxima) > 0:
                self.spot = SPOT(self.rate, level=level, learn="clipped").fit(self.maxima)
                self.maxima = []
        self.block_high, self.block_filled = -math.inf, 0


def _one_of(value: str, known: tuple[str, ...], name: str) -> None:
    if value not in known:
        raise InputError(f"{name} is {value!r}{suggest(str(value), list(known))}; choose one of: {', '.join(known)}")
