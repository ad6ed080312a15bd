"""Which detector, on which form of the columns, fitted on what: 16 ways to the AUROC of one table."""

from __future__ import annotations

import numpy as np

from unusual.audit.multiverse import Multiverse
from unusual.study import Study


def study() -> Study:
    """Two crescents of normal rows and a small group beside them."""
    rng = np.random.default_rng(0)
    t = rng.uniform(0, np.pi, 240)
    upper = np.arange(240) < 120
    normal = np.column_stack([np.where(upper, np.cos(t), 1 - np.cos(t)), np.where(upper, np.sin(t), 0.4 - np.sin(t))])
    X = np.vstack([normal + rng.normal(0, 0.08, normal.shape), rng.normal([0.5, 0.2], 0.1, (20, 2))])
    grid = {
        "method": ("KNN", "LOF", "Mahalanobis", "ECOD"),
        "columns": ("as given", "normal scores"),
        "fit": ("normal rows only", "as they come"),
        "tested": ("first half", "second half"),
    }
    return Multiverse.of_detectors(X, (np.arange(len(X)) >= 240).astype(int), grid).study()
