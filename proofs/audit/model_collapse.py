"""Do loops of fitting and sampling follow their laws, in both directions, and does real data hold them?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofs.harness import Proof
from unusual.audit.generations import DISTANCES, MEASURES, Band, Reference, generations, null_measures
from unusual.audit.model_collapse import ModelCollapse
from unusual.parts.table_samplers import sampler

SYSTEM = "097"
DATA = "generated: two modes, a normal law, and ten generations of 400 rows of each"
CLAIM = "a kernel density (Scott) retrained 30 times multiplies the variance by (1 + n^-0.4)^30"

N, LOOPS, LONG = 1000, 20, 30
SMALL, MANY, LONGER = 100, 200, 100
ROWS, TRAJECTORIES, FRESH = 400, 20, 100
Matrix = NDArray[np.float64]


def run(seed: int, _data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: every generation is fitted to the real rows, never to what an earlier one made."""
    rng = np.random.default_rng([97, seed])
    two = np.r_[rng.normal(-2, 0.5, 2 * N), rng.normal(2, 0.5, 2 * N)][:, None]
    normal = rng.normal(size=(2 * N, 1))

    def ends(X: Matrix, n: int, name: str, loops: int, count: int, policy: str = "replace") -> list[tuple[Matrix, Any]]:
        """First and last data set of every loop."""
        found = []
        for _ in range(loops):
            start = X[rng.choice(len(X), n, replace=False)]
            fit = anchored(sampler(name), start) if sabotage else sampler(name)
            *_, last = generations(start, fit, count, policy, 0.5, rng)
            found.append((start, last))
        return found

    h2 = N**-0.4
    exploded = np.mean([b.var() / a.var() for a, b in ends(two, N, "kde", LOOPS, LONG)])
    bounded = np.mean([b.var() / a.var() for a, b in ends(normal, N, "kde", LOOPS, LONG, "mix")])
    shrunk = np.median([b.std(ddof=1) / a.std(ddof=1) for a, b in ends(normal, SMALL, "gaussian", MANY, LONGER)])
    kept = np.mean([variety(b) for _, b in ends(normal, SMALL, "bootstrap", MANY // 4, LONGER)])
    limit = 0.5 / (1 - 0.5 * (1 + h2))
    equal = {"metric": "ratio to the law", "baseline": 1.0, "better": "equal", "against": "the law"}
    return [
        Proof(CLAIM, ours=float(exploded / (1 + h2) ** LONG), needs_margin=0.15, **equal),
        Proof("half real rows bound that variance at V r / (1 - (1-r)(1+h^2))", ours=float(bounded / limit),
              needs_margin=0.05, **equal),
        Proof("a fitted normal law retrained 100 times on 100 rows: median sd falls to exp(-100/198)",
              ours=float(shrunk / np.exp(-LONGER / (2 * (SMALL - 1)))), needs_margin=0.1, **equal),
        Proof("resampling 100 times keeps a variety of (1 - 1/n)^101", needs_margin=0.1,
              ours=float(kept / (1 - 1 / SMALL) ** (LONGER + 1)), **equal),
        *audited(normal, two, rng, seed, sabotage),
    ]  # fmt: skip


def audited(normal: Matrix, two: Matrix, rng: np.random.Generator, seed: int, sabotage: bool) -> list[Proof]:
    """What the audit says of loops whose end is known."""
    options = {"trajectories": TRAJECTORIES, "random_state": seed}
    fits = {name: (from_the_law if sabotage else name) for name in ("kde", "gaussian maximum likelihood")}
    wide = ModelCollapse(fits["kde"], **options).run(normal[:ROWS], search=False)
    narrow = ModelCollapse(fits["gaussian maximum likelihood"], generations=40, repeats=60, **options)
    thin = narrow.run(normal[:100], search=False)
    mixed = [ModelCollapse("kde", "mix", 0.5, **options).run(X[:: len(X) // ROWS], search=False) for X in (normal, two)]
    signs = {"metric": "share named", "baseline": 0.9, "needs_margin": 0.0, "against": "wanted"}
    inside = {"metric": "share without collapse", "baseline": 0.9, "needs_margin": 0.0, "against": "wanted"}
    return [
        Proof("a kernel density is said to spread out", ours=float(wide.direction == "over-dispersion"), **signs),
        Proof("a fitted law is said to draw in", ours=float(thin.direction == "under-dispersion"), **signs),
        Proof("half real rows keep every distance in its band for 10 generations: one mode",
              ours=float(not mixed[0].collapsed), **inside),
        Proof("the same where two modes lie eight of their own sd apart", ours=float(not mixed[1].collapsed),
              note="Scott's bandwidth, in units of the whole, is then as wide as a mode: half real "
              "rows keep the variance, not the shape", **inside),
        Proof("fresh real samples leave the band of any distance at about its rate of 5 %", "share that leave",
              false_alarms(rng), 0.1, 0.0, better="lower", against="twice the rate"),
    ]  # fmt: skip


def false_alarms(rng: np.random.Generator) -> float:
    """Share of fresh samples of a normal law outside the band of any distance."""
    joint = [MEASURES.index(name) for name in DISTANCES]
    half = ROWS // 2
    band = Band.of(null_measures(rng.normal(size=(ROWS, 1)), half, 200, rng))
    new = [Reference(rng.normal(size=(half, 1))).measure(rng.normal(size=(half, 1))) for _ in range(FRESH)]
    return float(band.left(np.array(new))[:, joint].any(axis=1).mean())


def variety(rows: Matrix) -> float:
    """Chance that two draws from the rows, with replacement, differ."""
    counts = np.unique(rows, return_counts=True)[1]
    return 1 - float((counts**2).sum() / len(rows) ** 2)


def anchored(fit: Callable[..., Matrix], start: Matrix) -> Callable[..., Matrix]:
    """The fitter that always sees `start`."""
    return lambda _rows, n, random_state: fit(start, n, random_state)


def from_the_law(rows: Matrix, n: int, random_state: int) -> Matrix:
    """Fresh rows of the normal law behind the data."""
    return np.random.default_rng(random_state).normal(size=(n, rows.shape[1]))
