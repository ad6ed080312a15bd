"""AutoTable: the default for tables: density of rows, refitted on what looks clean, with a say for columns of ties.

role: detector
data: table
names: AutoTable
system: -
paper: a combination made for this library, of IsolationForest, GaussianMixture, KNN and Breiman's unsupervised forest
needs: -
checkpoint: none

Without a reference the table may hold many anomalies. A first ranking (isolation forest, distance to the nearest of 16
random rows) sets the most suspicious 30 % aside; Gaussian mixtures, the histograms of the columns and a forest that
learns how columns hang together are fitted to the rest; their ranking sets aside anew, once more. Columns in which one
value is very common have no useful distances: the larger their share, the more isolation forest and histograms decide.
With a reference known to be clean nothing is set aside: the nearest row and a mixture of four decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from unusual.detect.tabular.gaussian_mixture import GaussianMixture
from unusual.detect.tabular.isolation_forest import IsolationForest
from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.kernels import blocks, one_thread_each
from unusual.parts.dependence import Dependence
from unusual.parts.margins import Margins
from unusual.parts.neighbours import Neighbours
from unusual.parts.projection import Projection
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer
from unusual.parts.spread import Spread

MOST_ROWS, MOST_CLEAN = 5000, 20_000  # of the fit: what more rows would tell costs more than it gains
ASIDE = 0.3  # share of rows set aside as suspicious before a refit
ROUNDS = 2
COMPONENTS = (2, 4, 8)
DEPENDENCE = 10.0  # weight of one unit of log-odds among the columns' log-densities
WIDE = 400  # columns beyond which dependence is learnt on principal components
DRAWS, DRAWN = 200, 16
ROWS_PER_COLUMN = 5  # with fewer rows one of them weighs in everything that is learnt
BLOCK = 50_000  # rows scored at once: bounds the memory of the members
SMALLEST = 2000  # rows worth a thread


class AutoTable(Detector):
    """Unusual rows of any table, without a choice to make; `why_` says what it did.

    Parameters
    ----------
    reference : {"mixed", "clean"}, default "mixed"
        Whether the rows of the fit may hold anomalies, or are known to be normal.
    random_state : int, default 0
        Seed of trees, draws and shuffles.
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    ties_ : float
        Mean over columns of the share of the commonest value: the weight of isolation forest and histograms.
    rounds_ : list of dict
        Members and scales of each refit.
    why_ : str
        What was done, in a sentence.
    """

    def __init__(
        self, reference: str = "mixed", random_state: int = 0, n_jobs: int | None = None, alarm_rate: float = 0.01
    ) -> None:
        self.reference = reference
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.reference not in ("mixed", "clean"):
            raise InputError(
                f"reference is {self.reference!r}; give 'mixed', or 'clean' if all rows are known to be normal"
            )
        clean = self.reference == "clean"
        self._own = some_rows(len(X), MOST_CLEAN if clean else MOST_ROWS)
        rows = X[self._own]
        self.scaling_ = Standardizer.of(rows)
        Z = self.scaling_(rows)
        self.projection_ = Projection.of(Z)
        with one_thread_each():
            self._own_scores_of_fit = self._fit_clean(Z) if clean else self._fit_mixed(Z)

    def _score(self, X: Matrix) -> Vector:
        if len(X) < SMALLEST:
            return self._score_block(X)
        scores = np.empty(len(X))

        def fill(start: int, stop: int) -> None:
            for first in range(start, stop, BLOCK):
                part = slice(first, min(first + BLOCK, stop))
                scores[part] = self._score_block(X[part])

        with one_thread_each():
            blocks(len(X), self.n_jobs, fill, smallest=SMALLEST)
        return scores

    def _score_block(self, X: Matrix) -> Vector:
        Z = self.scaling_(X)
        R = self.projection_(Z)
        if self.reference == "clean":
            return self._clean(self.nearest_.query(Z, 1)[0][:, 0], self.mixtures_[0]._score(R))
        rounds = [self._combined(r, self._members(r, Z, R)) for r in self.rounds_]
        return self._with_ties(np.mean(rounds, axis=0), self.forest_._score(Z), self.margins_.score(Z))

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        """Out of bag, without the own row, or without the own count; rows the members never saw as new ones."""
        place = np.searchsorted(self._own, rows).clip(max=len(self._own) - 1)
        own = self._own[place] == rows
        scores = np.empty(len(rows))
        scores[own] = self._own_scores_of_fit[place[own]]
        if not own.all():
            scores[~own] = self._score(X[rows[~own]])
        return scores

    def _calibrates_in_closed_form(self) -> bool:
        """Not where rows are few for their columns, for scaling saw the row; nor where a rate is promised."""
        return self.reference == "mixed" and len(self._own) > ROWS_PER_COLUMN * len(self.scaling_.mean)

    # -- a clean reference ---------------------------------------------------------------------------------------------

    def _fit_clean(self, Z: Matrix) -> Vector:
        """Members for a clean reference; returns the scores of its rows, each without itself."""
        n, R = len(Z), self.projection_(Z)
        self.nearest_ = Neighbours.build(Z, approximate=False)
        everyone = np.arange(n)
        near = self.nearest_.query(Z, 1, exclude=everyone, n_jobs=self.n_jobs)[0][:, 0]
        self.mixtures_ = [self._mixture(4 if n > 80 else 2, R)]
        dense = self.mixtures_[0]._train_score(R, everyone)
        self.scales_ = [Spread.of(near), Spread.of(dense)]
        self.why_ = f"the reference is taken as clean: nearest of {n:,} rows and a Gaussian mixture, in equal parts"
        return self._clean(near, dense)

    def _clean(self, near: Vector, dense: Vector) -> Vector:
        return (self.scales_[0](near) + self.scales_[1](dense)) / 2

    # -- a table that may hold anomalies -------------------------------------------------------------------------------

    def _fit_mixed(self, Z: Matrix) -> Vector:
        """Members for a table of unknown purity; returns the scores of its rows, each without itself."""
        rng = np.random.default_rng(self.random_state)
        everyone = np.arange(len(Z))
        self.ties_ = _ties(Z)
        self.forest_ = IsolationForest(random_state=self.random_state)
        self.forest_._fit(Z, None)
        self.margins_ = Margins.of(Z)
        forest, margins = self.forest_._train_score(Z, everyone), self.margins_.score(Z, left_out=True)
        self.scales_ = [Spread.of(forest), Spread.of(margins)]
        far = [_distance_to_draws(view, rng, self.n_jobs) for view in (Z, _normal_scores(Z))]
        views = [self.scales_[0](forest), *(Spread.of(v)(v) for v in far)]
        ranking = self._with_ties(np.mean(views, axis=0), forest, margins)
        R, rounds, combined = self.projection_(Z), [], []
        for _ in range(ROUNDS):
            kept = np.sort(np.argsort(ranking, kind="stable")[: max(2, int((1 - ASIDE) * len(Z)))])
            one, members = self._refit(Z, R, kept, rng)
            rounds.append(one)
            combined.append(self._combined(one, members))
            ranking = self._with_ties(combined[-1], forest, margins)
        self.rounds_ = rounds
        self.why_ = (
            f"the table may hold anomalies: fitted {ROUNDS} times to its least suspicious {1 - ASIDE:.0%}; mixtures, "
            f"columns and their dependence decide; isolation forest and columns by {self.ties_:.0%}, the share of ties"
        )
        return self._with_ties(np.mean(combined, axis=0), forest, margins)

    def _refit(
        self, Z: Matrix, R: Matrix, kept: Labels, rng: np.random.Generator
    ) -> tuple[dict[str, Any], list[Vector]]:
        """Members fitted to the kept rows, and their scores of all rows, the kept ones without themselves."""
        counts = [k for k in COMPONENTS if k == COMPONENTS[0] or len(kept) > 20 * k]
        one: dict[str, Any] = {"mixtures": [self._mixture(k, R[kept]) for k in counts], "margins": Margins.of(Z[kept])}
        one["dependence"], own = Dependence.fit(self._narrow(Z, R)[kept], rng, self.n_jobs)
        dense, columns = self._members({**one, "dependence": None}, Z, R)
        everyone = np.arange(len(kept))
        dense[kept] = np.mean([m._train_score(R[kept], everyone) for m in one["mixtures"]], axis=0)
        columns[kept] = one["margins"].score(Z[kept], left_out=True)
        odds = one["dependence"].score(self._narrow(Z, R), self.n_jobs)
        odds[kept] = own
        members = [dense, columns + DEPENDENCE * odds]
        one["scales"] = [Spread.of(v) for v in members]
        return one, members

    def _members(self, one: dict[str, Any], Z: Matrix, R: Matrix) -> list[Vector]:
        """Minus the mean log-density of the mixtures, and log-density by columns and dependence, of new rows."""
        dense = np.mean([m._score(R) for m in one["mixtures"]], axis=0)
        columns = one["margins"].score(Z)
        if one["dependence"] is not None:
            columns += DEPENDENCE * one["dependence"].score(self._narrow(Z, R))
        return [dense, columns]

    def _combined(self, one: dict[str, Any], members: list[Vector]) -> Vector:
        return np.asarray(np.mean([scale(v) for scale, v in zip(one["scales"], members, strict=True)], axis=0))

    def _with_ties(self, combined: Vector, forest: Vector, margins: Vector) -> Vector:
        by_columns = (self.scales_[0](forest) + self.scales_[1](margins)) / 2
        return np.asarray((1 - self.ties_) * combined + self.ties_ * by_columns)

    def _mixture(self, k: int, R: Matrix) -> GaussianMixture:
        mixture = GaussianMixture(k, regularization=1e-2, max_iter=50, random_state=self.random_state)
        mixture._fit(R, None)
        return mixture

    def _narrow(self, Z: Matrix, R: Matrix) -> Matrix:
        return Z if Z.shape[1] <= WIDE else R


def _ties(Z: Matrix) -> float:
    """Mean over the columns that vary of the share of their commonest value."""
    most = [np.unique(column, return_counts=True)[1].max() for column in Z.T if column.min() < column.max()]
    return float(np.mean(most)) / len(Z) if most else 0.0


def _distance_to_draws(Z: Matrix, rng: np.random.Generator, n_jobs: int | None) -> Vector:
    """Mean distance (n,) of each row to the nearest of 16 others drawn at random, over 200 draws."""
    total = np.zeros(len(Z))
    for _ in range(DRAWS):
        drawn = rng.choice(len(Z), min(DRAWN, len(Z) - 1), replace=False)
        itself = np.full(len(Z), -1)
        itself[drawn] = np.arange(len(drawn))
        total += Neighbours(Z[drawn]).query(Z, 1, exclude=itself if len(drawn) > 1 else None, n_jobs=n_jobs)[0][:, 0]
    return total / DRAWS


def _normal_scores(Z: Matrix) -> NDArray[Any]:
    """Each column by its ranks, as normal quantiles brought to spread 1; ties share their middle."""
    G = np.empty_like(Z)
    for j, column in enumerate(Z.T):
        ordered = np.sort(column)
        middle = (np.searchsorted(ordered, column, "left") + np.searchsorted(ordered, column, "right")) / 2
        G[:, j] = ndtri((middle + 0.5) / (len(column) + 1))
    return np.asarray(G / np.maximum(G.std(axis=0), 1e-12).astype(G.dtype))
