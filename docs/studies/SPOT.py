"""A stream of scores with a few high ones, and the threshold that one normal score in a thousand exceeds."""

from __future__ import annotations

import numpy as np

from unusual.decide.spot import SPOT
from unusual.study import Study


def study() -> Study:
    """Exponential scores, of which three are twice as high as any other."""
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=5000)
    scores[[2000, 3100, 4400]] = 20.0
    return SPOT(1e-3).fit(scores[:1000]).run(scores[1000:]).study()
