"""The contract of detectors of events: whole sequences, or the lines of a log.

A method writes `_learn(X)` and `_rate(X)` of `Sequences` or of `LogEvents`; what counts as an item, how items are left
out to calibrate, and which events are known is here.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from unusual.data.log_events import NOTHING_TOGETHER, LogEvents, read_log
from unusual.data.sequences import Sequences
from unusual.detector import Detector, Labels, Vector
from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate
from unusual.parts.rows import folds
from unusual.parts.templates import TemplateTree
from unusual.parts.windows import block_maxima

Index = NDArray[np.int64]

FOLDS = 5
BLOCKS = 400  # into which the lines of a reference are cut to calibrate
FEWEST_LINES = 10  # of a block
LEAST_LINES = 20  # of a log to learn from


class EventDetector(Detector):
    """What detectors of sequences and of lines share: items that are no rows of a matrix."""

    # -- to be written by a method --------------------------------------------------------------------------------

    @abstractmethod
    def _learn(self, X: Any) -> None:
        """Learn from checked `Sequences` or `LogEvents`."""

    @abstractmethod
    def _rate(self, X: Any) -> Vector:
        """Scores (n,) of checked sequences or lines, higher is more unusual."""

    # `_train_score(X, rows) -> Vector`, optional: scores of items of the fit, each as if it had been left out.
    # `_explain(X) -> Vector`, optional: the weight (N,) of each event of sequences, or of each line.

    # -- what Detector asks for -----------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any = None) -> None:
        self._learn(X)

    def _score(self, X: Any) -> Vector:
        return self._rate(X)

    def _learn_from(self, X: Any, y: ArrayLike | None) -> tuple[Any, Labels | None]:
        check_rate(self.alarm_rate)
        events = self._matrix(X, reset=True)
        labels = self._labels(y, len(events))
        self._fit(events, labels)
        self.data_fingerprint_ = self._fingerprint(events)
        return events, labels

    @staticmethod
    def _fingerprint(X: Any) -> str:
        codes = X.codes if isinstance(X, Sequences) else X.template
        return f"{len(X)}x{len(codes)}-{hashlib.sha256(np.ascontiguousarray(codes).tobytes()).hexdigest()[:16]}"

    def _clone(self) -> Any:
        """An unfitted detector that knows the same events."""
        return clone(self)

    def _cross_fitted(self, X: Any, y: Labels | None, groups: ArrayLike | None) -> tuple[Vector, Index]:
        """Scores of items by fits without their fold, and their numbers."""
        scores, numbers = [], []
        fold = self._folds(X, groups)
        for part in np.unique(fold):
            out, rest = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
            other = self._clone()
            other._fit(X.take(rest), None if y is None else y[rest])
            scores.append(other._score(X.take(out)))
            numbers.append(out)
        return np.concatenate(scores), np.concatenate(numbers)

    @abstractmethod
    def _folds(self, X: Any, groups: ArrayLike | None) -> Index:
        """The fold (n,) of each item."""


class SequenceDetector(EventDetector):
    """Scores sequences of events: higher is more unusual.

    X is a list of sequences (each a list of texts or whole numbers, or a `Sequence`), or `Sequences`. Equal sequences
    are different items, as equal traces of different requests are, and stay in whatever fold they fall into.

    Attributes
    ----------
    names_ : list of str
        The events seen in the fit; all others count as one and the same unknown event.
    """

    names_: list[str]

    def _matrix(self, X: Any, *, reset: bool) -> Any:
        """The sequences with codes in the order of `names_`; len(names_) stands for events never seen."""
        given = X.sequences() if isinstance(X, LogEvents) else Sequences.of(X)
        least = 2 if reset else 1
        if len(given) < least:
            raise InputError(f"there are {len(given)} sequences; give at least {least}")
        if not given.lengths.all():
            empty = int(np.flatnonzero(given.lengths == 0)[0])
            raise InputError(f"sequence {empty} is empty; leave out what has no events")
        if reset:
            present = np.unique(given.codes).tolist()
            self.names_ = sorted(given.names[code] for code in present)
        place = {name: i for i, name in enumerate(self.names_)}
        recode = np.array([place.get(name, len(place)) for name in given.names], dtype=np.int64)
        return Sequences(recode[given.codes], given.first, (*self.names_, ""), given.keys, given.row)

    def _clone(self) -> Any:
        other = clone(self)
        other.names_ = self.names_
        return other

    def _folds(self, X: Sequences, groups: ArrayLike | None) -> Index:
        if groups is not None:
            return folds(np.zeros((len(X), 1)), groups, FOLDS)
        return np.random.default_rng(len(X)).permutation(len(X)) % FOLDS


class LineDetector(EventDetector):
    """Scores the lines of a log: higher is more unusual.

    X is what `read_log` returns, or what it reads (a path or a pattern). Lines that follow each other are no
    independent items, so the calibration holds the highest scores of blocks of lines: `alarm_rate` is the share of
    normal blocks that alarm, and `p_value` of a line is the chance that a normal block reaches its score.

    Attributes
    ----------
    tree_ : TemplateTree
        Templates of the fit; give it to `read_log` to read the log to be scored.
    key_ : str
        What ties its lines together, as `by` of `read_log` takes it.
    known_ : int
        Templates with a smaller number were there before the fit ended.
    block_ : int
        Lines of a block.
    """

    tree_: TemplateTree
    key_: str
    known_: int
    block_: int

    def _matrix(self, X: Any, *, reset: bool) -> Any:
        if not isinstance(X, LogEvents):
            if isinstance(X, Sequence | np.ndarray) and not isinstance(X, str):
                raise InputError(
                    f"{type(self).__name__} scores the lines of a log, not lists of events; give a file of them"
                )
            X = read_log(X) if reset else read_log(X, self.tree_, self.key_)
        if reset:
            if len(X) < LEAST_LINES:
                raise InputError(f"the log has {len(X)} lines; at least {LEAST_LINES} are needed to tell what is usual")
            self.tree_, self.key_ = X.tree, X.key or NOTHING_TOGETHER
            self.known_ = X.tree.made
            self.block_ = max(FEWEST_LINES, len(X) // BLOCKS)
        elif X.tree is not self.tree_:
            raise InputError(
                "this log was read with other templates; read it with read_log(source, tree=detector.tree_)"
            )
        return X

    def _clone(self) -> Any:
        other = clone(self)
        other.known_, other.block_ = self.known_, self.block_
        return other

    def _calibrating(self, scores: Vector) -> Vector:
        return block_maxima(scores, self.block_)

    def _folds(self, X: LogEvents, groups: ArrayLike | None) -> Index:
        """Fifths of the log, one after the other."""
        return np.arange(len(X)) * FOLDS // len(X)

    def _left_out(self, X: Any, y: Labels | None, groups: ArrayLike | None) -> Calibration:
        if groups is not None:
            raise InputError("lines of a log are left out in stretches; leave groups away")
        return Calibration.of(self._calibrating(self._unseen_scores(X)), "cross-fitted")

    def _unseen_scores(self, X: LogEvents) -> Vector:
        """Scores (n,) of the lines of the fit by fits without their fifth: logs drift, and this shows how much."""
        scores, numbers = self._cross_fitted(X, None, None)
        return scores[np.argsort(numbers)]
