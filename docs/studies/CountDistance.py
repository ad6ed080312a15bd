"""Requests with more or fewer steps than any usual one."""

from __future__ import annotations

import numpy as np

from docs.example_log import sessions
from unusual import CountDistance
from unusual.study import Distribution, Study, Table


def study() -> Study:
    """Two requests among fifty: one is checked nine times, one never ends."""
    rng = np.random.default_rng(0)
    detector = CountDistance().fit(sessions(rng, 400))
    new = [*sessions(rng, 48), ["opened", *["was checked"] * 9, "read page", "ended"], ["opened", "was checked"]]
    scores = detector.anomaly_score(new)
    worst = np.argsort(-scores)[:3]
    said = [
        ", ".join(f"{n:+d} {name}" for name, n in gap.items()) for gap in detector.difference([new[i] for i in worst])
    ]
    rows = [[int(i), scores[i], text or "none"] for i, text in zip(worst, said, strict=True)]
    return Study(
        "Which requests have unusual counts of steps?",
        f"{int(detector.is_anomaly(new).sum())} of {len(new)} requests have counts that no usual request comes near.",
        [Distribution("Distance to the nearest usual counts, per step", "distance", scores, detector.threshold_),
         Table("The farthest", ["request", "distance", "against the nearest usual one"], rows)],
    )  # fmt: skip
