"""What a comparison of gaze on real and altered images found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.data.fixations import ImagePair
from unusual.study import Block, Cell, Heat, Intervals, Study, Table

LEVEL = 0.05


@dataclass(frozen=True)
class GazeDifference:
    """One statistic on altered against real images.

    Attributes
    ----------
    name : str
    statistic, p_value : float
        Of Wilcoxon's signed-rank test over pairs; of Mann and Whitney's where images have no twins.
    effect : float
        Cliff's delta, positive where altered images have more.
    interval : (low, high)
        95 % bootstrap interval of the mean difference, altered minus real.
    real, fake : float
        Means.
    p_holm : float
        The p-value corrected for the number of statistics.
    units : int
        Pairs, or images where there are no pairs.
    """

    name: str
    statistic: float
    p_value: float
    effect: float
    interval: tuple[float, float]
    real: float
    fake: float
    p_holm: float
    units: int


@dataclass(frozen=True)
class GazeComparison:
    """All statistics, and the maps behind them.

    Attributes
    ----------
    differences : sequence of GazeDifference
    paired : bool
    observers : int
    maps : (k, 32, 32) array
        Density of the gaze on each image.
    images : list of str
    pairs : list of ImagePair
    notes : tuple of str
    """

    differences: Sequence[GazeDifference]
    paired: bool
    observers: int
    maps: NDArray[np.float64]
    images: Sequence[str]
    pairs: Sequence[ImagePair]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> GazeDifference:
        return {row.name: row for row in self.differences}[name]

    def study(self) -> Study:
        """The answer, what differs by how much, and the maps of the pair that differs most."""
        found = [row for row in self.differences if row.p_holm <= LEVEL]
        units = f"{self.differences[0].units} {'pairs' if self.paired else 'images'}, {self.observers} observers"
        if found:
            said = "; ".join(f"{row.name} is {'higher' if row.effect > 0 else 'lower'}" for row in found)
            answer = f"People look otherwise at altered images ({units}): {said}."
        else:
            answer = f"No difference between gaze on altered and on real images was found ({units})."
        unit = "The unit is the pair of images" if self.paired else "The unit is the image"
        notes = [f"{unit}, never the fixation; p-values are corrected for {len(self.differences)} statistics (Holm)."]
        blocks = [self._table(), self._chart(), *self._maps()]
        return Study("Do people look otherwise at altered images?", answer, blocks, [*notes, *self.notes])

    def _table(self) -> Table:
        rows: list[list[Cell]] = [
            [row.name, row.real, row.fake, row.interval[0], row.interval[1], row.effect, row.p_value, row.p_holm]
            for row in self.differences
        ]
        head = ["figure", "real", "altered", "difference from", "to", "Cliff's delta", "p", "p, corrected"]
        return Table("Means per image, and their difference (altered minus real)", head, rows)

    def _chart(self) -> Intervals:
        """Differences in units of the real mean, so that they stand on one axis."""
        rows = []
        for row in self.differences:
            unit = abs(row.real) or 1.0
            rows.append((row.name, (row.fake - row.real) / unit, row.interval[0] / unit, row.interval[1] / unit))
        return Intervals("Difference relative to real images, with 95 % intervals", "relative difference", rows, 0.0)

    def _maps(self) -> list[Block]:
        """The two maps of the pair with the largest distance between them."""
        whole = [pair for pair in self.pairs if pair.real >= 0 and pair.fake >= 0]
        if not whole:
            return []
        apart = [np.abs(self.maps[pair.fake] - self.maps[pair.real]).sum() for pair in whole]
        pair = whole[int(np.argmax(apart))]
        return [Heat(f"Gaze on {self.images[i]}", self.maps[i]) for i in (pair.real, pair.fake)]
