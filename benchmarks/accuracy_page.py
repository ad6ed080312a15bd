"""What docs/benchmarks.md says about quality: comparisons with intervals, ranks, and the tables behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.results import table
from benchmarks.tables import family
from benchmarks.tables_accuracy import AUTO, CLASSICS, ENGINES, LIMIT
from unusual.parts.bootstrap import Interval, paired_interval

MEASURES = {"auroc": "AUROC", "ap": "average precision"}
Figures = dict[str, dict[str, dict[str, Any]]]  # method -> table -> figures


INTRO = """## Quality on 21 labelled tables

Every row is fitted and scored without labels; columns are z-scored; of tables with more than 20,000 rows the same
20,000 are used throughout. Methods that draw are run with 10 seeds, or as many as can begin within 20 CPU seconds;
their figures are means. Intervals are 95 % bootstrap intervals of the paired difference over tables, drawn by family
of tables; a method is *level* where the interval holds 0. Peers have their default parameters.
"""
DEFINITIONS = """Where scikit-learn has the method too, PyOD calls scikit-learn, so one column stands for both. Two
definitions differ on purpose: our `GaussianMixture` chooses the number of Gaussians (PyOD's default is one), and our
`PCA` adds the residual outside the components to the distance inside them.
"""
CLEAN = """### With a clean reference

A random half of the normal rows is the reference; all other rows are scored; mean of three halves.
"""


def markdown(kept: dict[str, Any]) -> str:
    """The section on quality, from the results kept."""
    whole, clean = _methods(kept, ""), _methods(kept, "clean_")
    parts = [
        INTRO,
        "### Each classic beside the same method elsewhere\n",
        _classics(whole["classics"], whole["peers"]),
        DEFINITIONS,
        "### AutoTable beside PyOD's detectors and its automatic choice\n"
        if whole["auto"]
        else "### PyOD's detectors\n",
        _ranking(whole["auto"], whole["peers"]),
        _against_best(whole["auto"], whole["peers"]),
    ]
    if clean["peers"]:
        parts += [
            CLEAN,
            _ranking(clean["auto"], clean["peers"]),
            _against_best(clean["auto"], clean["peers"]),
            _classics(clean["classics"], clean["peers"]),
        ]
    parts += ["### Table by table (AUROC / average precision, all rows fitted)\n", _by_table(whole)]
    return "\n".join(parts)


def _methods(kept: dict[str, Any], before: str) -> dict[str, Figures]:
    return {part: kept.get(before + part, {}).get("methods", {}) for part in ("peers", "classics", "auto")}


def names_of_tables(figures: Figures) -> list[str]:
    """Tables on which anything was measured, in alphabetical order."""
    return sorted({name for by_table in figures.values() for name in by_table})


def vector(figures: Figures, method: str, measure: str, names: Iterable[str]) -> NDArray[np.float64]:
    """One measure of one method by table; NaN where the run failed or is missing."""
    return np.array([figures[method].get(name, {}).get(measure, np.nan) for name in names])


def difference(ours: NDArray[np.float64], theirs: NDArray[np.float64], names: list[str]) -> Interval:
    """Interval of the mean of ours - theirs over the tables both have."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    groups = np.array([family(name) for name in names])[both]
    if len(set(groups)) < 2:  # a run in progress
        return Interval(float(np.mean(ours[both] - theirs[both])) if both.any() else np.nan, np.nan, np.nan, 0.95)
    return paired_interval(ours[both], theirs[both], groups=groups)


def verdict(interval: Interval) -> str:
    """Where the first of two lies."""
    return "below" if interval.high < 0 else "above" if interval.low > 0 else "level"


def mean_ranks(figures: Figures, measure: str, names: list[str]) -> dict[str, float]:
    """Mean over tables of the rank of each method, 1 is best; runs that failed share the last rank."""
    methods = list(figures)
    values = np.stack([vector(figures, method, measure, names) for method in methods])  # (methods, tables)
    ranks = rankdata(-np.where(np.isfinite(values), values, -np.inf), axis=0)
    lost = np.where(np.isfinite(values), ranks, len(methods))
    return dict(zip(methods, lost.mean(axis=1).tolist(), strict=True))


def _signed(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _classics(ours: Figures, peers: Figures) -> str:
    rows = []
    for method, peer in CLASSICS.items():
        if method not in ours or peer not in peers:
            continue
        names = [name for name in names_of_tables({method: ours[method]}) if "auroc" in peers[peer].get(name, {})]
        cells: list[Any] = [method, peer.removeprefix("pyod.").split(".")[-1], len(names)]
        for measure in MEASURES:
            a, b = (vector(f, m, measure, names) for f, m in ((ours, method), (peers, peer)))
            interval = difference(a, b, names)
            cells += [f"{np.nanmean(a):.3f}", f"{np.nanmean(b):.3f}", _signed(interval), verdict(interval)]
        rows.append(cells)
    heads = [f"{what} {who}" for what in ("AUROC", "AP") for who in ("ours", "peer", "difference", "verdict")]
    return table(["method", "peer", "tables", *heads], rows)


def _ranking(auto: Figures, peers: Figures) -> str:
    """Means and mean ranks of AutoTable and all peers; the mean of a peer that misses tables is left out."""
    everyone = {**auto, **peers}
    names = names_of_tables(everyone)
    ranks = {measure: mean_ranks(everyone, measure, names) for measure in MEASURES}
    rows = []
    for method in sorted(everyone, key=lambda name: sum(ranks[m][name] for m in MEASURES)):
        values = {measure: vector(everyone, method, measure, names) for measure in MEASURES}
        missing = int(np.isnan(values["auroc"]).sum())
        means = [f"{values[m].mean():.3f}" if not missing else "–" for m in MEASURES]
        shown = f"**{method}**" if method == AUTO else _shown(method)
        rows.append([shown, *means, *(f"{ranks[m][method]:.2f}" for m in MEASURES), missing])
    text = table(["method", "mean AUROC", "mean AP", "mean rank AUROC", "mean rank AP", "tables missing"], rows)
    return (
        f"{text}\nA run is missing where the peer raised an error or took over {LIMIT} s of CPU time; it ranks last.\n"
        "Of PyOD's detectors those that need torch, and COF, KPCA, LMDD, LOCI, LSCP, RGraph, ROD, SOD and SOS were not "
        "run.\n"
    )


def _shown(peer: str) -> str:
    return f"PyOD {peer.removeprefix('pyod.')}" if peer.startswith(("pyod.", "ADEngine.")) else peer.split(".")[-1]


def _against_best(auto: Figures, peers: Figures) -> str:
    """AutoTable against the best peer in each measure and ADEngine, as paired differences."""
    names = names_of_tables(auto)
    whole = [peer for peer in peers if np.isfinite(vector(peers, peer, "auroc", names)).all()]
    if AUTO not in auto or set(whole) <= set(ENGINES):
        return ""
    rows = []
    for measure, word in MEASURES.items():
        mine = vector(auto, AUTO, measure, names)
        single = [peer for peer in whole if peer not in ENGINES]
        best = max(single, key=lambda peer: vector(peers, peer, measure, names).mean())
        for peer in dict.fromkeys([best, *(engine for engine in ENGINES if engine in whole)]):
            theirs = vector(peers, peer, measure, names)
            interval = difference(mine, theirs, names)
            what = "the best single one, " if peer == best else ""
            rows.append([word, f"{mine.mean():.3f}", f"{what}{_shown(peer)}", f"{theirs.mean():.3f}",
                         _signed(interval), verdict(interval)])  # fmt: skip
    return table(["measure", AUTO, "peer", "its mean", "difference", "verdict"], rows)


def _by_table(methods: dict[str, Figures]) -> str:
    ours, peers = {**methods["auto"], **methods["classics"]}, methods["peers"]
    shown = [AUTO, "IsolationForest", "KNN", "LOF", "ECOD", "RobustMahalanobis"]
    columns = [name for name in shown if name in ours]
    beside = [name for name in ("pyod.IForest", "pyod.KNN", "pyod.ECOD", "pyod.MCD", *ENGINES[:1]) if name in peers]
    rows = [
        [name, *(_pair(ours[c].get(name)) for c in columns), *(_pair(peers[p].get(name)) for p in beside)]
        for name in names_of_tables({**ours, **peers})
    ]
    return table(["table", *columns, *(_shown(peer) for peer in beside)], rows)


def _pair(figures: dict[str, Any] | None) -> str:
    return f"{figures['auroc']:.3f} / {figures['ap']:.3f}" if figures and "auroc" in figures else "–"
