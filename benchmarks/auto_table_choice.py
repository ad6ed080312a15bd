"""How much of AutoTable's figure is the choice of its constants: chosen on all other families of tables, judged on one.

Every configuration is fitted to every table (cut to 5,000 rows). For each family of tables the configuration that is
best on the other families, by the mean of AUROC and average precision, is judged on that family.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

import unusual
from benchmarks.machine import facts
from benchmarks.results import keep, load, table
from benchmarks.tables import Split, family, names, whole
from unusual.detect.tabular import auto_table
from unusual.parts.bootstrap import paired_interval

NAME = "auto_table_choice"
ROWS = 5000
GRID: dict[str, tuple[Any, ...]] = {"ASIDE": (0.15, 0.3, 0.5), "DEPENDENCE": (0.0, 5.0, 10.0), "ties": (True, False)}
CONFIGURATIONS = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
DEFAULT = {"ASIDE": 0.3, "DEPENDENCE": 10.0, "ties": True}


@contextmanager
def configured(values: dict[str, Any]) -> Iterator[None]:
    """AutoTable with other constants; without `ties` the share of tied values is taken as 0."""
    before = {name: getattr(auto_table, name) for name in ("ASIDE", "DEPENDENCE", "_ties")}
    try:
        auto_table.ASIDE, auto_table.DEPENDENCE = values["ASIDE"], values["DEPENDENCE"]
        if not values["ties"]:
            auto_table._ties = lambda _: 0.0
        yield
    finally:
        for name, value in before.items():
            setattr(auto_table, name, value)


def run(only: list[str]) -> None:
    """Judge every configuration on every table (or those named in `only`) and keep the figures."""
    for name in only or names():
        split = _cut(whole(name))
        figures = []
        for values in CONFIGURATIONS:
            with configured(values):
                figures.append(split.judge(unusual.make("AutoTable").fit_anomaly_score(split.X)))
        keep(NAME, name, {"figures": figures, "machine": facts()})
        print(f"{name}: {np.round(figures[CONFIGURATIONS.index(DEFAULT)], 3).tolist()}", flush=True)


def _cut(split: Split) -> Split:
    if len(split.X) <= ROWS:
        return split
    rows = np.random.default_rng(0).choice(len(split.X), ROWS, replace=False)
    return Split(split.name, split.X[rows], None, split.y[rows])


def left_out(figures: NDArray[np.float64], families: list[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Figures (sets, 2) of the configuration chosen without the family of each set, and which one that was.

    Parameters
    ----------
    figures : (sets, configurations, 2) AUROC and average precision
    families : the family of each set
    """
    chosen = []
    for one in families:
        others = np.array([other != one for other in families])
        chosen.append(int(figures[others].mean(axis=(0, 2)).argmax()))
    return figures[np.arange(len(families)), chosen], chosen


def markdown(kept: dict[str, Any]) -> str:
    """The section of the page."""
    sets = sorted(kept)
    figures = np.array([kept[name]["figures"] for name in sets])  # (sets, configurations, 2)
    judged, chosen = left_out(figures, [family(name) for name in sets])
    default = figures[:, CONFIGURATIONS.index(DEFAULT)]
    rows = [
        ["chosen without the family it is judged on", *_means(judged)],
        ["the constants of AutoTable", *_means(default)],
        ["median of all configurations", *[f"{v:.3f}" for v in np.median(figures.mean(axis=0), axis=0)]],
        ["worst of all configurations", *[f"{v:.3f}" for v in figures.mean(axis=0).min(axis=0)]],
    ]
    peers = load("tables_accuracy").get("peers", {}).get("methods", {})
    lines = [_against(peer, judged, sets, peers[peer]) for peer in ("ADEngine.detect", "pyod.IForest") if peer in peers]
    same = np.mean([c == chosen[0] for c in chosen])
    return "\n".join(
        [
            "## What the choice of AutoTable's constants is worth",
            "",
            f"{len(CONFIGURATIONS)} configurations on {len(sets)} tables of at most {ROWS:,} rows; the same one is "
            f"chosen for {same:.0%} of the tables. The parts of the method were found with these tables in sight.",
            "",
            table(["configuration", "mean AUROC", "mean average precision"], rows),
            *lines,
        ]
    )


def _means(figures: NDArray[np.float64]) -> list[str]:
    return [f"{value:.3f}" for value in figures.mean(axis=0)]


def _against(peer: str, judged: NDArray[np.float64], sets: list[str], figures: dict[str, dict[str, float]]) -> str:
    both = [i for i, name in enumerate(sets) if "auroc" in figures.get(name, {})]
    said = []
    for k, (key, measure) in enumerate((("auroc", "AUROC"), ("ap", "average precision"))):
        ours, theirs = judged[both, k], np.array([figures[sets[i]][key] for i in both])
        interval = paired_interval(ours, theirs, groups=np.array([family(sets[i]) for i in both]))
        said.append(f"{measure} {interval.estimate:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})")
    return f"- chosen without the family, minus {peer} on {len(both)} tables, 95 % interval: {'; '.join(said)}"
