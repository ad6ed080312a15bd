"""Multiverse: runs every reasonable choice of an analysis, and says how much of the result is the choice.

role: audit
data: any
names: Multiverse
system: 041
paper: Cummins, The Threat of Analytic Flexibility in Using Large Language Models to Simulate Human Data, 2025
needs: -
checkpoint: none

Any function of choices can be run; ready made are detectors on labelled rows (`of_detectors`) and the fidelity of
synthetic tables made by a callable (`of_tables`) or lying in a folder (`of_folder`). The report orders all results,
splits their variance by choice, shows whether criteria agree, and chooses on one half of the data to report on the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.audit.detector_choices import DETECTOR_GRID, DetectorChoices
from unusual.audit.specification_curve import SpecificationCurve, named
from unusual.audit.synthetic_tables import made_rows, read_folder
from unusual.audit.table_fidelity import DETAILS, LOWER, RealTable
from unusual.cluster import each
from unusual.data.numbers import numbers
from unusual.errors import InputError

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]
Choices = Mapping[str, Any]
Grid = Mapping[str, Sequence[Any]] | Sequence[Choices]


class Multiverse:
    """Every combination of choices, or those that are listed.

    Parameters
    ----------
    grid : mapping of factor to its levels, or sequence of mappings of factor to level
        A mapping stands for all combinations.
    lower_is_better : sequence of str
        Criteria of which small values are good.
    n_jobs : int or None
        Processes; what is run must then be importable.
    """

    def __init__(self, grid: Grid, lower_is_better: Sequence[str] = (), n_jobs: int | None = None) -> None:
        self.grid = grid
        self.lower_is_better = lower_is_better
        self.n_jobs = n_jobs

    @property
    def configurations(self) -> list[dict[str, Any]]:
        """The choices of each configuration.

        Raises
        ------
        InputError
            If there are fewer than two, or they do not all decide the same factors.
        """
        if isinstance(self.grid, Mapping):
            levels = [list(values) for values in self.grid.values()]
            found = [dict(zip(self.grid, combination, strict=True)) for combination in product(*levels)]
        else:
            found = [dict(choices) for choices in self.grid]
        if len(found) < 2 or not found[0]:
            raise InputError(f"the grid holds {len(found)} configurations; give at least two levels of one factor")
        if any(set(choices) != set(found[0]) for choices in found):
            raise InputError(f"configurations decide different factors; each needs {', '.join(map(str, found[0]))}")
        return found

    def run(self, function: Callable[..., Mapping[str, Any]]) -> SpecificationCurve:
        """Call `function(**choices)` for every configuration.

        Parameters
        ----------
        function : callable
            Gives a mapping of criterion to a number, or to an array (s, 2): the values on both halves of the data for s
            halvings, from which come intervals and the value of the best on data it was not chosen on.

        Raises
        ------
        InputError
            If a configuration fails (the sentence names it) or criteria differ between configurations.
        """
        configurations = self.configurations
        results = each(partial(_called, function), configurations, self.n_jobs)
        return SpecificationCurve.of(configurations, results, self.lower_is_better)

    @classmethod
    def of_detectors(
        cls,
        X: Any,
        y: ArrayLike | str,
        grid: Grid = DETECTOR_GRID,
        halvings: int = 20,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> SpecificationCurve:
        """Detectors on labelled rows: method, form of the columns, what is fitted on, which half is tested.

        Parameters
        ----------
        X : (n, d) array, or any table where y names its column of labels
        y : (n,) of 0 normal and 1 anomalous, or the name of that column
        grid : choices of `method`, `columns`, `fit` and `tested`; see `unusual.audit.detector_choices`
        halvings : how often the tested rows are halved

        Raises
        ------
        InputError
            If there are fewer than 8 anomalies or 40 normal rows, or a choice is unknown.
        """
        made = DetectorChoices.of(X, y, halvings, random_state)
        return made.noted(cls(grid, n_jobs=n_jobs).run(made))

    @classmethod
    def of_tables(
        cls,
        real: Any,
        generator: Callable[..., ArrayLike],
        grid: Grid,
        matched: bool = False,
        scales: Mapping[str, Sequence[str]] | None = None,
        halvings: int = 20,
        random_state: int = 0,
    ) -> SpecificationCurve:
        """Synthetic tables that `generator(X, n, random_state, **choices)` makes of the real rows X (n, d): (m, d).

        Parameters
        ----------
        real : table of numbers, one row per person or unit
        matched : bool
            Whether row i of what is made stands for row i of the real table; only then can ranks be compared.
        scales : mapping of a scale's name to the columns whose mean is its score

        Raises
        ------
        InputError
            If the real table cannot be used, or what is made has other columns or is not finite.
        """
        X, names = numbers(real)
        table = RealTable.of(X, names, scales, halvings, random_state)
        multiverse = cls(grid, LOWER)
        made = [
            made_rows(generator(X.copy(), len(X), random_state, **choices), X, matched, named(choices))
            for choices in multiverse.configurations
        ]
        partners = [np.arange(len(X)) if matched else None] * len(made)
        return multiverse._of_made(table, made, partners, random_state)

    @classmethod
    def of_folder(
        cls,
        real: Any,
        folder: str | Path,
        key: str | None = None,
        scales: Mapping[str, Sequence[str]] | None = None,
        halvings: int = 20,
        random_state: int = 0,
    ) -> SpecificationCurve:
        """Synthetic tables that lie in a folder, with `settings.csv`: a column `file`, and one column per choice.

        `key` names the column that tells which person a row stands for, in the real table and in every file.

        Raises
        ------
        InputError
            If a file is missing, or its columns are not those of the real table.
        """
        found = read_folder(real, folder, key)
        table = RealTable.of(found.X, found.names, scales, halvings, random_state)
        return cls(found.grid, LOWER)._of_made(table, found.tables, found.partners, random_state)

    def _of_made(
        self, table: RealTable, made: list[Matrix], partners: list[Index | None], random_state: int
    ) -> SpecificationCurve:
        """The curve of synthetic tables that lie in the order of the configurations."""
        results = [table.criteria(S, partner, random_state) for S, partner in zip(made, partners, strict=True)]
        matched = partners[0] is not None
        curve = SpecificationCurve.of(self.configurations, results, self.lower_is_better)
        details = dict(zip(DETAILS, np.array([table.details(S) for S in made]).T, strict=True))
        notes = (*curve.notes, *table.notes(made, matched))
        return replace(curve, ceilings=table.ceilings(matched), details=details, notes=notes)


def _called(function: Callable[..., Mapping[str, Any]], choices: dict[str, Any]) -> dict[str, Matrix]:
    try:
        return {name: np.asarray(value, dtype=np.float64) for name, value in function(**choices).items()}
    except InputError as error:
        raise InputError(f"with {named(choices)}: {error}") from error
