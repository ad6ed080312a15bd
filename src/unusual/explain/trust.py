"""TrustAudit: does a detector alarm because of what is wrong with an item, or for another reason?

role: audit
data: any
names: TrustAudit
system: 015
paper: Rashid et al., Can I Trust My Anomaly Detection System? A Case Study Based on Explainable AI, 2024
needs: -
checkpoint: none

Alarms are explained in several ways and compared with where the defect is known to lie. Without that knowledge the
explanations are compared with each other and put to the test: what is blamed is replaced by normal content, or all
else is, and a cue that should not matter is shown alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from unusual.errors import InputError, suggest
from unusual.explain.blame import EXPLAINERS, explained, located, verdicts
from unusual.explain.overlap import blamed
from unusual.explain.probes import cue_effect, probe
from unusual.explain.stratified_lime import PILOT
from unusual.explain.subject import Fill, Hiding, Subject
from unusual.explain.trust_report import TrustReport
from unusual.explain.truth import Mask, anomalous, cue_game, masks, steady_scores, threshold_of
from unusual.parts.rows import some_rows


class TrustAudit(BaseEstimator):  # type: ignore[misc]
    """Audit of why a detector of any kind alarms.

    Parameters
    ----------
    explainers : sequence of "lime", "shap", "occlusion", "own", default all
        The first gives the answer, the others confirm or contradict it. "own" is left out where a detector has no
        contributions of its own.
    limit : float in (0, 1], default 0.2
        Least intersection over union, at the best threshold, of what is blamed with the truth for "localised"; it must
        also equal or beat 95 % of random explanations.
    share : float in (0, 1], default 0.8
        Of the weight that pushes the score up: the fewest parts that hold it are what is blamed.
    n_samples : int, default 500
        Sets of hidden parts scored for each explanation by sampling. A score that is the largest of many (pixels) needs
        500 to 1000, or a smoother one such as the mean of the top percent.
    most : int, default 50
        Alarms that are explained, evenly chosen where there are more.
    kind, parts, segments, fill : see `unusual.explain.subject.Hiding`
    random_state : int, default 0
    """

    def __init__(
        self,
        explainers: Sequence[str] = EXPLAINERS,
        limit: float = 0.2,
        share: float = 0.8,
        n_samples: int = 500,
        most: int = 50,
        kind: str = "table",
        parts: int = 50,
        segments: Any = "clusters",
        fill: Fill = None,
        random_state: int = 0,
    ) -> None:
        self.explainers = explainers
        self.limit = limit
        self.share = share
        self.n_samples = n_samples
        self.most = most
        self.kind = kind
        self.parts = parts
        self.segments = segments
        self.fill = fill
        self.random_state = random_state

    def run(
        self,
        detector: Any,
        X: Any,
        truth: Sequence[ArrayLike] | ArrayLike | None = None,
        labels: ArrayLike | None = None,
        *,
        categories: Sequence[str] | None = None,
        cue: Any = None,
        threshold: float | None = None,
    ) -> TrustReport:
        """Audit the alarms that a detector raises on items X.

        Parameters
        ----------
        detector : fitted detector, fitted scan of a table, or anything with `anomaly_score(X) -> (n,)`
        X : rows (n, d), or a list of series or images
        truth : n masks of what is truly wrong, all False for normal items: of columns (n, d), steps or pixels (H, W)
        labels : (n,) of 0 normal, 1 anomalous; None: anomalous is what has a mask
        categories : n names; wrong reasons are counted for each
        cue : what should not matter. Table: names or numbers of columns; series and images: a mask of cells, or "frame"
        threshold : score above which an item is an alarm; None: the detector's own

        Raises
        ------
        InputError
            If truth and labels contradict each other, or an option or the data cannot be used.
        """
        self._check()
        subject = Subject.of(detector, X, Hiding(self.kind, self.parts, self.segments, self.fill))
        n = len(subject.items)
        if categories is not None and len(categories) != n:
            raise InputError(f"there are {len(categories):,} categories for {n:,} items; give one per item")
        wrong = None if truth is None else masks(truth, subject)
        known = anomalous(labels, wrong, n)
        return self._audited(subject, wrong, known, categories, cue, threshold_of(subject.detector, threshold))

    def _audited(
        self,
        subject: Subject,
        truth: list[Mask] | None,
        known: Mask | None,
        categories: Sequence[str] | None,
        cue: Any,
        threshold: float,
    ) -> TrustReport:
        scores, spread = steady_scores(subject)
        alarms = scores > threshold
        wanted = np.flatnonzero(alarms if known is None else alarms & known)
        items = wanted[some_rows(len(wanted), self.most)].tolist()
        found = explained(subject, items, self.explainers, self.n_samples, self.random_state)
        games = [alarm.game for alarm in found]
        names = list(found[0].weights) if found else list(self.explainers)
        weights = {name: [alarm.weights[name] for alarm in found] for name in names}
        where, said = None, None
        if truth is not None and known is not None:
            where = located(found, truth, names, self.share, self.limit, self.random_state)
            said = {name: verdicts(alarms, known, items, one, self.limit) for name, one in where.items()}
        return TrustReport(
            names=subject.names,
            scores=scores,
            threshold=threshold,
            spread=spread,
            alarms=alarms,
            anomalous=known,
            categories=categories,
            items=items,
            parts=[alarm.index for alarm in found],
            weights=weights,
            blamed={name: [blamed(w, self.share) for w in many] for name, many in weights.items()},
            located=where,
            verdicts=said,
            probes={
                name: probe(games, many, threshold, self.share, self.random_state) for name, many in weights.items()
            },
            cue=None if cue is None else cue_effect([cue_game(cue, subject, i) for i in items], threshold),
            steps=sum(game.evaluations > 4 * PILOT and game.levels < PILOT for game in games),
        )

    def _check(self) -> None:
        for name in self.explainers:
            if name not in EXPLAINERS:
                hint = suggest(str(name), list(EXPLAINERS))
                raise InputError(f"{name!r} is no explainer; use some of {', '.join(EXPLAINERS)}{hint}")
        if not self.explainers or not 0 < self.limit <= 1 or not 0 < self.share <= 1 or self.most < 1:
            raise InputError(
                f"explainers {tuple(self.explainers)}, limit {self.limit}, share {self.share}, most {self.most}: "
                "name an explainer, shares in (0, 1] and at least one alarm"
            )
