"""Lines of a kind that is hardly ever written."""

from __future__ import annotations

import numpy as np

from docs.example_log import logs, sessions
from unusual import RareTemplates
from unusual.study import Distribution, Study, Table


def study() -> Study:
    """One request fails, and somebody empties a cache by hand."""
    rng = np.random.default_rng(0)
    by_hand = "2024-03-01T01:23:45.000 WARN cache of node 7 was emptied by hand"
    quiet, new = logs(rng, [*sessions(rng, 60), ["opened", "was checked", "failed"]], [by_hand])
    detector = RareTemplates().fit(quiet)
    scores = detector.anomaly_score(new)
    kinds = {new.text(number): scores[new.template == number].max() for number in np.unique(new.template).tolist()}
    rows = [[text, score] for text, score in sorted(kinds.items(), key=lambda pair: -pair[1])]
    return Study(
        "Which kinds of lines are new or rare?",
        f"{int((scores > detector.threshold_).sum())} of {len(new)} lines are of kinds the quiet log does not know.",
        [Table("Kinds of lines", ["template", "score"], rows),
         Distribution("Rarity of all lines", "-log share", scores, detector.threshold_)],
    )  # fmt: skip
