"""FixationStudy: do people look otherwise at altered images than at real ones, and does a detector look where they do?

role: test
data: image
names: FixationStudy
system: 089
paper: Cartella et al., Unveiling the Truth: Exploring Human Gaze Patterns in Fake Images, 2024
needs: -
checkpoint: none

One figure per image, then pairs are compared: fixations of one image depend on each other, so the unit is the pair.
Wilcoxon's signed-rank test over pairs with Holm's correction over figures, Cliff's delta, and an interval of the mean
difference in which pairs and observers are drawn anew. Detector and gaze are compared with the gaze on other images,
since the middle of any image draws both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from unusual.data.fixations import GazeRecords, read_gaze
from unusual.errors import InputError, suggest
from unusual.evaluate.gaze_agreement import GazeAgreement, agreement_of
from unusual.evaluate.gaze_resamples import mean_interval, observer_noise
from unusual.evaluate.gaze_result import GazeComparison, GazeDifference
from unusual.evaluate.gaze_statistics import STATISTICS, Gaze, figures
from unusual.parts.bootstrap import bootstrap_interval
from unusual.parts.paired_tests import cliffs_delta, holm, rank_sum, signed_rank

Vector = NDArray[np.float64]

LEAST_PAIRS = 6  # with fewer no signed-rank test can reach 5 %
NEEDS_OTHERS = "congruency"
NEEDS_MASK = "time on the alteration"


class FixationStudy(BaseEstimator):  # type: ignore[misc]
    """Compares gaze on real and altered images.

    Parameters
    ----------
    statistics : sequence of str, optional
        Of `unusual.evaluate.gaze_statistics.STATISTICS`; by default all that the recordings allow.
    sigma : float, optional
        Of the Gaussians of a fixation map, in pixels; by default one degree, or a twentieth of the width.
    resamples : int, default 10,000
        Of pairs, for the interval.
    observer_draws : int, default 50
        Of observers, for the interval; 0 takes the observers as given.
    random_state : int
    """

    def __init__(
        self,
        statistics: Sequence[str] | None = None,
        sigma: float | None = None,
        resamples: int = 10_000,
        observer_draws: int = 50,
        random_state: int = 0,
    ) -> None:
        self.statistics = statistics
        self.sigma = sigma
        self.resamples = resamples
        self.observer_draws = observer_draws
        self.random_state = random_state

    def run(self, source: GazeRecords | str | Path) -> GazeComparison:
        """Compare altered with real images.

        Parameters
        ----------
        source : recordings, or a folder of them as `unusual.data.fixations.read_gaze` reads it

        Raises
        ------
        InputError
            If the recordings cannot be used, a statistic is unknown or not possible, or there are too few images.
        """
        self._check()
        records = _of(source)
        names, notes = self._names(records)
        gaze = Gaze.of(records, self.random_state, self.sigma)
        values = figures(gaze, names)  # (k, s)
        complete = [(p.real, p.fake) for p in records.pairs if p.real >= 0 and p.fake >= 0]
        pairs = np.array(complete, dtype=np.int64).reshape(-1, 2)
        if len(pairs) >= LEAST_PAIRS:
            rows = self._paired(records, names, values, pairs)
            left = len(records.pairs) - len(pairs)
            notes += [f"{left} pairs lack one of their images and were left out."] if left else []
        else:
            rows = self._unpaired(records, names, values)
            notes.append(f"Only {len(pairs)} pairs are complete, too few to compare within; this test is unpaired.")
        adjusted = holm([row.p_value for row in rows])
        rows = [replace(row, p_holm=float(p)) for row, p in zip(rows, adjusted, strict=True)]
        return GazeComparison(
            rows, len(pairs) >= LEAST_PAIRS, len(records.observers), gaze.maps, records.images, records.pairs,
            (*records.notes, *notes),
        )  # fmt: skip

    def agreement(self, source: GazeRecords | str | Path, maps: Mapping[str, ArrayLike]) -> GazeAgreement:
        """Does a detector's anomaly map of each image (H, W), by the name of the image, lie where people look?

        Raises
        ------
        InputError
            If there are fewer than three maps, one has no image or is constant, or nobody looked at an image.
        """
        self._check()
        return agreement_of(
            Gaze.of(_of(source), self.random_state, self.sigma), maps, self.resamples, self.random_state
        )

    def _paired(
        self, records: GazeRecords, names: Sequence[str], values: Vector, pairs: NDArray[np.int64]
    ) -> list[GazeDifference]:
        differences = values[pairs[:, 1]] - values[pairs[:, 0]]  # (p, s)
        noise = observer_noise(
            records, names, pairs, self.observer_draws, self.sigma, self.random_state
        )  # (draws, p, s)
        rows = []
        for j, name in enumerate(names):
            kept = np.isfinite(differences[:, j])
            if kept.sum() < LEAST_PAIRS:
                raise InputError(f"{name} is known for {kept.sum()} pairs; {LEAST_PAIRS} are needed, or leave it out")
            real, fake = values[pairs[kept, 0], j], values[pairs[kept, 1], j]
            d = differences[kept, j]
            statistic, p = signed_rank(d)
            interval = mean_interval(d, noise[:, kept, j], self.resamples, self.random_state)
            rows.append(
                GazeDifference(name, statistic, p, cliffs_delta(fake, real), interval, float(real.mean()),
                               float(fake.mean()), p, int(kept.sum()))
            )  # fmt: skip
        return rows

    def _unpaired(self, records: GazeRecords, names: Sequence[str], values: Vector) -> list[GazeDifference]:
        both_sides = ([p.real for p in records.pairs], [p.fake for p in records.pairs])
        sides = [sorted({i for i in side if i >= 0}) for side in both_sides]
        if min(map(len, sides)) < LEAST_PAIRS:
            raise InputError(f"there are fewer than {LEAST_PAIRS} real or altered images; a test needs more of each")
        rows = []
        for j, name in enumerate(names):
            real, fake = (values[side, j][np.isfinite(values[side, j])] for side in sides)
            if min(len(real), len(fake)) < LEAST_PAIRS:
                raise InputError(f"{name} is known for too few images; leave it out of statistics=")
            statistic, p = rank_sum(fake, real)
            both, is_fake = np.r_[real, fake], np.r_[np.zeros(len(real)), np.ones(len(fake))]
            found = bootstrap_interval(np.column_stack([both, is_fake]), _gap, resamples=self.resamples,
                                       method="percentile", random_state=self.random_state)  # fmt: skip
            rows.append(
                GazeDifference(name, statistic, p, cliffs_delta(fake, real), (found.low, found.high),
                               float(real.mean()), float(fake.mean()), p, len(both))
            )  # fmt: skip
        return rows

    def _names(self, records: GazeRecords) -> tuple[list[str], list[str]]:
        """Statistics that can be computed, and a sentence for each that cannot."""
        masked = any(pair.mask is not None for pair in records.pairs)
        lacking = {
            **({} if masked else {NEEDS_MASK: "no pair has a mask of its alteration"}),
            **({} if len(records.observers) > 1 else {NEEDS_OTHERS: "there is one observer only"}),
        }
        wanted = list(STATISTICS) if self.statistics is None else list(self.statistics)
        if self.statistics is not None and (first := next((n for n in wanted if n in lacking), None)):
            raise InputError(f"{first} cannot be computed: {lacking[first]}; leave it out of statistics=")
        return [n for n in wanted if n not in lacking], [f"{n} was left out: {why}." for n, why in lacking.items()]

    def _check(self) -> None:
        for name in self.statistics if self.statistics is not None else STATISTICS:
            if name not in STATISTICS:
                hint = suggest(name, list(STATISTICS))
                raise InputError(f"there is no statistic {name!r}{hint}; there are: {', '.join(STATISTICS)}")
        if self.resamples < 100 or self.observer_draws < 0 or (self.sigma is not None and self.sigma <= 0):
            raise InputError(
                f"resamples is {self.resamples}, observer_draws {self.observer_draws}, sigma {self.sigma}; give at "
                "least 100, at least 0, and a positive number of pixels"
            )


def _of(source: GazeRecords | str | Path) -> GazeRecords:
    return source.cleaned() if isinstance(source, GazeRecords) else read_gaze(source)


def _gap(sample: Vector) -> float:
    """Mean of the altered minus mean of the real images, in rows (n, 2) of value and 1 for altered."""
    fake = sample[:, 1] > 0
    return float(sample[fake, 0].mean() - sample[~fake, 0].mean()) if 0 < fake.sum() < len(fake) else 0.0
