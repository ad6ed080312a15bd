"""Rows prepared for the neighbour search: centred, scaled, ordered by place, cut into tiles with boxes around them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import FLOATS, Array, array
from unusual.kernels.dispatch import compiled

TILE = 16  # rows that C measures at once
BUNDLE = 8  # tiles that share a box
GROUP = 8  # queries that C answers at once
TOO_WIDE = 32  # beyond this many columns boxes overlap so much that ordering rows by place gains nothing
ROWS = 65536  # rows moved at a time, to keep float64 copies small


class PackedRows:
    """A matrix prepared once for many calls of `nearest`; holds the matrix itself and a float32 copy.

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
        self._arrays: tuple[Array, ...] = ()
        found = compiled()
        if found is not None:
            self._pack(found[0])

    def search(
        self,
        Q: Array,
        which: Array,
        without: Array,
        answer: tuple[Array, Array],
        moved: Array,
        found: tuple[ModuleType, int],
    ) -> None:
        """Fill the rows `which` of both arrays of `answer`; `moved` is from `move`. See `nearest`."""
        k = answer[0].shape[1]
        found[0].nearest(self._arrays, moved, Q, which, without, *answer, self._sizes, k, Q.itemsize == 8, found[1])

    def move(self, Q: Array, loops: ModuleType) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Queries centred and scaled as the rows are, and an order in which neighbours in space follow each other."""
        if not self._arrays:
            self._pack(loops)  # packed while another level was in force
        if Q is self.rows and self.shape[1] <= TOO_WIDE:
            return self._moved(Q), self._order
        moved = self._moved(Q)
        if self.shape[1] > TOO_WIDE or len(Q) <= GROUP:
            return moved, np.arange(len(Q))
        return moved, _place_order(moved, loops)

    def _moved(self, X: Array) -> NDArray[np.float32]:
        moved = np.empty(X.shape, np.float32)
        with np.errstate(over="ignore"):  # a query far outside overflows; C then measures every row exactly
            for start in range(0, len(X), ROWS):
                part = slice(start, start + ROWS)
                moved[part] = (X[part] - self._centre) * self._scale
        return moved

    def _pack(self, loops: ModuleType) -> None:
        n, d = self.shape
        self._centre = self.rows.mean(axis=0, dtype=np.float64)
        reach = max(np.max(self.rows.max(axis=0) - self._centre), np.max(self._centre - self.rows.min(axis=0)))
        self._scale = float(np.ldexp(1.0, int(np.clip(-np.frexp(reach)[1], -1000, 1000)))) if reach > 0 else 1.0
        moved = self._moved(self.rows)  # within [-1, 1]
        self._order = np.arange(n) if d > TOO_WIDE else _place_order(moved, loops)
        bundles = -(-n // (TILE * BUNDLE))
        tiles = bundles * BUNDLE
        placed = moved[np.minimum(self._order[np.minimum(np.arange(tiles * TILE), n - 1)], n - 1)]
        row = np.full(tiles * TILE, -1, np.int64)
        row[:n] = self._order
        slack = (2 * d + 16) * 2.0**-24  # of |x|^2 + |q|^2: float32 rounding of values, products and sums
        norm = np.einsum("ij,ij->i", placed, placed, dtype=np.float64)
        packed = np.empty((tiles, d + 1, TILE), np.float32)
        packed[:, 1:] = placed.reshape(tiles, TILE, d).transpose(0, 2, 1)
        packed[:, 0] = np.where(row < 0, np.inf, (1 - slack) * norm).reshape(tiles, TILE)
        groups = placed.reshape(bundles, TILE * BUNDLE, d)
        box = np.stack([groups.min(axis=1).T, groups.max(axis=1).T])  # (2, d, bundles)
        largest = norm.reshape(bundles, -1).max(axis=1)
        self._sizes = (n, d, tiles, bundles, self._scale**2, slack, int(d <= TOO_WIDE), int(self.rows.itemsize == 8))
        self._arrays = (packed, row, np.ascontiguousarray(box), largest, self.rows)


def _place_order(moved: NDArray[np.float32], loops: ModuleType) -> NDArray[np.int64]:
    order = np.empty(len(moved), np.int64)
    loops.place_order(moved, order, moved.shape[1], TILE * BUNDLE, GROUP)
    return order
