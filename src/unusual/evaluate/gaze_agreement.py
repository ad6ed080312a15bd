"""Does a detector look where people look, beyond what any map and any gaze share?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError, suggest
from unusual.evaluate.gaze_statistics import GRID, Gaze
from unusual.evaluate.saliency import auc_judd, correlation, divergence, nss, similarity
from unusual.parts.bootstrap import bootstrap_interval
from unusual.study import Cell, Intervals, Study, Table

Vector = NDArray[np.float64]

LEAST_MAPS = 3
LOWER = "KL"


@dataclass(frozen=True)
class Agreement:
    """One metric of agreement between maps and gaze.

    Attributes
    ----------
    name : str
    statistic : float
        Mean over images of the metric with the gaze on the same image.
    p_value : float
        Share of ways of giving the gaze to other images that agree at least as well.
    effect : float
        `statistic` minus `others`, turned so that positive is agreement.
    interval : (low, high)
        95 % interval of the effect over images.
    others : float
        Mean with the gaze on other images.
    """

    name: str
    statistic: float
    p_value: float
    effect: float
    interval: tuple[float, float]
    others: float


@dataclass(frozen=True)
class GazeAgreement:
    """Every metric over so many images."""

    metrics: Sequence[Agreement]
    images: int

    def __getitem__(self, name: str) -> Agreement:
        return {row.name: row for row in self.metrics}[name]

    def study(self) -> Study:
        """The answer, and every metric with the gaze on the same and on other images."""
        main = self["CC"]
        beyond = main.interval[0] > 0
        answer = (
            f"The detector {'looks' if beyond else 'does not look'} where people look, beyond what any image gives: "
            f"over {self.images} images its maps correlate {main.statistic:.2f} with the gaze on the same image and "
            f"{main.others:.2f} with that on others."
        )
        rows: list[list[Cell]] = [
            [m.name, m.statistic, m.others, m.effect, m.interval[0], m.interval[1], m.p_value] for m in self.metrics
        ]
        head = ["metric", "same image", "other images", "gain", "from", "to", "p"]
        gains = [(m.name, m.effect, *m.interval) for m in self.metrics]
        return Study(
            "Does the detector look where people look?",
            answer,
            [Table("Agreement of anomaly maps with gaze; KL is better low", head, rows),
             Intervals("Gain over the gaze on other images", "gain", gains, 0.0)],
            ["The gaze on other images shares the pull of the middle, which alone makes maps agree.",
             f"Maps are compared on a grid of {GRID} x {GRID} cells."],
        )  # fmt: skip


def agreement_of(gaze: Gaze, maps: Mapping[str, ArrayLike], resamples: int, random_state: int) -> GazeAgreement:
    """Compare each map with the gaze on its image, and with that on all other images.

    Raises
    ------
    InputError
        If there are fewer than three maps, one has no image, or nobody looked at an image.
    """
    images = gaze.records.images
    if len(maps) < LEAST_MAPS:
        raise InputError(f"there are {len(maps)} maps; at least {LEAST_MAPS} are needed to compare images with others")
    for name in maps:
        if name not in images:
            raise InputError(f"there is a map of {name!r}, but no such image{suggest(name, list(images))}")
    at = [images.index(name) for name in maps]
    unseen = [images[i] for i in at if not len(gaze.groups[i])]
    if unseen:
        raise InputError(f"nobody looked at {unseen[0]!r}; leave its map out")
    seen = [_on_grid(values) for values in maps.values()]
    counts, densities = [gaze.counts(i) for i in at], [gaze.maps[i] for i in at]
    rows = [
        _compared(name, metric, seen, densities if of_density else counts, resamples, random_state)
        for name, (metric, of_density) in METRICS.items()
    ]
    return GazeAgreement(rows, len(at))


def _compared(
    name: str, metric: Callable[..., float], maps: list[Vector], looked: Sequence[Vector], resamples: int, seed: int
) -> Agreement:
    table = np.array([[metric(m, g) for g in looked] for m in maps])  # (n, n): map of i with gaze on j
    n = len(table)
    turned = -table if name == LOWER else table
    own = np.diag(turned)
    others = (turned.sum(axis=1) - own) / (n - 1)
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(np.arange(n), (resamples, 1)), axis=1)
    null = turned[np.arange(n), shuffled].mean(axis=1)
    p = (1 + int((null >= own.mean() - 1e-12).sum())) / (1 + resamples)
    gain = bootstrap_interval(own - others, method="percentile", resamples=resamples, random_state=seed)
    sign = -1.0 if name == LOWER else 1.0
    return Agreement(
        name, sign * float(own.mean()), p, gain.estimate, (gain.low, gain.high), sign * float(others.mean())
    )


def _on_grid(values: ArrayLike) -> Vector:
    """A map (H, W) as means over the 32 x 32 cells."""
    from PIL import Image

    m = np.asarray(values, dtype=np.float64)
    if m.ndim != 2 or not np.isfinite(m).all():
        raise InputError(f"an anomaly map has shape {m.shape} or holds NaN; give finite numbers (height, width)")
    if m.shape == (GRID, GRID):
        return m
    centred = Image.fromarray((m - m.mean()).astype(np.float32))
    return np.asarray(np.asarray(centred.resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float64) + m.mean())


METRICS: dict[str, tuple[Callable[..., float], bool]] = {
    "CC": (correlation, True),
    "NSS": (nss, False),
    "AUC (Judd)": (auc_judd, False),
    "SIM": (similarity, True),
    LOWER: (divergence, True),
}
