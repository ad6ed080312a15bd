"""Scores of rows in which one column after the other, or group of columns, is replaced by what would be typical."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.explain.subject import Hiding, Subject
from unusual.parts.conditional import MOST_ROWS, ConditionalSampler, streams
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

LOOKED_AT, MOSTLY = 20, 0.9  # draws by which one sees whether a conditional is a single point: 90 % are the value
SAME_VALUE, NEXT_VALUE, NEXT_ROWS = 0.01, 0.1, 3  # of the spread: as good as equal; as good if no more rows lie between
COMPANY = 64  # usual rows among which a row is scored a second time
CELLS_AT_ONCE = 8_000_000  # numbers of replaced rows held in memory
SAME = 1e-5  # relative difference of a score asked for twice that arithmetic explains


class Replaced(NamedTuple):
    """One row: its score, scores (draws, G) with each group replaced, and the groups (G,) where that is nothing new."""

    score: float
    scores: Matrix
    idle: Mask

    @property
    def falls(self) -> Matrix:
        """5 % quantile, mean and 95 % quantile (3, G) of the fall of the score when a group is replaced."""
        falls = self.score - self.scores
        low, high = np.quantile(falls, [0.05, 0.95], axis=0)
        return np.stack([low, falls.mean(axis=0), high])


def ready(detector: Any, X: Any, reference: Any) -> tuple[Subject, Matrix]:
    """The rows to explain with the way they are scored, and usual rows (r, d) as numbers.

    Raises
    ------
    InputError
        If the detector cannot score, its scores of a row vary, or nothing says what is usual.
    """
    asked = detector if hasattr(detector, "anomaly_score") else SimpleNamespace(anomaly_score=detector)
    if not callable(asked.anomaly_score):
        raise InputError(f"{type(detector).__name__} cannot score; give a fitted detector or a function of rows (m, d)")
    encoder = getattr(asked, "encoder", None)  # of a fitted scan
    if reference is None:
        usual = getattr(asked if encoder is None else asked.detector, "background_", None)
        if usual is None:
            raise InputError("nothing says what is usual; give reference=, some usual rows in the form of X")
    else:
        usual = reference if encoder is None else encoder.transform(reference)
    rows = np.asarray(usual)
    rows = rows[some_rows(len(rows), MOST_ROWS)]
    if encoder is None and np.ndim(X) == 2 and rows.shape[1:] != np.shape(X)[1:]:
        raise InputError(f"reference has shape {rows.shape} for rows of {np.shape(X)[1]} columns; give rows like those")
    subject = Subject.of(asked, X, Hiding(fill=rows))
    _require_steady(subject, rows)
    return subject, rows.astype(np.float64)


def replaced_scores(
    subject: Subject,
    usual: Matrix,
    sampler: ConditionalSampler,
    draws: int,
    random_state: int,
    tested: Mask | None = None,
) -> Iterator[Replaced]:
    """Each row with `draws` replacements of each group; draws depend on the row and the seed alone.

    Groups that are not `tested` (n, G) are not replaced: their scores are those of the row.
    """
    X = _floats(subject)
    own = np.asarray(subject.score(X))
    member = sampler.groups == np.arange(sampler.groups.max() + 1)[:, None]  # (G, d)
    picked = np.ones((len(X), len(member)), dtype=bool) if tested is None else tested
    ordered, scale = np.sort(usual, axis=0).T, Standardizer.of(usual).scale
    for x, score, pick, rng in zip(X, own.tolist(), picked, streams(X, random_state), strict=True):
        V = sampler.draw(x.astype(np.float64), max(draws, LOOKED_AT), rng)  # (draws or more, d)
        if len(V) < draws or V.shape[1] != len(x) or not np.isfinite(V).all():
            raise InputError(f"the sampler ({sampler.name}) drew {V.shape} values or some that are not finite")
        near = _near(x, V[:LOOKED_AT], ordered, scale)
        idle = np.array([near[:, columns].all(axis=1).mean() >= MOSTLY for columns in member])
        scores = np.full((draws, len(member)), score)
        scores[:, pick] = _scores(subject, x, V[:draws], member[pick])
        yield Replaced(score, scores, idle)


def _scores(subject: Subject, x: NDArray[Any], V: Matrix, member: Mask) -> Matrix:
    """Scores (draws, G) of a row x (d,) with the columns of each group taken from V (draws, d)."""
    step = max(1, CELLS_AT_ONCE // max(1, member.size))
    made = []
    for start in range(0, len(V), step):
        filled = np.where(member, V[start : start + step, None], x).astype(x.dtype, copy=False)  # (step, G, d)
        made.append(np.reshape(subject.score(filled.reshape(-1, len(x))), filled.shape[:2]))
    return np.concatenate(made)


def _near(x: NDArray[Any], V: Matrix, ordered: Matrix, scale: Vector) -> Mask:
    """Which of the values V (k, d) are as good as those of a row x (d,), given sorted usual columns (d, r)."""
    gap = np.abs(V - x) / scale
    low, high = np.minimum(V, x), np.maximum(V, x)
    between = np.empty(V.shape, dtype=np.int64)
    for j, column in enumerate(ordered):
        between[:, j] = np.searchsorted(column, high[:, j]) - np.searchsorted(column, low[:, j], "right")
    return np.asarray((gap <= SAME_VALUE) | ((gap <= NEXT_VALUE) & (between <= NEXT_ROWS)))


def _floats(subject: Subject) -> NDArray[Any]:
    X = np.asarray(subject.items)
    return X if X.dtype.kind == "f" else X.astype(np.float64)  # a replacement need not be a whole number


def _require_steady(subject: Subject, usual: NDArray[Any]) -> None:
    """Refuse scores that differ when asked for again, in another order and company."""
    X = _floats(subject)
    first = np.asarray(subject.score(X))
    others = usual[:COMPANY].astype(X.dtype)
    gap = np.abs(np.asarray(subject.score(np.concatenate([X[::-1], others])))[: len(X)] - first[::-1])
    if (gap > SAME * max(float(np.abs(first).max()), 1e-300)).any():
        raise InputError(
            f"the same row gets scores that differ by {gap.max():.3g}; switch off what is random in the model "
            "(dropout) or depends on the other rows of a call"
        )
