"""RareTemplates: how seldom lines of this kind, and of at least this severity, are written.

role: detector
data: events
names: RareTemplates
system: -
paper: He et al., Experience Report: System Log Analysis for Anomaly Detection, 2016
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np

from unusual.data.log_events import LogEvents
from unusual.detector import Vector
from unusual.sequence_detector import Index, LineDetector


class RareTemplates(LineDetector):
    """-log of the share of lines with the template of a line, plus -log of the share at least as severe.

    A template never seen counts as half a line. A level nobody writes adds as much as a template nobody writes; a line
    without a level is taken for as severe as all others.

    Parameters
    ----------
    severity : bool, default True
        Whether the level in the head of a line counts.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of lines one accepts as false alarms.

    Attributes
    ----------
    times_ : int64 (k,)
        Lines of each template.
    severe_ : int64 (7,)
        Lines of at least each level, from "unknown" to fatal.
    """

    times_: Index
    severe_: Index

    def __init__(self, severity: bool = True, alarm_rate: float = 0.01) -> None:
        self.severity = severity
        self.alarm_rate = alarm_rate

    def _learn(self, X: LogEvents) -> None:
        self.times_ = np.bincount(X.template, minlength=self.known_)
        self.severe_ = np.cumsum(np.bincount(X.level + 1, minlength=7)[::-1])[::-1]

    def _rate(self, X: LogEvents) -> Vector:
        return self._rarity(X, 0)

    def _train_score(self, X: LogEvents, rows: Index) -> Vector:
        """Scores of lines of the fit, each counted without itself."""
        return self._rarity(X, 1)[rows]

    def _rarity(self, X: LogEvents, own: int) -> Vector:
        known = X.template < len(self.times_)
        times = np.where(known, self.times_[np.minimum(X.template, len(self.times_) - 1)] - own * known, 0)
        count = self.severe_[0] - own
        rarity = -np.log((times + 0.5) / (count + 1))
        if self.severity:
            rarity -= np.log((self.severe_[X.level + 1] - own + 0.5) / (count + 0.5))
        return np.asarray(rarity)

    def _explain(self, X: LogEvents) -> Vector:
        """The score itself (n,): each line stands alone."""
        return self._rate(X)
