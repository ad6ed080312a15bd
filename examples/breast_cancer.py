"""Write a real table with rare anomalies as CSV: breast-cancer measurements, 357 benign and 12 malignant.

Usage: python examples/breast_cancer.py PATH
Source: Wisconsin Diagnostic Breast Cancer, as it ships inside scikit-learn.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

MALIGNANT = 12


def write(path: Path) -> None:
    """Write `sample`, the 30 measurements and `malignant` (0 or 1) of 369 samples to `path`."""
    data = load_breast_cancer()
    rng = np.random.default_rng(0)
    malignant = rng.choice(np.flatnonzero(data.target == 0), MALIGNANT, replace=False)
    chosen = rng.permutation(np.r_[np.flatnonzero(data.target == 1), malignant])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sample", *data.feature_names, "malignant"])
        for i in chosen:
            writer.writerow([f"S{i:03d}", *data.data[i].tolist(), int(data.target[i] == 0)])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
