"""Does the learned test keep its level, and is it stronger over many kinds of difference than any classical one?"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proofs.harness import Proof
from proofs.survival_pairs import DIFFERENCES, alternative_pairs
from unusual.evaluate.censored_statistics import FREEDOM, STATISTICS
from unusual.evaluate.censored_two_sample import CensoredTwoSample

SYSTEM = "161"
DATA = "simulated pairs: 3,000 of equal laws (30 to 100 items each, 0 or 30 % censored), 2,000 of each of 6 differences"
NULL_PAIRS, PAIRS, UNEQUAL_PAIRS = 50, 200, 100  # of a cell and seed: ten seeds give 3,000, 12,000, 1,000
SIZES, SHARES = (30, 50, 100), (0.0, 0.3)
EACH, CENSORED = 100, 0.3
PERMUTATIONS = 99
LEVEL = 0.05
# the strongest single statistics on average and on each kind, found on other pairs than those of the proof
STRONGEST = "Bagdonavicius-Nikulin SCE"
STRONGEST_ON = {
    "proportional": "log-rank",
    "early": "Gehan-Wilcoxon",
    "late": "Bagdonavicius-Nikulin GPH",
    "crossing": "Bagdonavicius-Nikulin SCE",
    "scale": "Peto-Wilcoxon",
    "heavy tail": "Bagdonavicius-Nikulin GPH",
}

Vector = NDArray[np.float64]


def run(seed: int, data_dir: Path | None, sabotage: bool = False) -> list[Proof]:  # noqa: ARG001 - the harness's call
    """Sabotage: no learning and no permutations; the smallest of the thirteen tabled p-values is taken."""
    null, unequal, power = rejections(seed)
    column = 1 if sabotage else 0
    size = [cell[:, column].mean() for cell in null]
    learned = [kind[:, column].mean() for kind in power]
    single = np.array([kind[:, 2:].mean(axis=0) for kind in power])  # (6, 10)
    average = dict(zip(STATISTICS, single.mean(axis=0).tolist(), strict=False))
    near = [0.9 * kind[STATISTICS.index(STRONGEST_ON[name])] for name, kind in zip(DIFFERENCES, single, strict=True)]
    early = DIFFERENCES.index("early")
    return [
        Proof(
            "the learned test finds differences of six kinds more often than the strongest single classical test",
            "mean power at 5 %",
            float(np.mean(learned)),
            average[STRONGEST],
            0.0,
            against=STRONGEST,
            note="ten single statistics have their p-values by the same permutations",
        ),
        Proof(
            "it finds them more often than the log-rank test",
            "mean power at 5 %",
            float(np.mean(learned)),
            average["log-rank"],
            0.05,
            against="log-rank",
        ),
        Proof(
            "it is near the classical test that is strongest on a kind",
            "power at 5 %",
            learned,
            near,
            0.0,
            against="0.9 of the strongest of ten on that kind",
        ),
        Proof(
            "also on early differences, where it falls behind most",
            "power at 5 %",
            learned[early],
            near[early],
            0.0,
            against="0.9 of Gehan's test",
        ),
        Proof(
            "equal laws under equal censoring are called different at the promised rate",
            "share rejected at 5 %",
            size,
            [LEVEL] * len(size),
            0.015,
            better="equal",
            against="0.05",
        ),
        Proof(
            "where the second group is watched ten times as long the rate hardly moves, though nothing promises it",
            "share rejected at 5 %",
            unequal[:, column].mean(),
            LEVEL,
            0.025,
            better="equal",
            against="0.05",
            note="a clear violation had been expected; statistics of those at risk are robust to unequal censoring",
        ),
    ]


@cache
def rejections(seed: int) -> tuple[list[Vector], Vector, list[Vector]]:
    """Whether pairs are rejected: columns learned, smallest of thirteen, and the ten by permutation."""
    rng = np.random.default_rng([161, seed])
    null = [judged(rng, None, NULL_PAIRS, each, share) for each in SIZES for share in SHARES]
    unequal = judged(rng, None, UNEQUAL_PAIRS, EACH, 0.5, unequal=10.0)
    return null, unequal, [judged(rng, kind, PAIRS, EACH, CENSORED) for kind in DIFFERENCES]


def judged(
    rng: np.random.Generator, kind: str | None, pairs: int, each: int, share: float, unequal: float = 1.0
) -> Vector:
    """Rejections (pairs, 12) of simulated pairs at 5 %."""
    rows = []
    for time, event, first in zip(*alternative_pairs(rng, kind, pairs, each, share, unequal), strict=True):
        columns = time, event.astype(int), 1 - first[0].astype(int)
        test = CensoredTwoSample(PERMUTATIONS, random_state=int(rng.integers(2**31)))
        found = test.test(*columns)
        tabled = [p for _, p in CensoredTwoSample(method="table").test(*columns).statistics.values()]
        own = [p for _, p in found.statistics.values()][: len(FREEDOM)]
        rows.append(np.array([found.p_value, min(tabled), *own]) <= LEVEL)
    return np.array(rows, dtype=np.float64)
