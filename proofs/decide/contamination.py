"""Is the posterior of the share of anomalies nearer the truth than rules with a fixed share or a fixed distance?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from proofs.harness import Proof
from proofs.scenarios import labelled_tables, mixture
from unusual.catalogue import make
from unusual.decide.contamination import DETECTORS, ContaminationPosterior
from unusual.decide.threshold import quantile_threshold

SYSTEM = "029"
DATA = "16 labelled tables (ADBench, at most 1,000 rows, under 25 % anomalies), 20 mixtures of 1-20 %, 10 clean ones"
FILES = ("tabular/*.npz",)
CLAIM = "the posterior mean is nearer the true share of anomalies"

MOST_ROWS, MIXTURES, CLEAN = 1000, 20, 10
Vector = NDArray[np.float64]
Scored = tuple[Vector, NDArray[np.int64]]


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: the mixture sees draws of one normal law in place of the scores."""
    real, mixed, clean = scored(seed, data_dir)
    rng = np.random.default_rng(seed)
    seen = [(np.exp(rng.normal(size=S.shape)) if sabotage else S) for S, _ in [*real, *mixed, *clean]]
    found = [ContaminationPosterior(random_state=seed).fit(S) for S in seen]
    means = np.array([posterior.mean_ for posterior in found])
    some = [*real, *mixed]
    truth = np.array([y.mean() for _, y in some])
    error = np.abs(means[: len(some)] - truth)
    one = [standardised(S) for S, _ in some]
    fixed = np.abs(0.1 - truth)
    of_rules = {name: np.abs([rule(s) for s in one] - truth) for name, rule in RULES.items()}
    limits = np.array([np.quantile(posterior.sample_, [0.05, 0.95]) for posterior in found[: len(some)]])
    covered = (limits[:, 0] <= truth) & (truth <= limits[:, 1])
    f1 = [[f1_of(s, y, share) for share in (m, 0.1)] for s, m, (_, y) in zip(one, means, some, strict=False)]
    k = len(real)
    options = {"metric": "absolute error", "needs_margin": 0.0, "better": "lower"}
    return [
        Proof(CLAIM, ours=error, baseline=fixed, against="10 % for all", **options),
        Proof("the same on the real tables alone", ours=error[:k], baseline=fixed[:k], against="10 %", **options),
        Proof("the same on the mixtures alone", ours=error[k:], baseline=fixed[k:], against="10 %", **options),
        *(Proof(CLAIM, ours=error, baseline=other, against=name, **options) for name, other in of_rules.items()),
        Proof("the 90 % interval holds the truth", "share of sets", covered.astype(float), [0.7] * len(some), 0.0),
        Proof("a cut at the mean finds more", "F1", *np.transpose(f1), needs_margin=0.0, against="10 % for all"),
        Proof("clean data are called clean", "mean share", means[len(some) :], [0.03] * CLEAN, 0.0, better="lower"),
    ]


@cache
def scored(seed: int, data_dir: Path | None) -> tuple[list[Scored], list[Scored], list[Scored]]:
    """Scores (n, 3) and labels (n,) of the real tables, the mixtures and the clean data of a seed."""
    rng = np.random.default_rng([29, seed])
    real = []
    for _, X, y in labelled_tables(data_dir):
        rows = rng.permutation(len(X))[:MOST_ROWS]
        if 0 < y[rows].mean() < 0.25:
            real.append((scores_of(X[rows]), y[rows]))
    shares = [*rng.uniform(0.01, 0.2, MIXTURES), *[0.0] * CLEAN]
    made = [mixture(rng, int(rng.choice([500, 1000])), share) for share in shares]
    others = [(scores_of(X), y) for X, y in made]
    return real, others[:MIXTURES], others[MIXTURES:]


def scores_of(X: Vector) -> Vector:
    """Scores (n, 3) by the default detectors, each row as if left out."""
    return np.column_stack([make(name).fit_anomaly_score(X) for name in DETECTORS])


def standardised(S: Vector) -> Vector:
    """One score (n,) for the rules that take only one: the mean of the z-scored detectors."""
    return np.asarray(((S - S.mean(axis=0)) / S.std(axis=0)).mean(axis=1))


def f1_of(scores: Vector, y: NDArray[np.int64], share: float) -> float:
    """F1 of flagging the highest `share` of the scores."""
    flagged = scores > quantile_threshold(scores, share) if share > 0 else np.zeros(len(scores), dtype=bool)
    return float(2 * y[flagged].sum() / (flagged.sum() + y.sum()))


def iqr_rule(s: Vector) -> float:
    """Share above the upper quartile plus 1.5 times the distance of the quartiles."""
    low, high = np.quantile(s, [0.25, 0.75])
    return float((s > high + 1.5 * (high - low)).mean())


def mad_rule(s: Vector, factor: float = 3 * 1.4826) -> float:
    """Share above the median plus three normal-consistent median absolute deviations."""
    middle = np.median(s)
    return float((s > middle + factor * np.median(np.abs(s - middle))).mean())


def otsu_rule(s: Vector) -> float:
    """Share in the upper of the two classes with the greatest variance between them."""
    x = np.sort(s)
    below = np.arange(1, len(x))
    left = np.cumsum(x)[:-1] / below
    right = (x.sum() - np.cumsum(x)[:-1]) / (len(x) - below)
    best = int(np.argmax(below * (len(x) - below) * (left - right) ** 2))
    return 1 - below[best] / len(x)


def gamma_rule(s: Vector) -> float:
    """Share above the 99 % quantile of the gamma law with the mean and variance of the heights above the minimum."""
    height = s - s.min()
    mean, variance = height.mean(), height.var()
    return float((height > stats.gamma(mean**2 / variance, scale=variance / mean).ppf(0.99)).mean())


RULES: dict[str, Callable[[Vector], float]] = {
    "IQR": iqr_rule,
    "MAD": mad_rule,
    "median + 3 MAD": lambda s: mad_rule(s, 3.0),
    "Otsu": otsu_rule,
    "gamma fit": gamma_rule,
}
