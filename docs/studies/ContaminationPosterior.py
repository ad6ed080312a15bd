"""How many of 600 rows do not belong, where 30 of them were put there."""

from __future__ import annotations

import numpy as np

import unusual
from unusual.study import Distribution, Study


def study() -> Study:
    """The posterior of the share for two clouds of rows and some far off them."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (300, 4)), rng.normal(4, 1, (270, 4)), rng.uniform(-8, 12, (30, 4))])
    found = unusual.make("ContaminationPosterior").fit([unusual.make("KNN").fit_anomaly_score(X)])
    low, high = found.interval_
    return Study(
        "How many rows of a table do not belong?",
        f"About {found.mean_:.1%} of the rows are anomalies (interval {low:.1%} to {high:.1%}); 5.0% were put there",
        [Distribution("Draws of the share of anomalies", "share", found.sample_[found.sample_ > 0])],
    )
