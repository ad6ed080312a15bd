"""StratifiedLime: explains any score by hiding parts, with masks of all sizes where half-masked items say nothing.

role: explainer
data: any
names: StratifiedLime
system: 183
paper: Rashid et al., Using Stratified Sampling to Improve LIME Image Explanations, 2024
needs: -
checkpoint: none

A linear model is fitted to the scores of copies of an item with random parts hidden. Ordinary masks hide about half of
the parts, always; a score that has fallen to its floor by then hardly varies, and the weights are noise. A pilot of 50
such masks tells whether that is so; if it is, masks are drawn that keep any number of parts with the same chance.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from unusual.errors import InputError, suggest
from unusual.explain.parts_explanation import PartsExplanation
from unusual.explain.subject import Fill, Hiding, Subject
from unusual.parts.masking import Game
from unusual.parts.surrogate import (
    Surrogate,
    classic_masks,
    kernel_shap,
    kernel_weights,
    rank_agreement,
    ridge_fit,
    stratified_masks,
    unbiased_weights,
)

MODES = ("auto", "classic", "stratified", "reweighted", "shapley")
PILOT = 50
FLAT = 0.2  # of the whole range of the scores: below it half-masked items say nothing
MANY_PARTS, FEW_SAMPLES = 500, 1000


class StratifiedLime(BaseEstimator):  # type: ignore[misc]
    """Contributions of parts to any score, by a linear model of its answers when parts are hidden.

    Parameters
    ----------
    mode : "auto", "classic", "stratified", "reweighted" or "shapley", default "auto"
        How masks are drawn and weighed: each part kept with chance 1/2; any number of parts with the same chance; the
        latter weighted back to the former, which is unbiased but leaves few effective samples; Shapley values by
        least squares. "auto" takes the first or the second, as a pilot says.
    n_samples : int, default 1000
        Copies of an item that are scored; for a table times eight rows that fill hidden columns.
    kind, parts, segments, fill : see `unusual.explain.subject.Hiding`
        Table, series or image; into how many parts; superpixels; what hidden parts show.
    seeds : int, default 3
        Fits from which `stability` comes; the first is the explanation.
    random_state : int, default 0
    """

    def __init__(
        self,
        mode: str = "auto",
        n_samples: int = 1000,
        kind: str = "table",
        parts: int = 50,
        segments: Any = "clusters",
        fill: Fill = None,
        seeds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.mode = mode
        self.n_samples = n_samples
        self.kind = kind
        self.parts = parts
        self.segments = segments
        self.fill = fill
        self.seeds = seeds
        self.random_state = random_state

    def explain(self, detector: Any, X: Any) -> PartsExplanation:
        """Contributions to the score of each item of X.

        Parameters
        ----------
        detector : fitted detector, fitted scan of a table, or anything with `anomaly_score(X) -> (n,)`
        X : rows (n, d), or a list of series (T,), (T, C) or images (H, W), (H, W, C), all of one shape

        Raises
        ------
        InputError
            If an option is unknown, an item has a single part, or the scores are not one finite number per item.
        """
        self._check()
        subject = Subject.of(detector, X, Hiding(self.kind, self.parts, self.segments, self.fill))
        if len({item.shape for item in subject.items}) > 1:
            raise InputError("the items of X have several shapes; explain those of one shape at a time")
        values, fits, modes, draws = [], [], [], []
        for i in range(len(subject.items)):
            index = subject.parts(i)
            game = subject.game(i, index)
            runs = [self.fit_game(game, seed) for seed in range(self.seeds)]
            fits.append(runs[0][0])
            modes.append(runs[0][1])
            values.append(subject.spread(fits[-1].weights, index))
            draws.append(np.stack([fit.weights for fit, _ in runs]))
        stability = float(np.mean([rank_agreement(w) for w in draws])) if self.seeds > 1 else None
        return PartsExplanation(np.stack(values), subject.names, stability, fits, modes, draws)

    def fit_game(self, game: Game, seed: int = 0) -> tuple[Surrogate, str]:
        """The linear model of one game, and the mode that was used."""
        self._check()
        if game.parts > MANY_PARTS and self.n_samples < FEW_SAMPLES:
            warnings.warn(
                f"{game.parts} parts are too many for {self.n_samples} samples: weights are mostly noise", stacklevel=2
            )
        rng = np.random.default_rng([self.random_state, seed])
        if self.mode == "shapley":
            return kernel_shap(game, self.n_samples, rng), "shapley"
        masks = classic_masks(self.n_samples, game.parts, rng)
        mode = self.mode
        if mode == "auto":
            mode = "stratified" if says_nothing(game, masks[1 : PILOT + 1]) else "classic"
        if mode != "classic":
            masks = stratified_masks(self.n_samples, game.parts, rng)
        weights = kernel_weights(masks)
        if mode == "reweighted":
            weights = weights * unbiased_weights(masks)
        return ridge_fit(masks, game(masks), weights), mode

    def _check(self) -> None:
        if self.mode not in MODES:
            hint = suggest(str(self.mode), list(MODES))
            raise InputError(f"mode is {self.mode!r}; use one of {', '.join(MODES)}{hint}")
        if self.n_samples <= PILOT or self.seeds < 1:
            raise InputError(
                f"n_samples is {self.n_samples} and seeds {self.seeds}; give more than {PILOT} samples and a seed"
            )


def says_nothing(game: Game, half_masked: NDArray[np.bool_]) -> bool:
    """Whether scores of half-masked items span less than a fifth of the range from nothing to everything hidden."""
    middle = game(half_masked)
    span = float(np.ptp(np.append(middle, [game.whole, game.hidden])))
    return bool(np.ptp(middle) < FLAT * span)
