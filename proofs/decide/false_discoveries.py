"""Is the share of false findings below the promise, while anomalies are found?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from proofs.harness import Proof
from unusual.catalogue import make
from unusual.decide.fdr import Discoveries, benjamini_hochberg

SYSTEM = "-"
DATA = "synthetic: 5 normal columns, 30 of 300 rows moved by 4 standard deviations in a random direction"
QUICK = True

FDR, FITTED, CALIBRATION, NEW, ODD, REPEATS = 0.1, 500, 999, 300, 30, 12


def run(seed: int, _data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: no correction for the number of rows, each is reported at p <= 10 %."""
    rng = np.random.default_rng([2, seed])
    false, power = [], []
    for _ in range(REPEATS):
        mix = rng.normal(size=(5, 5))
        detector = make("KNN").fit(rng.normal(size=(FITTED, 5)) @ mix)
        detector.calibrate(rng.normal(size=(CALIBRATION, 5)) @ mix)
        ways = rng.normal(size=(ODD, 5))
        new = rng.normal(size=(NEW, 5))
        new[:ODD] += 4 * ways / np.linalg.norm(ways, axis=1, keepdims=True)
        p = detector.p_value(new @ mix)
        found = Discoveries(p <= FDR, FDR) if sabotage else benjamini_hochberg(p, FDR)
        false.append(found.mask[ODD:].sum() / max(1, len(found)))
        power.append(found.mask[:ODD].mean())
    claim = "of the findings no more than the promised share are false"
    return [
        Proof(claim, "false-discovery rate", float(np.mean(false)), FDR, 0.0, better="lower", against="promised"),
        Proof("and anomalies are found", "power", float(np.mean(power)), 0.3, 0.0, against="wanted"),
    ]
