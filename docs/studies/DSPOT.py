"""A stream that rises slowly, with a few high values: the threshold rises with it."""

from __future__ import annotations

import numpy as np

from unusual.decide.spot import DSPOT
from unusual.study import Study


def study() -> Study:
    """Noise on a slow wave, and three values far above their own time but not above the crest."""
    rng = np.random.default_rng(0)
    steps = np.arange(5000)
    values = 5 * np.sin(steps / 1500) + rng.normal(size=5000)
    values[[2000, 3100, 4900]] += 9.0
    return DSPOT(1e-3, depth=50, learn="clipped").fit(values[:1000]).run(values[1000:]).study()
