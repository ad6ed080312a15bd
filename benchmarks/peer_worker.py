"""Runs peers in their own environment: reads one order a line from standard input, answers one line each.

Knows nothing of `unusual` and gets no labels. An order is a JSON object with `do` = "scores" or "time"; see the
functions of these names.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

PYOD_MODULES = {"FeatureBagging": "feature_bagging"}
_loaded: dict[str, np.ndarray] = {}


def matrix(path: str) -> np.ndarray:
    """The array at `path`; the last two are kept, since several orders use the same data."""
    if path not in _loaded:
        while len(_loaded) > 1:
            _loaded.pop(next(iter(_loaded)))
        _loaded[path] = np.load(path, allow_pickle=False)
    return _loaded[path]


def build(name: str, parameters: dict[str, Any], seed: int) -> Any:
    """A detector by "pyod.NAME" or "sklearn.MODULE.NAME"; `seed` where it takes one."""
    package, *modules, method = name.split(".")
    if package == "pyod":
        modules = ["models", PYOD_MODULES.get(method, method.lower())]
    found = getattr(importlib.import_module(".".join([package, *modules])), method)
    seeded = {"random_state": seed} if "random_state" in inspect.signature(found.__init__).parameters else {}
    return found(**{**seeded, **parameters})


def engine_scores(X: np.ndarray, seed: int, do: str) -> np.ndarray:
    """Scores of PyOD's automatic choice: "detect" picks one detector, "investigate" a consensus of ranks."""
    from pyod.utils.ad_engine import ADEngine

    engine = ADEngine(random_state=seed)
    if do == "detect":
        return np.asarray(engine.detect(X)["scores_train"])
    return np.asarray(engine.investigate(X).consensus["scores"])


def fit_scores(order: dict[str, Any], X: np.ndarray, seed: int) -> np.ndarray:
    """Fit on X, score its rows, or `new` where given; higher is more unusual."""
    name = order["method"]
    new = matrix(order["new"]) if order.get("new") else None
    if name.startswith("ADEngine."):
        return engine_scores(X, seed, name.removeprefix("ADEngine."))
    if name.startswith("pyod."):
        fitted = build(name, order.get("parameters", {}), seed).fit(X)
        return np.asarray(fitted.decision_scores_ if new is None else fitted.decision_function(new))
    novelty = {"novelty": new is not None} if name.endswith("LocalOutlierFactor") else {}
    fitted = build(name, {**order.get("parameters", {}), **novelty}, seed).fit(X)
    if name.endswith("EmpiricalCovariance"):
        return np.asarray(fitted.mahalanobis(X if new is None else new))
    if novelty and new is None:
        return -np.asarray(fitted.negative_outlier_factor_)
    return -np.asarray(fitted.score_samples(X if new is None else new))


def scores(order: dict[str, Any]) -> dict[str, Any]:
    """Scores (seeds, n) written to `out`: `method` fitted on `data` with up to `seeds` seeds, none begun after
    `enough` CPU seconds, in a child process that may use `limit` CPU seconds; seeds that raise are left out."""
    matrix(order["data"])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (order["limit"], order["limit"] + 5))
            _scores_to(order)
            code = 0
        except Exception:
            with open(order["out"] + ".txt", "w", encoding="utf-8") as stream:
                stream.write(traceback.format_exc().strip().splitlines()[-1])
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    if os.WIFSIGNALED(status):
        return {"failed": f"over {order['limit']} s of CPU time or out of memory"}
    if os.WEXITSTATUS(status):
        with open(order["out"] + ".txt", encoding="utf-8") as stream:
            return {"failed": stream.read()}
    return {"cpu": round(used.ru_utime + used.ru_stime, 2)}


def _scores_to(order: dict[str, Any]) -> None:
    X = matrix(order["data"])
    found: list[np.ndarray] = []
    failures: list[ValueError] = []
    for seed in range(order["seeds"]):
        if found and time.process_time() > order["enough"]:
            break
        np.random.seed(seed)  # noqa: NPY002  some peers draw from the global generator
        try:
            result = fit_scores(order, X, seed)
        except ValueError as error:
            failures.append(error)
            continue
        if not np.isfinite(result).all():
            raise ValueError("scores are not finite")
        found.append(result)
    if not found:
        raise failures[0]
    np.save(order["out"], np.stack(found))


