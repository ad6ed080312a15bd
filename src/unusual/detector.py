"""The contract of everything that scores: a method writes `_fit` and `_score`, the rest is here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate
from unusual.parts.rows import fingerprint, folds, some_rows
from unusual.parts.shapley import contributions

Vector = NDArray[np.float64]
Matrix = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

CALIBRATION_ROWS = 10_000  # the realised rate at 1 % is then known to a tenth
CROSS_FITS = 5
BACKGROUND_ROWS = 64
FINAL = (
    "fit",
    "anomaly_score",
    "fit_anomaly_score",
    "is_anomaly",
    "p_value",
    "explain",
    "calibrate",
    "save",
    "score_samples",
    "decision_function",
    "predict",
    "fit_predict",
)


class Detector(OutlierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Scores items: higher is more unusual. The public methods are final; see CONTRIBUTING for the private ones.

    Attributes
    ----------
    calibration_ : Calibration
        Scores of normal items as the fit would score them had it not seen them.
    background_ : (b, d) array
        A few rows of the fit, against which a score is explained.
    """

    alarm_rate: float
    takes_labels = False

    # -- to be written by a method --------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, X: Matrix, y: Labels | None) -> None:
        """Learn from checked rows X (n, d), float32 or float64."""

    @abstractmethod
    def _score(self, X: Matrix) -> Vector:
        """Scores (n,) of checked rows, higher is more unusual; each depends on its row alone."""

    # -- final ------------------------------------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        calibration: ArrayLike | None = None,
    ) -> Self:
        """Learn what is usual, and calibrate the threshold on rows the fit has not seen.

        Parameters
        ----------
        X : (n, d) array or data frame of finite numbers
        y : (n,) of 0 normal, 1 anomalous, -1 unlabelled; ignored by methods that take no labels
        groups : (n,) labels of related rows (lot, machine, customer), which are left out together
        calibration : (m, d) further normal rows; where none are given, rows of X are left out in turn

        Raises
        ------
        InputError
            If X, y or a parameter cannot be used; the sentence says why.
        """
        X, labels = self._learn_from(X, y)
        if calibration is not None:
            return self.calibrate(calibration)
        self.calibration_ = self._left_out(X, labels, groups)
        return self

    def anomaly_score(self, X: ArrayLike) -> Vector:
        """How unusual each row of X (n, d) is: float64 (n,), higher is more unusual."""
        check_is_fitted(self)
        return np.asarray(self._score(self._matrix(X, reset=False)), dtype=np.float64)

    def fit_anomaly_score(self, X: ArrayLike, y: ArrayLike | None = None, *, groups: ArrayLike | None = None) -> Vector:
        """Fit on X and score its own rows (n,), each without finding itself where the method could."""
        self.fit(X, y, groups=groups)
        return self._own_scores(self._matrix(X, reset=False))

    def calibrate(self, X: ArrayLike) -> Self:
        """Set threshold and p-values from normal rows X (n, d) that the fit has not seen."""
        self.calibration_ = Calibration.of(self._calibrating(self.anomaly_score(X)), "held out")
        return self

    @property
    def threshold_(self) -> float:
        """Score above which a row is an anomaly: the share of normal rows above it is `alarm_rate`."""
        check_is_fitted(self)
        return self.calibration_.threshold(self.alarm_rate)

    @property
    def offset_(self) -> float:
        """scikit-learn's word for minus the threshold."""
        return -self.threshold_

    def is_anomaly(self, X: ArrayLike) -> NDArray[np.bool_]:
        """Whether each row of X (n, d) scores above the threshold: bool (n,)."""
        return self.anomaly_score(X) > self.threshold_

    def p_value(self, X: ArrayLike) -> Vector:
        """Conformal p-value (n,) of each row of X: the chance of a score at least as high if the row were normal."""
        return self.calibration_.p_value(self.anomaly_score(X))

    def explain(self, X: ArrayLike, *, evaluations: int = 1024) -> Vector:
        """Contribution (n, d) of each column to the score of each row; positive pushes towards unusual.

        Exact where the method has a sum of its own; else sampled Shapley values, at the price of about `evaluations`
        scored rows for each explained row.
        """
        check_is_fitted(self)
        X = self._matrix(X, reset=False)
        exact = getattr(self, "_explain", None)
        if exact is not None:
            return np.asarray(exact(X), dtype=np.float64)
        return contributions(self._score, X, self.background_, evaluations)

    def save(self, path: str | Path) -> None:
        """Write the fitted detector to one file that holds numbers and text only, never code."""
        from unusual.store import save

        check_is_fitted(self)
        save(self, path)

    def score_samples(self, X: ArrayLike) -> Vector:
        """Minus `anomaly_score`, as scikit-learn has it: (n,), lower is more unusual."""
        return -self.anomaly_score(X)

    def decision_function(self, X: ArrayLike) -> Vector:
        """`score_samples - offset_` (n,): negative for anomalies, as scikit-learn has it."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """-1 for anomalies, +1 for the rest (n,), as scikit-learn has it."""
        labels: Labels = np.where(self.is_anomaly(X), -1, 1)
        return labels

    def fit_predict(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.int64]:
        """`fit(X).predict(X)`."""
        return self.fit(X, y).predict(X)

    # -- machinery --------------------------------------------------------------------------------------------------

    def _learn_from(self, X: ArrayLike, y: ArrayLike | None) -> tuple[Matrix, Labels | None]:
        """Everything of a fit but the calibration."""
        check_rate(self.alarm_rate)
        rows = self._matrix(X, reset=True)
        labels = self._labels(y, len(rows))
        self._fit(rows, labels)
        self.background_ = rows[some_rows(len(rows), BACKGROUND_ROWS)].copy()
        self.data_fingerprint_ = fingerprint(rows)
        return rows, labels

    def _own_scores(self, X: Matrix) -> Vector:
        """Scores (n,) of the rows X that were just fitted, each without finding itself where the method could."""
        left_out = getattr(self, "_train_score", None)
        scores = self._score(X) if left_out is None else left_out(X, np.arange(len(X)))
        return np.asarray(scores, dtype=np.float64)

    def _fit_to_rank(self, X: ArrayLike) -> Vector:
        """Fit to rows of unknown purity and rank them (n,): nothing is known to be normal, so nothing is calibrated."""
        rows, _ = self._learn_from(X, None)
        scores = self._own_scores(rows)
        ranked = self._calibrating(scores)
        self.calibration_ = Calibration.of(ranked[some_rows(len(ranked), CALIBRATION_ROWS)], "ranked")
        return scores

    def _calibrating(self, scores: Vector) -> Vector:
        """The scores (m,) of exchangeable items among scores (n,): here each row is one."""
        return scores

    def _matrix(self, X: Any, *, reset: bool) -> Matrix:
        if not reset and self._is_plain(X):
            return np.asarray(X)
        least = 2 if reset else 1
        try:
            checked = validate_data(
                self, X, dtype=[np.float64, np.float32], order="C", reset=reset, ensure_min_samples=least
            )
        except ValueError as error:
            raise InputError(_first_sentence(error)) from error
        return np.asarray(checked)

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no more checks: the fast way for single rows, where checking costs more than scoring."""
        return (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype in (np.float64, np.float32)
            and X.flags.c_contiguous
            and len(X) > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X.sum()))
        )

    def _labels(self, y: ArrayLike | None, count: int) -> Labels | None:
        return check_labels(y, count) if self.takes_labels and y is not None else None

    def _left_out(self, X: Matrix, y: Labels | None, groups: ArrayLike | None) -> Calibration:
        """Scores of normal rows by fits that had not seen them: in closed form if there is one, else cross-fitted."""
        if groups is not None and len(np.asarray(groups)) != len(X):
            raise InputError(f"groups has {len(np.asarray(groups))} entries for {len(X)} rows; give one per row")
        usable = np.ones(len(X), dtype=bool) if y is None else y != 1
        if groups is None and self._calibrates_in_closed_form():
            rows = np.flatnonzero(usable)
            rows = rows[some_rows(len(rows), CALIBRATION_ROWS)]
            return Calibration.of(self._train_score(X, rows), "left out")
        scores, out = self._cross_fitted(X, y, groups)
        return Calibration.of(scores[usable[out]], "cross-fitted")

    def _calibrates_in_closed_form(self) -> bool:
        """Whether `_train_score` is there, and good enough to calibrate by and not only to rank by."""
        return hasattr(self, "_train_score")

    def _cross_fitted(self, X: Matrix, y: Labels | None, groups: ArrayLike | None) -> tuple[Vector, NDArray[np.int64]]:
        """Scores of rows by fits without their fold, and their numbers; one fold of a large table is enough."""
        many = len(X) > 2 * CALIBRATION_ROWS
        fold = folds(X, groups, len(X) // CALIBRATION_ROWS if many else CROSS_FITS)
        scores, numbers = [], []
        for part in np.unique(fold)[: 1 if many else None]:
            out = np.flatnonzero(fold == part)
            rest = np.flatnonzero(fold != part)
            other = clone(self)
            other.n_features_in_ = X.shape[1]
            other._fit(X[rest], None if y is None else y[rest])
            scores.append(other._score(X[out]))
            numbers.append(out)
        return np.concatenate(scores), np.concatenate(numbers)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def check_labels(y: ArrayLike, count: int) -> NDArray[np.int64]:
    """Labels as int64 (n,): 0 normal, 1 anomalous, -1 unlabelled.

    Raises
    ------
    InputError
        If the length differs, other values occur, or only -1 and +1 do (scikit-learn's convention).
    """
    labels = np.asarray(y)
    if labels.shape != (count,):
        raise InputError(f"y has shape {labels.shape} for {count} rows; give one label per row")
    values = set(np.unique(labels).tolist())
    if not values <= {-1, 0, 1}:
        raise InputError(f"y holds {sorted(values)[:5]}; labels are 0 normal, 1 anomalous, -1 unlabelled")
    if values == {-1, 1}:
        raise InputError(
            "y holds only -1 and +1, which reads both ways; labels here are 0 normal, 1 anomalous, -1 unlabelled: "
            "convert scikit-learn's with unusual.from_sklearn_labels(y)"
        )
    return labels.astype(np.int64)


def from_sklearn_labels(y: ArrayLike) -> NDArray[np.int64]:
    """Labels of scikit-learn's convention (-1 anomalous, +1 normal) as 1 anomalous, 0 normal: int64 (n,)."""
    labels = np.asarray(y)
    if not set(np.unique(labels).tolist()) <= {-1, 1}:
        raise InputError("y holds other values than -1 and +1; only scikit-learn's labels are converted")
    converted: Labels = (labels == -1).astype(np.int64)
    return converted


def _first_sentence(error: ValueError) -> str:
    """scikit-learn's complaint without its advice on other estimators, and with ours on missing values."""
    line = str(error).splitlines()[0].strip()
    if line.startswith("Expected 2D array"):
        return "Expected 2D array, got 1D array instead. Reshape your data to one row per item: X[None, :] for one item"
    if "NaN" in line:
        return f"{line.rstrip('.')}; fill missing values first, or let unusual.scan do it"
    return line
