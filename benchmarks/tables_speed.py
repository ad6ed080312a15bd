"""Speed per thread and memory of table detectors beside scikit-learn and PyOD.

CPU time of one thread for fit and score, both sides in turn in one run on the same data: normal values, one row in a
hundred three times as far out. --only takes rows: the keys of ROWS below, one_row, memory.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.machine import facts
from benchmarks.peak_memory import in_fresh_process
from benchmarks.peers import Peer
from benchmarks.results import keep
from unusual import catalogue, kernels

NAME = "tables_speed"
REPEATS = 3
COMPILED = ("avx512", "avx2", "plain")
CALLS = 1_000
FITTED_ROWS = (10_000, 100_000)  # of the detectors that score one row
MEMORY = (10_000_000, 10)
PAIRWISE = ("KDE", "KNN", "LOF", "OneClassSVM")  # a pass over 10 million rows takes too long to be run here

Matrix = NDArray[np.floating[Any]]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One comparison: our method and the peer's task on data (n, d)."""

    method: str
    n: int
    d: int
    task: str
    peer: dict[str, Any]
    levels: tuple[str, ...] = COMPILED
    parameters: dict[str, Any] = field(default_factory=dict)
    again: bool = False  # score the rows once more, as new ones, instead of as fitted ones
    goal: dict[str, float] = field(default_factory=dict)
    dtype: str = "float32"

    def ours(self, X: Matrix) -> NDArray[np.float64]:
        detector = catalogue.make(self.method, **self.parameters)
        scores = detector.fit(X).anomaly_score(X) if self.again else detector.fit_anomaly_score(X)
        return np.asarray(scores)


TREES = {"n_estimators": 100}
EXACT = {"approximate": False}
NUMPY = ("numpy",)
ROWS = {
    "forest": Row("IsolationForest", 1_000_000, 10, "sklearn_forest", {}, COMPILED, TREES, again=True,
                  goal={"avx512": 5, "avx2": 4, "plain": 4}),
    "ecod": Row("ECOD", 1_000_000, 10, "pyod_fit_and_score", {"method": "ECOD"}, again=True,
                goal=dict.fromkeys(COMPILED, 20)),
    "ecod_fit": Row("ECOD", 1_000_000, 10, "pyod_fit", {"method": "ECOD"}),
    "hbos": Row("HBOS", 1_000_000, 10, "pyod_fit_and_score", {"method": "HBOS"}, again=True,
                goal=dict.fromkeys(COMPILED, 15)),
    "hbos_fit": Row("HBOS", 1_000_000, 10, "pyod_fit", {"method": "HBOS"}),
    "ecod64": Row("ECOD", 1_000_000, 10, "pyod_fit_and_score", {"method": "ECOD"}, again=True,
                  goal=dict.fromkeys(COMPILED, 20), dtype="float64"),
    "hbos64": Row("HBOS", 1_000_000, 10, "pyod_fit_and_score", {"method": "HBOS"}, again=True,
                  goal=dict.fromkeys(COMPILED, 15), dtype="float64"),
    "knn": Row("KNN", 100_000, 20, "sklearn_nearest", {"k": 5, "algorithm": "brute"}, COMPILED, EXACT,
               goal={"avx512": 5, "avx2": 2}),
    "lof": Row("LOF", 100_000, 20, "sklearn_lof", {"k": 20, "algorithm": "brute"}, COMPILED, EXACT,
               goal={"avx512": 5, "avx2": 2}),
    "mcd": Row("RobustMahalanobis", 10_000, 20, "pyod_fit", {"method": "MCD"}, goal=dict.fromkeys(COMPILED, 10),
               dtype="float64"),
    "numpy_forest": Row("IsolationForest", 100_000, 10, "sklearn_forest", {}, NUMPY, TREES, again=True),
    "numpy_ecod": Row("ECOD", 200_000, 10, "pyod_fit", {"method": "ECOD"}, NUMPY),
    "numpy_copod": Row("COPOD", 200_000, 10, "pyod_fit", {"method": "COPOD"}, NUMPY),
    "numpy_hbos": Row("HBOS", 1_000_000, 10, "pyod_fit", {"method": "HBOS"}, NUMPY),
    "numpy_knn": Row("KNN", 20_000, 20, "sklearn_nearest", {"k": 5, "algorithm": "brute"}, NUMPY, EXACT),
    "numpy_lof": Row("LOF", 20_000, 20, "sklearn_lof", {"k": 20, "algorithm": "brute"}, NUMPY, EXACT),
    "numpy_inne": Row("INNE", 20_000, 10, "pyod_fit", {"method": "INNE"}, NUMPY),
    "numpy_loda": Row("LODA", 100_000, 10, "pyod_fit", {"method": "LODA"}, NUMPY, {"n_bins": 10}),
    "numpy_cblof": Row("CBLOF", 100_000, 10, "pyod_fit", {"method": "CBLOF"}, NUMPY),
    "numpy_pca": Row("PCA", 200_000, 10, "pyod_fit", {"method": "PCA"}, NUMPY),
    "numpy_gmm": Row("GaussianMixture", 100_000, 10, "pyod_fit", {"method": "GMM"}, NUMPY, {"n_components": 1}),
    "numpy_kde": Row("KDE", 5_000, 10, "pyod_fit", {"method": "KDE"}, NUMPY, {"bandwidth": 1.0}),
    "numpy_ocsvm": Row("OneClassSVM", 5_000, 10, "pyod_fit", {"method": "OCSVM"}, NUMPY),
    "numpy_mcd": Row("RobustMahalanobis", 10_000, 20, "pyod_fit", {"method": "MCD"}, NUMPY, dtype="float64"),
}  # fmt: skip


