"""Quality on 33 labelled series: every detector of series alone, and AutoSeries with the choice of its weights.

Each series is scored by itself. The weights of AutoSeries are judged as they would be chosen without the family of
series they are judged on. --only takes names of methods and series.
"""

from __future__ import annotations

import itertools
import time
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import facts
from benchmarks.results import change, table
from benchmarks.series import family, names, read
from unusual import catalogue
from unusual.detect.series.auto_series import AutoSeries
from unusual.evaluate import default_window, vus
from unusual.parts.bootstrap import paired_interval
from unusual.parts.period import whole_periods
from unusual.series_detector import SeriesDetector

NAME = "series_accuracy"
AUTO = "AutoSeries"
CHOICE = "choice"
WIDE = 1000  # values of a window from which the slow methods take many minutes
SLOW = ("SubLOF", "SubIsolationForest", "RobustRandomCutForest")
GRID = {
    "near": (1.0, 2.0, 3.0),
    "two lengths": (True, False),
    "less for many channels": (True, False),
    "points lifted": (True, False),
}
CONFIGURATIONS = list(itertools.product(*GRID.values()))
OURS = CONFIGURATIONS.index((3.0, True, True, True))
KINDS = {"univariate": ("nab", "ucr", "ecg", "tsbuad"), "multivariate": ("skab", "nasa")}
INTRO = """## Quality on 33 labelled series

21 series of one channel (16 of NAB, two of the UCR anomaly archive, two electrocardiograms, one of TSB-UAD) and 12 of
several (6 of SKAB, 6 of NASA's SMAP and MSL), each scored by itself. VUS-PR has the window of TSB-AD's rule and 250
thresholds. Methods have their default parameters; those marked * the window of AutoSeries, whole periods of at least
64 steps. Chance is the mean over the scores of AutoSeries shifted round the series. Labels of NAB cover a tenth of the
steps by construction, one event lasts a third of a SKAB series, and labels of NASA are known to be imperfect: read the
families apart. A dash stands where windows hold so many values that the method takes many minutes for a series.
"""


def run(only: list[str]) -> None:
    """Measure the methods and series named in `only`, or all; the choice is measured with AutoSeries."""
    known = _methods()
    methods = [method for method in known if method in only] or known
    for name in [name for name in names() if name in only] or names():
        series = read(name)
        found: dict[str, Any] = {}
        for method in methods:
            detector = _detector(method, series.values)
            if detector is None:
                continue
            start = time.process_time()
            scores = detector.fit_anomaly_score(series.values)
            cpu = time.process_time() - start
            found[method] = {**series.judge(scores), "cpu": round(cpu, 2)}
        if AUTO in methods:
            found[CHOICE] = _of_configurations(series.values, series.labels)
        change(NAME, name, partial(_merged, found=found))
        print(name, {method: figures["vus_pr"] for method, figures in found.items() if method != CHOICE}, flush=True)


def _methods() -> list[str]:
    """All detectors of series by name, those with windows of one period a second time with those of AutoSeries."""
    alone = [card.name for card in catalogue.methods("detector", "series")]
    usual = SeriesDetector._usual_window
    return [*alone, *(name + "*" for name in alone if catalogue.find(name)._usual_window is usual)]


def _detector(method: str, X: NDArray[np.float64]) -> Any:
    """The detector, or None where it would take too long."""
    steps = whole_periods((X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12))
    if method.rstrip("*") in SLOW and steps * X.shape[1] > WIDE:
        return None
    detector = catalogue.make(method.rstrip("*"))
    return detector.set_params(window=steps) if method.endswith("*") else detector


def _merged(kept: Any, found: dict[str, Any]) -> dict[str, Any]:
    old = {} if kept is None else kept["methods"]
    return {"machine": facts(), "methods": {**old, **found}}


def _of_configurations(X: NDArray[np.float64], y: NDArray[np.int64]) -> list[float]:
    """VUS-PR of AutoSeries by configuration: one fit, its members weighted anew."""
    detector = AutoSeries()
    detector.fit_anomaly_score(X)
    lengths, Z, point = len(detector.members_) - 2, detector._standard(X), detector.point_
    figures = []
    for near, both, diluted, lifted in CONFIGURATIONS:
        each = near / np.sqrt(X.shape[1]) if diluted else near
        detector.weights_ = [each if i == 0 or both else 0.0 for i in range(lengths)] + [1.0, 1.0]
        detector.point_ = point if lifted else 0.0
        figures.append(round(vus(y, detector._own_steps([Z])[0], default_window(X[:, 0])).pr, 4))
    return figures


# -- the page ---------------------------------------------------------------------------------------------------------


