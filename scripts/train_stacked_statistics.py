"""Trains the combination of the thirteen statistics of CensoredTwoSample and tables its law; about two minutes.

Run from the root of the checkout: python -m scripts.train_stacked_statistics
"""

from __future__ import annotations

import json

import numpy as np
from proofs.survival_pairs import censored, through, training_pairs
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from unusual.evaluate.censored_statistics import STATISTICS, thirteen
from unusual.evaluate.stacked_statistics import CENSORED, LARGEST, NUMBERS, SIZES, features
from unusual.parts.survival import Pooled

SEED = 161
BATCHES, PAIRS = 240, 250  # of equal and of differing pairs, in turn: 60,000 pairs
NULL_PAIRS = 10_000  # for each class of size and censoring
LEVELS = (1.0, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)


def main() -> None:
    """Write the numbers beside the module that reads them."""
    rng = np.random.default_rng(SEED)
    X, y = simulated(rng)
    scale = StandardScaler().fit(X)
    model = LogisticRegression(max_iter=5000).fit(scale.transform(X), y)
    spread = np.where(scale.scale_ > 0, scale.scale_, 1.0)
    coefficients = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - scale.mean_ @ coefficients)
    numbers = {
        "features": [*STATISTICS, *(f"size {i}" for i in range(4)), *(f"censored {i}" for i in range(4))],
        "coefficients": [round(float(c), 6) for c in coefficients],
        "intercept": round(intercept, 6),
        "levels": LEVELS,
    }
    law = [[null_law(rng, numbers, i, j) for j in range(len(CENSORED) + 1)] for i in range(len(SIZES) + 1)]
    NUMBERS.write_text(json.dumps({**numbers, "quantiles": law}, indent=1) + "\n", encoding="utf-8")
    print(f"trained on {len(y):,} pairs; {NUMBERS.name} written")


def simulated(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Features (60,000, 21) and whether the pair differs."""
    X, y = [], []
    for batch in range(BATCHES):
        n1 = int(np.exp(rng.uniform(np.log(20), np.log(500))))
        n2 = int(np.clip(n1 * np.exp(rng.uniform(-0.5, 0.5)), 20, 700))
        time, event, first = training_pairs(rng, PAIRS, n1, n2, differ=batch % 2 == 1)
        p_values = thirteen(Pooled.of(time, event), first)[1][:, 0]
        shares = 1 - event.mean(axis=1)
        X += [features(p, min(n1, n2), share) for p, share in zip(p_values, shares, strict=True)]
        y += [batch % 2] * PAIRS
    return np.array(X), np.array(y)


def null_law(rng: np.random.Generator, numbers: dict, size: int, share: int) -> list[float]:
    """Quantiles of the log odds of pairs of one law, sizes and censoring drawn within a class."""
    low, high = ((20, 49), (50, 99), (100, 499), (500, 1000))[size]
    least, most = ((0.0, 0.0), (0.01, 0.15), (0.15, 0.35), (0.35, 0.6))[share]
    found = []
    for _ in range(20):
        n = int(rng.integers(low, high + 1))
        pairs = NULL_PAIRS // 20
        family, shape = rng.integers(4, size=(pairs, 1)), np.exp(rng.uniform(np.log(0.6), np.log(3), (pairs, 1)))
        time = through(family, shape, rng.exponential(size=(pairs, 2 * n)))
        time, event, first = censored(rng, time, n, rng.uniform(least, most, pairs))
        p_values = thirteen(Pooled.of(time, event), first)[1][:, 0]
        logs = np.minimum(-np.log(np.maximum(p_values, np.exp(-LARGEST))), LARGEST)
        coefficients = np.array(numbers["coefficients"])
        constant = numbers["intercept"] + coefficients[13 + size] + coefficients[17 + share]
        found.append(logs @ coefficients[:13] + constant)
    return [round(float(q), 4) for q in np.quantile(np.concatenate(found), 1 - np.array(LEVELS))]


if __name__ == "__main__":
    main()
