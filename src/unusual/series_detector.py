"""The contract of detectors of series: steps are scored in their order, and blocks of steps calibrate.

A method writes `_learn(parts)` and `_steps(Z)`; standardised channels, the window, blocks and the rest are here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate
from unusual.parts.period import period
from unusual.parts.rows import fingerprint
from unusual.parts.scaling import Standardizer
from unusual.parts.windows import block_maxima

Steps = NDArray[np.float64]  # (T, C)

FOLDS = 5  # contiguous parts of a series left out in turn
WINDOWS_A_BLOCK = 2  # a block is so long that the scores of two blocks hardly share a window
LEAST = 8  # steps of a series
TRIED = 48  # windows on which it is tried how far a score sees
SHOWN = 10_000  # steps kept to show what would have been usual


class SeriesDetector(Detector):
    """Scores the steps of a series: higher is more unusual.

    X is one series: (T,) or (T, C) numbers in the order of time, T steps of C channels. `fit` also takes a list of
    series with the same channels. Steps next to each other are no independent items, so the calibration holds the
    highest scores of blocks of steps: `alarm_rate` is the share of normal blocks that alarm, and `p_value` of a step is
    the chance that a normal block reaches its score.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and spread (C,) of the channels.
    window_ : int
        Steps of a window: the period of the series unless `window` is given.
    block_ : int
        Steps of a block.
    background_ : (b, C) array
        The last steps of the longest series of the fit, against which an event is explained.
    """

    window: int | None = None

    # -- to be written by a method --------------------------------------------------------------------------------

    @abstractmethod
    def _learn(self, parts: list[Steps]) -> None:
        """Learn from series in standard units, each (T_i, C); no window may reach from one into another."""

    @abstractmethod
    def _steps(self, Z: Steps) -> Vector:
        """Scores (T,) of a series (T, C) in standard units."""

    # `_own_steps(parts) -> list[Vector]`, optional: scores of the series that were just learned from, each step without
    # finding itself. Asked for once after a fit.
    # `_learn_more(Z) -> Vector`, optional: scores (T,) of steps (T, C) that follow what was learned, each window
    # learned once it is scored.
    # `_expected(Z) -> Matrix`, optional: what would have been usual at each step (T, C), in standard units.

    def learn(self, X: Any) -> Vector:
        """Scores (T,) of the next steps X (T, C) of a stream, each window learned once it is scored.

        The first `window_ - 1` steps only lead up to the first window: blocks that overlap by so many give the scores,
        and leave the state, of all steps at once. The calibration stays.

        Raises
        ------
        InputError
            If the method cannot learn from single steps, or X does not fit.
        """
        check_is_fitted(self)
        more = getattr(self, "_learn_more", None)
        if more is None:
            raise InputError(f"{type(self).__name__} cannot learn step by step; fit it again on a longer series")
        X = self._long_enough(self._matrix(X, reset=False))
        return np.asarray(more(self._standard(X)), dtype=np.float64)

    # -- what Detector asks for -----------------------------------------------------------------------------------

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._fit_parts([X])

    def _score(self, X: Matrix) -> Vector:
        return np.asarray(self._steps(self._standard(self._long_enough(X))), dtype=np.float64)

    def _long_enough(self, X: Matrix) -> Matrix:
        if len(X) < self.window_:
            raise InputError(
                f"the series has {len(X)} steps, fewer than one window of {self.window_}; give a longer one, or fit "
                "with a smaller window"
            )
        return X

    def _standard(self, X: Matrix) -> Steps:
        return self.scaling_(X.astype(np.float64))

    def _fit_parts(self, parts: list[Matrix]) -> None:
        """Channels, window and block from the series as they are, then the method itself."""
        longest = max(parts, key=len)
        if len(longest) < LEAST:
            raise InputError(f"the series has {len(longest)} steps; at least {LEAST} are needed to tell what is usual")
        self.scaling_ = Standardizer.of(np.concatenate(parts))
        given = self.window
        if given is not None and not 1 <= given <= len(longest) // 2:
            raise InputError(f"window is {given}; give steps from 1 to {len(longest) // 2}, half of the series")
        self.window_ = int(given) if given is not None else self._usual_window(self._standard(longest))
        self.block_ = WINDOWS_A_BLOCK * self.window_
        self._own_of_fit: list[Vector] | None = None
        self._learn(self._learned(parts))

    def _learned(self, parts: list[Matrix]) -> list[Steps]:
        """The series in standard units, without those that are shorter than a window."""
        return [self._standard(part) for part in parts if len(part) >= self.window_]

    def _usual_window(self, Z: Steps) -> int:
        """Steps of a window where none are given; a method may want others than one period."""
        return period(Z)

    def _learn_from(self, X: Any, y: ArrayLike | None) -> tuple[Matrix, Labels | None]:
        check_rate(self.alarm_rate)
        self._parts = [self._matrix(part, reset=i == 0) for i, part in enumerate(self._listed(X))]
        self._fit_parts(self._parts)
        everything = np.concatenate(self._parts)
        self.background_ = max(self._parts, key=len)[-SHOWN:].copy()
        self.data_fingerprint_ = fingerprint(everything)
        return everything, None

    @staticmethod
    def _listed(X: Any) -> Sequence[Any]:
        """The series of a fit: a list of arrays is several, everything else is one."""
        several = isinstance(X, list | tuple) and len(X) > 0 and all(hasattr(part, "shape") for part in X)
        return X if several else [X]

    def _matrix(self, X: Any, *, reset: bool) -> Matrix:
        """One series as (T, C); several, one after the other."""
        if len(parts := self._listed(X)) > 1:
            return np.concatenate([self._matrix(part, reset=False) for part in parts])
        X = parts[0]
        flat = getattr(X, "ndim", 2) == 1 or (isinstance(X, list | tuple) and np.ndim(X) == 1)
        return super()._matrix(np.asarray(X)[:, None] if flat else X, reset=reset)

    def _calibrating(self, scores: Vector) -> Vector:
        return block_maxima(scores, self.block_)

    def _own_scores(self, X: Matrix) -> Vector:
        """Scores of all steps of the fit; series too short to be learned from get the lowest."""
        found = iter(self._own_found())
        scores = [next(found) if len(part) >= self.window_ else None for part in self._parts]
        lowest = min(float(one.min()) for one in scores if one is not None)
        filled = [np.full(len(p), lowest) if s is None else s for p, s in zip(self._parts, scores, strict=True)]
        return np.concatenate(filled)

    def _own_found(self) -> list[Vector]:
        """Scores of the series that were learned from, found once: calibration and ranking both ask."""
        if self._own_of_fit is None:
            learned = self._learned(self._parts)
            own = getattr(self, "_own_steps", None)
            self._own_of_fit = [self._steps(Z) for Z in learned] if own is None else own(learned)
        return self._own_of_fit

    def _left_out(self, X: Matrix, y: Labels | None, groups: ArrayLike | None) -> Calibration:
        """Highest scores of blocks, by the method's own left-out scores or by fits without the part they lie in."""
        if hasattr(self, "_own_steps"):
            maxima = [block_maxima(scores, self.block_) for scores in self._own_found()]
            return Calibration.of(np.concatenate(maxima), "left out")
        return Calibration.of(np.concatenate([self._block_scores(*cut) for cut in self._cuts()]), "cross-fitted")

    def _cuts(self) -> list[tuple[list[Matrix], Matrix]]:
        """Pairs of the series to fit and the part left out: whole series where there are five, else fifths of each."""
        parts = self._parts
        if len(parts) >= FOLDS:
            return [([*parts[:i], *parts[i + 1 :]], parts[i]) for i in range(len(parts))]
        cuts = []
        for i, part in enumerate(parts):
            others = [*parts[:i], *parts[i + 1 :]]
            edges = np.linspace(0, len(part), FOLDS + 1).astype(int)
            for a, b in pairwise(edges.tolist()):
                rest = [piece for piece in (part[:a], part[b:]) if len(piece) >= max(LEAST, 2 * self.window_)]
                if b - a >= self.window_ and (rest or others):
                    cuts.append(([*others, *rest], part[a:b]))
        if not cuts:
            raise InputError(
                f"{sum(map(len, parts))} steps are too few to leave windows of {self.window_} out in turn; give a "
                "longer series, a smaller window, or calibration data"
            )
        return cuts

    def _block_scores(self, fitted: list[Matrix], left_out: Matrix) -> Vector:
        other = clone(self).set_params(window=self.window_)
        other.n_features_in_ = left_out.shape[1]
        other._fit_parts(fitted)
        return block_maxima(other._score(left_out), self.block_)

    def _explain(self, X: Matrix) -> Matrix:
        """Contribution (T, C) of each channel: how far the score falls when the channel stays at its mean."""
        whole = self._score(X)
        left = np.empty(X.shape)
        for c in range(X.shape[1]):
            calm = X.copy()
            calm[:, c] = self.scaling_.mean[c]
            left[:, c] = whole - self._score(calm)
        return left


