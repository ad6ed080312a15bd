"""Which tables a loop of generations can start from, and what to say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.parts.table_samplers import KEEPS_VALUES

Matrix = NDArray[np.float64]

LEAST_ROWS = 20
FEW_VALUES = 20  # a column with no more is a scale or a category
HEAVY = 2.0  # tail index below which the variance is infinite


def check_rows(X: Matrix, names: list[str], fitter: Any) -> None:
    """Refuse real rows X (N, d) that cannot be halved, or that the named fitter (None: no fit) cannot continue.

    Raises
    ------
    InputError
        If there are fewer than 40 rows, a column is constant, or its few values would be filled in between.
    """
    if len(X) < 2 * LEAST_ROWS:
        raise InputError(
            f"there are {len(X)} real rows; at least {2 * LEAST_ROWS} are needed, since half of them tell what "
            "chance alone does"
        )
    flat = [name for name, low, high in zip(names, X.min(axis=0), X.max(axis=0), strict=True) if low == high]
    if flat:
        raise InputError(f"column {flat[0]!r} is constant, so no density can be fitted to it; leave it out")
    if not isinstance(fitter, str) or fitter in KEEPS_VALUES:
        return
    for name, x in zip(names, X.T, strict=True):
        count = len(np.unique(x))
        if count <= FEW_VALUES:
            raise InputError(
                f"column {name!r} has only {count} different values, and fitter {fitter!r} would make others in "
                f"between; leave it out or use one of: {', '.join(KEEPS_VALUES)}"
            )


def heavy_tails(X: Matrix, names: list[str]) -> list[str]:
    """A sentence where columns of X (N, d) have tails so heavy that their variance means nothing."""
    heavy = [name for name, x in zip(names, X.T, strict=True) if tail_index(x) < HEAVY]
    if not heavy:
        return []
    return [f"The tails of {', '.join(heavy)} are so heavy that no variance may exist; judge by spread, not by sd."]


def tail_index(x: NDArray[np.float64]) -> float:
    """Hill's estimate of how fast the tails of x (n,) fall, from the 5 % farthest from the median; inf if n < 200.

    Source: Hill, A Simple General Approach to Inference about the Tail of a Distribution, 1975.
    """
    if len(x) < 200:
        return float("inf")
    k = len(x) // 20
    far = np.sort(np.abs(x - np.median(x)))[-k - 1 :]
    excess = np.log(far[1:] / far[0]).mean() if far[0] > 0 else 0.0
    return float(1 / excess) if excess > 0 else float("inf")
