"""Is the alarm rate kept, and what is found at it? Random splits of the normals of tables with at least 1,000 of them.

--only takes parts (rates, sizes, references, discoveries) and detectors (KNN, AutoTable). What is not run is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom

from benchmarks import tables
from benchmarks.machine import facts
from benchmarks.results import keep, load
from benchmarks.validity_page import markdown
from unusual.catalogue import cards, make
from unusual.data.table import Table
from unusual.decide.fdr import benjamini_hochberg
from unusual.decide.reference import compare, profile
from unusual.decide.tail import ExtrapolatedTail
from unusual.detector import Detector
from unusual.parts.conformal import Calibration, allowed

__all__ = ["markdown", "run"]

NAME = "validity"
DETECTORS = {"KNN": {}, "AutoTable": {"reference": "clean"}}  # name -> parameters
RATES = (0.01, 0.05)
FITTED, CALIBRATION, NEW = 400, 299, 300  # 999 rows: every table has as many normals
SPLITS = 100
SIZES = (50, 200, 1000)
DRAWS = 10  # disjoint references at most, of each size and table
ODD = 500  # anomalies scored at most
WIDEST = 1000  # columns: wider tables take most of the time and show nothing else
COVERAGE = 0.99
FDR, FDR_CALIBRATION, FDR_SHARE, FDR_SPLITS = 0.1, 999, 0.1, 50

Matrix = NDArray[np.float64]
Row = dict[str, Any]


def run(only: list[str]) -> None:
    """Measure the parts and detectors named in `only`, or all."""
    parts: dict[str, Callable[[str, str], Iterator[Row]]] = {
        "rates": rates,
        "sizes": sizes,
        "references": references,
        "discoveries": discoveries,
    }
    known = [name for name in DETECTORS if name in cards()]
    detectors = [name for name in known if name in only] or known
    for part in [part for part in parts if part in only] or list(parts):
        for detector in detectors:
            for table in large_tables():
                rows = list(parts[part](table, detector))
                old = load(NAME).get(part, {"rows": []})["rows"]
                others = [row for row in old if (row["table"], row["detector"]) != (table, detector)]
                keep(NAME, part, {"machine": facts(), "rows": sorted(others + rows, key=_order)})
            print(part, detector, flush=True)


def _order(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(key, "")) for key in ("table", "detector", "rate", "size", "how"))


@cache
def large_tables() -> tuple[str, ...]:
    """Tables with at least 999 normal rows and at most 1,000 columns."""
    found = [name for name in tables.names() if rows_of(name)[0].shape[1] <= WIDEST]
    return tuple(name for name in found if len(rows_of(name)[0]) >= FITTED + CALIBRATION + NEW)


@cache
def rows_of(name: str) -> tuple[Matrix, Matrix]:
    """Normal rows and at most 500 anomalies of a table, in a fixed random order."""
    split = tables.whole(name)
    rng = np.random.default_rng(0)
    normal, odd = (np.asarray(split.X, dtype=np.float64)[split.y == label] for label in (0, 1))
    return rng.permutation(normal), rng.permutation(odd)[:ODD]


def fitted(detector: str, X: Matrix) -> Detector:
    """The detector with its parameters, fitted to X (n, d); it calibrates itself on rows left out in turn."""
    made: Detector = make(detector, **DETECTORS[detector]).fit(X)
    return made


def rates(name: str, detector: str) -> Iterator[Row]:
    """Realised rate over random splits: calibrated on held-out rows, and on the fitted rows left out in turn."""
    normal, odd = rows_of(name)
    alarms = {(how, rate): [] for how in ("split", "left out") for rate in RATES}  # type: ignore[var-annotated]
    for seed in range(SPLITS):
        rows = normal[np.random.default_rng([3, seed]).permutation(len(normal))[: FITTED + CALIBRATION + NEW]]
        reference, new = rows[:-NEW], rows[-NEW:]
        apart = fitted(detector, reference[:FITTED]).calibrate(reference[FITTED:])
        whole = fitted(detector, reference)
        for how, model in (("split", apart), ("left out", whole)):
            of_new, of_odd = model.p_value(new), model.p_value(odd)
            for rate in RATES:
                alarms[how, rate].append(((of_new <= rate).mean(), (of_odd <= rate).mean()))
    for (how, rate), found in alarms.items():
        n = CALIBRATION if how == "split" else FITTED + CALIBRATION
        yield {**_row(name, detector, rate, n, np.array(found)), "how": how}


def _row(name: str, detector: str, rate: float, n: int, found: Matrix) -> Row:
    """Mean realised rate and recall over splits (s, 2), beside what n calibration rows promise and its 99 % interval.

    Splits of one table are independent given its rows, and each count of alarms is beta-binomial.
    """
    k = allowed(n, rate)
    spread = float(betabinom(NEW, k, n + 1 - k).std()) / NEW / np.sqrt(len(found)) if k else 0.0
    reach = 2.5758 * spread  # of the normal law, at 99 %
    return {
        "table": name,
        "detector": detector,
        "rate": rate,
        "promised": k / (n + 1),
        "low": k / (n + 1) - reach,
        "high": k / (n + 1) + reach,
        "realised": float(found[:, 0].mean()),
        "recall": float(found[:, 1].mean()),
        "splits": len(found),
    }


def sizes(name: str, detector: str) -> Iterator[Row]:
    """Realised rate with 50, 200 and 1,000 reference rows from disjoint draws: left out in turn, and split 70 to 30.

    Where so few rows left out in turn cannot support the rate, the threshold is extrapolated.
    """
    normal, odd = rows_of(name)
    new, rest = normal[:NEW], normal[NEW:]
    for size in SIZES:
        draws = [rest[i * size : (i + 1) * size] for i in range(min(DRAWS, len(rest) // size))]
        cut = size - 3 * size // 10
        models = {"left out": [fitted(detector, rows) for rows in draws]}
        models["split"] = [fitted(detector, rows[:cut]).calibrate(rows[cut:]) for rows in draws]
        for how, made in models.items():
            n = size if how == "left out" else size - cut
            scores = [(model, model.anomaly_score(new), model.anomaly_score(odd)) for model in made]
            for rate in RATES if made else ():
                if how == "split" and not allowed(n, rate):
                    continue
                cuts = [_threshold(model.calibration_, rate) for model in made]
                found = [((a > c).mean(), (b > c).mean()) for c, (_, a, b) in zip(cuts, scores, strict=True)]
                row = _row(name, detector, rate, n, np.array(found, dtype=np.float64))
                yield {**row, "size": size, "how": how if allowed(n, rate) else "extrapolated"}


def _threshold(calibration: Calibration, rate: float) -> float:
    if allowed(len(calibration), rate):
        return calibration.threshold(rate)
    return ExtrapolatedTail.of(calibration, share=0.3).threshold(rate)


def references(name: str, detector: str) -> Iterator[Row]:
    """References that are not what they should be: 5 % anomalies inside, related rows, new rows that moved."""
    normal, odd = rows_of(name)
    for how in ("clean", "contaminated", "grouped", "grouped, groups unknown", "drifted"):
        found, withdrawn = [], []
        for seed in range(DRAWS):
            rng = np.random.default_rng([4, seed])
            rows = normal[rng.permutation(len(normal))[: FITTED + CALIBRATION + NEW]]
            reference, new, groups = rows[:-NEW], rows[-NEW:], None
            if how == "contaminated":
                reference = reference.copy()
                strange = odd[rng.permutation(len(odd))[: len(reference) // 20]]
                reference[: len(strange)] = strange
            elif how == "drifted":
                new = new + normal.std(axis=0)
            elif how.startswith("grouped"):
                reference, new, groups = _lots(reference, new, rng)
            known = groups if how == "grouped" else None
            model = make(detector, **DETECTORS[detector]).fit(reference, groups=known)
            p = model.p_value(new)
            found.append(((p <= 0.05).mean(), (model.p_value(odd) <= 0.05).mean()))
            names = [f"x{j}" for j in range(reference.shape[1])]
            before, now = (Table(dict(zip(names, X.T, strict=True))) for X in (reference, new))
            related = 1.0 if known is None else len(new) / (len(new) // 10)  # new rows come in lots, too
            withdrawn.append(compare(profile(before, names), now, p, len(model.calibration_), related).withdrawn)
        row = _row(name, detector, 0.05, FITTED + CALIBRATION, np.array(found, dtype=np.float64))
        yield {**row, "how": how, "withdrawn": float(np.mean(withdrawn))}


def _lots(reference: Matrix, new: Matrix, rng: np.random.Generator) -> tuple[Matrix, Matrix, NDArray[np.int64]]:
    """Rows in lots of about ten that share half of their variance: new rows come from new lots."""
    spread = reference.std(axis=0)
    lots = np.arange(len(reference)) % (len(reference) // 10)
    news = np.arange(len(new)) % (len(new) // 10)
    shared = [rng.normal(size=(lot.max() + 1, reference.shape[1]))[lot] * spread for lot in (lots, news)]
    return reference + shared[0], new + shared[1], lots


def discoveries(name: str, detector: str) -> Iterator[Row]:
    """Benjamini-Hochberg at 10 %: share of false findings and share of anomalies found, a tenth being anomalies."""
    normal, odd = rows_of(name)
    if len(normal) < FITTED + FDR_CALIBRATION + NEW:
        return
    found = []
    for seed in range(FDR_SPLITS):
        rng = np.random.default_rng([5, seed])
        rows = normal[rng.permutation(len(normal))[: FITTED + FDR_CALIBRATION + NEW]]
        model = fitted(detector, rows[:FITTED]).calibrate(rows[FITTED:-NEW])
        strange = odd[rng.permutation(len(odd))[: round(FDR_SHARE * NEW)]]
        new = np.concatenate([rows[-NEW + len(strange) :], strange])
        report = benjamini_hochberg(model.p_value(new), FDR)
        false = report.mask[: -len(strange)].sum()
        found.append((false / max(1, len(report)), report.mask[-len(strange) :].mean()))
    shares = np.array(found)
    yield {
        "table": name,
        "detector": detector,
        "promised": FDR,
        "false_discovery_rate": float(shares[:, 0].mean()),
        "error": float(shares[:, 0].std(ddof=1) / np.sqrt(FDR_SPLITS)),
        "power": float(shares[:, 1].mean()),
        "splits": FDR_SPLITS,
    }