def left_out(figures: NDArray[np.float64], families: list[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Figures (n,) of the configuration that is best without the family of each series, and which one that was."""
    chosen = []
    for one in families:
        others = np.array([other != one for other in families])
        chosen.append(int(figures[others].mean(axis=0).argmax()))
    return figures[np.arange(len(families)), chosen], chosen


def markdown(kept: dict[str, Any]) -> str:
    """The section of the page."""
    sets = sorted(kept)
    figures = np.array([kept[name]["methods"][CHOICE] for name in sets])
    judged, chosen = left_out(figures, [family(name) for name in sets])
    own = dict(zip(sets, judged.tolist(), strict=True))
    parts = [INTRO, _by_family(kept, own)]
    for kind, families in KINDS.items():
        inside = [name for name in sets if family(name) in families]
        parts.append(_against_best(kind, inside, kept, own))
    said = ", ".join(f"{key} {value}" for key, value in zip(GRID, CONFIGURATIONS[OURS], strict=True))
    least, most = figures.mean(axis=0).min(), figures.mean(axis=0).max()
    same = np.mean([c == OURS for c in chosen])
    parts.append(
        f"- {len(CONFIGURATIONS)} configurations of AutoSeries reach {least:.3f} to {most:.3f} over all series; its "
        f"own ({said}: {figures[:, OURS].mean():.3f}) is the one chosen for {same:.0%} of the series. Members and the "
        "logarithm that adds them were found with these series in sight."
    )
    return "\n".join([*parts, "", "### Besides ranking\n", _besides(kept)])


def _figure(kept: dict[str, Any], name: str, method: str, key: str = "vus_pr") -> float:
    return float(kept[name]["methods"].get(method, {}).get(key, np.nan))


def _by_family(kept: dict[str, Any], own: dict[str, float]) -> str:
    """Mean VUS-PR of each method by family, best univariate first."""
    columns = [*KINDS, *itertools.chain(*KINDS.values())]
    inside = {c: [n for n in sorted(kept) if family(n) == c or family(n) in KINDS.get(c, ())] for c in columns}
    rows = [["AutoSeries, chosen without the family", *_means({n: own[n] for n in kept}, inside)]]
    methods = sorted({m for one in kept.values() for m in one["methods"]} - {CHOICE})
    scored = {m: {n: _figure(kept, n, m) for n in kept} for m in methods}
    mean = {m: float(np.nanmean([scored[m][n] for n in inside["univariate"]])) for m in methods}
    rows += [[m, *_means(scored[m], inside)] for m in sorted(methods, key=lambda m: -mean[m])]
    for level in ("chance", "ceiling"):
        rows.append([f"*{level}*", *_means({n: _figure(kept, n, AUTO, level) for n in kept}, inside)])
    return table(["mean VUS-PR", *(f"{c} ({len(inside[c])})" for c in columns)], rows)


def _means(figures: dict[str, float], inside: dict[str, list[str]]) -> list[str]:
    means = [float(np.mean([figures[name] for name in members])) for members in inside.values()]
    return ["–" if np.isnan(mean) else f"{mean:.3f}" for mean in means]


def _against_best(kind: str, inside: list[str], kept: dict[str, Any], own: dict[str, float]) -> str:
    """AutoSeries, chosen without the family, minus the best single method, over series."""
    methods = sorted({m for n in inside for m in kept[n]["methods"]} - {CHOICE, AUTO})
    measured = [m for m in methods if all(m in kept[n]["methods"] for n in inside)]
    best = max(measured, key=lambda m: np.mean([_figure(kept, n, m) for n in inside]))
    ours, theirs = np.array([own[n] for n in inside]), np.array([_figure(kept, n, best) for n in inside])
    gap = paired_interval(ours, theirs)
    ahead = int((ours > theirs).sum())
    return (
        f"- {kind}: AutoSeries, chosen without the family, minus the best single method ({best}): {gap.estimate:+.3f} "
        f"(95 % interval over series {gap.low:+.3f} to {gap.high:+.3f}), ahead on {ahead} of {len(inside)}"
    )


def _besides(kept: dict[str, Any]) -> str:
    """NAB score and events found, with the threshold that is best for each series."""
    methods = sorted({m for one in kept.values() for m in one["methods"]} - {CHOICE})
    nab = [n for n in kept if family(n) == "nab"]
    dated = [n for n in nab if not np.isnan(_figure(kept, n, AUTO, "events"))]
    rows = []
    for method in methods:
        score = np.nanmean([_figure(kept, n, method, "nab") for n in nab])
        found = np.mean([_figure(kept, n, method, "events") for n in dated])
        cpu = np.nanmean([_figure(kept, n, method, "cpu") for n in kept])
        rows.append([method, f"{score:.1f}", f"{found:.2f}", f"{cpu:.2f}"])
    head = [
        "method",
        f"NAB score ({len(nab)} series)",
        f"events found at one alarm a day ({len(dated)})",
        "CPU seconds",
    ]
    return table(head, sorted(rows, key=lambda row: -float(row[1])))
