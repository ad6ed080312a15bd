"""Does the guarded hold-out still tell the truth when columns are chosen by what it answered?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proofs.harness import Proof
from unusual.evaluate.thresholdout import Thresholdout

SYSTEM = "167"
DATA = "5,000 training, 5,000 held-out and 5,000 fresh rows of 2,000 normal columns; labels by chance, or by 20 columns"
ROWS, COLUMNS, TRUE = 5000, 2000, 20
KEPT = (50, 200, 500)  # columns that the model is made of
THRESHOLD, BUDGET = 0.04, 2000  # the source does not limit it
LITTLE, MUCH = THRESHOLD / 16, THRESHOLD / 4  # noise
BIAS = 6 / np.sqrt(ROWS)  # of the mean of the columns that carry the label
BLOCK = 250

Matrix = NDArray[np.float32]
Asker = Callable[..., NDArray[np.float64]]


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:  # noqa: ARG001 - the harness's call
    """Sabotage: the guard answers with the mean of the hold-out."""
    null, signal = (results(seed, true, LITTLE) for true in (0, TRUE))
    noisy = results(seed, 0, MUCH)
    column = 0 if sabotage else 1
    return [
        Proof(
            "without any signal the reported accuracy is nearer that on fresh rows than a plain hold-out's",
            "reported less fresh accuracy",
            null[:, column],
            null[:, 0],
            0.03,
            better="lower",
            against="plain hold-out, k = 50, 200, 500 columns",
        ),
        Proof(
            "without any signal the report is right",
            "reported less fresh accuracy",
            float(null[:, column].mean()),
            0.0,
            0.03,
            better="equal",
            against="0",
        ),
        Proof(
            "the plain hold-out misleads: the case is one in which it matters",
            "reported less fresh accuracy",
            float(null[:, 0].mean()),
            0.0,
            0.05,
            against="0",
        ),
        Proof(
            "with 20 true columns the report is right",
            "reported less fresh accuracy",
            float(signal[:, column].mean()),
            0.0,
            0.03,
            better="equal",
            against="0",
        ),
        Proof(
            "the model found through the guard is no worse on fresh rows",
            "fresh accuracy",
            signal[:, 2 + column],
            signal[:, 2],
            0.03,
            better="equal",
            against="model found through the plain hold-out",
        ),
        Proof(
            "noise of a sixteenth of the threshold tells the truth more nearly than a quarter",
            "reported less fresh accuracy, absolute",
            np.abs(null[:, column]),
            np.abs(noisy[:, 1]),
            0.0,
            better="lower",
            against="noise 0.01 at threshold 0.04",
        ),
        Proof(
            "an analyst who forces the whole budget out of the hold-out is told too much by less than the threshold",
            "accuracy on the hold-out less 0.5",
            forced(seed, sabotage),
            4 / np.sqrt(ROWS),
            0.0,
            better="lower",
            against="threshold, with all defaults",
        ),
    ]


@cache
def results(seed: int, true: int, noise: float) -> NDArray[np.float64]:
    """For each k: reported less fresh accuracy, plain and guarded, then fresh accuracy, plain and guarded: (3, 4)."""
    rng = np.random.default_rng([167, seed, true])
    train, holdout, fresh = (rows(rng, true) for _ in range(3))
    guard = Thresholdout(train, holdout, threshold=THRESHOLD, noise=noise, budget=BUDGET, random_state=seed)
    table = []
    for k in KEPT:
        line = []
        for ask in (lambda question: np.asarray(question(*holdout).mean(axis=0)), guard.ask):
            weights = chosen(train, ask, k)
            reported = float(ask(lambda X, y, w=weights: right(X, y, w)))
            line.append((reported, float(right(*fresh, weights).mean())))
        (a, fresh_a), (b, fresh_b) = line
        table.append([a - fresh_a, b - fresh_b, fresh_a, fresh_b])
    return np.array(table)


def forced(seed: int, plain: bool) -> float:
    """Accuracy on the hold-out, less 0.5, of a model of columns without any signal, by answers the analyst forces.

    The questions are false on purpose on the training rows, so that the hold-out must answer each of them.
    """
    rng = np.random.default_rng([168, seed])
    train, holdout = rows(rng, 0), rows(rng, 0)
    guard = Thresholdout(train, holdout, random_state=seed)
    told = []
    for j in range(COLUMNS if plain else guard.budget):
        if plain:
            told.append(agreement(holdout[0][:, [j]], holdout[1]).mean())
        elif guard.budget_left:
            told.append(guard.ask(lambda X, y, j=j: agreement(X[:, [j]], y)[:, 0] * (X[0, 0] == holdout[0][0, 0])))
    weights = np.zeros(COLUMNS)
    weights[: len(told)] = np.sign(np.array(told) - 0.5)
    return float(right(*holdout, weights).mean() - 0.5)


def rows(rng: np.random.Generator, true: int) -> tuple[Matrix, Matrix]:
    """X (ROWS, COLUMNS) and labels of -1 and +1; the first `true` columns have their mean moved by the label."""
    X = rng.standard_normal((ROWS, COLUMNS), dtype=np.float32)
    y = rng.choice(np.array([-1, 1], dtype=np.float32), ROWS)
    X[:, :true] += BIAS * y[:, None]
    return X, y


def chosen(train: tuple[Matrix, Matrix], ask: Asker, k: int) -> NDArray[np.float64]:
    """Signs (COLUMNS,) of the k columns that agree best with the label in train and, as answered, in the hold-out."""
    own = agreement(*train).mean(axis=0) - 0.5
    told = np.concatenate(
        [ask(lambda X, y, s=slice(i, i + BLOCK): agreement(X[:, s], y)) for i in range(0, COLUMNS, BLOCK)]
    )
    told = told - 0.5
    good = (own * told > 0) & (np.minimum(np.abs(own), np.abs(told)) > 0.4 / np.sqrt(ROWS))
    order = np.argsort(-np.abs(own) * good)[:k]
    return np.where(good[order], np.sign(own[order]), 0.0) @ np.eye(COLUMNS)[order]


def agreement(X: Matrix, y: Matrix) -> NDArray[np.float64]:
    """1 where the sign of a column is that of the label, 0 elsewhere: (n, columns)."""
    return ((X > 0) == (y[:, None] > 0)).astype(np.float64)


def right(X: Matrix, y: Matrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for the rows (n,) that the sign of the weighted sum of columns labels right."""
    return ((X @ weights.astype(np.float32) > 0) == (y > 0)).astype(np.float64)
