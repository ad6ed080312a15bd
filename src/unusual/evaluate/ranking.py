"""One sort of scores, from which every metric of a ranking is read; counts may be those of many resamples at once.

Sources: Fawcett, An Introduction to ROC Analysis, 2006; Davis, Goadrich, The Relationship between Precision-Recall and
ROC Curves, 2006; McClish, Analyzing a Portion of the ROC Curve, 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import labels_and_scores

Vector = NDArray[np.float64]
Labels = NDArray[np.bool_]

CLASSES = ("anomalous", "normal")
CONVENTIONS = ("mcclish", "plain", "share")


@dataclass(frozen=True)
class Ranking:
    """How many anomalous and normal items have a score at or above each distinct score, highest first.

    Attributes
    ----------
    thresholds : (k,)
        The distinct scores, or what stands for a group of them.
    true, false : (..., k)
        Anomalous and normal items at or above; the last entry is all of them. Weights in place of counts are allowed.
    within : float or (k,)
        Chance that of two items of one group the anomalous one stands above the normal one; 1/2 where they are tied.

    Every method gives one number per leading index: a float64 of shape () for one ranking, (r,) for r resamples.
    """

    thresholds: Vector
    true: Vector
    false: Vector
    within: Vector | float = 0.5

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> Ranking:
        """Sort scores (n,) with labels (n,), 0 normal and 1 anomalous, once.

        Raises
        ------
        InputError
            If lengths differ, labels are not 0 and 1, only one class occurs, or scores are NaN.
        """
        y, s = labels_and_scores(labels, scores)
        return cls.weighted(s, y.astype(np.float64), (~y).astype(np.float64))

    @classmethod
    def weighted(cls, scores: NDArray[np.floating], true: Vector, false: Vector) -> Ranking:
        """Sort scores (n,) of items that each carry a weight (n,) among the anomalous and one among the normal."""
        order = np.argsort(scores)[::-1]
        ordered = scores[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        return cls(
            ordered[ends].astype(np.float64, copy=False), np.cumsum(true[order])[ends], np.cumsum(false[order])[ends]
        )

    def flipped(self) -> Ranking:
        """The same ranking read from below, the normal items being those looked for."""
        n_true, n_false = self.true[..., -1:], self.false[..., -1:]
        return Ranking(
            -self.thresholds[::-1],
            (n_false - _before(self.false))[..., ::-1],
            (n_true - _before(self.true))[..., ::-1],
            self.within[::-1] if isinstance(self.within, np.ndarray) else self.within,
        )

    def looking_for(self, positive: str) -> Ranking:
        """This ranking for positive="anomalous", the flipped one for positive="normal"."""
        if positive not in CLASSES:
            raise InputError(f"positive is {positive!r}; name the class looked for: 'anomalous' or 'normal'")
        return self if positive == "anomalous" else self.flipped()

    @property
    def recall(self) -> Vector:
        """Share of the anomalous items at or above (..., k)."""
        return self.true / self.true[..., -1:]

    @property
    def fpr(self) -> Vector:
        """Share of the normal items at or above (..., k)."""
        return self.false / self.false[..., -1:]

    @property
    def precision(self) -> Vector:
        """Share of anomalous items among those at or above (..., k); 1 where there are none."""
        flagged = self.true + self.false
        return np.divide(self.true, flagged, out=np.ones_like(flagged), where=flagged > 0)

    def auroc(self) -> Vector:
        """Chance that an anomalous item stands above a normal one, ties counted half."""
        above = _before(self.true) + self.within * _steps(self.true)
        return np.asarray(
            np.einsum("...k,...k->...", _steps(self.false), above) / (self.true[..., -1] * self.false[..., -1])
        )

    def average_precision(self, positive: str = "anomalous") -> Vector:
        """Precision averaged over the positives: the step-wise area under the precision-recall curve."""
        side = self.looking_for(positive)
        return np.asarray((_steps(side.recall) * side.precision).sum(axis=-1))

    def aupr(self, positive: str = "anomalous") -> Vector:
        """Area under straight lines through the precision-recall points, from recall 0 at precision 1."""
        side = self.looking_for(positive)
        first = np.ones_like(side.precision[..., :1])
        earlier = np.concatenate([first, side.precision[..., :-1]], axis=-1)
        return np.asarray((_steps(side.recall) * (side.precision + earlier) / 2).sum(axis=-1))

    def fpr_at_recall(self, recall: float = 0.95, positive: str = "anomalous") -> Vector:
        """Share of the other class flagged at the first threshold that finds the share `recall` of the positives."""
        if not 0 < recall <= 1:
            raise InputError(f"recall is {recall}; give a share above 0 and at most 1")
        side = self.looking_for(positive)
        enough = side.true >= recall * side.true[..., -1:] * (1 - 1e-12)  # 0.95 * 20 is not exactly 19
        return np.asarray(np.take_along_axis(side.fpr, enough.argmax(axis=-1)[..., None], axis=-1)[..., 0])

    def partial_auc(self, max_fpr: float, convention: str) -> Vector:
        """Area under the ROC curve up to `max_fpr`, cut there by a straight line, in a named convention."""
        if not 0 < max_fpr <= 1:
            raise InputError(f"max_fpr is {max_fpr}; give a share above 0 and at most 1")
        if convention not in CONVENTIONS:
            raise InputError(f"convention is {convention!r}; name one of: {', '.join(CONVENTIONS)}")
        width = _steps(self.fpr)
        kept = np.clip(max_fpr - _before(self.fpr), 0, width)
        part = np.divide(kept, width, out=np.zeros_like(width), where=width > 0)
        area = (kept * (_before(self.recall) + part * _steps(self.recall) / 2)).sum(axis=-1)
        if convention == "plain":
            return np.asarray(area)
        if convention == "share":
            return np.asarray(area / max_fpr)
        chance = max_fpr**2 / 2
        return np.asarray((1 + (area - chance) / (max_fpr - chance)) / 2)

    def f1(self) -> Vector:
        """F1 of flagging everything at or above each threshold (..., k)."""
        return 2 * self.true / (self.true[..., -1:] + self.true + self.false)

    def f1_max(self) -> Vector:
        """The largest F1 over all thresholds."""
        return np.asarray(self.f1().max(axis=-1))

    def precision_at_n(self, n: int | None = None) -> Vector:
        """Share of anomalous items among the n highest, in expectation over the order of ties; None: as many as are."""
        most = self.true[..., -1:] if n is None else n
        flagged = self.true + self.false
        if n is not None and not 1 <= n <= flagged[..., -1].min():
            raise InputError(f"n is {n} for {int(flagged[..., -1].min()):,} items; give a number from 1 to that many")
        group = _steps(flagged)
        part = np.divide(most - _before(flagged), group, out=np.zeros_like(group), where=group > 0)
        return np.asarray((_steps(self.true) * np.clip(part, 0, 1)).sum(axis=-1) / np.squeeze(most))

    def max_significance_improvement(self, fewest_false: int = 25) -> Vector:
        """Largest recall / sqrt(fpr) over thresholds that at least `fewest_false` normal items pass."""
        if not 1 <= fewest_false <= self.false[..., -1].min():
            raise InputError(
                f"fewest_false is {fewest_false} and there are {int(self.false[..., -1].min()):,} normal items; "
                "give a number from 1 to that many"
            )
        passed = self.false >= fewest_false
        gain = np.divide(self.recall, np.sqrt(self.fpr), out=np.zeros_like(self.fpr), where=passed)
        return np.asarray(gain.max(axis=-1))


def _before(values: Vector) -> Vector:
    """What had been counted before each group (..., k)."""
    return np.concatenate([np.zeros_like(values[..., :1]), values[..., :-1]], axis=-1)


def _steps(values: Vector) -> Vector:
    """What each group adds (..., k)."""
    return np.diff(values, axis=-1, prepend=0)
