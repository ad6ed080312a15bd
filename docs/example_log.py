"""A small service that writes a log, for the examples of the detectors of events."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from unusual.data.log_events import LogEvents, read_log

KEY = r"request=\d+"
USUAL = ("opened", "was checked", "read page", "ended")


def sessions(rng: np.random.Generator, count: int) -> list[list[str]]:
    """What happened in each of some requests: they read one to four pages."""
    return [[*USUAL[:2], *["read page"] * int(rng.integers(1, 5)), "ended"] for _ in range(count)]


def lines_of(rng: np.random.Generator, requests: list[list[str]], first: int) -> list[str]:
    """Their lines as the service writes them, about one request a second."""
    lines = []
    for i, steps in enumerate(requests):
        at = float(first + i)
        for step in steps:
            at += rng.exponential(0.2)
            level = "ERROR" if step == "failed" else "INFO"
            lines.append((at, f"{level} request={first + i} {step} after {rng.integers(1, 50)} ms"))
    start = np.datetime64("2024-03-01T00:00:00.000")
    return [f"{start + np.timedelta64(int(at * 1000), 'ms')} {text}" for at, text in sorted(lines)]


def logs(
    rng: np.random.Generator, requests: list[list[str]], extra: list[str] | None = None
) -> tuple[LogEvents, LogEvents]:
    """A quiet log, and one of the given requests with further lines, read with the templates of the first."""
    with tempfile.TemporaryDirectory() as folder:
        quiet, new = Path(folder, "quiet.log"), Path(folder, "new.log")
        quiet.write_text("\n".join(lines_of(rng, sessions(rng, 400), 1000)) + "\n")
        new.write_text("\n".join(sorted([*lines_of(rng, requests, 5000), *(extra or [])])) + "\n")
        reference = read_log(quiet, by=KEY)
        return reference, read_log(new, reference.tree, KEY)
