"""How far the reasons a model gives hang on the draws behind them."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.explain.sensitivity import AttributionSensitivity
from unusual.study import Study


def study() -> Study:
    """Thirty odd rows of twelve related columns, explained at a low price under five seeds."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(12, 12))
    usual = rng.normal(size=(800, 12)) @ mix
    odd = rng.normal(size=(30, 12)) @ mix + 4 * rng.normal(size=(30, 12))
    detector = unusual.make("KNN").fit(usual)
    return AttributionSensitivity.for_detector(detector, odd, evaluations=130).study()
