"""A hundred alarm rules are tried on one hold-out: those that only fit the training data are found out."""

from __future__ import annotations

import numpy as np

from unusual import Thresholdout
from unusual.study import Study


def study() -> Study:
    """Labels without any relation to the columns; each rule is fitted to a few training rows only."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(4000, 30)), rng.integers(0, 2, 4000)
    guard = Thresholdout((X[:2000], y[:2000]), (X[2000:], y[2000:]), random_state=3)
    for number in range(100):
        few = rng.choice(2000, 20 if number < 60 else 2000, replace=False)
        rule = np.linalg.lstsq(X[few], y[few] - 0.5, rcond=None)[0]
        guard.ask(lambda rows, labels, w=rule: (rows @ w > 0) == (labels == 1), name=f"rule {number + 1}")
    return guard.study()
