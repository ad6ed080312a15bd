"""Two numbers of trees of an isolation forest under thirty seeds each: a gain, or luck?"""

from __future__ import annotations

import numpy as np

from unusual import SeedScan, make
from unusual.evaluate.seed_comparison import compare_seeds
from unusual.study import Study


def study() -> Study:
    """Rows of a cloud and a few scattered around it."""
    rng = np.random.default_rng(5)
    X = np.vstack([rng.normal(size=(280, 6)), 1.7 * rng.normal(size=(20, 6))])
    y = np.arange(300) >= 280
    scans = [
        SeedScan.of_detector(make("IsolationForest", n_estimators=trees), X, y, seeds=30, name=f"{trees} trees").run()
        for trees in (40, 20)
    ]
    return compare_seeds(*scans).study()
