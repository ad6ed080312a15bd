"""Rows prepared for the neighbour search: centred, scaled, ordered by place, cut into tiles with a box around each."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import FLOATS, Array, array
from unusual.kernels.dispatch import compiled

LANES = 16  # rows of a tile
BUNDLE = 8  # tiles that share a box
TOO_WIDE = 32  # beyond this many columns boxes overlap so much that ordering rows by place gains nothing
GROUP = 8  # queries searched together


class PackedRows:
    """A matrix prepared once for many calls of `nearest`.

    Parameters
    ----------
    X : float32 or float64 (n, d), at least one row and one column

    Attributes
    ----------
    shape : (n, d)
    rows : X as given, C-contiguous

    Raises
    ------
    InputError
        If shape or dtype do not fit.
    """

    def __init__(self, X: Array) -> None:
        self.rows = array(X, "X", (None, None), FLOATS)
        self.shape: tuple[int, int] = self.rows.shape[0], self.rows.shape[1]
        if 0 in self.shape:
            raise InputError(f"X has shape {self.shape}; a neighbour search needs at least one row and one column")
        self._tiles: NDArray[np.float32] | None = None

    def near_order(self, Q: Array) -> NDArray[np.int64]:
        """An order of the queries in which neighbours in the list are neighbours in space; int64 (m,)."""
        found = compiled()
        if found is None or self.shape[1] > TOO_WIDE or len(Q) <= GROUP:
            return np.arange(len(Q))
        return self._ordered(self._moved(Q), found[0], GROUP)

    def search(
        self, Q: Array, which: Array, without: Array, distance: Array, index: Array, found: tuple[ModuleType, int]
    ) -> None:
        """Fill the rows `which` of `distance` and `index`; see `nearest`."""
        raise NotImplementedError
