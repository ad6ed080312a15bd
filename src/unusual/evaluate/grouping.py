"""How well lines of a log are grouped into templates, against the true ones.

Source: Zhu et al., Tools and Benchmarks for Automated Log Parsing, 2019 (grouping accuracy, PA there).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError


def grouping_accuracy(true: ArrayLike, found: ArrayLike) -> float:
    """Share of lines whose group holds exactly the lines of their true template: every line of it, and no other.

    Parameters
    ----------
    true, found : (n,) labels of any kind
        The true template of each line, and the one found.

    Raises
    ------
    InputError
        If they differ in length or are empty.
    """
    first, second = np.asarray(true), np.asarray(found)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise InputError(
            f"true templates have shape {first.shape} and found ones {second.shape}; give one of each per line"
        )
    _, of_true, size_true = np.unique(first, return_inverse=True, return_counts=True)
    _, of_found, size_found = np.unique(second, return_inverse=True, return_counts=True)
    pair = of_true.astype(np.int64) * len(size_found) + of_found
    _, of_pair, size_pair = np.unique(pair, return_inverse=True, return_counts=True)
    together = size_pair[of_pair]  # lines that share both labels with this one
    return float(((together == size_true[of_true]) & (together == size_found[of_found])).mean())
