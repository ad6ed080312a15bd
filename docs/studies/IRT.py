"""Which readings of one machine are out of line, with few false claims."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.data.read_table import read_table
from unusual.explain.null_features import IRT
from unusual.study import Study


def study() -> Study:
    """Eight sensors that follow two loads; one of them sticks."""
    rng = np.random.default_rng(0)
    names = ["pressure", "flow", "torque", "current", "inlet", "outlet", "speed", "vibration"]
    rows = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 8)) + 0.4 * rng.normal(size=(600, 8))
    usual = dict(zip(names, rows.T, strict=True))
    odd = {name: values[:1].copy() for name, values in usual.items()}
    odd["outlet"] += 6.0
    model = unusual.fit(usual)
    return IRT().explain(model, read_table(odd), read_table(usual)).study()
