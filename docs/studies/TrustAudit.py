"""Alarms of a motor's model that also reacts to who was on shift."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.data.read_table import read_table
from unusual.explain.trust import TrustAudit
from unusual.study import Study


def study() -> Study:
    """Thirty motors run hot; the crew of ten of them never occurred when the model was fitted."""
    rng = np.random.default_rng(0)

    def motors(n: int, crew: float) -> dict[str, np.ndarray]:
        load = rng.uniform(0.2, 1.0, size=n)
        return {
            "load": load,
            "temperature": 30 + 40 * load + rng.normal(0, 1.5, n),
            "speed": 1400 + 80 * load + rng.normal(0, 5, n),
            "current": 2 + load + rng.normal(0, 0.05, n),
            "pressure": rng.normal(5, 0.5, n),
            "crew": rng.normal(crew, 0.3, n),
        }

    model = unusual.fit(motors(400, crew=2.0))
    hot = [motors(20, crew=2.0), motors(10, crew=9.0)]
    for part in hot:
        part["temperature"] += np.where(np.arange(len(part["load"])) < 20, 14.0, 0.0)
    odd = read_table({name: np.concatenate([part[name] for part in hot]) for name in hot[0]})
    truth = np.tile(np.array(list(hot[0])) == "temperature", (30, 1))
    return TrustAudit(n_samples=200).run(model, odd, truth, cue=["crew"]).study()
