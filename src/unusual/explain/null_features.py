"""Which columns made a row's score what it is, with a controlled share of false claims: IRT and OSFT.

role: explainer
data: table
names: IRT, OSFT
system: 111
paper: Burns, Thomason and Tansey, Interpreting Black Box Models via Hypothesis Testing, 2020
needs: -
checkpoint: none

A column is claimed if putting what the other columns lead one to expect in its place changes the score by more than
chance. IRT puts in many draws and so tests each column; OSFT puts in one, and needs many tests. The rate of false
claims is kept if the draws come from the true conditional distribution: a report names where they came from.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.decide.fdr import benjamini_hochberg
from unusual.errors import InputError
from unusual.explain.conditional_test import ConditionalTest
from unusual.explain.replaced import Replaced
from unusual.parts.conditional import ConditionalSampler

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

DRAWS = (99, 999)
SPARE = 3  # times the draws a claim needs: one that happens to draw the value itself must not forbid it


class IRT(ConditionalTest):
    """Interpretability randomization test: a p-value for each column of each row, then Benjamini-Hochberg.

    Parameters
    ----------
    level : float in (0, 1), default 0.1
        Share of false ones that the claims may hold on average.
    draws : int, optional
        Replacements of each column: the smallest p-value is 1 / (draws + 1). By default so many that a single column
        can be claimed, from 99 to 999.
    sided : "one" or "two", default "one"
        Whether a column must have raised the score, or may have moved it either way.
    pooled : bool, default False
        Whether the rate holds over all rows together, or over each row by itself; many rows together need more draws.
    sampler : "copula", "nearest" or a conditional sampler
        Where replacements come from: a Gaussian copula of the reference, its rows nearest in the other columns, or
        anything with `draw(x, draws, rng) -> (draws, d)`, `groups` and `name`.
    random_state : int, default 0
    """

    def __init__(
        self,
        level: float = 0.1,
        draws: int | None = None,
        sided: str = "one",
        pooled: bool = False,
        sampler: str | ConditionalSampler = "copula",
        random_state: int = 0,
    ) -> None:
        self.level = level
        self.draws = draws
        self.sided = sided
        self.pooled = pooled
        self.sampler = sampler
        self.random_state = random_state

    def _draws(self, rows: int, groups: int) -> int:
        alone = math.ceil((rows if self.pooled else 1) * groups / self.level - 1e-9)  # draws for a single claim
        draws = int(np.clip(SPARE * alone - 1, *DRAWS)) if self.draws is None else self.draws
        if draws + 1 < 1 / self.level - 1e-9:
            raise InputError(
                f"the smallest p-value of {draws} draws is 1/{draws + 1}, above the level {self.level:g}; "
                f"ask for at least {math.ceil(1 / self.level - 1e-9) - 1} draws"
            )
        return draws + (self.sided == "two")  # one more, to measure distances from

    def _evidence(self, row: Replaced) -> Vector:
        own, others = row.score, row.scores  # others (draws, G)
        if self.sided == "two":
            own, others = np.square(row.score - others[0]), np.square(others[1:] - others[0])
        p = (1 + (others >= own).sum(axis=0)) / (1 + len(others))
        return np.where(row.idle, 1.0, p)

    def _select(self, evidence: Matrix) -> tuple[Mask, Vector]:
        if self.pooled:
            found = benjamini_hochberg(evidence.ravel(), self.level)
            return found.mask.reshape(evidence.shape), np.full(len(evidence), found.cut)
        each = [benjamini_hochberg(p, self.level) for p in evidence]
        return np.stack([found.mask for found in each]), np.array([found.cut for found in each])


class OSFT(ConditionalTest):
    """One-shot feature test: one scored replacement for each column of each row (two if two-sided).

    Without importance the change of the score is as often negative as positive; the cut is the lowest one at which the
    negative changes, mirrored, make up no more than `level` of those selected. At least 1 / level columns must
    stand out at once before any can be claimed.

    Parameters
    ----------
    level, sided, sampler, random_state : as for `IRT`
    pooled : bool, default True
        Whether the rate holds over all rows together; single rows seldom have 1 / level columns that stand out.
    """

    def __init__(
        self,
        level: float = 0.1,
        sided: str = "one",
        pooled: bool = True,
        sampler: str | ConditionalSampler = "copula",
        random_state: int = 0,
    ) -> None:
        self.level = level
        self.sided = sided
        self.pooled = pooled
        self.sampler = sampler
        self.random_state = random_state

    def _draws(self, rows: int, groups: int) -> int:
        tests, needed = rows * groups if self.pooled else groups, math.ceil(1 / self.level - 1e-9)
        if tests < needed:
            over = "in all" if self.pooled else "in each row"
            raise InputError(
                f"{tests} tests {over} can never reject at level {self.level:g}, where {needed} must stand out at "
                "once; use IRT, or explain more rows together"
            )
        return 1 + (self.sided == "two")

    def _evidence(self, row: Replaced) -> Vector:
        t = row.score - row.scores[-1]
        if self.sided == "two":
            t = np.square(row.score - row.scores[0]) - np.square(row.scores[1] - row.scores[0])
        return np.where(row.idle, 0.0, t)

    def _select(self, evidence: Matrix) -> tuple[Mask, Vector]:
        parts = evidence.reshape(1, -1) if self.pooled else evidence
        cuts = np.array([symmetric_cut(t, self.level) for t in parts])
        cut = np.broadcast_to(cuts, len(evidence)).copy()
        return evidence >= cut[:, None], cut


def symmetric_cut(t: ArrayLike, level: float) -> float:
    """The lowest z among |t| > 0 with (1 + #{t <= -z}) / max(1, #{t >= z}) <= level, for t (m,); +inf if none."""
    changes = np.sort(np.asarray(t, dtype=np.float64))
    z = np.unique(np.abs(changes[changes != 0]))
    negative = np.searchsorted(changes, -z, "right")
    positive = len(changes) - np.searchsorted(changes, z, "left")
    enough = (1 + negative) <= level * np.maximum(1, positive) * (1 + 1e-12)
    return float(z[enough][0]) if enough.any() else math.inf
