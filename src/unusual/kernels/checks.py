"""What every kernel asks of its arrays before C sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError

Array = NDArray[Any]
FLOATS = (np.float32, np.float64)


def array(value: Array, name: str, shape: Sequence[int | None], dtypes: Sequence[Any]) -> Array:
    """`value` as a C-contiguous array, after its shape (None = any length) and dtype have been checked.

    Raises
    ------
    InputError
        If the shape or the dtype is another one.
    """
    value = np.asarray(value)
    if value.dtype.type not in dtypes:
        wanted = " or ".join(np.dtype(t).name for t in dtypes)
        raise InputError(f"{name} has dtype {value.dtype}; convert it to {wanted}")
    fits = value.ndim == len(shape) and all(w is None or w == s for w, s in zip(shape, value.shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if w is None else str(w) for w in shape)
        raise InputError(f"{name} has shape {value.shape}; it must be ({wanted})")
    return np.ascontiguousarray(value)


def rows_in_range(rows: Array, n: int, name: str, lowest: int = 0) -> None:
    """Refuse row numbers outside lowest..n-1."""
    if rows.size and (rows.min() < lowest or rows.max() >= n):
        raise InputError(f"{name} holds row numbers outside {lowest}..{n - 1}; give rows of the matrix itself")
