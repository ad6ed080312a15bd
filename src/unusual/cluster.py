"""One `each` and one `reduce` over parts of the data: in this process, or spread over processes by joblib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce as fold
from typing import Any, TypeVar

from unusual.detector import Detector
from unusual.errors import InputError

Part = TypeVar("Part")
Result = TypeVar("Result")


def each(function: Callable[[Part], Result], parts: Iterable[Part], n_jobs: int | None = None) -> list[Result]:
    """`[function(part) for part in parts]`, in `n_jobs` processes (None: here; -1: one per core)."""
    if n_jobs in (None, 1):
        return [function(part) for part in parts]
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=n_jobs)(delayed(function)(part) for part in parts))


def reduce(merge: Callable[[Result, Result], Result], results: Sequence[Result]) -> Result:
    """Merge results two by two, in order."""
    if not results:
        raise InputError("there are no parts to merge; give at least one")
    return fold(merge, results)


def fit_parts(detector: Detector, parts: Sequence[Any], n_jobs: int | None = None) -> Detector:
    """Fit a detector on a table that lies in parts, as if the parts had been stacked.

    Parameters
    ----------
    detector : Detector that can add up summaries of parts (its class has `_summary` and `_merge`)
    parts : (n_i, d) arrays or data frames, each of which fits into memory
    n_jobs : processes

    Raises
    ------
    InputError
        If the detector has no summaries that add up.
    """
    if not (hasattr(detector, "_summary") and hasattr(detector, "_merge")):
        raise InputError(f"{type(detector).__name__} cannot be fitted in parts; stack the parts and call fit")
    matrices = [detector._matrix(part, reset=True) for part in parts]
    detector._merge(each(detector._summary, matrices, n_jobs))
    return detector
