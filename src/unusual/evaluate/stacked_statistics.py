"""The learned combination of the thirteen statistics: its features, its weights, and its law under equal samples.

Weights and law are numbers in `stacked_statistics.json`, made by `scripts/train_stacked_statistics.py`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

NUMBERS = Path(__file__).with_suffix(".json")
SIZES = (50, 100, 500)  # of the smaller sample: edges of its four classes
CENSORED = (0.0, 0.15, 0.35)  # share of all items, pooled: none, and edges of the other three classes
LARGEST = 40.0  # -log of the smallest p-value that is told apart


def features(p_values: Matrix, smaller: int, censored: float) -> Matrix:
    """-log of the p-values (..., 13), and one 1.0 each in four classes of size and of censoring: (..., 21)."""
    logs = np.minimum(-np.log(np.maximum(p_values, np.exp(-LARGEST))), LARGEST)
    classes = np.zeros(len(SIZES) + len(CENSORED) + 2)
    size, share = cell(smaller, censored)
    classes[[size, len(SIZES) + 1 + share]] = 1.0
    return np.concatenate([logs, np.broadcast_to(classes, (*logs.shape[:-1], len(classes)))], axis=-1)


def cell(smaller: int, censored: float) -> tuple[int, int]:
    """Class of the size of the smaller sample, and class of the share of censored items."""
    return int(np.searchsorted(SIZES, smaller, side="right")), int(np.searchsorted(CENSORED, censored, side="left"))


def log_odds(p_values: Matrix, smaller: int, censored: float) -> Matrix:
    """Log odds (...) of "the samples differ" by the learned weights, for p-values (..., 13)."""
    numbers = learned()
    return np.asarray(
        features(p_values, smaller, censored) @ np.array(numbers["coefficients"]) + numbers["intercept"],
        dtype=np.float64,
    )


def tabled_p_value(statistic: float, smaller: int, censored: float) -> float:
    """p-value by the simulated law of the class: between the levels of the table by the log, never below its last."""
    numbers = learned()
    size, share = cell(smaller, censored)
    quantiles = numbers["quantiles"][size][share]  # ascending, for falling levels
    return float(np.exp(np.interp(statistic, quantiles, np.log(numbers["levels"]))))


@lru_cache(maxsize=1)
def learned() -> dict[str, Any]:
    """The numbers of the file."""
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return found