def warm(order: dict[str, Any]) -> dict[str, Any]:
    """Run `methods` once on small data, so that what they compile is there before anything is measured."""
    X = np.random.default_rng(0).normal(size=(300, 5))
    for method in order["methods"]:
        fit_scores({"method": method}, X, 0)
    return {}


def time_once(order: dict[str, Any]) -> dict[str, Any]:
    """CPU and wall seconds of one of the TASKS below on `data`, and the scores to `out` where given."""
    X = matrix(order["data"])
    task: Callable[..., Any] = TASKS[order["task"]]
    wall, cpu = time.perf_counter(), time.process_time()
    result = task(X, **order.get("parameters", {}))
    answer = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    if order.get("out"):
        np.save(order["out"], np.asarray(result))
    return answer


def sklearn_forest(X: np.ndarray, trees: int = 100) -> np.ndarray:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=trees, max_samples=256, random_state=0).fit(X)
    return -np.asarray(forest.score_samples(X))


def pyod_fit(X: np.ndarray, method: str, **parameters: Any) -> np.ndarray:
    """PyOD scores the fitted rows inside `fit`."""
    return np.asarray(build(f"pyod.{method}", parameters, 0).fit(X).decision_scores_)


def pyod_fit_and_score(X: np.ndarray, method: str, **parameters: Any) -> np.ndarray:
    return np.asarray(build(f"pyod.{method}", parameters, 0).fit(X).decision_function(X))


def sklearn_nearest(X: np.ndarray, k: int, algorithm: str, queries: int | None = None) -> np.ndarray:
    """Distance to the k-th other row of each row, or of the first `queries`."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=k, algorithm=algorithm).fit(X)
    if queries is None:
        return np.asarray(index.kneighbors()[0][:, -1])
    return np.asarray(index.kneighbors(X[:queries], n_neighbors=k + 1)[0][:, -1])


def sklearn_lof(X: np.ndarray, k: int, algorithm: str) -> np.ndarray:
    from sklearn.neighbors import LocalOutlierFactor

    fitted = LocalOutlierFactor(n_neighbors=k, algorithm=algorithm, novelty=True).fit(X)
    return -np.asarray(fitted.negative_outlier_factor_)


def one_row(X: np.ndarray, method: str, calls: int) -> list[float]:
    """Wall seconds of each of `calls` scorings of one row by a detector fitted on X."""
    fitted = build(method, {}, 0).fit(X)
    score = fitted.decision_function if method.startswith("pyod.") else fitted.score_samples
    times = []
    for i in range(calls + 2):
        start = time.perf_counter()
        score(X[i % len(X)][None, :])
        times.append(time.perf_counter() - start)
    return times[2:]


def stumpy_profile(x: np.ndarray, m: int) -> np.ndarray:
    """Distance to the nearest other window of the same shape and its number (n, 2)."""
    import stumpy

    return np.asarray(stumpy.stump(x, m)[:, :2], dtype=np.float64)


def stumpy_raw_profile(x: np.ndarray, m: int) -> np.ndarray:
    """The same for windows as they are."""
    import stumpy

    return np.asarray(stumpy.aamp(x, m)[:, :2], dtype=np.float64)


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task
    for task in (
        sklearn_forest,
        pyod_fit,
        pyod_fit_and_score,
        sklearn_nearest,
        sklearn_lof,
        one_row,
        stumpy_profile,
        stumpy_raw_profile,
    )
}


def versions(_: dict[str, Any]) -> dict[str, Any]:
    """Versions of what is installed here."""
    from importlib.metadata import version

    return {name: version(name) for name in ("pyod", "scikit-learn", "stumpy", "numpy", "scipy", "numba")}


ORDERS = {"scores": scores, "warm": warm, "time": time_once, "versions": versions}


def main() -> None:
    """Answer orders until standard input ends; what peers print must not mix with the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = ORDERS[order["do"]](order)
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
