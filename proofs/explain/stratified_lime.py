"""Are weights nearer the truth when masks keep any number of parts, where half-masked items no longer score?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import spearmanr

from proofs.harness import Proof
from unusual.explain.stratified_lime import StratifiedLime
from unusual.parts.masking import Game

SYSTEM = "183"
DATA = "simulated scores with known weights of the parts: additive, and sigmoid(25 (c z - t)); 500 samples each"
SAMPLES, ITEMS = 500, 4  # of each kind of score in a seed
DEAF = ((60, 0.9), (100, 0.9), (100, 0.8))  # parts and t: half-masked items score nothing
HEARING = ((20, 0.9), (20, 0.5), (60, 0.5))
ADDITIVE = (20, 60)  # parts
NOTE = (
    "stratified masks gain where half-masked items score little (also with 20 parts saturating at 0.9: 0.84 against "
    "0.78), and lose the gain when they are weighted back to classic ones; photographs come with detectors of images"
)
QUICK = True
Vector = NDArray[np.float64]


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:  # noqa: ARG001
    """Sabotage: masks are never stratified."""
    other = {"stratified": "classic", "auto": "classic"} if sabotage else {}
    modes = ("classic", "stratified", "reweighted", "auto")
    classic, strata, back, auto = (np.array(saturating(seed, other.get(mode, mode))) for mode in modes)
    exact = np.array([additive(seed, other.get(mode, mode)) for mode in modes])  # (modes, kinds)
    k, metric = len(DEAF), "rank correlation with the true weights"

    few = (effective(seed, "reweighted"), effective(seed, other.get("stratified", "stratified")))

    def part(claim: str, ours: Vector, baseline: Vector, against: str, margin: float, better: str = "higher") -> Proof:
        return Proof(claim, metric, float(ours.mean()), float(baseline.mean()), margin, NOTE, better, against)

    return [
        *(
            part(f"{p} parts, saturating at {t}: any number kept", strata[i], classic[i], "half kept", 0.05)
            for i, (p, t) in enumerate(DEAF)
        ),
        part("there it is better not to weigh back", strata[:k], back[:k], "weighted back", 0.05),
        part("where half-masked items score: half kept", classic[k:], strata[k:], "any number kept", 0.05),
        part("a pilot chooses, over all kinds", auto, classic, "half kept", 0.05),
        part(
            "the pilot's choice is the better one", auto, np.maximum(classic, strata), "better of each", 0.03, "equal"
        ),
        part("additive scores are recovered in all modes", exact, np.ones(1), "exact", 0.02, "equal"),
        Proof(
            "weighing back costs samples", f"effective of {SAMPLES} samples", *few, 100.0, NOTE, "lower", "unweighted"
        ),
    ]


def saturating(seed: int, mode: str) -> list[float]:
    """Mean rank correlation with the true weights for each kind of saturating score."""
    return [_correlation(seed, mode, p, t) for p, t in (*DEAF, *HEARING)]


def additive(seed: int, mode: str) -> list[float]:
    """The same for additive scores."""
    return [_correlation(seed, mode, p, None) for p in ADDITIVE]


def effective(seed: int, mode: str) -> float:
    """Effective sample size of the masks over 100 parts."""
    lime = StratifiedLime(mode, n_samples=SAMPLES, random_state=seed)
    return lime.fit_game(Game(100, lambda Z: Z.mean(axis=1)))[0].effective


@cache
def _correlation(seed: int, mode: str, p: int, t: float | None) -> float:
    rng = np.random.default_rng([183, seed, p])
    lime = StratifiedLime(mode, n_samples=SAMPLES, random_state=seed)
    found = []
    for _ in range(ITEMS):
        c = rng.dirichlet(np.ones(p))
        fit, _ = lime.fit_game(Game(p, _score(c, t)))
        found.append(spearmanr(fit.weights, c).statistic)
    return float(np.mean(found))


def _score(c: Vector, t: float | None) -> Callable[[NDArray[np.bool_]], Vector]:
    return lambda Z: Z @ c if t is None else expit(25 * (Z @ c - t))
