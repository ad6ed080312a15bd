"""Which readings of a motor a model reacted to, by hiding them."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.data.read_table import read_table
from unusual.explain.stratified_lime import StratifiedLime
from unusual.study import Study


def study() -> Study:
    """A motor that runs hot for its load: each reading is ordinary by itself."""
    rng = np.random.default_rng(0)
    load = rng.uniform(0.2, 1.0, size=500)
    usual = {
        "load": load,
        "temperature": 30 + 40 * load + rng.normal(0, 1.5, 500),
        "speed": 1400 + 80 * load + rng.normal(0, 5, 500),
        "current": 2 + load + rng.normal(0, 0.05, 500),
        "pressure": rng.normal(5, 0.5, 500),
        "room": rng.normal(20, 1, 500),
    }
    hot = {"load": 0.3, "temperature": 66.0, "speed": 1424.0, "current": 2.3, "pressure": 5.0, "room": 20.0}
    model = unusual.fit(usual)
    odd = read_table({name: np.array([value]) for name, value in hot.items()})
    return StratifiedLime().explain(model, odd).study()
