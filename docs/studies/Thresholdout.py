"""Rules of more and more columns are tried on one hold-out: those that only fit the training data are found out."""

from __future__ import annotations

import numpy as np

from unusual import Thresholdout
from unusual.study import Study


def study() -> Study:
    """Labels that one column of a hundred knows something about."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(5000, 100)), rng.integers(0, 2, 5000)
    X[:, 0] += y - 0.5
    train, holdout = (X[:1000], y[:1000]), (X[1000:], y[1000:])
    guard = Thresholdout(train, holdout, random_state=3)
    for k in range(1, 101):
        rule = np.linalg.lstsq(train[0][:, :k], train[1] - 0.5, rcond=None)[0]
        guard.ask(lambda rows, labels, w=rule: (rows[:, : len(w)] @ w > 0) == (labels == 1), name=f"{k} columns")
    return guard.study()
