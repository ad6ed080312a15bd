"""Requests whose steps come in an order that is never seen."""

from __future__ import annotations

import numpy as np

from docs.example_log import sessions
from unusual import NGramSurprise
from unusual.study import Distribution, Study, Table


def study() -> Study:
    """Two requests among fifty have the usual steps in another order."""
    rng = np.random.default_rng(0)
    detector = NGramSurprise().fit(sessions(rng, 400))
    odd = [["opened", "read page", "was checked", "ended"], ["was checked", "opened", "read page", "ended"]]
    new = [*sessions(rng, 48), *odd]
    scores = detector.anomaly_score(new)
    steps = [[step, value] for step, value in zip(odd[0], detector.explain([odd[0]]), strict=True)]
    return Study(
        "Which requests went in an unusual order?",
        f"{int(detector.is_anomaly(new).sum())} of {len(new)} requests took a step that never follows the one before.",
        [Distribution("Surprise of the most surprising step", "-log P", scores, detector.threshold_),
         Table("The steps of one of them", ["step", "-log P"], steps)],
    )  # fmt: skip
