"""Between a table that has been read and its findings: fit, score, decide, explain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._model import TableModel
from unusual._promise import discoveries, estimated, promise
from unusual.catalogue import card, make
from unusual.data.encoder import TableEncoder
from unusual.data.labels import labels_of
from unusual.data.split import calibration_rows, related
from unusual.data.table import Table
from unusual.decide import reference as health
from unusual.decide.fdr import benjamini_hochberg
from unusual.detector import Detector
from unusual.errors import InputError
from unusual.evaluate.intervals import metric_intervals
from unusual.evaluate.metrics import auroc, average_precision
from unusual.explain.causes import causes
from unusual.findings import QUICK, Findings, Method, Promise
from unusual.parts.bootstrap import Interval
from unusual.parts.conformal import allowed

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

ALARM_RATE = 0.01
CAREFULLY, EXPLAINED = 50, 200  # findings explained with care, and with less; the others when they are asked for
STEPS = ("reading", "understanding the columns", "fitting", "scoring", "explaining")


@dataclass
class Clock:
    """Tells the progress callback what is going on, and keeps how long each step took."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time what happens inside, once the callback has been told what it is."""
        if self.progress is not None:
            self.progress(STEPS.index(what), len(STEPS), what)
        start = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - start
        if self.progress is not None and what == STEPS[-1]:
            self.progress(len(STEPS), len(STEPS), "done")


def require_rows(table: Table, least: int) -> None:
    if len(table) < least:
        raise InputError(
            f"{table.name} has {len(table)} row{'s' * (len(table) != 1)}; at least {least} are needed to compare rows"
        )


# -- with a reference -------------------------------------------------------------------------------------------------


def fit_model(table: Table, method: str | Detector | None, settings: dict[str, Any], clock: Clock) -> TableModel:
    """Encoder and detector on 70 % of the reference, calibrated on the rest; on all of it where that is too little."""
    require_rows(table, 2)
    rate = settings["alarm_rate"] or ALARM_RATE
    settings = {**settings, "alarm_rate": rate}
    with clock.step("understanding the columns"):
        encoder = TableEncoder().fit(table, **_roles(table, settings))
        content = [column.name for column in encoder.columns_ if column.used]
        group = settings["group"] if settings["group"] in table.names else None
        labels = related(table, group, content)
        held_out = calibration_rows(labels)
        enough = bool(held_out.any()) and allowed(int(held_out.sum()), rate) > 0 and (~held_out).sum() >= 2
        if enough:
            encoder = TableEncoder().fit(table, rows=np.flatnonzero(~held_out), **_roles(table, settings))
        X = encoder.transform(table)
    with clock.step("fitting"):
        detector, why = _detector(method, rate, settings["random_state"], clean=True)
        if enough:
            detector.fit(X[~held_out], calibration=X[held_out])
        else:
            detector.fit(X, groups=labels if len(np.unique(labels)) > 1 else None)
    numbers = [column.name for column in encoder.columns_ if column.used and column.kind == "number"]
    settings.update(
        why=getattr(detector, "why_", why),
        reference_rows=len(table),
        reference_profile=health.profile(table, numbers),
        reference_notes=[*table.notes, *health.examine(len(table), rate, detector.calibration_)],
    )
    return TableModel(encoder, detector, settings)


def judge(model: TableModel, table: Table, fdr: float | None, clock: Clock) -> Findings:
    """Scores, p-values and decisions for a table against a fitted model."""
    settings, calibration = model.settings, model.detector.calibration_
    with clock.step("scoring"):
        scores = model.anomaly_score(table)
        p_values = calibration.p_value(scores)
    fit_for_it = health.compare(
        settings.get("reference_profile", {}), table, p_values, len(calibration), _related(table, settings["group"])
    )
    rate = settings["alarm_rate"]
    if fdr is not None:
        anomalous = benjamini_hochberg(p_values, fdr).mask
        threshold = float(np.nextafter(scores[anomalous].min(), -np.inf)) if anomalous.any() else np.inf
        said = discoveries(fdr, len(scores), calibration, fit_for_it)
    else:
        threshold, said = promise(calibration, rate, len(table), fit_for_it)
        anomalous = scores > threshold
    notes = [*table.notes, *settings.get("reference_notes", []), *fit_for_it.sentences, *model.encoder.check(table)]
    return _findings(model, table, scores, p_values, anomalous, threshold, said, notes)


# -- without a reference ----------------------------------------------------------------------------------------------


def _related(table: Table, group: str | None) -> float:
    """How many rows of one group there are on average; 1 where groups are not known."""
    if group is None or group not in table.names:
        return 1.0
    return len(table) / len(np.unique(related(table, group, [])))


