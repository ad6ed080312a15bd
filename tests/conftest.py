"""What all tests share: where the real data lie, and a seeded generator."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")

TEST_DATA = Path(os.environ.get("UNUSUAL_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real labelled data; tests that need it are skipped where it is absent."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"no real test data at {TEST_DATA}; set UNUSUAL_TEST_DATA to their folder")
    return TEST_DATA


@pytest.fixture(scope="session")
def pyod_scores(real_data: Path) -> dict[str, np.ndarray]:
    """Scores that PyOD computed on wine and glass, with their inputs."""
    path = real_data / "oracles" / "pyod_scores.npz"
    if not path.is_file():
        pytest.skip(f"no golden values at {path}")
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)
