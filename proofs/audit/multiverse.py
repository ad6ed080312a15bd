"""Do fidelity criteria disagree, is the decisive choice found, and does choosing the best overstate it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofs.harness import Proof
from unusual.audit.multiverse import Multiverse
from unusual.audit.specification_curve import SpecificationCurve
from unusual.parts.table_samplers import sampler

SYSTEM = "041"
DATA = "generated: two scales of ten items, factors correlated by 0.5, 500 people (60 where choosing is judged)"
CLAIM = "the table best on one of three criteria is well behind on the others"

PEOPLE, ITEMS, FEW = 500, 10, 60
METHODS = ("shuffled columns", "copula", "bootstrap", "neighbours", "kde", "same people")
GRID = {"method": METHODS, "noise": (0.1, 0.5, 2.0), "spread": (1.0, 0.7), "seed": (0, 1)}
PLANTED = {"a": (0, 1, 2), "b": (0, 1), "c": (0, 1), "d": tuple(range(6))}
Matrix = NDArray[np.float64]
SCALES = {scale: [f"column {f * ITEMS + i}" for i in range(ITEMS)] for f, scale in enumerate(("first", "second"))}


def run(seed: int, _data_dir: Path | None, sabotage: bool = False) -> list[Proof]:
    """Sabotage: whatever the choices are, the real rows are handed back; and the best is judged where it was chosen."""
    rng = np.random.default_rng([41, seed])
    X = survey(PEOPLE, rng)
    options: dict[str, Any] = {"matched": True, "scales": SCALES, "random_state": seed}
    names = frame(X)
    curve = Multiverse.of_tables(names, same if sabotage else made, GRID, halvings=8, **options)
    flaws = Multiverse.of_tables(names, same if sabotage else flawed, {"flaw": ("copy", "shuffle", "noise")}, **options)
    inside = {name: flaws.inside(name).astype(float) for name in flaws.criteria}
    wanted = {"metric": "share", "baseline": 0.9, "needs_margin": 0.0, "against": "wanted"}
    unwanted = {"metric": "share", "baseline": 0.1, "needs_margin": 0.0, "better": "lower", "against": "allowed"}
    factor = list(PLANTED)[seed % len(PLANTED)]
    shares = planted(factor, X[:150], seed, sabotage).eta_squared("distributions")
    worse = overstated(rng, seed, sabotage)
    ranks = (curve.ranks_of_best() - 1) / (len(curve) - 1)
    away = ranks[~np.eye(len(ranks), dtype=bool)]
    return [
        Proof(CLAIM, "mean rank of it there, 0 the best to 1", float(away.mean()), 0.0, 0.1, against="the best"),
        Proof("a copy reaches all three noise ceilings", ours=min(v[0] for v in inside.values()), **wanted),
        Proof("shuffled columns reach the ceiling of the distributions", ours=inside["distributions"][1], **wanted),
        Proof("but not that of the structure", ours=inside["structure"][1], **unwanted),
        Proof("noise costs the order of people and the structure",
              ours=max(inside["rank order"][2], inside["structure"][2]), **unwanted),
        Proof("but not the means", "mean gap in sd", float(flaws.details["mean gap in sd"][2]), 0.2, 0.0,
              better="lower", against="allowed"),
        Proof("eta squared finds the one decisive of four choices", "eta squared", shares[factor],
              max(share for name, share in shares.items() if name != factor), 0.2, against="largest of the others"),
        Proof("the best of 72 on 30 people is worse on 30 others", "share of halvings", worse, 0.8, 0.0,
              against="wanted"),
    ]  # fmt: skip


def survey(n: int, rng: np.random.Generator) -> Matrix:
    """Answers of n people to two scales of ten items (n, 20)."""
    factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    return np.hstack([factors[:, [f]] + rng.normal(size=(n, ITEMS)) for f in (0, 1)])


def frame(X: Matrix) -> dict[str, Matrix]:
    return {f"column {j}": x for j, x in enumerate(X.T)}


def made(X: Matrix, n: int, random_state: int, method: str, noise: float, spread: float, seed: int) -> Matrix:
    """Synthetic answers, with noise in units of spread, drawn in to the mean by `spread`."""
    rng = np.random.default_rng([random_state, seed, METHODS.index(method)])
    rows = X if method == "same people" else sampler(method)(X, n, rng)
    rows = rows + noise * X.std(axis=0) * rng.standard_normal(rows.shape)
    return rows.mean(axis=0) + spread * (rows - rows.mean(axis=0))


def flawed(X: Matrix, n: int, random_state: int, flaw: str) -> Matrix:
    """The real rows, whole, shuffled or blurred."""
    if flaw == "shuffle":
        return sampler("shuffled columns")(X, n, random_state)
    noise = np.random.default_rng(random_state).standard_normal(X.shape) if flaw == "noise" else 0.0
    return X + 2 * X.std(axis=0) * noise


def same(X: Matrix, _n: int, _random_state: int, **_choices: Any) -> Matrix:
    """The sabotage: every choice gives the same table."""
    return X


def planted(factor: str, X: Matrix, seed: int, sabotage: bool) -> SpecificationCurve:
    """72 configurations of four choices, of which only `factor` decides how much noise there is."""

    def generator(X: Matrix, n: int, random_state: int, **choices: int) -> Matrix:
        rng = np.random.default_rng([random_state, *choices.values()])
        noise = 0.0 if sabotage else 2.0 * choices[factor] / (len(PLANTED[factor]) - 1)
        return X[rng.permutation(n)] + noise * X.std(axis=0) * rng.standard_normal(X.shape)

    return Multiverse.of_tables(X, generator, PLANTED, halvings=6, random_state=seed)


def overstated(rng: np.random.Generator, seed: int, sabotage: bool) -> float:
    """Share of halvings in which the best of 72 tables by structure is worse on the other half of the people.

    The tables come from other people, so that none has seen either half.
    """
    other = survey(FEW, rng)

    def generator(_X: Matrix, n: int, random_state: int, method: str, draw: int) -> Matrix:
        return sampler(method)(other, n, [random_state, draw])

    grid = {"method": METHODS[:5], "draw": tuple(range(15))}
    options = [(method, draw) for method in grid["method"] for draw in grid["draw"]][:72]
    listed = [{"method": method, "draw": draw} for method, draw in options]
    curve = Multiverse.of_tables(survey(FEW, rng), generator, listed, random_state=seed)
    if sabotage:
        halves = curve.halves["structure"].copy()
        halves[:, :, 1] = halves[:, :, 0]
        curve = SpecificationCurve(curve.choices, curve.criteria, curve.lower_is_better, {"structure": halves})
    held = curve.held_out("structure")
    return held.worse if held else 0.0
