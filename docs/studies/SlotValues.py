"""A number that is far too large for the line it stands in."""

from __future__ import annotations

import numpy as np

from docs.example_log import logs, sessions
from unusual import SlotValues
from unusual.study import Distribution, Study, Table


def study() -> Study:
    """One page takes ten thousand times as long to read as usual."""
    rng = np.random.default_rng(0)
    slow = "2024-03-01T01:23:50.300 INFO request=5030 read page after 41000 ms"
    quiet, new = logs(rng, sessions(rng, 60), [slow])
    detector = SlotValues().fit(quiet)
    scores = detector.anomaly_score(new)
    values = {"usual": "1 to 49 ms", "here": "41,000 ms"}
    return Study(
        "Which lines hold unusual values?",
        f"The most unusual of {len(new)} lines has a value whose p-value is {np.exp(-scores.max()):.1g}.",
        [Distribution("The most unusual value of each line", "-log p", scores, detector.threshold_),
         Table("The value", list(values), [list(values.values())])],
    )  # fmt: skip
