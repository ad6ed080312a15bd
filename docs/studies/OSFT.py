"""Which columns matter in which of many alarms, at the price of one scored row for each question."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.explain.null_features import OSFT
from unusual.study import Study


def study() -> Study:
    """Forty alarms, each with two or three of twenty columns out of line."""
    rng = np.random.default_rng(0)
    usual = rng.normal(size=(1000, 20))
    alarms = rng.normal(size=(40, 20)) + 5.0 * (rng.uniform(size=(40, 20)) < 0.12)
    detector = unusual.make("Mahalanobis").fit(usual)
    return OSFT().explain(detector, alarms, usual).study()
