"""Does the comparison of gaze keep its level, find what is there, and need the pairs?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from proofs.harness import Proof
from unusual.data.fixations import GazeRecords
from unusual.data.gaze_simulation import simulated_gaze
from unusual.evaluate.fixations import FixationStudy
from unusual.evaluate.gaze_statistics import Gaze, entropy
from unusual.parts.paired_tests import rank_sum

SYSTEM = "089"
DATA = "simulated gaze on 30 pairs of images by 15 observers; real recordings are the user's to give"
CLAIM = "an alteration that draws 30 % of the gaze lowers the entropy of its map at p < 0.01"

POWER_RUNS, SIZE_RUNS = 20, 150
PAIRS, OBSERVERS = 30, 15


def run(seed: int, _data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: every fixation counts as a pair of its own, with its distance to the middle of its image."""
    there = [p_values(100_000 * seed + r, 0.3, sabotage) for r in range(POWER_RUNS)]
    nothing = [p_values(100_000 * seed + 50_000 + r, 0.0, sabotage) for r in range(SIZE_RUNS)]
    weak = [p_values(100_000 * seed + 20_000 + r, 0.15, sabotage) for r in range(POWER_RUNS)]
    found = np.mean([paired < 0.01 for paired, _ in there])
    false = np.mean([paired < 0.05 for paired, _ in nothing])
    pairs, loose = (np.mean([p[k] < 0.05 for p in weak]) for k in (0, 1))
    return [
        Proof(CLAIM, "share of runs", float(found), 0.9, 0.0, against="wanted"),
        Proof("two images seen alike are told apart at 5 % no more often than that", "share of runs", float(false),
              0.07, 0.0, better="lower", against="allowed"),
        Proof("pairs matter: at half the weight the paired test finds more than the unpaired", "share of runs at 5 %",
              float(pairs), float(loose), 0.1, against="rank sum of all images"),
    ]  # fmt: skip


def p_values(seed: int, weight: float, sabotage: bool) -> tuple[float, float]:
    """Of the paired test of entropy, and of the same images without their pairing."""
    records = simulated_gaze(PAIRS, OBSERVERS, weight, random_state=seed)
    if sabotage:
        p = of_fixations(records)
        return p, p
    study = FixationStudy(["entropy"], observer_draws=0, resamples=100, random_state=seed)
    values = entropy(Gaze.of(records, seed))
    return study.run(records)["entropy"].p_value, rank_sum(values[1::2], values[::2])[1]


def of_fixations(records: GazeRecords) -> float:
    """p-value of single fixations, as if each were independent of all others."""
    one = replace(records, duration=np.ones(len(records.duration)))
    size = one.sizes[one.image]
    away = np.hypot(one.x - size[:, 0] / 2, one.y - size[:, 1] / 2)
    return rank_sum(away[one.image % 2 == 1], away[one.image % 2 == 0])[1]
