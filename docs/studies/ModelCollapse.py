"""A kernel density retrained on its own samples: how fast it spreads, and how much real data would stop it."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.study import Study


def study() -> Study:
    """Ten generations from two clouds of values."""
    rng = np.random.default_rng(0)
    real = {"reading": np.r_[rng.normal(-2, 0.7, 150), rng.normal(2, 0.7, 150)]}
    audit = unusual.make("ModelCollapse", fitter="kde", trajectories=20, repeats=60)
    return audit.run(real, search=False).study()
