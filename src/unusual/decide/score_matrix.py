"""Scores of several detectors side by side, checked and brought to one scale."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.decide.excess import FEWEST_SCORES
from unusual.errors import InputError

Matrix = NDArray[np.float64]


def score_matrix(scores: ArrayLike | Sequence[ArrayLike]) -> Matrix:
    """Scores as (n, M) without detectors that say the same of every row."""
    if isinstance(scores, list | tuple) and scores and np.ndim(scores[0]) == 1:
        if len({len(np.asarray(s)) for s in scores}) > 1:
            raise InputError("the detectors scored different numbers of rows; score the same rows with each")
        S = np.column_stack([np.asarray(s, dtype=np.float64) for s in scores])
    else:
        S = np.asarray(scores, dtype=np.float64)
        S = S[:, None] if S.ndim == 1 else S
    if S.ndim != 2 or len(S) < FEWEST_SCORES:
        raise InputError(f"scores have shape {S.shape}; give at least {FEWEST_SCORES} rows scored by each detector")
    if not np.isfinite(S).all():
        raise InputError("scores contain NaN or infinity; the share of anomalies needs a number for every row")
    flat = np.ptp(S, axis=0) <= 1e-12 * np.abs(S).max(axis=0)
    if flat.all():
        raise InputError("every detector gives all rows the same score; nothing can be said about anomalies")
    if flat.any():
        warnings.warn(f"{flat.sum()} of {len(flat)} detectors give all rows the same score; left out", stacklevel=3)
    if len(S) < 50:
        warnings.warn(f"{len(S)} rows say little: the share of anomalies found is mostly the prior", stacklevel=3)
    return S[:, ~flat]


def log_scores(S: Matrix) -> Matrix:
    """Standardised logarithms (n, M) of the heights above each detector's lowest score, in units of their median."""
    height = S - S.min(axis=0)
    middle = np.median(height, axis=0)
    T = np.log(height / np.where(middle > 0, middle, height.mean(axis=0)) + 0.1)
    return np.asarray((T - T.mean(axis=0)) / T.std(axis=0))
