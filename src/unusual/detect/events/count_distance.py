"""CountDistance: how many events must be added or taken away to reach the counts of a known sequence.

role: detector
data: events
names: CountDistance
system: -
paper: Landauer et al., A Critical Review of Common Log Data Sets for Sequence-based Anomaly Detection, 2024
needs: -
checkpoint: none
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from unusual.data.sequences import Sequences
from unusual.detector import Vector
from unusual.sequence_detector import Index, SequenceDetector

Counts = NDArray[np.int32]

AT_ONCE = 20_000_000  # differences held at once: 80 MB


class CountDistance(SequenceDetector):
    """L1 distance of a sequence's event counts to the nearest counts of the fit, per event of the sequence.

    0 says that a sequence of the fit had the same events equally often, in whatever order. Exact: equal counts are
    found by their hash, all others are compared with every distinct one.

    Parameters
    ----------
    clean : bool, default True
        Whether the fit holds normal sequences only. If not, one like it is no proof that a sequence is normal, and the
        score is -log of the mean of exp(-distance) over the fit: how common such counts are.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal sequences one accepts as false alarms.

    Attributes
    ----------
    counts_ : int32 (k, V)
        The distinct counts of the fit, V known events.
    times_ : int64 (k,)
        How many sequences had them.
    """

    counts_: Counts
    times_: Index

    def __init__(self, clean: bool = True, alarm_rate: float = 0.01) -> None:
        self.clean = clean
        self.alarm_rate = alarm_rate

    def _learn(self, X: Sequences) -> None:
        counts = counts_of(X)[:, :-1]
        self.counts_, self.times_ = np.unique(counts, axis=0, return_counts=True)

    def _rate(self, X: Sequences) -> Vector:
        counts = counts_of(X)
        if not self.clean:
            return self._rarity(counts, 0)
        return np.asarray(self._nearest(counts)[0] / X.lengths)

    def _train_score(self, X: Sequences, rows: Index) -> Vector:
        """Scores of sequences of the fit, as if each had been left out: 0 where another one has its counts."""
        X = X.take(rows)
        counts = counts_of(X)
        if not self.clean:
            return self._rarity(counts, 1)
        place = self._place(counts[:, :-1])
        alone = np.flatnonzero(self.times_[place] == 1)
        found = np.zeros(len(X))
        if len(self.counts_) > 1 and len(alone):
            found[alone] = self._nearest(counts[alone], place[alone])[0] / X.lengths[alone]
        return found

    def _rarity(self, counts: Counts, own: int) -> Vector:
        """-log mean exp(-distance) of counts (m, V + 1) to those of the fit, of which `own` is the sequence itself."""
        distinct, which = np.unique(counts, axis=0, return_inverse=True)
        found = np.empty(len(distinct))
        for part, gaps in self._gaps(distinct[:, :-1]):
            gaps = gaps + distinct[part, -1:]
            least = gaps.min(axis=1)  # taken out of the sum, so that a far one does not vanish
            like = np.exp(least[:, None] - gaps) @ self.times_ - own * (least == 0)
            found[part] = least - np.log(np.maximum(like, 0.5) / (self.times_.sum() - own))
        return np.asarray(found[which])

    def difference(self, X: Any) -> list[dict[str, int]]:
        """For each sequence, how many more (or fewer, below 0) of each event it has than the nearest of the fit."""
        sequences = self._matrix(X, reset=False)
        counts = counts_of(sequences)
        known = np.pad(self.counts_[self._nearest(counts)[1]], ((0, 0), (0, 1)))
        gaps = counts - known
        return [{sequences.names[j]: int(gap[j]) for j in np.flatnonzero(gap)} for gap in gaps]

    def _explain(self, X: Sequences) -> Vector:
        """For each event (N,), its part of the distance that comes from occurring too often."""
        counts = counts_of(X)
        _, nearest = self._nearest(counts)
        known = np.pad(self.counts_[nearest], ((0, 0), (0, 1)))
        surplus = np.maximum(counts - known, 0)
        share = surplus / np.maximum(counts, 1) / X.lengths[:, None]  # (n, V + 1)
        return np.asarray(share[X.owner, X.codes])

    def _place(self, counts: Counts) -> Index:
        """Where each of the counts (m, V) stands in `counts_`, -1 where it does not."""
        known = {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(self.counts_, dtype=np.int32))}
        rows = np.ascontiguousarray(counts, dtype=np.int32)
        return np.array([known.get(row.tobytes(), -1) for row in rows], dtype=np.int64)

    def _nearest(self, counts: Counts, without: Index | None = None) -> tuple[Index, Index]:
        """Smallest L1 distance (m,) of counts (m, V + 1), and to which of `counts_`; `without` is left aside."""
        known, unknown = counts[:, :-1], counts[:, -1].astype(np.int64)
        place = self._place(known) if without is None else np.full(len(counts), -1)
        distance, nearest = unknown.copy(), place.copy()
        rows = np.flatnonzero(place < 0)
        distinct, which = np.unique(known[rows], axis=0, return_inverse=True)
        best = np.empty((len(distinct), 2), dtype=np.int64)
        for part, gaps in self._gaps(distinct):
            if without is not None:
                mine = without[rows][_first(which, len(distinct))[part]]
                gaps[np.arange(len(gaps)), mine] = np.iinfo(np.int64).max
            best[part] = np.column_stack([gaps.min(axis=1), gaps.argmin(axis=1)])
        distance[rows] += best[which, 0]
        nearest[rows] = best[which, 1]
        return distance, nearest

    def _gaps(self, counts: Counts) -> Iterator[tuple[slice, Index]]:
        """L1 distances (s, k) of some of the counts (m, V) at a time to all of the fit."""
        step = max(1, AT_ONCE // max(1, self.counts_.size))
        for a in range(0, len(counts), step):
            yield slice(a, a + step), np.abs(counts[a : a + step, None, :] - self.counts_[None]).sum(axis=2)


def counts_of(X: Sequences) -> Counts:
    """How often each event occurs in each sequence: int32 (n, V + 1), the last column for unknown events."""
    ones = np.ones(len(X.codes), dtype=np.int32)
    table = csr_array((ones, X.codes, X.first), shape=(len(X), len(X.names)))
    return np.asarray(table.toarray())


def _first(which: Index, count: int) -> Index:
    """The first row of each of `count` groups."""
    first = np.empty(count, dtype=np.int64)
    first[which[::-1]] = np.arange(len(which))[::-1]
    return first