def reach(detector: SeriesDetector) -> tuple[int, int] | None:
    """How many steps before and after a step its score depends on: tried out.

    The second half of the steps that the detector keeps is disturbed to see which scores before it change, and the
    first half to see which after it do. First steps whose score stands in for one count as steps before. None where a
    score depends on all steps.
    """
    m = detector.window_
    X = detector.background_[-max(TRIED * m, 64) :].astype(np.float64)
    middle, rng = len(X) // 2, np.random.default_rng(0)
    whole = detector.anomaly_score(X)
    back, ahead, warm = m - 1, 0, 0
    for size in (0.5, 5.0, 50.0):
        noise = size * detector.scaling_.scale * rng.normal(size=X.shape)
        late, early = X.copy(), X.copy()
        late[middle:] += noise[middle:]
        early[:middle] += noise[:middle]
        moved = [np.abs(detector.anomaly_score(Z) - whole) > 1e-7 * (np.ptp(whole) + 1e-30) for Z in (late, early)]
        near = np.flatnonzero(moved[0][middle // 2 : middle])
        filled = np.flatnonzero(moved[0][: middle // 2])  # steps too early for a score get one that depends on others
        after = np.flatnonzero(moved[1][middle:])
        ahead = max(ahead, middle - middle // 2 - int(near[0]) if len(near) else 0)
        warm = max(warm, int(filled[-1]) + 1 if len(filled) else 0)
        back = max(back, int(after[-1]) + 1 if len(after) else 0)
    back = back if back < m else 2 * back  # a median of many steps hardly feels one: twice what was felt
    local = max(back, warm) < len(X) // 2 and ahead <= min(2 * m, len(X) // 8)
    return (max(back, warm), ahead) if local else None
