"""SPOT, DSPOT: a threshold for a stream of scores, from a generalised-Pareto tail that is fitted anew as peaks come.

role: test
data: any
names: SPOT, DSPOT
system: -
paper: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory, 2017
needs: -
checkpoint: none

The threshold z is the level that a value exceeds with the chance `risk`: z = t + scale / shape ((risk n / peaks)^-shape
- 1), with a start t, the count of peaks above it among n values, and the most likely law of the peaks. DSPOT follows a
moving mean and does the same with the distances to it. Extrapolated: a forecast of the rate, no guarantee.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.parts.conformal import check_rate
from unusual.parts.pareto import ParetoLaw, most_likely_pareto
from unusual.study import Lines, Study

Vector = NDArray[np.float64]

FEWEST_PEAKS = 10  # with fewer the exponential law is fitted, by their mean
MOST_PEAKS = 2000  # the latest that the law is fitted to: bounds memory and lets it follow
GROWTH = 1.02  # peaks are fitted anew when there are so many times more of them
LEARN = ("all", "clipped", "normal")


@dataclass(frozen=True)
class SpotResult:
    """Which of the values (n,) alarmed, and the threshold (n,) that each was held against."""

    values: Vector
    alarms: NDArray[np.bool_]
    thresholds: Vector

    def study(self) -> Study:
        """The values and the threshold over time."""
        steps = np.arange(len(self.values))
        lines = {"value": (steps, self.values), "threshold": (steps, self.thresholds)}
        answer = f"{int(self.alarms.sum()):,} of {len(self.values):,} values lie above the threshold of their time."
        blocks = [Lines("Values, and the threshold of their time", "value number", "value", lines)]
        notes = ["the threshold is extrapolated from the tail of the values so far: a forecast, no guarantee"]
        return Study("Which values are too high for their time?", answer, blocks, notes)


class SPOT:
    """A threshold that one value in 1 / `risk` exceeds, for values that come one after the other.

    Parameters
    ----------
    risk : float in (0, 1), default 1e-4
        Chance that a normal value exceeds the threshold. A budget of a alarms per day at s values per day is a / s, see
        `for_alarms`.
    level : float in (0, 1), default 0.98
        Share of the first values below the start of the tail.
    learn : {"all", "clipped", "normal"}, default "all"
        How values that alarm enter the tail: as they are, as if they had just reached the threshold, or not at all, as
        in the paper. Only "all" keeps the risk where nothing is anomalous, but anomalies then lengthen the tail;
        "normal" cuts the tail off where it alarms: at a risk of 0.001, 2 to 3 times as many normal values alarm,
        with "clipped" 1.3 to 1.7 times.

    Attributes
    ----------
    threshold_ : float
        The threshold for the next value, +inf before `fit`.
    law_ : ParetoLaw
    """

    depth = 0

    def __init__(self, risk: float = 1e-4, *, level: float = 0.98, learn: str = "all") -> None:
        self.risk = check_rate(risk, "risk")
        self.level = check_rate(level, "level")
        if risk >= 1 - level:
            raise InputError(f"risk {risk} is not below 1 - level = {1 - level:g}; lower the risk or the level")
        if learn not in LEARN:
            raise InputError(f"learn is {learn!r}; choose one of: {', '.join(LEARN)}")
        self.learn = learn
        self.count, self.total_peaks, self.fitted_at = 0, 0, 0
        self.peaks: list[float] = []
        self.recent: list[float] = []
        self.start, self.law_ = math.inf, ParetoLaw(0.0, 1.0)

    @classmethod
    def for_alarms(cls, alarms_per_day: float, values_per_day: float, **parameters: Any) -> Self:
        """The rule with a budget of alarms instead of a risk.

        Raises
        ------
        InputError
            If the budget is not above 0 and below the number of values.
        """
        if not 0 < alarms_per_day < values_per_day:
            raise InputError(
                f"{alarms_per_day} alarms per day cannot be kept with {values_per_day:g} values per day; "
                "give a number above 0 and below that"
            )
        return cls(alarms_per_day / values_per_day, **parameters)

    def fit(self, values: ArrayLike) -> Self:
        """Set the start of the tail and its first law from values (n,), the first of the stream.

        Raises
        ------
        InputError
            If none or fewer than 10 of them lie in the tail, or one is not finite.
        """
        x = _checked(values)
        centred = self._centred(x)
        self.start = float(np.quantile(centred, self.level))
        peaks = centred[centred > self.start] - self.start
        if len(peaks) < FEWEST_PEAKS:
            raise InputError(
                f"{len(peaks)} of {len(x)} values lie above the {self.level:g} quantile; at least {FEWEST_PEAKS} must: "
                "give more values first, or a lower level"
            )
        self.count, self.total_peaks, self.peaks = len(centred), len(peaks), peaks[-MOST_PEAKS:].tolist()
        self._refit()
        return self

    @property
    def threshold_(self) -> float:
        """The value above which the next one alarms."""
        return self._centre() + self._cut() if self.total_peaks else math.inf

    def step(self, value: float) -> bool:
        """Whether the next value alarms; it is then learned from.

        Raises
        ------
        InputError
            If the value is not finite, or `fit` has not been called.
        """
        if not math.isfinite(value):
            raise InputError(f"the value is {value}; leave values that are missing out of the stream")
        if not self.total_peaks:
            raise InputError("the threshold is not set; call fit with the first values of the stream")
        x = value - self._centre()
        if x <= self.start:  # nearly always
            self.count += 1
            self._remember(value)
            return False
        cut = self._cut()
        alarm = x > cut
        if alarm and self.learn == "clipped":
            self._peak(cut - self.start)
        elif not alarm or self.learn == "all":
            self._peak(x - self.start)
            self._remember(value)
        return alarm

    def run(self, values: ArrayLike) -> SpotResult:
        """`step` for each of values (n,): the same alarms whether they come at once or one by one."""
        x = _checked(values)
        alarms, thresholds = np.zeros(len(x), dtype=bool), np.empty(len(x))
        for i, value in enumerate(x.tolist()):
            thresholds[i] = self.threshold_
            alarms[i] = self.step(value)
        return SpotResult(x, alarms, thresholds)

    # -- machinery --------------------------------------------------------------------------------------------------

    def _cut(self) -> float:
        """z, from the law of the peaks and how many there are by now."""
        return self.start + max(0.0, self.law_.exceeded_by(self.risk * self.count / self.total_peaks))

    def _peak(self, excess: float) -> None:
        self.count += 1
        self.total_peaks += 1
        self.peaks.append(excess)
        if self.total_peaks >= GROWTH * self.fitted_at:
            self._refit()

    def _refit(self) -> None:
        self.peaks = self.peaks[-MOST_PEAKS:]
        few = len(self.peaks) < FEWEST_PEAKS
        self.law_ = ParetoLaw(0.0, float(np.mean(self.peaks))) if few else most_likely_pareto(self.peaks)
        self.fitted_at = self.total_peaks

    def _centred(self, x: Vector) -> Vector:
        """Distances (n - depth,) of values (n,) to the mean of the `depth` values before each."""
        if not self.depth:
            return x
        if len(x) <= self.depth:
            raise InputError(f"{len(x)} values are too few for a mean of {self.depth}; give more, or a smaller depth")
        self.recent = x[-self.depth :].tolist()
        means = np.lib.stride_tricks.sliding_window_view(x[:-1], self.depth).mean(axis=1)
        return np.asarray(x[self.depth :] - means)

    def _centre(self) -> float:
        return math.fsum(self.recent) / len(self.recent) if self.recent else 0.0

    def _remember(self, value: float) -> None:
        if self.depth:
            self.recent.append(value)
            del self.recent[: -self.depth]

    def state(self) -> dict[str, Any]:
        """What `store` writes."""
        parameters = {"risk": self.risk, "level": self.level, "learn": self.learn}
        counts = {"count": self.count, "total_peaks": self.total_peaks, "fitted_at": self.fitted_at}
        law = {"shape": self.law_.shape, "scale": self.law_.scale, "start": self.start, "depth": self.depth}
        return {**parameters, **counts, **law, "peaks": np.array(self.peaks), "recent": np.array(self.recent)}

    @staticmethod
    def from_state(state: dict[str, Any]) -> SPOT:
        """The rule that `state` described."""
        options = {"level": state["level"], "learn": state["learn"]}
        depth = state["depth"]
        made = DSPOT(state["risk"], depth=depth, **options) if depth else SPOT(state["risk"], **options)
        made.count, made.total_peaks, made.fitted_at = state["count"], state["total_peaks"], state["fitted_at"]
        made.start, made.law_ = state["start"], ParetoLaw(state["shape"], state["scale"])
        made.peaks, made.recent = state["peaks"].tolist(), state["recent"].tolist()
        return made


class DSPOT(SPOT):
    """SPOT on the distance of each value to the mean of the `depth` values before it, for streams that drift.

    Parameters
    ----------
    risk, level
        As in `SPOT`.
    depth : int, default 50
        Values of the moving mean.
    learn
        As in `SPOT`; values that alarm enter the mean with "all" only.
    """

    def __init__(self, risk: float = 1e-4, *, level: float = 0.98, depth: int = 50, learn: str = "all") -> None:
        super().__init__(risk, level=level, learn=learn)
        if not depth >= 1:
            raise InputError(f"depth is {depth}; give a number of values from 1, or use SPOT for a stream that stays")
        self.depth = int(depth)


def _checked(values: ArrayLike) -> Vector:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise InputError(f"values must be a list of finite numbers; the shape is {x.shape}")
    return x