def judge_alone(table: Table, method: str | Detector | None, settings: dict[str, Any], clock: Clock) -> Findings:
    """Rank the rows of a table among themselves, and cut where the estimated share of anomalies ends."""
    with clock.step("understanding the columns"):
        encoder = TableEncoder().fit(table, **_roles(table, settings))
        X = encoder.transform(table)
    rate = settings["alarm_rate"]
    with clock.step("fitting"):
        detector, why = _detector(method, rate or ALARM_RATE, settings["random_state"], clean=False)
        scores = detector._fit_to_rank(X)
    with clock.step("scoring"):
        ascending = np.sort(scores)
        p_values = (len(scores) - np.searchsorted(ascending, scores, side="left")) / len(scores)  # ranks, as shares
    threshold, said = estimated(scores, rate, settings["budget"], settings["random_state"])
    settings.update(why=getattr(detector, "why_", why), reference_rows=len(table))
    model = TableModel(encoder, detector, settings)
    return _findings(model, table, scores, p_values, scores > threshold, threshold, said, list(table.notes))


# -- both -------------------------------------------------------------------------------------------------------------


def _roles(table: Table, settings: dict[str, Any]) -> dict[str, Any]:
    """The id, group and label column, as far as this table has them."""
    return {role: settings[role] if settings[role] in table.names else None for role in ("id", "group", "label")}


def _detector(method: str | Detector | None, rate: float, seed: int, *, clean: bool) -> tuple[Detector, str]:
    """The detector to fit, and why it is this one."""
    if isinstance(method, Detector):
        return method.set_params(alarm_rate=rate), "given as an instance"
    name = method or "AutoTable"
    if card(name).role != "detector" or card(name).data not in ("table", "any"):
        raise InputError(f"{name} is no detector of tables; list them with: unusual methods --data table")
    wanted = {"alarm_rate": rate, "random_state": seed, "reference": "clean" if clean else "mixed", "n_jobs": -1}
    known = make(name)._get_param_names()
    detector: Detector = make(name, **{k: v for k, v in wanted.items() if k in known})
    return detector, "asked for by name" if method else "the default for tables"


def _findings(
    model: TableModel,
    table: Table,
    scores: Vector,
    p_values: Vector,
    anomalous: Mask,
    threshold: float,
    said: Promise,
    notes: list[str],
) -> Findings:
    detector, settings = model.detector, model.settings
    about = card(type(detector).__name__)
    id = settings["id"]
    items = table[id] if id is not None and id in table.names else np.arange(len(table))
    return Findings(
        source=table.name,
        kind="table",
        items=items,
        scores=scores,
        p_values=p_values,
        anomalous=anomalous,
        threshold=threshold,
        calibration=said,
        method=Method(about.name, about.title, about.paper, detector.get_params(), settings["why"]),
        columns=model.encoder.columns_,
        notes=list(dict.fromkeys([*notes, *model.encoder.notes_])),
        model=model,
        table=table,
        metrics=_metrics(table, settings["label"], scores),
        above_threshold=int(anomalous.sum()),
    )


def _metrics(table: Table, label: str | None, scores: Vector) -> dict[str, Interval] | None:
    """AUROC and average precision against the label column, where there is one, with bootstrap intervals."""
    if label is None or label not in table.names:
        return None
    truth = labels_of(table, label)
    if truth.min() == truth.max():
        raise InputError(f"the label column {label!r} holds one value only; metrics need both 0 and 1")
    metrics = {"AUROC": auroc, "average precision": average_precision}
    if min(truth.sum(), len(truth) - truth.sum()) < 2:  # nothing to resample
        return {name: Interval(v := metric(truth, scores), v, v, 0.0) for name, metric in metrics.items()}
    return dict(zip(metrics, metric_intervals([*metrics.values()], truth, scores), strict=True))


def finish(findings: Findings, settings: dict[str, Any], clock: Clock) -> Findings:
    """Keep the findings one can look at, explain them, and group those that share a cause."""
    budget = settings["budget"]
    if budget is not None and len(findings) > budget:
        kept = findings.rows[:budget]
        findings.anomalous = np.zeros(len(findings.scores), dtype=bool)
        findings.anomalous[kept] = True
    with clock.step("explaining"):
        rows = findings.rows[:EXPLAINED]
        if rows:
            carefully = findings.model.contributions(findings.table.take(np.array(rows[:CAREFULLY])))
            rest = findings.table.take(np.array(rows[CAREFULLY:], dtype=np.int64))
            found = carefully + (findings.model.contributions(rest, evaluations=QUICK) if len(rest) else [])
            findings._explained.update(zip(rows, found, strict=True))
            findings.causes = causes(rows, found)
    findings.timings = clock.seconds
    hidden = ("reference_profile", "reference_notes", "why", "reference_rows")
    findings.settings = {k: v for k, v in settings.items() if k not in hidden}
    return findings
