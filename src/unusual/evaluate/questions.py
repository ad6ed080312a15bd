"""Questions to a hold-out: the samples they are asked of, and the numbers they give, checked."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.metrics import auroc
from unusual.parts.rows import row_hash

Vector = NDArray[np.float64]
Sample = tuple[NDArray[Any], ...]  # X, or X and y


def samples_of(train: Any, holdout: Any) -> tuple[Sample, Sample]:
    """Both samples as arrays, alike and without a common row."""
    both = _sample(train, "train"), _sample(holdout, "holdout")
    if len(both[0]) != len(both[1]) or both[0][0].shape[1] != both[1][0].shape[1]:
        raise InputError("train and holdout have different columns, or labels in one only; give both alike")
    _refuse_shared(*both)
    return both


def _sample(given: Any, name: str) -> Sample:
    """X (n, d), and y (n,) where it is given, as arrays."""
    pair = isinstance(given, tuple) and len(given) == 2
    X = np.asarray(given[0] if pair else given)
    if X.ndim != 2 or X.dtype.kind not in "fiub" or len(X) < 2:
        raise InputError(f"{name} has shape {X.shape} and type {X.dtype}; give rows of numbers (n, d), or (X, y)")
    if not pair:
        return (X,)
    y = np.asarray(given[1])
    if y.shape != (len(X),) or y.dtype.kind not in "fiub":
        raise InputError(f"labels of {name} have shape {y.shape} for {len(X):,} rows; give one number per row")
    return X, y


def _refuse_shared(train: Sample, holdout: Sample) -> None:
    """Rows of the hold-out that stand in train, unless rows repeat each other as often within train."""
    seen, own = (row_hash(np.column_stack(both).astype(np.float64)) for both in (train, holdout))
    shared = np.isin(own, seen)
    _, copies = np.unique(seen, return_counts=True)
    repeats = copies[copies > 1].sum() / len(seen)
    if shared.mean() > 1.5 * repeats:
        raise InputError(
            f"{int(shared.sum()):,} of {len(own):,} rows of holdout are in train too; give samples that share no row"
        )


def values_of(given: ArrayLike, n: int, low: float, high: float) -> Vector:
    """What a question gave, cut to its bounds and moved to 0..1: (n,) or (n, k)."""
    values = np.asarray(given)
    if values.ndim not in (1, 2) or len(values) != n or values.dtype.kind not in "fiub":
        raise InputError(f"question gives shape {values.shape} for {n:,} rows; give one number per row, or (n, k)")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"bounds are {low} and {high}; give two numbers in ascending order")
    values = values.astype(np.float64)
    if (low, high) == (0.0, 1.0) and not ((values >= 0) & (values <= 1)).all():
        raise InputError("question gives numbers outside 0 and 1, or NaN; give their limits as bounds=(low, high)")
    if not np.isfinite(values).all():
        raise InputError("question gives numbers that are not finite; leave such rows out of both samples")
    return np.asarray((np.clip(values, low, high) - low) / (high - low))


def columns(values: Vector) -> list[Vector]:
    """One vector (n,) for each question."""
    return [values] if values.ndim == 1 else list(np.ascontiguousarray(values.T))


def digest_of(train: Vector, holdout: Vector, *more: object) -> str:
    """A name of the question by what it gives on both samples."""
    digest = hashlib.sha256(train.tobytes())
    digest.update(holdout.tobytes())
    digest.update(repr(more).encode())
    return digest.hexdigest()


def area_of(
    score: Callable[[NDArray[Any]], ArrayLike], X: NDArray[Any], y: NDArray[Any] | None = None
) -> tuple[float, Vector]:
    """Area under the ROC curve of the scores of one sample, and the scores (n,)."""
    if y is None:
        raise InputError("train and holdout have no labels; give (X, y) to ask for an AUROC")
    scores = np.asarray(score(X), dtype=np.float64)
    if scores.shape != (len(X),):
        raise InputError(f"score gives shape {scores.shape} for {len(X):,} rows; give one number each")
    return auroc(y, scores), scores
