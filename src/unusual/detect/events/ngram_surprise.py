"""NGramSurprise: the most surprising event of a sequence, given the events before it.

role: detector
data: events
names: NGramSurprise
system: -
paper: Witten and Bell, The Zero-Frequency Problem in Adaptive Text Compression, 1991
needs: -
checkpoint: none
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.sequences import Sequences
from unusual.detector import Vector
from unusual.errors import InputError
from unusual.sequence_detector import Index, SequenceDetector

MOST_ORDER = 16
EVENT, BEGIN, END = 0, 1, 2


class NGramSurprise(SequenceDetector):
    """Largest -log P(event | the order - 1 events before it) over a sequence and its end.

    Probabilities back off to shorter contexts by the rule of Witten and Bell: after a context h seen n(h) times with
    t(h) different followers, P(w | h) = (n(hw) + t(h) P(w | shorter h)) / (n(h) + t(h)). The maximum finds a single
    wrong step in a long sequence, which the mean would hide.

    Parameters
    ----------
    order : int from 1 to 16, default 2
        Length of the longest n-gram; 2 looks one event back.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal sequences one accepts as false alarms.

    Attributes
    ----------
    levels_ : list of dicts
        For each length: `grams`, ascending pairs (context, event) as one number, how often each occurred (`times`), and
        for each context `total` and `kinds`, the events and distinct events that followed it.
    """

    levels_: list[dict[str, Any]]

    def __init__(self, order: int = 2, alarm_rate: float = 0.01) -> None:
        self.order = order
        self.alarm_rate = alarm_rate

    def _learn(self, X: Sequences) -> None:
        if not isinstance(self.order, int | np.integer) or not 1 <= self.order <= MOST_ORDER:
            raise InputError(f"order is {self.order!r}; give a whole number from 1 to {MOST_ORDER}")
        codes, marks = self._padded(X)
        self.levels_ = []
        context = np.zeros(len(codes), dtype=np.int64)
        for _ in range(self.order):
            gram = self._gram(context, codes)
            grams = np.unique(gram[gram >= 0])  # the others reach back beyond the beginning
            place = _find(grams, gram)
            times = np.bincount(place[(place >= 0) & (marks != BEGIN)], minlength=len(grams))
            owner = grams // self._width()
            total = np.bincount(owner, times)
            kinds = np.bincount(owner, times > 0).astype(np.int64)
            self.levels_.append({"grams": grams, "times": times, "total": total, "kinds": kinds})
            context = _shifted(place, marks)
        if len(grams) > 2**62 // self._width():
            raise InputError(f"there are too many events ({len(self.names_):,}) for order {self.order}; lower it")

    def _rate(self, X: Sequences) -> Vector:
        return self._per_sequence(X, self._surprise(X))

    def _train_score(self, X: Sequences, rows: Index) -> Vector:
        """Surprise of sequences of the fit by the counts of all others."""
        part = X.take(rows)
        return self._per_sequence(part, self._surprise(part, own=True))

    def events_left_out(self, X: Sequences) -> Vector:
        """-log P of each event (N,) of sequences of the fit, by the counts of all other sequences."""
        surprise = self._surprise(X, own=True)
        return np.asarray(surprise[self._padded(X)[1] == EVENT])

    def after(self, event: str) -> dict[str, int]:
        """What followed an event in the fit, and how often, commonest first; "" stands for the end."""
        if event not in self.names_ or len(self.levels_) < 2:
            return {}
        place = _find(self.levels_[0]["grams"], np.array([self.names_.index(event)]))[0]
        level = self.levels_[1]
        a, b = np.searchsorted(level["grams"], [place * self._width(), (place + 1) * self._width()])
        names = [*self.names_, "", "", ""]
        found = {names[gram % self._width()]: times for gram, times in
                 zip(level["grams"][a:b].tolist(), level["times"][a:b].tolist(), strict=True)}  # fmt: skip
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def _explain(self, X: Sequences) -> Vector:
        """-log P of each event (N,); the score is the largest of a sequence, or that of its end."""
        surprise = self._surprise(X)
        return np.asarray(surprise[self._padded(X)[1] == EVENT])

    # -- events in one row, each sequence between marks ---------------------------------------------------------------

    def _padded(self, X: Sequences) -> tuple[Index, NDArray[np.int8]]:
        """Codes (N + 2 n,) with a beginning before and an end behind each sequence, and which of the three each is."""
        marks = np.zeros(len(X.codes) + 2 * len(X), dtype=np.int8)
        begin = X.first[:-1] + 2 * np.arange(len(X))
        marks[begin] = BEGIN
        marks[begin + X.lengths + 1] = END
        codes = np.full(len(marks), len(X.names))  # behind the known events and the unknown one
        codes[marks == EVENT] = X.codes
        codes[begin] += 1
        return codes, marks

    def _width(self) -> int:
        return len(self.names_) + 3  # with the unknown event, the end and the beginning

    def _gram(self, context: Index, codes: Index) -> Index:
        """A number for each pair of context and event; -1 where the context was never seen."""
        return np.where(context < 0, -1, context * self._width() + codes)

    def _surprise(self, X: Sequences, own: bool = False) -> Vector:
        """-log P (N + n,) of each event and end; with `own` by the counts without the sequence itself."""
        codes, marks = self._padded(X)
        sequence = np.cumsum(marks == BEGIN) - 1
        p = np.full(len(codes), 1 / (self._width() - 1))
        context = np.zeros(len(codes), dtype=np.int64)
        for level in self.levels_:
            gram = self._gram(context, codes)
            place = _find(level["grams"], gram)
            times = np.where(place < 0, 0, level["times"][np.maximum(place, 0)])
            held = np.minimum(np.maximum(context, 0), len(level["total"]) - 1)
            total, kinds = level["total"][held], level["kinds"][held]
            if own:
                times, total, kinds = _without_own(sequence, context, gram, marks, times, total, kinds)
            seen = (context >= 0) & (total > 0)
            p = np.where(seen, (times + kinds * p) / np.maximum(total + kinds, 1), p)
            context = _shifted(place, marks)
        surprise = -np.log(p)
        surprise[marks == BEGIN] = 0.0
        return np.asarray(surprise)

    @staticmethod
    def _per_sequence(X: Sequences, surprise: Vector) -> Vector:
        return np.asarray(np.maximum.reduceat(surprise, X.first[:-1] + 2 * np.arange(len(X))))


def _find(known: Index, wanted: Index) -> Index:
    """Where each wanted number stands among the ascending known ones, -1 where it does not."""
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, -1) if len(known) else np.full(len(wanted), -1)


def _shifted(place: Index, marks: NDArray[np.int8]) -> Index:
    """What ended at the event before, as context of this one; -1 at the beginning of a sequence."""
    return np.where(marks == BEGIN, -1, np.concatenate([[-1], place[:-1]]))


def _without_own(
    sequence: Index, context: Index, gram: Index, marks: NDArray[np.int8], times: Index, total: Vector, kinds: Index
) -> tuple[Index, Vector, Index]:
    """Counts of n-grams, and of contexts and their different followers, without those of the sequence itself."""
    counted = np.flatnonzero((marks != BEGIN) & (context >= 0))
    who = sequence[counted]
    _, once, of_gram = np.unique(_pairs(who, gram[counted]), return_index=True, return_inverse=True)
    _, of_context = np.unique(_pairs(who, context[counted]), return_inverse=True)
    mine = np.bincount(of_gram)[of_gram]  # how often this n-gram occurs in its own sequence
    gone = once[times[counted][once] == mine[once]]  # followers that only this sequence has, each once
    lost = np.bincount(of_context[gone], minlength=int(of_context.max()) + 1)
    times, total, kinds = times.copy(), total.copy(), kinds.copy()
    times[counted] -= mine
    total[counted] -= np.bincount(of_context)[of_context]
    kinds[counted] -= lost[of_context]
    return times, total, kinds


def _pairs(sequence: Index, number: Index) -> Index:
    """One number for each pair; `number` is first counted anew, so that no product is too large."""
    _, small = np.unique(number, return_inverse=True)
    return sequence * (int(small.max()) + 1) + small
