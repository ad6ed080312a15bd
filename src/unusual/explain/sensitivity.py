"""AttributionSensitivity: how much an explanation changes with settings that should not matter.

role: audit
data: any
names: AttributionSensitivity
system: 147
paper: Bansal, Agarwal and Nguyen, SAM: The Sensitivity of Attribution Methods to Hyperparameters, 2020
needs: -
checkpoint: none

The same items are explained under several settings (seeds, numbers of samples, sizes of patches), and the explanations
compared pair by pair; beside it how alike explanations of different items are, and of the same item asked for twice.
Accuracy is compared too: its mean over items may stand still while single explanations change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from unusual.errors import InputError, suggest
from unusual.explain.comparable import between_items, games_of, known_mean, stacked, truth_of
from unusual.explain.hits import deletion_area, overlap, pointing_game
from unusual.explain.own_settings import SWEEPS, own_explanations
from unusual.explain.stability import MAIN, Stability
from unusual.explain.subject import Hiding, Subject
from unusual.parts.masking import Game
from unusual.parts.similarity import WINDOW, outlines, pearson, spearman, structural, top_overlap

Vector = NDArray[np.float64]
Explain = Callable[[Any, Any], Any]

OTHERS = 4  # usual rows explained beside a single one, to compare with


class AttributionSensitivity(BaseEstimator):  # type: ignore[misc]
    """Compares explanations of the same items under several settings.

    Parameters
    ----------
    settings : dict of str to anything, or a sequence
        What the explainer is given in turn, the default first; at least two.
    signed : bool, default True
        Whether the direction of a contribution counts; if not, sizes are compared.
    top : int, default 3
        Leading parts of rows, whose overlap is reported.
    """

    def __init__(self, settings: Mapping[str, Any] | Sequence[Any] = (), signed: bool = True, top: int = 3) -> None:
        self.settings = settings
        self.signed = signed
        self.top = top

    def run(
        self,
        explain: Explain,
        X: Any,
        truth: ArrayLike | None = None,
        *,
        score: Callable[[Any], Any] | None = None,
        fill: ArrayLike | Mapping[str, ArrayLike] = 0.0,
    ) -> Stability:
        """Explain the items under every setting and compare.

        Parameters
        ----------
        explain : maps a setting and X to contributions, (n, d) for rows, (n, H, W) for maps
        X : n items
        truth : (n, d) or (n, H, W) bool, optional
            What is truly to be blamed: then pointing game and overlap are compared too.
        score : maps items to scores (n,), optional
            Then deletion is: the fall of the score as the parts of highest contribution are hidden.
        fill : array of the shape of X or of an item, or several by name, default 0
            What hidden parts show; deletion depends on it.

        Raises
        ------
        InputError
            If there are fewer than two settings, or explanations are not finite or do not fit together.
        """
        named = self._named()
        notes: list[str] = []
        values = stacked({name: explain(setting, X) for name, setting in named.items()}, len(X), notes)
        again = stacked({"again": explain(next(iter(named.values())), X)}, len(X), [], values.shape[2:])
        games = {} if score is None else games_of(score, np.asarray(X), fill)
        return self._compare(list(named), values, again[0], truth, games, notes)

    @classmethod
    def for_detector(
        cls, detector: Any, X: Any, *, across: str = "seeds", evaluations: int = 1024, top: int = 3
    ) -> Stability:
        """Compare explanations of rows by a fitted detector or scan: those it gives, under other settings.

        Parameters
        ----------
        X : (n, d) rows, or what the detector takes
        across : "seeds" (five draws of background rows and orders), "evaluations" (a quarter to four times as many
            scored rows) or "methods" (Shapley values, hiding one column at a time, a linear model)
        evaluations : rows that explaining one row may cost
        """
        if across not in SWEEPS:
            raise InputError(
                f"across is {across!r}; use one of {', '.join(SWEEPS)}{suggest(str(across), list(SWEEPS))}"
            )
        subject = Subject.of(detector, X, Hiding())
        named, notes = own_explanations(subject, across, evaluations)
        rows, first = np.asarray(subject.items), next(iter(named.values()))
        values = np.stack([explain(rows) for explain in named.values()])
        others = None
        games: dict[str, list[Game]] = {}
        if len(rows) == 1 and subject.background is not None:
            others = first(subject.background[:OTHERS])
        elif values.shape[2] > 1:
            games["deletion"] = [subject.game(i) for i in range(len(rows))]
        made = cls(list(named), top=top)
        return made._compare(list(named), values, first(rows), None, games, notes, others)

    def _named(self) -> dict[str, Any]:
        given = self.settings
        named = dict(given) if isinstance(given, Mapping) else {str(s): s for s in given}
        if len(named) < 2 or len(named) != len(given):
            raise InputError(f"there are {len(named)} different settings; give at least two, the default first")
        return named

    def _compare(
        self,
        names: list[str],
        values: Vector,
        again: Vector,
        truth: ArrayLike | None,
        games: Mapping[str, Sequence[Game]],
        notes: list[str],
        others: Vector | None = None,
    ) -> Stability:
        V, W = (values, again) if self.signed else (np.abs(values), np.abs(again))
        maps = V.ndim == 4
        similarity = {MAIN: spearman(V), "correlation": pearson(V)}
        if not maps:
            similarity[f"overlap of the first {min(self.top, V.shape[2])}"] = top_overlap(V, self.top)
        elif min(V.shape[2:]) >= WINDOW:
            similarity |= {"structure (SSIM)": structural(V), "outlines (HOG)": outlines(V)}
        notes.append(f"contributions are compared {'with their sign' if self.signed else 'by size, without sign'}")
        flat = int((np.ptp(V.reshape(*V.shape[:2], -1), axis=2) == 0).sum())
        if flat:
            notes.append(f"{flat:,} of {V.shape[0] * V.shape[1]:,} explanations are constant; they are left out")
        accuracy = {name: np.stack([deletion_area(g, v) for v in values]) for name, g in games.items()}
        if truth is not None:
            inside = truth_of(truth, values.shape[1:])
            accuracy["pointing game"] = np.stack([pointing_game(inside, v) for v in values])
            accuracy["overlap with the truth"] = np.stack([overlap(inside, v) for v in values])
        ceiling = known_mean(spearman(np.stack([V[0], W]))[:, 0, 1])
        null = between_items(V[0], others if others is None or self.signed else np.abs(others))
        return Stability(names, similarity, null, ceiling, accuracy, notes, values)
