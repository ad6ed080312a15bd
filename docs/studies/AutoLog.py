"""A log scanned from file to findings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from docs.example_log import lines_of, sessions
from unusual._log_scan import scan_log
from unusual.study import Study


def study() -> Study:
    """A quiet log as reference; in the new one a request fails, one goes out of order, and one line is new."""
    rng = np.random.default_rng(0)
    requests = sessions(rng, 120)
    requests[40] = ["opened", "ended", "was checked"]
    requests[80] = ["opened", "was checked", "failed"]
    by_hand = "2024-03-01T01:24:50.000 WARN cache of node 7 was emptied by hand"
    with tempfile.TemporaryDirectory() as folder:
        quiet, new = Path(folder, "quiet.log"), Path(folder, "new.log")
        quiet.write_text("\n".join(lines_of(rng, sessions(rng, 800), 1000)) + "\n")
        new.write_text("\n".join(sorted([*lines_of(rng, requests, 5000), by_hand])) + "\n")
        return scan_log(new, quiet).study()
