"""Runs a proof over paired seeds, with its key step and without it, and gives the verdict.

A proof is a module `proofs/<area>/<name>.py` with

- `DATA`: one line on what it uses; `SYSTEM`: number of the sheet, or "-"; `FILES`: patterns below the data folder;
- `run(seed, data_dir, sabotage=False) -> Proof | list[Proof]`: the parts of the claim, the main one first. With
  `sabotage` the key step is removed, and not every part may be confirmed any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.parts.bootstrap import bootstrap_interval

SEEDS, FEWER_SEEDS = 10, 5
LONG_RUN = 60.0  # seconds of one seed, above which fewer are run
LEVEL = 0.95
DIRECTIONS = ("higher", "lower", "equal")


class DataAbsent(Exception):
    """The proof needs real data that are not on this machine."""


class NeedsCheckpoint(Exception):
    """The proof needs weights that the user must supply."""


@dataclass(frozen=True)
class Proof:
    """One part of a claim for one seed.

    `ours` and `baseline` are numbers, or one number per item (data set, group) in the same order for every seed: then
    items are resampled, else seeds. Confirmed if ours is `better` ("higher" or "lower") than the baseline by more than
    `needs_margin`, or within it ("equal"), over the whole interval of the difference.
    """

    claim: str
    metric: str
    ours: float | Sequence[float]
    baseline: float | Sequence[float]
    needs_margin: float
    note: str = ""
    better: str = "higher"
    against: str = ""

    def __post_init__(self) -> None:
        if self.better not in DIRECTIONS:
            raise ValueError(f"better is {self.better!r}; choose one of: {', '.join(DIRECTIONS)}")


Run = Callable[..., Proof | list[Proof]]


def judge(proofs: Sequence[Proof]) -> dict[str, Any]:
    """The verdict on one part from its seeds: means, interval of ours - baseline, confirmed or not."""
    first = proofs[0]
    ours, baseline = (_per_item([getattr(p, side) for p in proofs]) for side in ("ours", "baseline"))
    found = bootstrap_interval(ours - baseline, level=LEVEL, resamples=5000, method="percentile")
    low, high = found.low, found.high
    margin = first.needs_margin
    confirmed = {"higher": low > margin, "lower": high < -margin, "equal": -margin <= low and high <= margin}
    return {
        "claim": first.claim,
        "metric": first.metric,
        "better": first.better,
        "against": first.against,
        "margin": margin,
        "ours": float(ours.mean()),
        "baseline": float(baseline.mean()),
        "interval": [low, high],
        "verdict": "confirmed" if confirmed[first.better] else "not confirmed",
        "note": first.note,
    }


def _per_item(values: list[float | Sequence[float]]) -> NDArray[np.float64]:
    """Values of the seeds (s,), or means over the seeds of each item (items,) where there are several items."""
    table = np.array([np.atleast_1d(value) for value in values], dtype=np.float64)  # (seeds, items)
    return table[:, 0] if table.shape[1] == 1 else table.mean(axis=0)


def verdict(parts: Sequence[dict[str, Any]]) -> str:
    """Confirmed if all parts are, partly if some are."""
    held = [part["verdict"] == "confirmed" for part in parts]
    return "confirmed" if all(held) else "partly" if any(held) else "not confirmed"


def prove(run: Run, data_dir: Path | None, seeds: int | None = None) -> dict[str, Any]:
    """Run a proof and its sabotaged twin on the same seeds: parts, verdict, seconds.

    A sabotaged run that still is confirmed shows that the proof cannot fail: its verdict is then "not confirmed".
    """
    started = time.perf_counter()
    try:
        first = _parts(run(0, data_dir))
        took = time.perf_counter() - started
        count = seeds or (FEWER_SEEDS if took > LONG_RUN else SEEDS)
        parts = _judged([first, *(_parts(run(seed, data_dir)) for seed in range(1, count))])
    except NeedsCheckpoint as reason:
        return {"verdict": "needs checkpoint", "parts": [], "seconds": 0.0, "note": str(reason)}
    seconds = time.perf_counter() - started
    broken = _judged([_parts(run(seed, data_dir, sabotage=True)) for seed in range(count)])
    decided, unnoticed = verdict(parts), verdict(broken) == "confirmed"
    return {
        "verdict": "not confirmed" if unnoticed else decided,
        "parts": parts,
        "sabotage": {"verdict": verdict(broken), "parts": broken},
        "note": "the proof does not notice when its key step is removed" if unnoticed else "",
        "seeds": count,
        "seconds": round(seconds, 1),
        "seconds_with_sabotage": round(time.perf_counter() - started, 1),
    }


def _parts(result: Proof | list[Proof]) -> list[Proof]:
    return result if isinstance(result, list) else [result]


def _judged(runs: list[list[Proof]]) -> list[dict[str, Any]]:
    return [judge(list(seeds)) for seeds in zip(*runs, strict=True)]
