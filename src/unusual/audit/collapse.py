"""What came of a loop of generations: when it left what is real, in which direction, and what would prevent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.audit.generations import DISTANCES, KL_NOTE, MEASURES, Band
from unusual.study import Lines, Study, Table

Vector = NDArray[np.float64]

ENOUGH = 20  # trajectories
SHOWN = ("spread", "tail mass", "Wasserstein-1", "coverage")
WORDS = {
    "over-dispersion": "the cloud spreads out",
    "under-dispersion": "the cloud draws in",
    "repetition": "the same rows come again and again",
    "drift": "its shape or place changes while its spread stays",
    "none": "nothing leaves what fresh real samples show",
}


@dataclass(frozen=True)
class Collapse:
    """Measures of each generation, and the band in which fresh real samples of as many rows lie.

    Attributes
    ----------
    values : (T, G + 1, M) array
        For each trajectory and generation (0: the real rows themselves) the measures named in
        `unusual.audit.generations.MEASURES`: ratios to the real rows, distances in units of each column's spread.
    band : Band
    rows : int
        In each sample compared.
    fitter, policy : str
    real_share : float or None
        In each generation; None where nothing was mixed in.
    smallest_share : float or None
        The least real share that prevents collapse; None if it was not searched, or if none does (see `notes`).
    notes : tuple of str
    """

    values: Vector
    band: Band
    rows: int
    fitter: str
    policy: str
    real_share: float | None
    smallest_share: float | None = None
    notes: tuple[str, ...] = ()

    def with_share(self, share: float | None, note: str) -> Collapse:
        """The same, with the result of a search for the smallest real share."""
        return replace(self, smallest_share=share, notes=(*self.notes, note))

    def of(self, measure: str) -> Vector:
        """Values (T, G + 1) of one measure."""
        return self.values[:, :, MEASURES.index(measure)]

    @property
    def typical(self) -> Vector:
        """Medians over the trajectories (G + 1, M)."""
        return np.asarray(np.median(self.values, axis=0))

    @property
    def left_band_at(self) -> int | None:
        """The first generation of which a distance lies outside the band, in the middle of the trajectories."""
        outside = self.band.left(self.typical)[1:, [MEASURES.index(name) for name in DISTANCES]]
        return _first(outside.any(axis=1))

    @property
    def left_by(self) -> tuple[str, ...]:
        """The distances that were outside then."""
        at = self.left_band_at
        outside = self.band.left(self.typical)
        return tuple(name for name in DISTANCES if at is not None and outside[at, MEASURES.index(name)])

    @property
    def tails_halved_at(self) -> int | None:
        """The first generation with less than half of the tail mass that fresh real samples have."""
        tail = MEASURES.index("tail mass")
        return _first(self.typical[1:, tail] < self.band.middle[tail] / 2)

    @property
    def collapsed(self) -> bool:
        """Whether a distance left the band or the tails halved."""
        return self.left_band_at is not None or self.tails_halved_at is not None

    @property
    def direction(self) -> str:
        """What the last generation shows: over-dispersion, under-dispersion, repetition, drift or none."""
        last = dict(zip(MEASURES, self.typical[-1], strict=True))
        low, high = (dict(zip(MEASURES, side, strict=True)) for side in (self.band.low, self.band.high))
        if last["distinct"] < low["distinct"]:
            return "repetition"
        if last["spread"] > high["spread"]:
            return "over-dispersion"
        if last["spread"] < low["spread"]:
            return "under-dispersion"
        return "drift" if self.collapsed else "none"

    def study(self) -> Study:
        """The answer, the course of the main measures against their band, and all measures at the end."""
        limits = (f"Each sample has {self.rows:,} rows; the band holds all distances of 95 % of fresh real samples.",)
        few = () if len(self.values) >= ENOUGH else (f"Only {len(self.values)} trajectories were run; take {ENOUGH}.",)
        one = ("The draws come from one loop; another loop may go another way.",) if self.policy == "watch" else few
        return Study(
            f"Training on its own output: {self.fitter}, policy {self.policy}",
            self._answer(),
            [*(self._lines(name) for name in SHOWN), self._table()],
            [*limits, *one, KL_NOTE, *self.notes],
        )

    def _answer(self) -> str:
        last = self.values.shape[1] - 1
        if not self.collapsed:
            said = f"No sign of collapse in {last} generations: {WORDS[self.direction]}."
        elif self.left_band_at is None:
            said = f"The tails hold under half of what they should from generation {self.tails_halved_at} on."
        else:
            tails = self.tails_halved_at
            lost = f"; its tails halve at generation {tails}" if tails else ""
            said = (
                f"Generation {self.left_band_at} of {last} no longer looks real (by {', '.join(self.left_by)}){lost}: "
                f"{self.direction}, {WORDS[self.direction]}."
            )
        if self.smallest_share is not None:
            said += f" {self.smallest_share:.0%} of real rows in every generation prevents it."
        return said

    def _lines(self, name: str) -> Lines:
        at = np.arange(self.values.shape[1])
        low, high = np.quantile(self.of(name), [0.1, 0.9], axis=0)
        j = MEASURES.index(name)
        levels = {"band, upper end": float(self.band.high[j]), "band, lower end": float(self.band.low[j])}
        return Lines(
            f"{name.capitalize()} over generations; the shaded part holds 80 % of the trajectories",
            "generation",
            name,
            {name: (at, np.median(self.of(name), axis=0))},
            {name: (low, high)},
            {side: level for side, level in levels.items() if np.isfinite(level)},
        )

    def _table(self) -> Table:
        outside = self.band.left(self.typical[-1])
        rows = [
            [name, *(float(self.typical[g, j]) for g in (1, -1)), *_limits(self.band, j), bool(outside[j])]
            for j, name in enumerate(MEASURES)
        ]
        head = ["measure", "generation 1", f"generation {self.values.shape[1] - 1}", "from", "to", "outside"]
        return Table("All measures; from and to is where fresh real samples lie", head, rows)


def _limits(band: Band, j: int) -> Sequence[float | None]:
    return [float(side[j]) if np.isfinite(side[j]) else None for side in (band.low, band.high)]


def _first(flags: ArrayLike) -> int | None:
    """Number of the first generation, counted from 1, that is flagged."""
    return int(np.argmax(flags)) + 1 if np.any(flags) else None


def search_note(share: float | None, shares: Sequence[float], generations: int) -> str:
    """What was searched for the smallest real share, in a sentence."""
    tried = f"Real shares from {shares[0]:.0%} to {shares[-1]:.0%} were searched over {generations} generations"
    return f"{tried}." if share is not None else f"{tried}, and none prevents collapse."
