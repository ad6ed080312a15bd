"""What tests of columns by replacing them share: whom to ask, what to put in, and the scores that come back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from unusual.errors import InputError
from unusual.explain.claims import Claims
from unusual.explain.replaced import Replaced, ready, replaced_scores
from unusual.parts.conditional import ConditionalCopula, ConditionalSampler, NearestRows
from unusual.parts.conformal import check_rate

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

SAMPLERS: dict[str, Callable[..., ConditionalSampler]] = {"copula": ConditionalCopula, "nearest": NearestRows}
SIDES = ("one", "two")


class ConditionalTest(BaseEstimator, ABC):  # type: ignore[misc]
    """Replaces each column of each row by draws given the others; a test says what the scores then mean."""

    level: float
    sided: str
    pooled: bool
    sampler: str | ConditionalSampler
    random_state: int

    def explain(self, detector: Any, X: Any, reference: Any = None, tested: ArrayLike | None = None) -> Claims:
        """Test every column of every row of X.

        Parameters
        ----------
        detector : fitted detector or scan of a table, or a callable that maps rows (m, d) to scores (m,)
        X : (n, d) array, or what the detector takes
        reference : (r, d) usual rows, in the form of X
            How columns follow from each other is learnt from them; the more the better. By default the few rows that
            the detector keeps of its fit.
        tested : (n, G) bool, optional
            Which columns of each row are worth the price. The others are not claimed but count as tests, so that they
            may be chosen in any way without more false claims.

        Raises
        ------
        InputError
            If a parameter is out of range, there are no reference rows, the same row gets several scores, or so few
            tests are asked for that none could ever be rejected.
        """
        check_rate(self.level, "level")
        if self.sided not in SIDES:
            raise InputError(f"sided is {self.sided!r}; give 'one' (replacing lowers the score) or 'two' (changes it)")
        subject, usual = ready(detector, X, reference)
        sampler = self._sampler(usual, subject.columns)
        groups = int(sampler.groups.max()) + 1
        if len(sampler.groups) != usual.shape[1] or groups != len(subject.names):
            raise InputError(
                f"the sampler replaces {groups} groups of {len(sampler.groups)} columns; the rows have "
                f"{len(subject.names)} of {usual.shape[1]}"
            )
        draws = self._draws(len(subject.items), groups)
        picked = None if tested is None else _mask(tested, (len(subject.items), groups))
        rows = replaced_scores(subject, usual, sampler, draws, self.random_state, picked)
        kept = [(self._evidence(row), row.falls, row.idle, row.score) for row in rows]
        evidence, falls, idle, scores = (np.array(part) for part in zip(*kept, strict=True))
        low, values, high = np.moveaxis(falls, 1, 0)
        selected, cut = self._select(evidence)
        return Claims(
            values,
            subject.names,
            low=low,
            high=high,
            evidence=evidence,
            selected=selected,
            cut=cut,
            untestable=idle,
            tested=np.ones(evidence.shape, dtype=bool) if picked is None else picked,
            level=self.level,
            test=type(self).__name__,
            sided=self.sided,
            pooled=self.pooled,
            sampler=sampler.name,
            draws=draws,
            finest=min(draws, getattr(sampler, "count", draws)),
            scores=scores,
        )

    @abstractmethod
    def _draws(self, rows: int, groups: int) -> int:
        """Replacements that are scored for each test; refuses what could never reject."""

    @abstractmethod
    def _evidence(self, row: Replaced) -> Vector:
        """p-values or changes (G,)."""

    @abstractmethod
    def _select(self, evidence: Matrix) -> tuple[Mask, Vector]:
        """What is claimed (n, G), and the cut of the evidence of each row (n,)."""

    def _sampler(self, usual: Matrix, columns: Any) -> ConditionalSampler:
        if not isinstance(self.sampler, str):
            return self.sampler
        if self.sampler not in SAMPLERS:
            raise InputError(f"sampler is {self.sampler!r}; give a sampler, or one of: {', '.join(SAMPLERS)}")
        return SAMPLERS[self.sampler](usual, columns)


def _mask(tested: ArrayLike, shape: tuple[int, int]) -> Mask:
    given = np.asarray(tested)
    if given.shape != shape or given.dtype != bool:
        raise InputError(f"tested has shape {given.shape} and type {given.dtype}; give bool {shape}, one per column")
    return given
