"""How much a threshold chosen on the test labels overstates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, labels_and_scores
from unusual.evaluate.metrics import f1_max, f1_max_threshold
from unusual.evaluate.resamples import groups_of
from unusual.study import Distribution, Study, Table

Vector = NDArray[np.float64]

MOST_TRIES = 20  # draws of a split per split that is used


@dataclass(frozen=True)
class ThresholdOptimism:
    """F1 with a threshold chosen on the labels it is judged by, against one chosen on the other half of the items.

    Attributes
    ----------
    oracle, honest : float
        Mean F1 on a half of the items, its threshold the best for that half, and the best for the other half.
    overstated : (r,)
        The difference, split by split; never negative.
    whole : float
        F1 max on all items.
    """

    oracle: float
    honest: float
    overstated: Vector
    whole: float

    def study(self) -> Study:
        """What F1 max promises, and what a threshold chosen elsewhere keeps of it."""
        middle = float(self.overstated.mean())
        answer = (
            f"F1 of {self.oracle:.3f} with the best threshold for the test labels becomes {self.honest:.3f} with one "
            f"chosen on other items: it overstates by {middle:.3f} on average."
        )
        rows = [
            ["all items, best threshold (F1 max)", self.whole],
            ["half of the items, best threshold", self.oracle],
            ["half of the items, threshold from the other half", self.honest],
        ]
        return Study(
            "How much does the oracle threshold overstate?",
            answer,
            [
                Distribution("F1 overstated, split by split", "F1", self.overstated),
                Table("F1", ["threshold", "F1"], rows),
            ],
            ["Splits share items: their spread is not an interval."],
        )


def threshold_optimism(
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    repeats: int = 200,
    random_state: int = 0,
) -> ThresholdOptimism:
    """Compare F1 max with F1 at the threshold that is best on the other half, over random halvings.

    Parameters
    ----------
    labels, scores : (n,)
    groups : (n,), optional
        Related items stay in one half.
    repeats : int
    random_state : int

    Raises
    ------
    InputError
        If items cannot be ranked, or are too few to put both classes into both halves.
    """
    y, s = labels_and_scores(labels, scores)
    related = groups_of(y, groups)
    unit = np.arange(len(y)) if related is None else np.unique(related, return_inverse=True)[1]
    if repeats < 1:
        raise InputError(f"repeats is {repeats}; give at least one")
    rng = np.random.default_rng(random_state)
    oracle, honest = [], []
    for _ in range(MOST_TRIES * repeats):
        chosen = _half(y, unit, rng)
        if all(y[half].any() and not y[half].all() for half in (chosen, ~chosen)):
            oracle.append(f1_max(y[~chosen], s[~chosen]))
            honest.append(_f1(y[~chosen], s[~chosen] > f1_max_threshold(y[chosen], s[chosen])))
        if len(oracle) == repeats:
            break
    else:
        raise InputError("items or groups are too few to put both classes into both halves; give more of each class")
    gap = np.array(oracle) - np.array(honest)
    return ThresholdOptimism(float(np.mean(oracle)), float(np.mean(honest)), gap, f1_max(y, s))


def _half(y: Labels, unit: NDArray[np.int64], rng: np.random.Generator) -> Labels:
    """Items (n,) of a random half of the units, of those with anomalies and those without alike."""
    holds = np.bincount(unit, y) > 0
    side = np.zeros(len(holds), dtype=bool)
    for kind in (True, False):
        members = rng.permutation(np.flatnonzero(holds == kind))
        side[members[: (len(members) + int(rng.integers(2))) // 2]] = True
    return np.asarray(side[unit])


def _f1(y: Labels, flagged: Labels) -> float:
    return float(2 * np.count_nonzero(y & flagged) / (np.count_nonzero(y) + np.count_nonzero(flagged)))
