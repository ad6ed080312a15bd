"""Quality on 21 labelled tables: each classic beside PyOD's and scikit-learn's, AutoTable beside every single one.

--only takes parts (peers, classics, auto, clean_peers, clean_classics, clean_auto), methods (pyod.KNN, LOF), and the
word missing: measure what is not kept. What is not run is kept from the last time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import tables
from benchmarks.machine import facts
from benchmarks.peers import Peer
from benchmarks.results import change, load
from unusual import catalogue

NAME = "tables_accuracy"
SEEDS = 10
CLEAN_SEEDS = 3
LIMIT = 120  # CPU seconds a peer may take on one table
ENOUGH = 20  # no further seed is begun after so many CPU seconds

CLASSICS = {  # ours -> the same method elsewhere. Where scikit-learn has it as well, PyOD calls scikit-learn.
    "CBLOF": "pyod.CBLOF",
    "COPOD": "pyod.COPOD",
    "ECOD": "pyod.ECOD",
    "GaussianMixture": "pyod.GMM",
    "HBOS": "pyod.HBOS",
    "INNE": "pyod.INNE",
    "IsolationForest": "pyod.IForest",
    "KDE": "pyod.KDE",
    "KNN": "pyod.KNN",
    "LODA": "pyod.LODA",
    "LOF": "pyod.LOF",
    "Mahalanobis": "sklearn.covariance.EmpiricalCovariance",
    "OneClassSVM": "pyod.OCSVM",
    "PCA": "pyod.PCA",
    "RobustMahalanobis": "pyod.MCD",
}
AUTO = "AutoTable"
ENGINES = ("ADEngine.detect", "ADEngine.investigate")
OTHERS = ("pyod.ABOD", "pyod.CD", "pyod.FeatureBagging", "pyod.HDBSCAN", "pyod.QMCD", "pyod.Sampling")
DRAWN = {  # peers whose result depends on the seed
    *ENGINES,
    *("pyod." + name for name in ("CBLOF", "FeatureBagging", "IForest", "INNE", "LODA", "MCD", "Sampling")),
}
METHODS: dict[str, tuple[str, ...]] = {
    "peers": (*CLASSICS.values(), *OTHERS, *ENGINES),
    "classics": tuple(CLASSICS),
    "auto": (AUTO,),
    "clean_peers": tuple(CLASSICS.values()),
    "clean_classics": tuple(CLASSICS),
    "clean_auto": (AUTO,),
}
COMPILED = ("pyod.HBOS", "pyod.CBLOF", "pyod.ECOD", "pyod.ABOD", "pyod.IForest")

Splits = Callable[[str], Iterator[tables.Split]]
Figures = dict[str, Any]
Parameters = dict[str, Any]
Todo = dict[str, list[str]]  # table -> methods


def run(only: list[str]) -> None:
    """Measure the parts and methods named in `only`, or all."""
    parts: dict[str, Callable[[Todo], Iterator[Figures]]] = {
        "peers": lambda todo: _of_peers(todo, _whole),
        "classics": lambda todo: _of_ours(todo, _whole, SEEDS, {}),
        "auto": lambda todo: _of_ours(todo, _whole, SEEDS, {}),
        "clean_peers": lambda todo: _of_peers(todo, _clean),
        "clean_classics": lambda todo: _of_ours(todo, _clean, 1, {}),
        "clean_auto": lambda todo: _of_ours(todo, _clean, 1, {"reference": "clean"}),
    }
    methods = set(only) - set(parts) - {"missing"}
    for part in [part for part in parts if part in only] or parts:
        names = [name for name in METHODS[part] if not methods or name in methods]
        if names:
            _measure(part, parts[part](_todo(part, names, "missing" in only)))


def _todo(part: str, methods: list[str], missing: bool) -> Todo:
    """The methods to run on each table: all, or those without a figure there."""
    kept = load(NAME).get(part, {"methods": {}})["methods"] if missing else {}
    wanted = {name: [m for m in methods if name not in kept.get(m, {})] for name in tables.names()}
    return {name: left for name, left in wanted.items() if left}


def _measure(part: str, found: Iterator[Figures]) -> None:
    """Keep what is found table by table, so that a run that is broken off loses one table only."""
    machine = facts()
    if part.endswith("peers"):
        with Peer() as ask:
            machine["peers"] = ask(do="versions")
    for figures in found:  # of one table: method -> table -> figures
        change(NAME, part, partial(_merged, figures=figures, machine=machine))


def _merged(kept: Figures | None, figures: Figures, machine: Figures) -> Figures:
    """The figures kept with new ones in their place."""
    old = {} if kept is None else kept["methods"]
    new = {method: {**old.get(method, {}), **by_table} for method, by_table in figures.items()}
    return {"machine": machine, "methods": {**old, **new}}


def _whole(name: str) -> Iterator[tables.Split]:
    yield tables.whole(name)


def _clean(name: str) -> Iterator[tables.Split]:
    return tables.clean_halves(name, CLEAN_SEEDS)


def _of_peers(todo: Todo, splits: Splits) -> Iterator[Figures]:
    """Figures by peer, one table after the other."""
    with Peer() as ask, tempfile.TemporaryDirectory() as folder:
        ask(do="warm", methods=COMPILED)
        for name, peers in todo.items():
            judged = list(splits(name))
            figures = {peer: {name: _of_peer(ask, peer, judged, Path(folder))} for peer in peers}
            print(name, figures, flush=True)
            yield figures


def _of_peer(ask: Peer, peer: str, splits: list[tables.Split], folder: Path) -> Figures:
    """Mean figures of one peer over the splits of one table, or why there are none."""
    found: list[tuple[float, float]] = []
    cpu = 0.0
    for i, split in enumerate(splits):
        data, new, out = (str(folder / f"{split.name}-{len(splits)}-{i}-{what}.npy") for what in ("X", "new", "scores"))
        if not Path(data).exists():
            np.save(data, split.X)
            if split.new is not None:
                np.save(new, split.new)
        seeds = SEEDS if peer in DRAWN and len(splits) == 1 else 1
        where = {"data": data, "new": None if split.new is None else new, "out": out}
        answer = ask(do="scores", method=peer, seeds=seeds, limit=LIMIT, enough=ENOUGH, **where)
        if "failed" in answer:
            return {"failed": answer["failed"]}
        cpu += answer["cpu"]
        found += [split.judge(scores) for scores in np.load(out, allow_pickle=False)]
        Path(out).unlink()
    return _mean(found, cpu)


def _of_ours(todo: Todo, splits: Splits, seeds: int, parameters: Parameters) -> Iterator[Figures]:
    """Figures of our methods, one table after the other; methods that are not in the catalogue are left out."""
    for name, methods in todo.items():
        present = [method for method in methods if method in catalogue.cards()]
        judged = list(splits(name)) if present else []
        figures = {method: {name: _of_one(method, judged, seeds, parameters)} for method in present}
        print(name, figures, flush=True)
        yield figures


def _of_one(method: str, splits: list[tables.Split], seeds: int, parameters: Parameters) -> Figures:
    draws = "random_state" in catalogue.find(method)._get_param_names()
    found: list[tuple[float, float]] = []
    start = time.process_time()
    for split in splits:
        for seed in range(seeds if draws else 1):
            if found and time.process_time() - start > ENOUGH * len(splits):
                break
            given = {**parameters, **({"random_state": seed} if draws else {})}
            detector = catalogue.make(method, **given)
            if split.new is None:
                scores = detector.fit_anomaly_score(split.X)
            else:
                scores = detector.fit(split.X).anomaly_score(split.new)
            found.append(split.judge(scores))
    return _mean(found, time.process_time() - start)


def _mean(found: list[tuple[float, float]], cpu: float) -> Figures:
    auroc, precision = np.mean(found, axis=0).tolist()
    return {"auroc": round(auroc, 4), "ap": round(precision, 4), "runs": len(found), "cpu": round(cpu / len(found), 2)}
