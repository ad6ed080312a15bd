"""SeedScan: whether a result, or the gain of one method over another, is larger than the luck of the seed.

role: audit
data: any
names: SeedScan
system: 221
paper: Picard, Torch.manual_seed(3407) is all you need, 2021
needs: -
checkpoint: none

A training run or a detector is repeated under many seeds, with everything else fixed; finished runs are kept, so that a
scan can be interrupted and go on. Results of two methods are compared as distributions.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from unusual.catalogue import make
from unusual.cluster import each
from unusual.detector import Detector
from unusual.errors import InputError
from unusual.evaluate import metrics
from unusual.evaluate.checks import binary
from unusual.evaluate.seed_cache import SeedCache
from unusual.evaluate.seed_luck import SeedDistribution
from unusual.evaluate.seed_sources import VarianceComponents, variance_components
from unusual.parts.rows import fingerprint

METRICS = ("auroc", "average_precision", "f1_max", "precision_at_n")


class SeedScan:
    """Repeats one run under many seeds.

    Parameters
    ----------
    run : callable
        `run(seed)` gives one number, higher is better; `run(**seeds)` for `sources`. It must seed all that draws.
    name, metric : str
        Of the method and of the number.
    seeds : int or sequence of int, default 30
        How many, from 0 on, or which.
    twice : int, default 1
        Seeds that are run a second time, to see whether the same seed gives the same result.
    cache : path, optional
        File of finished runs, one line of JSON each; a scan that is started again goes on there.
    configuration : mapping, required with a cache
        All that the result depends on besides the seed, as JSON: runs of another configuration are not taken for this.
    n_jobs : int or None
        Processes; None runs here, -1 one for each core.
    """

    def __init__(
        self,
        run: Callable[..., float],
        *,
        name: str = "the method",
        metric: str = "result",
        seeds: int | Sequence[int] = 30,
        twice: int = 1,
        cache: str | Path | None = None,
        configuration: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self._run = run
        self.name = name
        self.metric = metric
        self.seeds = tuple(range(seeds)) if isinstance(seeds, int) else tuple(int(seed) for seed in seeds)
        self.twice = twice
        self.n_jobs = n_jobs
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or twice < 0:
            raise InputError(f"seeds are {seeds} and twice is {twice}; give different seeds, at least one")
        if cache is not None and configuration is None:
            raise InputError("a cache needs the configuration of the run, or results of another would be taken for it")
        self._cache = SeedCache(cache, configuration or {})

    @classmethod
    def of_detector(
        cls, detector: str | Detector, X: ArrayLike, y: ArrayLike, metric: str = "auroc", **options: Any
    ) -> Self:
        """A scan of a detector of tables: fit to X (n, d), score its own rows, judge the scores by y (n,) of 0 and 1.

        Parameters
        ----------
        detector : a name such as "IsolationForest", or an unfitted detector
        metric : "auroc", "average_precision", "f1_max" or "precision_at_n"
        options : `name`, `seeds`, `twice`, `cache`, `n_jobs` as above; two seeds where there is no `random_state`
        """
        if metric not in METRICS:
            raise InputError(f"metric is {metric!r}; choose one of: {', '.join(METRICS)}")
        method = make(detector) if isinstance(detector, str) else detector
        labels, rows = binary(y, "y"), np.asarray(X, dtype=np.float64)
        if rows.ndim != 2 or len(rows) != len(labels):
            raise InputError(f"X has shape {rows.shape} for {len(labels):,} labels; give one row per label")
        parameters = method.get_params()
        if "random_state" not in parameters:
            options["seeds"] = (0, 1)
        parameters.pop("random_state", None)
        configuration = {
            "detector": type(method).__name__,
            "parameters": {key: repr(value) for key, value in sorted(parameters.items())},
            "data": fingerprint(rows),
            "labels": hashlib.sha256(labels.tobytes()).hexdigest(),
            "metric": metric,
        }
        run = DetectorRun(method, rows, labels, metric)
        options.setdefault("name", type(method).__name__)
        return cls(run, metric=metric, configuration=configuration, **options)

    def run(self) -> SeedDistribution:
        """All seeds, those in the cache taken from there.

        Raises
        ------
        InputError
            If the run does not give one number, or none of the seeds gave a finite one.
        """
        again = self.seeds[: self.twice]
        values = self._values([{"seed": seed} for seed in self.seeds], 0)
        second = self._values([{"seed": seed} for seed in again], 1)
        good = np.isfinite(values)
        if not good.any():
            raise InputError(f"none of {len(values)} seeds of {self.name} gave a finite {self.metric}; look at the run")
        gaps = (values[: len(second)] - second)[np.isfinite(values[: len(second)] - second)]
        floor = math.sqrt(float((gaps**2).mean()) / 2) if len(gaps) else None
        seeds = np.array(self.seeds)
        return SeedDistribution(
            self.name, self.metric, values[good], tuple(seeds[good].tolist()), tuple(seeds[~good].tolist()), floor
        )

    def sources(self, **seeds: int | Sequence[int]) -> VarianceComponents:
        """Components of variance when several seeds are crossed, such as `sources(init=6, order=6, augmentation=6)`.

        `run` is called with one seed of each, by these names, in all combinations.
        """
        chosen = {name: range(s) if isinstance(s, int) else s for name, s in seeds.items()}
        cells = [dict(zip(chosen, map(int, cell), strict=True)) for cell in product(*chosen.values())]
        values = self._values(cells, 0)
        return variance_components(values.reshape([len(s) for s in chosen.values()]), list(chosen))

    def _values(self, cells: Sequence[Mapping[str, int]], attempt: int) -> NDArray[np.float64]:
        """Results (k,) of runs with these seeds; NaN for one that is not finite."""
        waiting = [cell for cell in cells if self._cache.get(cell, attempt) is None]
        single = partial(_one, self._run)
        size = 1 if self.n_jobs in (None, 1) else 64
        for start in range(0, len(waiting), size):
            part = waiting[start : start + size]
            self._cache.add(zip(part, each(single, part, self.n_jobs), strict=True), attempt)
        return np.array([self._cache.get(cell, attempt) for cell in cells], dtype=np.float64)


@dataclass(frozen=True)
class DetectorRun:
    """`run(seed)` of a detector: its metric on the rows that it was fitted to; can be sent to other processes."""

    detector: Detector
    X: NDArray[np.float64]
    y: NDArray[np.bool_]
    metric: str

    def __call__(self, seed: int) -> float:
        detector = clone(self.detector)
        if "random_state" in detector.get_params():
            detector.set_params(random_state=seed)
        return float(getattr(metrics, self.metric)(self.y, detector.fit_anomaly_score(self.X)))


def _one(run: Callable[..., float], cell: Mapping[str, int]) -> float:
    """The result under one set of seeds, NaN if it is not finite."""
    result = run(**cell) if set(cell) != {"seed"} else run(cell["seed"])
    if isinstance(result, bool) or not np.isscalar(result) or isinstance(result, str | bytes | complex):
        raise InputError(f"the run gave {type(result).__name__} for {dict(cell)}; it must give one number")
    value = float(result)
    return value if math.isfinite(value) else math.nan
