"""Two designs of a pump whose survival curves cross: told apart where the log-rank test sees nothing."""

from __future__ import annotations

import numpy as np

from unusual import CensoredTwoSample
from unusual.study import Study


def study() -> Study:
    """The old design wears out slowly; the new one fails early or lasts."""
    rng = np.random.default_rng(7)
    design = np.repeat(["old", "new"], 120)
    life = np.where(design == "old", 9 * rng.weibull(2.5, 240), 10 * rng.weibull(0.9, 240))  # thousand hours
    watched = rng.uniform(4, 16, 240)
    return CensoredTwoSample().test(np.minimum(life, watched), life <= watched, design).study()