def run(only: list[str]) -> None:
    """Measure the rows named in `only`, or all."""
    unknown = set(only) - {*ROWS, "one_row", "memory"}
    if unknown:
        raise SystemExit(f"there is no row {sorted(unknown)[0]}; choose from {', '.join([*ROWS, 'one_row', 'memory'])}")
    with Peer() as ask, tempfile.TemporaryDirectory() as folder:
        ask(do="warm", methods=["pyod.HBOS", "pyod.ECOD", "pyod.COPOD", "pyod.CBLOF", "pyod.LODA", "pyod.INNE"])
        machine = {**facts(), "peers": ask(do="versions")}
        for key, row in ROWS.items():
            if not only or key in only:
                _keep(key, {"machine": machine, **_compared(row, ask, Path(folder))})
        if not only or "one_row" in only:
            _keep("one_row", {"machine": machine, **_one_row(ask, Path(folder))})
    if not only or "memory" in only:
        _keep("memory", {"machine": machine, "n": MEMORY[0], "d": MEMORY[1], "methods": _memory()})


def _keep(key: str, found: Answer) -> None:
    keep(NAME, key, found)
    print(key, {name: value for name, value in found.items() if name != "machine"}, flush=True)


def values(n: int, d: int, dtype: str = "float32") -> Matrix:
    """Normal values (n, d), the first hundredth of the rows three times as far out, z-scored: peers do not scale."""
    X = np.random.default_rng(0).standard_normal((n, d))
    X[: n // 100] *= 3
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(dtype)


def _compared(row: Row, ask: Callable[..., Answer], folder: Path) -> Answer:
    """CPU seconds of both sides, one after the other in each repeat, and whether the results agree."""
    X = values(row.n, row.d, row.dtype)
    data, out = str(folder / f"{row.n}-{row.d}-{row.dtype}.npy"), str(folder / "scores.npy")
    np.save(data, X[:500])
    ask(do="time", task=row.task, parameters=row.peer, data=data)  # compiled for this type of number, imported
    levels = [level for level in row.levels if level in kernels.available()]
    for level in levels:
        _timed(row, X[:500], level)
    data = data.replace(".npy", "-all.npy")
    np.save(data, X)
    mine: dict[str, list[float]] = {level: [] for level in levels}
    theirs = []
    scores = np.empty(0)
    for _ in range(REPEATS):
        answer = ask(do="time", task=row.task, parameters=row.peer, data=data, out=out)
        if "failed" in answer:
            return {"method": row.method, "failed": answer["failed"]}
        theirs.append(round(answer["cpu"], 3))
        for level in levels:
            seconds, scores = _timed(row, X, level)
            mine[level].append(round(seconds, 3))
    agreement = float(spearmanr(scores, np.load(out, allow_pickle=False)).statistic)
    return {
        "method": row.method,
        "size": [row.n, row.d, row.dtype],
        "task": row.task,
        "peer": row.peer,
        "again": row.again,
        "goal": row.goal,
        "theirs": theirs,
        "ours": mine,
        "ratio": {level: round(statistics.median(theirs) / statistics.median(mine[level]), 2) for level in levels},
        "agreement": round(agreement, 5),
    }


def _timed(row: Row, X: Matrix, level: str) -> tuple[float, NDArray[np.float64]]:
    with kernels.at_level(level):
        start = time.process_time()
        scores = row.ours(X)
        return time.process_time() - start, scores


def _one_row(ask: Callable[..., Answer], folder: Path) -> Answer:
    """Median wall milliseconds to score one row, by detector and number of rows fitted."""
    found: dict[str, dict[str, float]] = {}
    peers = {"pyod.ECOD": 7, "pyod.KNN": 100, "pyod.LOF": 100, "sklearn.ensemble.IsolationForest": 200}
    for n in FITTED_ROWS:
        X = values(n, 20)
        data, out = str(folder / "one.npy"), str(folder / "times.npy")
        data = data.replace("one", f"one{n}")
        np.save(data, X)
        for card in catalogue.methods("detector", "table"):
            found.setdefault(card.name, {})[str(n)] = _milliseconds(catalogue.make(card.name).fit(X), X)
        for method, calls in peers.items():
            ask(do="time", task="one_row", parameters={"method": method, "calls": calls}, data=data, out=out)
            times = np.load(out, allow_pickle=False)
            found.setdefault(method, {})[str(n)] = round(1000 * float(np.median(times)), 4)
    return {"milliseconds": found, "calls": CALLS, "columns": 20}


def _milliseconds(detector: Any, X: Matrix) -> float:
    rows = [X[i % len(X)][None, :].copy() for i in range(CALLS)]
    detector.anomaly_score(rows[0])
    times = []
    for row in rows:
        start = time.perf_counter()
        detector.anomaly_score(row)
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 4)


def _memory() -> dict[str, Answer]:
    names = [card.name for card in catalogue.methods("detector", "table") if card.name not in PAIRWISE]
    return {name: in_fresh_process(name, *MEMORY) for name in names}
