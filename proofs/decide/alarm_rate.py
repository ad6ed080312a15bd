"""Do normal rows that a detector has not seen alarm at the promised rate?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import betabinom

from proofs.harness import Proof
from proofs.scenarios import labelled_tables
from unusual.catalogue import make
from unusual.parts.conformal import Calibration, allowed

SYSTEM = "-"
DATA = "normal rows of the labelled tables (ADBench) with at least 1,000 of them"
FILES = ("tabular/*.npz",)

RATE, FITTED, CALIBRATION, NEW = 0.05, 300, 199, 500


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: the threshold comes from the rows that were fitted."""
    rng = np.random.default_rng([1, seed])
    alarms = []
    for _, X, y in labelled_tables(data_dir):
        normal = X[y == 0]
        if len(normal) < FITTED + CALIBRATION + NEW:
            continue
        rows = normal[rng.permutation(len(normal))[: FITTED + CALIBRATION + NEW]]
        fitted, kept, new = np.split(rows, [FITTED, FITTED + CALIBRATION])
        detector = make("KNN").fit(fitted)
        source = fitted[:CALIBRATION] if sabotage else kept
        threshold = Calibration.of(detector.anomaly_score(source), "held out").threshold(RATE)
        alarms.append(int((detector.anomaly_score(new) > threshold).sum()))
    counts = np.array(alarms)
    k = allowed(CALIBRATION, RATE)
    promised = k / (CALIBRATION + 1)
    law = betabinom(NEW, k, CALIBRATION + 1 - k)
    inside = (law.ppf(0.005) <= counts) & (counts <= law.ppf(0.995))
    return [
        Proof(
            "unseen normal rows alarm as often as promised, on average",
            "alarm rate",
            float(counts.mean() / NEW),
            promised,
            0.01,
            better="equal",
            against="promised",
        ),
        Proof(
            "a single calibration is off by no more than the beta-binomial law says",
            "share of runs within its 99 % interval",
            float(inside.mean()),
            float(law.cdf(law.ppf(0.995)) - law.cdf(law.ppf(0.005) - 1)),
            0.03,
            better="equal",
            against="expected",
        ),
    ]
