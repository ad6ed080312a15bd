"""Labels and scores as every metric wants them, and the sentences for those it cannot use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError

Vector = NDArray[np.float64]
Labels = NDArray[np.bool_]


def labels_and_scores(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, Vector]:
    """Labels as bool (n,), True for anomalous, and scores as float64 (n,).

    Raises
    ------
    InputError
        If lengths differ, labels are not 0 and 1, only one class occurs, or scores are NaN.
    """
    y, s = binary(labels), scores_of(scores)
    if y.shape != s.shape:
        raise InputError(f"there are {len(y):,} labels for {len(s):,} scores; give one label per score")
    if y.all() or not y.any():
        which = "anomalous" if y.all() else "normal"
        raise InputError(f"all {len(y):,} labels are {which}; a metric of ranking needs both classes")
    return y, s


def binary(labels: ArrayLike, name: str = "labels") -> Labels:
    """Labels of 0 and 1 as bool (n,).

    Raises
    ------
    InputError
        If they are not one list of 0 normal and 1 anomalous.
    """
    given: NDArray[Any] = np.asarray(labels)
    if given.ndim != 1 or not len(given):
        raise InputError(f"{name} have shape {given.shape}; give one list of 0 normal and 1 anomalous")
    if given.dtype != bool and not np.isin(given, (0, 1)).all():
        odd = next(v for v in given.tolist() if v not in (0, 1))
        hint = "; convert scikit-learn's with unusual.from_sklearn_labels(y)" if odd == -1 else ""
        raise InputError(f"{name} hold {odd!r}; they are 0 normal and 1 anomalous{hint}")
    return given.astype(bool)


def scores_of(scores: ArrayLike, name: str = "scores") -> Vector:
    """Scores as float64 (n,), infinite ones allowed.

    Raises
    ------
    InputError
        If they are not one list of numbers or some are NaN.
    """
    given = np.asarray(scores)
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "fiub":
        raise InputError(f"{name} have shape {given.shape} and type {given.dtype}; give one list of numbers")
    array = given.astype(np.float64)
    missing = np.flatnonzero(np.isnan(array))
    if len(missing):
        raise InputError(
            f"{len(missing):,} of {len(array):,} {name} are NaN, the first at position {missing[0]:,}; "
            "score every item or leave those out of labels and scores"
        )
    return array
