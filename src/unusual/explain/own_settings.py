"""The explanations that a detector of tables gives, under settings that should not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector
from unusual.errors import InputError
from unusual.explain.stratified_lime import StratifiedLime
from unusual.explain.subject import Subject
from unusual.parts.masking import Game, table_game
from unusual.parts.shapley import contributions
from unusual.parts.surrogate import occlusion

Vector = NDArray[np.float64]
Rows = NDArray[Any]
Explain = Callable[[Rows], Vector]  # rows (n, d) -> contributions (n, G)

SWEEPS = ("seeds", "evaluations", "methods")
SEEDS = 4  # beside the default
FACTORS = (1, 0.25, 0.5, 2, 4)  # of the evaluations; the first is the default
LEAST_MASKS, ROWS_PER_MASK = 64, 8  # of the linear model


def own_explanations(subject: Subject, across: str, evaluations: int) -> tuple[dict[str, Explain], list[str]]:
    """Explanations by name of the setting, the default first, and what is to be known of them."""
    inner = subject.detector
    exact = hasattr(inner, "_explain")
    columns, background = subject.columns, subject.background
    if columns is None or background is None:
        raise InputError("only rows of tables are explained here; for other items use run() with an explainer")

    def score(rows: Rows) -> Vector:
        return np.asarray(subject.score(rows), dtype=np.float64)

    def summed(values: Vector) -> Vector:
        total = np.zeros((len(values), int(columns.max()) + 1))
        np.add.at(total.T, columns, values.T)
        return total

    kept = np.asarray(getattr(inner, "background_", background))

    def sampled(cost: int, seed: int | None = None) -> Explain:
        return lambda rows: summed(contributions(score, rows, kept, cost, seed))

    def default(rows: Rows) -> Vector:
        return summed(inner.explain(rows, evaluations=evaluations)) if isinstance(inner, Detector) else plain(rows)

    def by_game(weights: Callable[[Game], Vector]) -> Explain:
        return lambda rows: np.stack([weights(table_game(score, x, background, columns)) for x in rows])

    plain = sampled(evaluations)
    if across == "methods":
        lime = StratifiedLime(n_samples=max(LEAST_MASKS, evaluations // ROWS_PER_MASK), seeds=1)
        named = {
            "its own" if exact else "Shapley values": default,
            "hiding one column": by_game(occlusion),
            "linear model": by_game(lambda game: lime.fit_game(game)[0].weights),
        }
        return named, ["methods answer different questions: they need not agree"]
    if exact:
        name = type(inner).__name__
        note = f"contributions of {name} are exact shares of its score: nothing is drawn, and nothing can change"
        return {"default": default, "again": default}, [note]
    if across == "evaluations":
        return {f"{round(evaluations * f):,} evaluations": sampled(round(evaluations * f)) for f in FACTORS}, []
    return {"default": default, **{f"seed {s}": sampled(evaluations, s) for s in range(1, SEEDS + 1)}}, []
