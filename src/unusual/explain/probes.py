"""Tests of explanations that need no ground truth: replace what is blamed, keep only it, show a suspected cue alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.explain.overlap import blamed
from unusual.parts.masking import Game
from unusual.parts.surrogate import deletion_curve

Vector = NDArray[np.float64]

ORDERS = 20  # random orders of the parts, the quickest of which an explanation must equal


@dataclass(frozen=True)
class Probe:
    """What became of alarms, each 1 or 0 per alarm (k,), nan where it cannot be told.

    Attributes
    ----------
    ends : replacing parts by normal content, most blamed first, ends the alarm as soon as the best of 20 random orders
    holds : the alarm stays when other parts are replaced, as many as are blamed
    alone : it stays when everything but what is blamed is replaced
    needed : share of the parts that must be replaced, most blamed first, before the alarm ends
    """

    ends: Vector
    holds: Vector
    alone: Vector
    needed: Vector

    @property
    def passed(self) -> float:
        """Share of the alarms that pass all three tests; nan if none can be told."""
        known = ~np.isnan(self.ends)
        good = (self.ends[known] == 1) & (self.holds[known] != 0) & (self.alone[known] == 1)
        return float(good.mean()) if known.any() else float("nan")


def probe(games: Sequence[Game], weights: Sequence[Vector], threshold: float, share: float, seed: int) -> Probe:
    """Put the explanations `weights` of alarms to the test.

    What is blamed are the fewest parts that hold a share of the positive weight. An alarm that stays when every part
    shows normal content cannot be told by: that content alarms by itself.
    """
    rows = [
        _one(game, w, threshold, share, np.random.default_rng([seed, i]))  # the same orders for every explainer
        for i, (game, w) in enumerate(zip(games, weights, strict=True))
    ]
    return Probe(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def _one(game: Game, weights: Vector, threshold: float, share: float, rng: np.random.Generator) -> tuple[float, ...]:
    if game.hidden > threshold:
        return (np.nan,) * 4
    quickest = min(_replaced(game, rng.random(game.parts), threshold) for _ in range(ORDERS))
    needed = _replaced(game, weights, threshold)
    chosen = blamed(weights, share)
    others = np.flatnonzero(~chosen)
    swapped = np.zeros(game.parts, dtype=bool)
    swapped[rng.permutation(others)[: chosen.sum()]] = True
    held, alone = (game([~swapped, chosen]) > threshold).tolist()
    known = chosen.any() and len(others) > 0
    return float(needed <= quickest), float(held) if known else np.nan, float(alone), needed / game.parts


def _replaced(game: Game, order: Vector, threshold: float) -> int:
    """How many parts, those of the highest `order` (p,) first, are replaced before the alarm ends."""
    return int(np.argmin(deletion_curve(game, order) > threshold))  # the last point, all replaced, is no alarm


@dataclass(frozen=True)
class CueEffect:
    """What a part of every item that should not matter does to the score, for each alarm (k,).

    Attributes
    ----------
    share : of the rise of the score over that of an all-normal item, what the cue alone, on a normal item, causes
    alone : bool, the cue alone, on an otherwise normal item, raises the alarm
    ends : bool, the alarm ends when the cue alone shows normal content
    """

    share: Vector
    alone: NDArray[np.bool_]
    ends: NDArray[np.bool_]


def cue_effect(games: Sequence[Game], threshold: float) -> CueEffect:
    """The effect of part 1 of games of two parts, in which part 0 is everything else."""
    masks = np.array([[True, True], [False, True], [True, False], [False, False]])
    whole, cue, rest, normal = np.array([game(masks) for game in games]).reshape(-1, 4).T
    rise = whole - normal
    share = np.divide(cue - normal, rise, out=np.full(len(rise), np.nan), where=rise > 0)
    return CueEffect(share, cue > threshold, rest <= threshold)
