"""The choices behind a result of anomaly detection: which method, on which form of the columns, fitted on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.audit.specification_curve import SpecificationCurve
from unusual.catalogue import make
from unusual.data.encoder import TableEncoder
from unusual.data.numbers import numbers
from unusual.data.read_table import read_table
from unusual.errors import InputError
from unusual.evaluate.checks import binary
from unusual.evaluate.ranking import Ranking
from unusual.parts.copula import NormalMargins
from unusual.parts.gaussian import Moments
from unusual.parts.rows import some_rows

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

MOST_ROWS = 2000
LEAST_ODD, LEAST_NORMAL = 8, 40
FALSE_ALARMS = 0.05
DETECTOR_GRID = {
    "method": ("KNN", "LOF", "IsolationForest", "Mahalanobis", "HBOS", "ECOD"),
    "columns": ("as given", "normal scores", "whitened"),
    "fit": ("normal rows only", "as they come"),
    "tested": ("first half", "second half"),
}


@dataclass(frozen=True)
class DetectorChoices:
    """Labelled rows, and the criteria of a detector fitted on one half of them and tested on the other.

    Attributes
    ----------
    X, y : (n, d), (n,) bool
    halvings : int
    random_state : int
    notes : tuple of str
    """

    X: Matrix
    y: NDArray[np.bool_]
    halvings: int
    random_state: int
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, X: Any, y: ArrayLike | str, halvings: int, random_state: int) -> DetectorChoices:
        """Rows and labels; where y names a column, the rest of the table is encoded as a scan would."""
        if halvings < 2:
            raise InputError(f"halvings is {halvings}; give at least 2, or no spread can be told")
        if isinstance(y, str):
            table = read_table(X)
            labels = binary(table[y], f"labels {y!r}")
            rows = TableEncoder().fit_transform(table, label=y).astype(np.float64)
        else:
            rows, labels = numbers(X)[0], binary(y)
        if len(rows) != len(labels):
            raise InputError(f"there are {len(labels):,} labels for {len(rows):,} rows; give one label per row")
        kept = some_rows(len(rows), MOST_ROWS)
        notes = () if len(kept) == len(rows) else (f"{MOST_ROWS:,} of {len(rows):,} rows were used.",)
        rows, labels = rows[kept], labels[kept]
        if labels.sum() < LEAST_ODD or (~labels).sum() < LEAST_NORMAL:
            raise InputError(
                f"there are {labels.sum()} anomalies and {(~labels).sum()} normal rows; at least {LEAST_ODD} and "
                f"{LEAST_NORMAL} are needed, since rows are halved twice"
            )
        return cls(rows, labels, halvings, random_state, notes)

    def __call__(self, method: str, columns: str, fit: str, tested: str) -> dict[str, Matrix]:
        """AUROC, average precision and recall at 5 % false alarms: (s, 2) on halves of the tested rows."""
        for factor, level in (("columns", columns), ("fit", fit), ("tested", tested)):
            known = FORMS if factor == "columns" else DETECTOR_GRID[factor]
            if level not in known:
                raise InputError(f"{factor} is {level!r}; choose one of: {', '.join(known)}")
        rng = np.random.default_rng(self.random_state)
        train, test = _halved(self.y, rng)[:: 1 if tested == "second half" else -1]
        if fit == "normal rows only":
            train = train[~self.y[train]]
        form = FORMS[columns](self.X[train])
        rows = form(self.X[train])
        detector = make(method).fit(rows, calibration=rows[:2])  # no threshold is used, so none is worked out
        scores = detector.anomaly_score(form(self.X[test]))
        found = [
            [_criteria(self.y[test][half], scores[half]) for half in _halved(self.y[test], rng)]
            for _ in range(self.halvings)
        ]
        names = ("AUROC", "average precision", f"recall at {FALSE_ALARMS:.0%} false alarms")
        return dict(zip(names, np.moveaxis(np.array(found), 2, 0), strict=True))

    def noted(self, curve: SpecificationCurve) -> SpecificationCurve:
        """The curve with what limits it."""
        odd = f"{self.y.sum()} anomalies among {len(self.y):,} rows; half of each is tested."
        return replace(curve, notes=(*curve.notes, odd, *self.notes))


def _halved(y: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Index, Index]:
    """Row numbers of two halves with as many anomalies each, to one."""
    first, second = [], []
    for members in (np.flatnonzero(y), np.flatnonzero(~y)):
        order = rng.permutation(members)
        first.append(order[: len(order) // 2])
        second.append(order[len(order) // 2 :])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))


def _criteria(y: NDArray[np.bool_], scores: Matrix) -> tuple[float, float, float]:
    ranking = Ranking.of(y, scores)
    allowed = ranking.fpr <= FALSE_ALARMS
    recall = float(ranking.recall[allowed].max(initial=0.0))
    return float(ranking.auroc()), float(ranking.average_precision()), recall


Form = Callable[[Matrix], Matrix]


def _as_given(_rows: Matrix) -> Form:
    return lambda X: X


def _normal_scores(rows: Matrix) -> Form:
    return NormalMargins.of(rows).to_normal


def _whitened(rows: Matrix) -> Form:
    """Uncorrelated columns of spread 1; the directions in which the rows of the fit do not vary are left out."""
    moments = Moments.of(rows)
    spread = np.sqrt(np.where(moments.variance > 0, moments.variance, 1.0))
    values, vectors = np.linalg.eigh(moments.covariance(0.0) / np.outer(spread, spread))
    kept = values > 1e-9 * values.max()
    way = vectors[:, kept] / np.sqrt(values[kept]) / spread[:, None]
    return lambda X: np.asarray((X - moments.mean) @ way)


FORMS: dict[str, Callable[[Matrix], Form]] = {
    "as given": _as_given,
    "normal scores": _normal_scores,
    "whitened": _whitened,
}
