"""Data that several proofs share, fixed before any of them ran: synthetic mixtures and the labelled real tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proofs.harness import DataAbsent

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

KINDS = ("uniform", "cluster", "scatter")


def mixture(rng: np.random.Generator, n: int, share: float) -> tuple[Matrix, Labels]:
    """One to three normal clusters in 2 to 11 columns, and `share` anomalies of one kind: X (n, d), y (n,).

    The anomalies lie anywhere in a box 1.6 times as wide as the data, in one cluster of their own outside it, or about
    normal rows at two and a half to five times their distance.
    """
    d, k = int(rng.integers(2, 12)), int(rng.integers(1, 4))
    centres = rng.normal(0, 4, (k, d))
    spreads = [np.linalg.qr(rng.normal(size=(d, d)))[0] * rng.uniform(0.5, 1.5, d) for _ in range(k)]
    X = np.stack([centres[c] + spreads[c] @ rng.normal(size=d) for c in rng.integers(0, k, n)])
    odd = round(share * n)
    low, width = X.min(axis=0), np.ptp(X, axis=0)
    kind = KINDS[int(rng.integers(len(KINDS)))]
    if kind == "uniform":
        Z = rng.uniform(low - 0.3 * width, low + 1.3 * width, (odd, d))
    elif kind == "cluster":
        way = rng.normal(size=d)
        Z = X.mean(axis=0) + way * np.linalg.norm(width) / np.linalg.norm(way) + 0.7 * rng.normal(size=(odd, d))
    else:
        Z = X[rng.integers(0, n, odd)] + rng.uniform(2.5, 5) * rng.normal(size=(odd, d))
    X[:odd] = Z
    return X, (np.arange(n) < odd).astype(np.int64)


def labelled_tables(data_dir: Path | None) -> Iterator[tuple[str, Matrix, Labels]]:
    """The 21 labelled tables: name, X (n, d), y (n,).

    Raises
    ------
    DataAbsent
        If they are not on this machine.
    """
    paths = sorted((data_dir / "tabular").glob("*.npz")) if data_dir else []
    if not paths:
        raise DataAbsent("the labelled tables are not here; set UNUSUAL_TEST_DATA to the folder that holds tabular/")
    for path in paths:
        with np.load(path, allow_pickle=False) as archive:
            yield path.stem, archive["X"].astype(np.float64), archive["y"].astype(np.int64)
