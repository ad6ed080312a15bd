"""The metrics of a ranking: labels and scores in, one number out.

Labels are 0 normal and 1 anomalous, scores are higher for what is more unusual; tied scores are one threshold. Each
function raises `InputError` if lengths differ, labels are not 0 and 1, only one class occurs, or scores are NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError
from unusual.evaluate.checks import binary, labels_and_scores
from unusual.evaluate.ranking import Ranking


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: the chance that an anomalous item scores above a normal one, ties counted half.

    0.5 by chance, whatever the share of anomalies. Source: Hanley, McNeil, The Meaning and Use of the Area under a ROC
    Curve, 1982.
    """
    return float(Ranking.of(labels, scores).auroc())


def average_precision(labels: ArrayLike, scores: ArrayLike, positive: str = "anomalous") -> float:
    """Precision averaged over the items looked for: the step-wise area under the precision-recall curve.

    By chance about the share of the class looked for, so only comparable at one share of anomalies.
    positive="normal" ranks from the lowest score.
    """
    return float(Ranking.of(labels, scores).average_precision(positive))


def aupr(labels: ArrayLike, scores: ArrayLike, positive: str = "anomalous") -> float:
    """Area under the precision-recall points joined by straight lines (trapezoid), as the OOD literature reports.

    positive="anomalous" is its AUPR-out, positive="normal" its AUPR-in. Straight lines promise too much between distant
    points (constant scores get (1 + share) / 2); prefer `average_precision`. Source: Hendrycks, Gimpel, A Baseline for
    Detecting Misclassified and Out-of-Distribution Examples, 2017.
    """
    return float(Ranking.of(labels, scores).aupr(positive))


def fpr_at_recall(labels: ArrayLike, scores: ArrayLike, recall: float = 0.95, positive: str = "anomalous") -> float:
    """Share of the other class that is flagged along when the share `recall` of the class looked for is.

    positive="anomalous": share of normal items alarmed when 95 % of the anomalies are. positive="normal": share of
    anomalies accepted when 95 % of the normal items are. Both are called FPR95; they differ, so name which. Lower is
    better.
    """
    return float(Ranking.of(labels, scores).fpr_at_recall(recall, positive))


def partial_auc(labels: ArrayLike, scores: ArrayLike, max_fpr: float, convention: str) -> float:
    """Area under the ROC curve where at most `max_fpr` of the normal items are flagged.

    Parameters
    ----------
    labels, scores : (n,)
    max_fpr : float in (0, 1]
    convention : "plain" area A (at most m = max_fpr), "share" A / m (chance m / 2), or "mcclish"
        (1 + (A - m^2/2) / (m - m^2/2)) / 2, whose chance is 0.5. They differ widely, so there is no default.

    Source: McClish, Analyzing a Portion of the ROC Curve, 1989.
    """
    return float(Ranking.of(labels, scores).partial_auc(max_fpr, convention))


def f1_max(labels: ArrayLike, scores: ArrayLike) -> float:
    """The largest F1 over all thresholds: an oracle's, chosen on the labels it is judged by.

    It overstates what a threshold chosen beforehand reaches; `threshold_optimism` says by how much.
    """
    return float(Ranking.of(labels, scores).f1_max())


def f1_max_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold of `f1_max`: flag scores above it; -inf where flagging all is best."""
    ranking = Ranking.of(labels, scores)
    return float(np.append(ranking.thresholds, -np.inf)[int(ranking.f1().argmax()) + 1])


def precision_at_n(labels: ArrayLike, scores: ArrayLike, n: int | None = None) -> float:
    """Share of anomalies among the n highest scores, n the number of anomalies unless given.

    Ties at the n-th place count by the mean over their orders, not by the order of the input.
    """
    return float(Ranking.of(labels, scores).precision_at_n(n))


def max_significance_improvement(labels: ArrayLike, scores: ArrayLike, fewest_false: int = 25) -> float:
    """Largest recall / sqrt(fpr): by how much a cut on the score raises the significance of a signal over background.

    Only thresholds that at least `fewest_false` normal items pass count, since the ratio has no limit as the fpr goes
    to 0; 25 know the fpr to 20 %. Chance is about 1. Source: Kasieczka et al., The LHC Olympics 2020, 2021.
    """
    return float(Ranking.of(labels, scores).max_significance_improvement(fewest_false))


OF_RANKING: tuple[Callable[..., float], ...] = (
    auroc,
    average_precision,
    aupr,
    fpr_at_recall,
    partial_auc,
    f1_max,
    precision_at_n,
    max_significance_improvement,
)  # each is the method of `Ranking` of the same name


def autc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the threshold curve: mean of the false-positive and false-negative rate over thresholds; 0 is best.

    Scores are stretched to [0, 1], and thresholds are spread evenly there: it depends on the shape of the scores, and
    one extreme score moves it. Source: Humblot-Renaux et al., Beyond AUROC & co., 2023.
    """
    y, s = labels_and_scores(labels, scores)
    low, high = s.min(), s.max()
    if not np.isfinite(high - low) or low == high:
        raise InputError("scores are constant or infinite; a threshold curve needs finite scores that differ")
    unit = (s - low) / (high - low)
    return float((unit[~y].mean() + 1 - unit[y].mean()) / 2)


def oscr(labels: ArrayLike, scores: ArrayLike, correct: ArrayLike) -> float:
    """Open-set classification rate: chance that a known item is classified correctly and scores below an unknown one.

    Parameters
    ----------
    labels, scores : (n,)
        1 for items of no known class.
    correct : (n,) of 0 and 1
        Whether the classifier names the class of the item; not read where labels are 1.

    Source: Dhamija, Günther, Boult, Reducing Network Agnostophobia, 2018.
    """
    y, s = labels_and_scores(labels, scores)
    right = binary(correct, "correct")
    if right.shape != y.shape:
        raise InputError(f"there are {len(right):,} values of correct for {len(y):,} labels; give one per item")
    known = s[~y & right]
    above = np.sort(s[y])
    below = np.searchsorted(above, known, "left") + np.searchsorted(above, known, "right")
    return float((2 * len(above) - below).sum() / (2 * len(above) * int((~y).sum())))
