"""Nearest neighbours of rows: exact, or, among very many rows, searched in the cells around the query only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import PackedRows, nearest
from unusual.parts.kmeans import kmeans, nearest_centre
from unusual.parts.rows import some_rows

Rows = NDArray[np.floating[Any]]
Index = NDArray[np.int64]
Found = tuple[NDArray[np.float64], Index]

MANY_ROWS = 200_000  # beyond this an exact search of every row takes minutes
SEED_ROWS = 64  # rows per cell from which the centres of the cells are learnt
CELL_STEPS = 5  # the cells need not be the best, only compact
SEARCHED = 16  # cells searched around each cell


class Neighbours:
    """A reference whose nearest rows can be asked for.

    Parameters
    ----------
    X : float32 or float64 (n, d)
        The reference, which is kept.
    centres : (c, d) array or None
        Where the cells of an approximate search stand; None searches exactly. `build` chooses them.
    """

    def __init__(self, X: Rows, centres: Rows | None = None) -> None:
        self.rows, self.centres = X, centres
        if centres is None:
            self._packed = PackedRows(X)
            return
        self._cell_of = nearest_centre(X, centres)[0]  # (n,)
        self._order = np.argsort(self._cell_of, kind="stable")  # row numbers, cell by cell
        self._ends = np.concatenate([[0], np.cumsum(np.bincount(self._cell_of, minlength=len(centres)))])
        self._place = np.empty(len(X), dtype=np.int64)  # of each row within its cell
        self._place[self._order] = np.arange(len(X)) - self._ends[self._cell_of[self._order]]

    @classmethod
    def build(cls, X: Rows, approximate: bool | str = "auto") -> Neighbours:
        """Prepare the rows of X (n, d) for a search that is exact, approximate, or ("auto") exact up to 200,000 rows.

        Raises
        ------
        InputError
            If `approximate` is none of True, False and "auto".
        """
        if approximate not in (True, False, "auto"):
            raise InputError(f"approximate is {approximate!r}; use True, False or 'auto'")
        if approximate is False or (approximate == "auto" and len(X) <= MANY_ROWS):
            return cls(X)
        count = max(1, int(np.sqrt(len(X))))
        some = X[some_rows(len(X), SEED_ROWS * count)]
        seeds = some[some_rows(len(some), count)]
        return cls(X, kmeans(some, count, np.random.default_rng(0), CELL_STEPS, seeds=seeds)[0])

    def __len__(self) -> int:
        return len(self.rows)

    def state(self) -> dict[str, Any]:
        """What a saved model keeps."""
        return {"rows": self.rows, "centres": self.centres}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Neighbours:
        """The reference that `state` describes."""
        return cls(state["rows"], state["centres"])

    def query(self, Q: Rows, k: int, exclude: Index | None = None, n_jobs: int | None = None) -> Found:
        """Distances (m, k), ascending, and row numbers (m, k) of the k rows nearest to each row of Q (m, d).

        Parameters
        ----------
        Q : float32 or float64 (m, d)
        k : 1 to n, or to n - 1 with `exclude`
        exclude : (m,) numbers of the rows that are no neighbours of the queries: themselves, to leave them out
        n_jobs : threads

        Notes
        -----
        Exact, ties to the lower row number, unless there are cells: then rows of the 16 nearest cells are searched.
        """
        if self.centres is None:
            squared, index = nearest(Q, self._packed, k, exclude, n_jobs)
            return np.sqrt(squared), index
        distance, index = np.empty((len(Q), k)), np.empty((len(Q), k), dtype=np.int64)
        cells = nearest_centre(Q, self.centres)[0] if exclude is None else self._cell_of[exclude]
        order = np.argsort(cells, kind="stable")
        starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
        for which in np.split(order, starts[1:]):  # queries of one cell share their candidates
            cell = int(cells[which[0]])
            candidates = self._around(cell, k)
            without = None if exclude is None else self._place[exclude[which]]
            squared, found = nearest(Q[which], self.rows[candidates], k, without, n_jobs)
            distance[which], index[which] = np.sqrt(squared), candidates[found]
        return distance, index

    def _around(self, cell: int, k: int) -> Index:
        """Rows in the cells nearest to `cell`, more than k of them, those of `cell` first."""
        assert self.centres is not None
        away = np.square(self.centres - self.centres[cell]).sum(axis=1)
        away[cell] = -1.0  # equal centres must not push it out
        cells = np.argsort(away, kind="stable")
        rows = np.cumsum((self._ends[1:] - self._ends[:-1])[cells])
        enough = int(np.searchsorted(rows, min(k + 1, len(self.rows)))) + 1
        chosen = cells[: max(SEARCHED, enough)]
        return np.concatenate([self._order[self._ends[c] : self._ends[c + 1]] for c in chosen])
