"""A kind of line that suddenly comes far more often."""

from __future__ import annotations

import numpy as np

from docs.example_log import logs, sessions
from unusual import TemplateBursts
from unusual.study import Lines, Study, Table


def study() -> Study:
    """One request reads eighty pages within a second."""
    rng = np.random.default_rng(0)
    start = np.datetime64("2024-03-01T01:23:50.000")
    burst = [f"{start + np.timedelta64(12 * k, 'ms')} INFO request=5030 read page after 3 ms" for k in range(80)]
    quiet, new = logs(rng, sessions(rng, 60), burst)
    detector = TemplateBursts().fit(quiet)
    scores = detector.anomaly_score(new)
    first = detector.bursts(new, magnitude=8.0)[0]
    rows = [[new.text(first.template), len(first.rows), first.usual, first.end - first.start]]
    seconds = new.time - new.time[0]
    return Study(
        "Does any kind of line come in a burst?",
        f"{len(first.rows)} lines of one kind came where {first.usual:.2g} are usual.",
        [Table("The strongest burst", ["template", "lines", "usual", "seconds"], rows),
         Lines("Where bursts begin", "seconds", "-log p", {"score": (seconds, scores)})],
    )  # fmt: skip
