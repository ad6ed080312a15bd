"""ModelCollapse: what becomes of a generator that is retrained on its own output, and how much real data stops it.

role: audit
data: table
names: ModelCollapse
system: 097
paper: Borji, A Note on Shumailov et al. (2024): AI Models Collapse When Trained on Recursively Generated Data, 2024
needs: -
checkpoint: none

Half of the real rows start the loop; the other half tells how far fresh real samples of the same size lie apart. A
generation has collapsed when it lies outside that band, or when its tails hold half of what they should. Collapse has
two signs: kernel densities spread out, fitted laws draw in; resampling repeats itself. `watch` asks the same of data
sets made elsewhere, one per generation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from unusual.audit.collapse import Collapse, search_note
from unusual.audit.collapse_rows import LEAST_ROWS, check_rows, heavy_tails
from unusual.audit.generations import POLICIES, Band, Reference, generations, null_measures
from unusual.cluster import each
from unusual.data.numbers import numbers, same_columns
from unusual.errors import InputError
from unusual.parts.table_samplers import Sampler, sampler

Matrix = NDArray[np.float64]

SHARES = tuple(k / 20 for k in range(1, 20))  # real shares among which the smallest is searched


class ModelCollapse(BaseEstimator):  # type: ignore[misc]
    """Simulates, or watches, a model that is trained on what an earlier one made.

    Parameters
    ----------
    fitter : str or callable, default "kde"
        One of `unusual.parts.table_samplers.SAMPLERS`, or `fit_sample(X, n, random_state)` that fits rows X (m, d) and
        returns n new ones.
    policy : "replace", "mix", "accumulate" or "accumulate-subsample"
        What the next model sees: only new rows; a share of real ones; every generation; as many rows of all of them.
    real_share : float in [0, 1), default 0.5
        Of the rows with policy "mix", drawn from the real ones.
    generations, trajectories : int
        Length of the loop, and how often it is run from other rows; one run proves nothing.
    repeats : int, default 200
        Fresh real samples behind the band.
    n_jobs : int or None
        Processes.
    random_state : int
    """

    def __init__(
        self,
        fitter: str | Sampler = "kde",
        policy: str = "replace",
        real_share: float = 0.5,
        generations: int = 10,
        trajectories: int = 20,
        repeats: int = 200,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.fitter = fitter
        self.policy = policy
        self.real_share = real_share
        self.generations = generations
        self.trajectories = trajectories
        self.repeats = repeats
        self.n_jobs = n_jobs
        self.random_state = random_state

    def run(self, real: Any, search: bool = True) -> Collapse:
        """Run the loop from the rows of `real` (N, d), a table of numbers; half of them, n = N / 2, are each start.

        Parameters
        ----------
        real : path, data frame or array
        search : bool
            Where new rows replace the old and this collapses, look for the smallest real share that prevents it.

        Raises
        ------
        InputError
            If there are fewer than 40 rows, cells are missing, a column is constant or has so few values that the
            fitter would make others, or a parameter is out of range.
        """
        self._check()
        X, names = numbers(real)
        check_rows(X, names, self.fitter)
        n = len(X) // 2
        rng = np.random.default_rng([self.random_state, 0])
        band = Band.of(null_measures(X, n, self.repeats, rng))
        share = {"replace": 0.0, "mix": self.real_share}.get(self.policy)
        values = self._simulated(X, self.policy, self.real_share)
        fitter = self.fitter if isinstance(self.fitter, str) else getattr(self.fitter, "__name__", "your fitter")
        found = Collapse(values, band, n, fitter, self.policy, share, notes=tuple(heavy_tails(X, names)))
        if not (search and self.policy == "replace" and found.collapsed):
            return found
        smallest = self._smallest_share(X, band)
        return found.with_share(smallest, search_note(smallest, SHARES, self.generations))

    def watch(self, real: Any, made: Sequence[Any]) -> Collapse:
        """Measure data sets made elsewhere, oldest first, against the real rows (N, d) they began with.

        As many rows of each are compared as half the real ones, or the smallest set, hold: n. `trajectories` is how
        many draws of n rows are averaged over; they come from one loop and say nothing of another.

        Raises
        ------
        InputError
            As `run`, and if a data set has other columns.
        """
        self._check()
        X, names = numbers(real)
        sets = [same_columns(numbers(source), names, f"generation {g}") for g, source in enumerate(made, start=1)]
        if not sets:
            raise InputError("there are no generations to watch; give one table for each, the oldest first")
        check_rows(X, names, None)
        n = min(len(X) // 2, *(len(Y) for Y in sets))
        if n < LEAST_ROWS:
            raise InputError(f"the smallest generation has {n} rows; at least {LEAST_ROWS} are needed to compare laws")
        rng = np.random.default_rng([self.random_state, 1])
        band = Band.of(null_measures(X, n, self.repeats, rng))
        values = []
        for _ in range(self.trajectories):
            start = Reference(A := X[rng.choice(len(X), n, replace=False)])
            draws = (Y[rng.choice(len(Y), n, replace=False)] for Y in sets)
            values.append([start.measure(A), *(start.measure(Y) for Y in draws)])
        return Collapse(
            np.array(values), band, n, "what was watched", "watch", None, notes=tuple(heavy_tails(X, names))
        )

    def _simulated(self, X: Matrix, policy: str, share: float) -> Matrix:
        """Measures (T, G + 1, M) of every trajectory; generation 0 is what it started from."""
        one = partial(
            _trajectory, X, sampler(self.fitter), policy, share, self.generations, random_state=self.random_state
        )
        return np.array(each(one, range(self.trajectories), self.n_jobs))

    def _smallest_share(self, X: Matrix, band: Band) -> float | None:
        """The smallest of SHARES of real rows with which nothing collapses, by halving; None if not even the largest.

        More real rows are taken to be no worse, which every policy of mixing here fulfils.
        """
        low, high = 0, len(SHARES)
        while low < high:
            middle = (low + high) // 2
            mixed = self._simulated(X, "mix", SHARES[middle])
            if Collapse(mixed, band, len(X) // 2, "", "mix", SHARES[middle]).collapsed:
                low = middle + 1
            else:
                high = middle
        return SHARES[low] if low < len(SHARES) else None

    def _check(self) -> None:
        if self.policy not in POLICIES:
            raise InputError(f"policy is {self.policy!r}; choose one of: {', '.join(POLICIES)}")
        if not 0 <= self.real_share < 1:
            raise InputError(f"real_share is {self.real_share}; give a share of at least 0 and below 1")
        if min(self.generations, self.trajectories) < 1 or self.repeats < LEAST_ROWS:
            raise InputError(
                f"generations is {self.generations}, trajectories {self.trajectories}, repeats {self.repeats}; "
                f"give at least 1, 1 and {LEAST_ROWS}"
            )


def _trajectory(
    X: Matrix, fit_sample: Sampler, policy: str, share: float, count: int, number: int, random_state: int
) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng([random_state, 2, number])
    start = X[rng.choice(len(X), len(X) // 2, replace=False)]
    reference = Reference(start)
    return [reference.measure(Y) for Y in (start, *generations(start, fit_sample, count, policy, share, rng))]
