"""AutoLog: several views of a log, each as far out as its own reference says, added up.

role: detector
data: events
names: AutoLog
system: -
paper: Fisher, Statistical Methods for Research Workers, 1932 (the sum of logarithms of p-values)
needs: -
checkpoint: none

Sequences are seen in three ways: which events (`NGramSurprise` of order 1), how many of each (`CountDistance`), in what
order (`NGramSurprise` of order 2). Lines are seen by their kind and severity (`RareTemplates`), by when they come
(`TemplateBursts`), by what stands in them (`SlotValues`), and, where something ties them together, by what came before
(`NGramSurprise`). Each view becomes -log p among scores that its reference gets from fits without it, with a tail
beyond them; the sum is the score. Nothing is chosen by labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from unusual.data.log_events import LogEvents
from unusual.data.sequences import Sequences
from unusual.detect.events.count_distance import CountDistance
from unusual.detect.events.ngram_surprise import NGramSurprise
from unusual.detect.events.rare_templates import RareTemplates
from unusual.detect.events.slot_values import SlotValues
from unusual.detect.events.template_bursts import TemplateBursts
from unusual.detector import Vector
from unusual.errors import InputError
from unusual.parts.conformal import Calibration
from unusual.parts.upper_tail import UpperTail
from unusual.sequence_detector import EventDetector, Index, LineDetector, SequenceDetector


class AutoLog(EventDetector):
    """The sum of -log p of several views of a sequence or of a line: higher is more unusual.

    X is a list of sequences, or a log (what `read_log` returns, or a path); its items are sequences or lines.

    Parameters
    ----------
    severity : bool, default True
        Whether the level in the head of a line counts.
    clean : bool, default True
        Whether the fit is on normal events only; see `CountDistance`.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal sequences, or of normal blocks of lines, one accepts as false alarms.

    Attributes
    ----------
    views_ : dict of detectors
        Fitted, by what they look at: "kind", "count" and "order", or "kind", "time", "value" and "order".
    tails_ : dict of UpperTail
        The scores that the reference gets in each view from fits without it.
    """

    views_: dict[str, Any]
    tails_: dict[str, UpperTail]
    _unseen_sum: Any
    _own: dict[str, Vector]

    def __init__(self, severity: bool = True, clean: bool = True, alarm_rate: float = 0.01) -> None:
        self.severity = severity
        self.clean = clean
        self.alarm_rate = alarm_rate

    def magnitudes(self, X: Any) -> dict[str, Vector]:
        """-log p (n,) of each item in each view; the score is their sum."""
        X = self._matrix(X, reset=False)
        return {name: self.tails_[name].magnitude(_seen(view, X)) for name, view in self.views_.items()}

    def own_magnitudes(self) -> dict[str, Vector]:
        """-log p (n,) of the items of the last fit in each view, as if each had been left out; not kept when saved."""
        return self._own

    def _matrix(self, X: Any, *, reset: bool) -> Any:
        if reset:
            lines = isinstance(X, LogEvents | str) or hasattr(X, "__fspath__")
            self.views_ = self._lines_views() if lines else self._sequence_views()
        return self.views_["kind"]._matrix(X, reset=reset)

    def _sequence_views(self) -> dict[str, Any]:
        return {"kind": NGramSurprise(1), "count": CountDistance(self.clean), "order": NGramSurprise(2)}

    def _lines_views(self) -> dict[str, Any]:
        views = {"kind": RareTemplates(self.severity), "time": TemplateBursts(), "value": SlotValues()}
        return views | {"order": NGramSurprise(2)}

    def _learn(self, X: Any) -> None:
        if isinstance(X, LogEvents) and X.member is None:
            self.views_.pop("order", None)
        unseen, own = {}, {}
        for name, view in self.views_.items():
            if isinstance(X, LogEvents) and isinstance(view, LineDetector):
                view.known_, view.block_ = self.views_["kind"].known_, self.views_["kind"].block_
                view._learn(X)
            else:
                view._learn(view._matrix(X, reset=True))  # takes the sequences of a log
            unseen[name], own[name] = _unseen(view, X)
        self.tails_ = {name: UpperTail.of(scores) for name, scores in unseen.items()}
        self._unseen_sum = sum(self.tails_[name].magnitude(scores) for name, scores in unseen.items())
        self._own = {name: UpperTail.of(scores).magnitude(scores) for name, scores in own.items()}

    def _rate(self, X: Any) -> Vector:
        return np.asarray(sum(self.magnitudes(X).values()))

    def _train_score(self, X: Any, rows: Index) -> Vector:
        """Scores of items of the fit, in each view as if they had been left out, and among scores that were so too."""
        return np.asarray(sum(self._own.values()))[rows]

    def _left_out(self, X: Any, y: Any, groups: ArrayLike | None) -> Calibration:
        if groups is not None:
            if isinstance(X, LogEvents):
                raise InputError("lines of a log are left out in stretches; leave groups away")
            scores, _ = self._cross_fitted(X, None, groups)
            return Calibration.of(scores, "cross-fitted")
        return Calibration.of(self._calibrating(self._unseen_sum), "cross-fitted")

    def _calibrating(self, scores: Vector) -> Vector:
        kind = self.views_["kind"]
        return kind._calibrating(scores) if isinstance(kind, LineDetector) else scores

    def _clone(self) -> Any:
        other = clone(self)
        other.views_ = {name: view._clone() for name, view in self.views_.items()}
        return other

    def _folds(self, X: Any, groups: ArrayLike | None) -> Index:
        return np.asarray(self.views_["kind"]._folds(X, groups))

    def _explain(self, X: Any) -> Vector:
        """The part of the score (N,) that each event of a sequence has, or the score (n,) of each line."""
        if isinstance(X, LogEvents):
            return self._rate(X)
        weight = np.zeros(len(X.codes))
        for name, size in self.magnitudes(X).items():
            part = self.views_[name]._explain(self.views_[name]._matrix(X, reset=False))
            whole = np.bincount(X.owner, part, len(X))
            there = whole[X.owner] > 0  # what no event can be blamed for, such as one that is missing, all share
            weight += size[X.owner] * np.where(there, part / np.where(there, whole[X.owner], 1), 1 / X.lengths[X.owner])
        return weight


def _seen(view: Any, X: Any) -> Vector:
    """Scores (n,) of items in one view; of lines in a view of sequences, the surprise of what each line says."""
    if isinstance(X, LogEvents) and isinstance(view, SequenceDetector):
        if X.member is None:  # nothing in this log is tied together as the lines of the reference were
            return np.zeros(len(X))
        sequences = X.sequences()
        return _of_lines(X, sequences, view._explain(view._matrix(sequences, reset=False)))
    return np.asarray(view._rate(X if isinstance(view, LineDetector) else view._matrix(X, reset=False)))


def _of_lines(X: LogEvents, sequences: Sequences, surprise: Vector) -> Vector:
    """The largest surprise (n,) of the events that came from each line."""
    found = np.zeros(len(X))
    if sequences.row is not None:
        np.maximum.at(found, sequences.row, surprise)
    return found


def _unseen(view: Any, X: Any) -> tuple[Vector, Vector]:
    """Scores (n,) of the items of the fit in one view: by fits without their part, and without themselves alone."""
    everything = np.arange(len(X))
    if isinstance(X, Sequences):
        own = view._train_score(view._matrix(X, reset=False), everything)
        return own, own
    if isinstance(view, SequenceDetector):
        sequences = X.sequences()
        events = view._matrix(sequences, reset=False)
        own = _of_lines(X, sequences, view.events_left_out(events))
        return own, own
    return view._unseen_scores(X), view._train_score(X, everything)
