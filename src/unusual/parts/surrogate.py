"""Weights for the parts of a game: by linear fits to random masks, by Shapley's axioms, by hiding one part at a time.

Sources: Ribeiro et al., "Why Should I Trust You?" Explaining the Predictions of Any Classifier, 2016 (the fit and its
kernel); Rashid et al., Using Stratified Sampling to Improve LIME Image Explanations, 2024 (stratified masks); Lundberg,
Lee, A Unified Approach to Interpreting Model Predictions, 2017, and Covert, Lee, Improving KernelSHAP, 2021 (Shapley
values by least squares); Petsiuk et al., RISE, 2018 (insertion and deletion).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import rankdata

from unusual.parts.masking import Game

Vector = NDArray[np.float64]
Masks = NDArray[np.bool_]

WIDTH = 0.25  # of the kernel, in units of cosine distance
RIDGE = 1.0


@dataclass(frozen=True)
class Surrogate:
    """A linear model of a game.

    Attributes
    ----------
    weights : (p,) array
        What keeping each part adds to the score.
    intercept : float
        Its score with all parts hidden.
    r2 : float
        Weighted share of the variance of the scores that it explains; nan where the scores do not vary.
    effective : float
        Effective sample size (sum w)^2 / sum w^2 of the masks.
    """

    weights: Vector
    intercept: float
    r2: float
    effective: float


# -- masks and their weights -------------------------------------------------------------------------------------------


def classic_masks(count: int, parts: int, rng: np.random.Generator) -> Masks:
    """Masks (count, parts) that keep each part with chance 1/2; the first keeps all."""
    masks = rng.random((count, parts)) < 0.5
    masks[0] = True
    return masks


def stratified_masks(count: int, parts: int, rng: np.random.Generator) -> Masks:
    """Masks (count, parts) for which each number of kept parts from 0 to p is as likely; the first keeps all."""
    masks = rng.random((count, parts)) < rng.random((count, 1))
    masks[0] = True
    return masks


def kernel_weights(masks: Masks) -> Vector:
    """sqrt(exp(-d^2 / width^2)) (m,), d the cosine distance of a mask to the one that keeps all (1 where none is)."""
    distance = 1 - np.sqrt(masks.mean(axis=1))  # cos = |z| / sqrt(|z| p)
    return np.asarray(np.exp(-np.square(distance / WIDTH) / 2))


def unbiased_weights(masks: Masks) -> Vector:
    """(p + 1) C(p, |z|) / 2^p (m,): turns sums over stratified masks into sums over classic ones; 1 for the first."""
    p, kept = masks.shape[1], masks.sum(axis=1)
    logs = np.log(p + 1) + gammaln(p + 1) - gammaln(kept + 1) - gammaln(p - kept + 1) - p * np.log(2)
    weights = np.exp(logs)  # by logarithms: the range is beyond a float from about a thousand parts
    weights[0] = 1.0
    return np.asarray(weights)


def shapley_masks(count: int, parts: int, rng: np.random.Generator) -> tuple[Masks, Vector]:
    """About `count` masks (m, parts) and weights (m,) for Shapley values by least squares.

    A set of k parts has weight (p - 1) / (C(p, k) k (p - k)). Sizes are taken complete from both ends as long as the
    count allows, the rest is drawn in pairs of a set and its complement.
    """
    sizes = np.arange(1, parts)
    mass = (parts - 1) / (sizes * (parts - sizes))  # of all sets of a size
    everything = 2**parts - 2 <= count
    masks, weights, left = [], [], count
    low, high = 1, parts - 1
    while low <= high:
        ends = sorted({low, high})
        many = comb(parts, low) * len(ends)
        if not everything and left * mass[[k - 1 for k in ends]].sum() < many * mass[low - 1 : high].sum():
            break
        for k in ends:
            masks.append(_all_of_size(k, parts))
            weights.append(np.full(len(masks[-1]), mass[k - 1] / len(masks[-1])))
        left, low, high = left - many, low + 1, high - 1
    if low <= high and left >= 2:
        share = mass[low - 1 : high] / mass[low - 1 : high].sum()
        drawn = rng.choice(np.arange(low, high + 1), left // 2, p=share)
        some = np.argsort(np.argsort(rng.random((len(drawn), parts)), axis=1), axis=1) < drawn[:, None]
        masks.append(np.concatenate([some, ~some]))
        weights.append(np.full(2 * len(drawn), mass[low - 1 : high].sum() / (2 * len(drawn))))
    return np.concatenate(masks), np.concatenate(weights)


def _all_of_size(size: int, parts: int) -> Masks:
    chosen = np.array(list(combinations(range(parts), size)))
    masks = np.zeros((len(chosen), parts), dtype=bool)
    np.put_along_axis(masks, chosen, True, axis=1)
    return masks


# -- fits --------------------------------------------------------------------------------------------------------------


def ridge_fit(masks: Masks, scores: Vector, weights: Vector) -> Surrogate:
    """Minimise sum w (f(z) - b0 - b z)^2 + |b|^2 over masks (m, p), scores (m,) and weights (m,)."""
    share = weights / weights.sum()
    middle, mean = share @ masks, float(share @ scores)
    Z, y = masks - middle, scores - mean  # the intercept is not penalised
    gram = (Z * weights[:, None]).T @ Z
    gram[np.diag_indices_from(gram)] += RIDGE
    b = np.linalg.solve(gram, Z.T @ (weights * y))
    if _constant(scores):
        b = np.zeros(masks.shape[1])
    return Surrogate(b, mean - float(middle @ b), _r2(y - Z @ b, y, weights), _effective(weights))


def kernel_shap(game: Game, count: int, rng: np.random.Generator) -> Surrogate:
    """Shapley values of a game: weights that add up to its score with all parts kept less that with none.

    Exact where all 2^p - 2 masks fit into the count.
    """
    masks, weights = shapley_masks(count, game.parts, rng)
    start, gain = game.hidden, game.whole - game.hidden
    Z, y = masks.astype(np.float64), game(masks) - start
    gram = (Z * weights[:, None]).T @ Z
    target = Z.T @ (weights * y)
    border = np.ones((game.parts, 1))
    system = np.block([[gram, border], [border.T, np.zeros((1, 1))]])  # Lagrange's condition that the sum is the gain
    b = np.linalg.lstsq(system, np.append(target, gain), rcond=None)[0][:-1]
    if _constant(np.append(y, [0.0, gain])):
        b = np.zeros(game.parts)
    return Surrogate(b, start, _r2(y - Z @ b, y - (weights @ y) / weights.sum(), weights), _effective(weights))


def occlusion(game: Game) -> Vector:
    """How much the score falls (p,) when one part alone is hidden."""
    return game.whole - game(~np.eye(game.parts, dtype=bool))


def _r2(residual: Vector, centred: Vector, weights: Vector) -> float:
    total = float(weights @ np.square(centred))
    return 1 - float(weights @ np.square(residual)) / total if not _constant(centred) and total > 0 else float("nan")


def _effective(weights: Vector) -> float:
    return float(weights.sum() ** 2 / np.square(weights).sum())


def _constant(scores: Vector) -> bool:
    return bool(np.ptp(scores) <= 1e-12 * np.abs(scores).max())


# -- what explanations are worth ---------------------------------------------------------------------------------------


def deletion_curve(game: Game, values: Vector) -> Vector:
    """Scores (p + 1,) as parts are hidden one after the other, those of the highest values (p,) first."""
    return game(~_first(values))


def insertion_curve(game: Game, values: Vector) -> Vector:
    """Scores (p + 1,) as parts are shown one after the other, those of the highest values (p,) first."""
    return game(_first(values))


def area(curve: Vector) -> float:
    """Mean of a curve (p + 1,) by the trapezoid rule: low is good for deletion, high for insertion."""
    return float(np.trapezoid(curve) / (len(curve) - 1))


def rank_agreement(values: Vector) -> float:
    """Mean Spearman correlation of all pairs of rows (r, p); two rows without any order agree, one of them does not."""
    ranks = rankdata(values, axis=1) - (values.shape[1] + 1) / 2
    length = np.linalg.norm(ranks, axis=1)
    flat = length == 0
    unit = ranks / np.where(flat, 1.0, length)[:, None]
    pairs = np.triu_indices(len(values), 1)
    return float(np.where(flat[:, None] & flat, 1.0, unit @ unit.T)[pairs].mean())


def _first(values: Vector) -> Masks:
    """Masks (p + 1, p) of the 0, 1, ..., p parts with the highest values; ties in their order."""
    place = np.argsort(np.argsort(-values, kind="stable"), kind="stable")
    return np.asarray(place < np.arange(len(values) + 1)[:, None])
