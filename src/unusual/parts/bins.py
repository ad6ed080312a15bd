"""Equal-width bins of columns: counting into them, looking values up, and how many to take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import histogram_fit, histogram_score
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

ROWS_TO_CHOOSE_FROM = 10_000
MOST_BINS = 256
EDGE = 1e-9  # of a bin

Rows = NDArray[np.floating[Any]]
Values = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """Lower end (d,), width (d,) and number (d,) of the bins of each column.

    A value less than half a bin outside of the range belongs to the nearest bin: new rows that are hardly beyond the
    reference are not rare for that. So the kernels see half bins, and one more of them at either end.
    """

    low: Values
    width: Values
    number: Counts

    @classmethod
    def between(cls, low: Rows, high: Rows, number: Counts) -> Bins:
        """`number` (d,) bins from `low` to `high` in each column; where they are equal, one value is bin 0.

        Edges lie a hair too high: values that are meant to be on an edge, as whole numbers often are, belong to the bin
        below it whatever rounding did to them, so that scores do not change with the units of a column.
        """
        resolution = 2.0 * np.spacing(np.maximum(np.abs(low), np.abs(high)))  # of the precision the columns are in
        start = np.asarray(low, dtype=np.float64)
        width = (high - start) / number
        hair = np.minimum(np.maximum(EDGE * width, resolution), width / 4)
        return cls(start + hair, width, number)

    def counts(self, X: Rows, n_jobs: int | None = None) -> Counts:
        """How many values of each column of X (n, d) lie in each bin: (d, largest number), 0 beyond a column's own."""
        halves = histogram_fit(X, *self._half_bins(), n_bins=2 * int(self.number.max()) + 2, n_jobs=n_jobs)
        bins = np.zeros((len(self.number), int(self.number.max())), dtype=np.int64)
        np.add.at(bins, (np.arange(len(bins))[:, None], self._bin_of_half().clip(0)), halves)
        return bins

    def table(self, values: Values, outside: Values) -> Values:
        """What `total` looks up: `values` (d, largest number) of the bins, `outside` (d,) for what lies beyond them."""
        bin_of_half = self._bin_of_half()
        inside = np.take_along_axis(values, bin_of_half.clip(0), axis=1)
        beyond = outside[:, None]
        return np.hstack([beyond, np.where(bin_of_half < 0, beyond, inside), beyond])

    def total(self, X: Rows, table: Values, n_jobs: int | None = None) -> Values:
        """Sum over columns of the table's value for each row of X (n, d): (n,)."""
        return histogram_score(X, *self._half_bins(), table, n_jobs)

    def each(self, X: Rows, table: Values) -> Values:
        """The terms (n, d) of `total`."""
        low, width = self._half_bins()
        return np.column_stack(
            [
                histogram_score(np.ascontiguousarray(X[:, [j]]), low[[j]], width[[j]], table[[j]])
                for j in range(len(self.number))
            ]
        )

    def _half_bins(self) -> tuple[Values, Values]:
        return self.low - self.width / 2, self.width / 2

    def _bin_of_half(self) -> Counts:
        """Bin (d, h) that each half bin belongs to, -1 beyond the column's own bins."""
        number = self.number[:, None]
        half = np.arange(2 * int(self.number.max()) + 2)[None]
        return np.where(half > 2 * number + 1, -1, np.clip((half - 1) // 2, 0, number - 1))


def column_range(X: Rows) -> tuple[Rows, Rows]:
    """Smallest and largest value (d,) of each column of X (n, d)."""
    _, low, high = Standardizer.and_range(X)
    return low, high


def numbers_of_bins(X: Rows, n_bins: int | str) -> Counts:
    """Number of bins (d,) for each column of X (n, d): `n_bins`, or chosen by penalised likelihood where it is "auto".

    The choice is made on a fixed sample of the rows: for D bins with counts N the likelihood sum N log(D N / n) is set
    against D - 1 + log(D) ** 2.5.
    Source: Birge and Rozenholc, How Many Bins Should Be Put in a Regular Histogram, 2006.

    Raises
    ------
    InputError
        If `n_bins` is neither "auto" nor at least 2.
    """
    if n_bins != "auto" if isinstance(n_bins, str) else n_bins < 2:
        raise InputError(f'n_bins is {n_bins!r}; give a number from 2 on, such as 10, or "auto"')
    if not isinstance(n_bins, str):
        return np.full(X.shape[1], n_bins, dtype=np.int64)
    rows = X[some_rows(len(X), ROWS_TO_CHOOSE_FROM)]
    most = int(np.clip(len(rows) / np.log(max(len(rows), 3)), 2, MOST_BINS))
    candidates = np.unique(np.geomspace(1, most, 64).round().astype(np.int64))  # 1, 2, 3, ... and sparser further up
    return np.array([_choose_number(np.sort(column), candidates) for column in rows.T], dtype=np.int64)


def _choose_number(column: Rows, candidates: Counts) -> int:
    low, span = float(column[0]), float(column[-1]) - float(column[0])
    if span == 0:
        return 1
    place = (column - low) / span  # ascending, 0 to 1
    worth = [_likelihood(place, int(D)) - (D - 1 + np.log(D) ** 2.5) for D in candidates]
    return int(candidates[int(np.argmax(worth))])


def _likelihood(place: Rows, D: int) -> float:
    cuts = np.searchsorted(place, np.arange(1, D) / D, side="left")
    N = np.diff(np.concatenate([[0], cuts, [len(place)]]))
    N = N[N > 0]
    return float((N * np.log(D * N / len(place))).sum())
