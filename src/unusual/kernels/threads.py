"""Threads over blocks of rows: the one place where `n_jobs` becomes threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

from unusual.errors import InputError


def workers(n_jobs: int | None) -> int:
    """Number of threads that `n_jobs` means, as in scikit-learn: None is 1, -1 all cores, -2 all but one.

    Raises
    ------
    InputError
        If `n_jobs` is 0.
    """
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise InputError("n_jobs is 0, which means nothing; use a positive number, or -1 for all cores")
    if n_jobs > 0:
        return n_jobs
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores + 1 + n_jobs)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread_each() -> AbstractContextManager[Any]:
    """While it lasts, matrix products take one thread: threads are ours to start, over blocks of rows.

    Small products in several threads spend their time on waiting for each other, above all beside other work.
    """
    limit: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limit


def blocks(n: int, n_jobs: int | None, function: Callable[[int, int], None], smallest: int = 1) -> None:
    """Call `function(start, stop)` over blocks of rows that together cover range(n), in up to `n_jobs` threads.

    Parameters
    ----------
    n : int
        Number of rows.
    n_jobs : int or None
        Threads, as in scikit-learn.
    function : callable
        Works on rows start..stop-1; must write only there.
    smallest : int
        No block has fewer rows than this, so that small inputs start no threads.
    """
    pieces = min(workers(n_jobs), max(1, n // smallest))
    if pieces <= 1:
        function(0, n)
        return
    edges = [n * i // pieces for i in range(pieces + 1)]
    with ThreadPoolExecutor(pieces) as pool:
        list(pool.map(function, edges[:-1], edges[1:]))
