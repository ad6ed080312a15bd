"""The main job: source in, `Findings` out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._model import TableModel
from unusual._promise import estimated, percent, promise
from unusual.catalogue import card, make
from unusual.data.encoder import TableEncoder
from unusual.data.read_table import read_table
from unusual.data.split import calibration_rows, related
from unusual.data.table import Table, require
from unusual.decide import reference as health
from unusual.decide.fdr import benjamini_hochberg, findings_needed
from unusual.detector import Detector
from unusual.errors import InputError
from unusual.explain.causes import causes
from unusual.findings import Findings, Method, Promise
from unusual.parts.conformal import allowed, check_rate

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

ALARM_RATE = 0.01
EXPLAINED = 200  # findings whose contributions are worked out at once; the others when they are asked for
STEPS = ("reading", "understanding the columns", "fitting", "scoring", "explaining")


@dataclass
class _Clock:
    """Tells the progress callback what is going on, and keeps how long each step took."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(STEPS.index(what), len(STEPS), what)
        start = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - start
        if self.progress is not None and what == STEPS[-1]:
            self.progress(len(STEPS), len(STEPS), "done")


def scan(
    source: Any,
    reference: Any = None,
    *,
    kind: str | None = None,
    method: str | Detector | None = None,
    alarm_rate: float | None = None,
    fdr: float | None = None,
    budget: int | None = None,
    id: str | None = None,
    group: str | None = None,
    columns: list[str] | None = None,
    label: str | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> Findings:
    """Find what does not belong in a table.

    Parameters
    ----------
    source : path of a CSV, JSON, Parquet or SQLite file, folder, glob, query, connection string, data frame or array
    reference : the same kind of thing, known to be normal; with it the alarm rate is a promise
    kind : "table"; recognised unless given
    method : name of a detector (see `unusual methods`) or an instance; chosen unless given
    alarm_rate : share of normal rows one accepts as false alarms, in (0, 1). By default 0.01 with a reference; without
        one, the share of anomalies in the data is estimated instead.
    fdr : share of false findings among the findings, in (0, 1), in place of an alarm rate; needs a reference
    budget : how many findings one can look at, at most
    id : column that names the rows; it is not looked at
    group : column of related rows (lot, machine, customer), kept together in every split and calibration
    columns : the columns to look at; all unless given
    label : column of 0 normal, 1 anomalous; adds metrics and never changes a score
    random_state : seed of everything that draws
    progress : called as `progress(done, total, what)`

    Returns
    -------
    Findings

    Raises
    ------
    InputError
        If the data or an option cannot be used; the sentence says what to do.
    """
    _check_options(kind, alarm_rate, fdr, budget, reference is not None)
    clock = _Clock(progress)
    settings = _settings(method, alarm_rate, id, group, columns, label, random_state, budget=budget)
    with clock.step("reading"):
        table = read_table(source, columns=_with(columns, id, group, label))
        require([name for name in (id, group, label) if name is not None], table.names, table.name)
        _require_rows(table, 2 if reference is None else 1)
    if reference is None:
        findings = _scan_alone(table, method, settings, clock)
    else:
        with clock.step("reading"):
            normal = read_table(reference, columns=_with(columns, *_present(table, id, group, label)))
        model = _fit(normal, method, settings, clock)
        findings = _score(model, table, fdr, clock)
    settings.update(source=_named(source), reference=_named(reference), fdr=fdr)
    return _finish(findings, settings, clock)


def fit(
    reference: Any,
    *,
    method: str | Detector | None = None,
    alarm_rate: float = ALARM_RATE,
    id: str | None = None,
    group: str | None = None,
    columns: list[str] | None = None,
    label: str | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> TableModel:
    """Learn from a table of normal rows; parameters as for `scan`.

    Returns
    -------
    TableModel
        `unusual.score(model, new)` judges new tables with it, `model.save("m.unusual")` keeps it.
    """
    check_rate(alarm_rate)
    clock = _Clock(progress)
    settings = _settings(method, alarm_rate, id, group, columns, label, random_state)
    with clock.step("reading"):
        table = read_table(reference, columns=_with(columns, id, group, label))
        require([name for name in (id, group, label) if name is not None], table.names, table.name)
    return _fit(table, method, settings, clock)


def score(
    model: TableModel | str | Path,
    source: Any,
    *,
    alarm_rate: float | None = None,
    fdr: float | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Judge a new table with a fitted model; the alarm rate may differ from that of the fit.

    Raises
    ------
    ModelFileError
        If the model is a path and the file is not intact.
    InputError
        If the new table lacks columns of the reference or they are of other types.
    """
    from unusual.store import load

    _check_options(None, alarm_rate, fdr, budget, True)
    clock = _Clock(progress)
    path = None if isinstance(model, TableModel) else model
    fitted = model if isinstance(model, TableModel) else load(model)
    if not isinstance(fitted, TableModel):
        raise InputError(
            f"{path} holds a bare detector; give its anomaly_score a matrix, or save a model of unusual.fit"
        )
    settings = {**fitted.settings, "model": None if path is None else str(path)}
    if alarm_rate is not None:
        settings["alarm_rate"] = alarm_rate
        fitted = TableModel(fitted.encoder, fitted.detector, settings)
    with clock.step("reading"):
        table = read_table(source)
        _require_rows(table, 1)
    findings = _score(fitted, table, fdr, clock)
    settings.update(source=_named(source), fdr=fdr, budget=budget)
    return _finish(findings, settings, clock)


def _settings(
    method: str | Detector | None,
    alarm_rate: float | None,
    id: str | None,
    group: str | None,
    columns: list[str] | None,
    label: str | None,
    random_state: int,
    **more: Any,
) -> dict[str, Any]:
    """The options of a scan as plain values, kept with the model and in the findings."""
    name = method if isinstance(method, str | None) else type(method).__name__
    roles = {"id": id, "group": group, "columns": columns, "label": label}
    return {"method": name, "alarm_rate": alarm_rate, **roles, "random_state": random_state, **more}


def _check_options(
    kind: str | None, alarm_rate: float | None, fdr: float | None, budget: int | None, known: bool
) -> None:
    if kind not in (None, "table"):
        raise InputError(f"kind is {kind!r}; this version scans tables, so leave it out or give kind='table'")
    if alarm_rate is not None:
        check_rate(alarm_rate)
    if fdr is not None:
        check_rate(fdr, "fdr")
        if alarm_rate is not None:
            raise InputError("alarm_rate and fdr are both given; they are two ways to set the threshold, so give one")
        if not known:
            raise InputError("fdr needs a reference of normal rows to count on; give one, or use budget")
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int) or budget < 1):
        raise InputError(f"budget is {budget!r}; give how many findings you can look at, such as 20")


def _with(columns: list[str] | None, *others: str | None) -> list[str] | None:
    """The columns to read: those to look at, and those that name, group or label the rows."""
    return None if columns is None else list(dict.fromkeys([*columns, *(o for o in others if o is not None)]))


def _require_rows(table: Table, least: int) -> None:
    if len(table) < least:
        raise InputError(
            f"{table.name} has {len(table)} row{'s' * (len(table) != 1)}; at least {least} are needed to compare rows"
        )


def _present(table: Table, *names: str | None) -> list[str]:
    return [name for name in names if name is not None and name in table.names]


def _named(source: Any) -> str | None:
    if source is None:
        return None
    return str(source) if isinstance(source, str | Path) else f"a {type(source).__name__}"


# -- with a reference -------------------------------------------------------------------------------------------------


def _fit(table: Table, method: str | Detector | None, settings: dict[str, Any], clock: _Clock) -> TableModel:
    """Encoder and detector on 70 % of the reference, calibrated on the rest; on all of it where that is too little."""
    _require_rows(table, 2)
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


def _score(model: TableModel, table: Table, fdr: float | None, clock: _Clock) -> Findings:
    """Scores, p-values and decisions for a table against a fitted model."""
    settings, calibration = model.settings, model.detector.calibration_
    with clock.step("scoring"):
        scores = model.anomaly_score(table)
        p_values = calibration.p_value(scores)
    fit_for_it = health.compare(settings.get("reference_profile", {}), table, p_values, len(calibration))
    rate = settings["alarm_rate"]
    if fdr is not None:
        anomalous = benjamini_hochberg(p_values, fdr).mask
        threshold = float(np.nextafter(scores[anomalous].min(), -np.inf)) if anomalous.any() else np.inf
        said = _fdr_promise(fdr, p_values, model, fit_for_it.withdrawn)
    else:
        threshold, said = promise(calibration, rate, len(table), fit_for_it)
        anomalous = scores > threshold
    notes = [*table.notes, *settings.get("reference_notes", []), *fit_for_it.sentences, *model.encoder.check(table)]
    return _findings(model, table, scores, p_values, anomalous, threshold, said, notes)


def _fdr_promise(fdr: float, p_values: Vector, model: TableModel, withdrawn: bool) -> Promise:
    """What Benjamini-Hochberg promises here, and how many findings it takes before any can be returned."""
    calibration = model.detector.calibration_
    least = findings_needed(len(p_values), fdr, len(calibration))
    held_out = calibration.source == "held out"
    kind = "withdrawn" if withdrawn else "guaranteed" if held_out else "approximate"
    sentence = f"at most {percent(fdr)} of the findings are expected to be false, if the rows are independent"
    if not held_out:
        sentence += " (approximate: the reference was too small to set rows aside)"
    if withdrawn:
        sentence = "the reference no longer fits these data, so no share of false findings is promised"
    sentence += (
        f"; with {len(calibration):,} calibration rows nothing is returned unless at least {least:,} rows stand out"
    )
    return Promise(kind, None, None, len(calibration), None, sentence)


# -- without a reference ----------------------------------------------------------------------------------------------


def _scan_alone(table: Table, method: str | Detector | None, settings: dict[str, Any], clock: _Clock) -> Findings:
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


def _metrics(table: Table, label: str | None, scores: Vector) -> dict[str, float] | None:
    """AUROC and average precision against the label column, where there is one."""
    if label is None or label not in table.names:
        return None
    from sklearn.metrics import average_precision_score, roc_auc_score

    y = table[label]
    if not set(np.unique(y.astype(str)).tolist()) <= {"0", "1", "0.0", "1.0", "False", "True"}:
        raise InputError(f"the label column {label!r} holds other values than 0 and 1; 0 is normal, 1 anomalous")
    truth = y.astype(np.float64)
    if truth.min() == truth.max():
        raise InputError(f"the label column {label!r} holds one value only; metrics need both 0 and 1")
    return {
        "AUROC": float(roc_auc_score(truth, scores)),
        "average precision": float(average_precision_score(truth, scores)),
        "share of anomalies": float(truth.mean()),
    }


def _finish(findings: Findings, settings: dict[str, Any], clock: _Clock) -> Findings:
    """Keep the findings one can look at, explain them, and group those that share a cause."""
    budget = settings["budget"]
    if budget is not None and len(findings) > budget:
        kept = findings.rows[:budget]
        findings.anomalous = np.zeros(len(findings.scores), dtype=bool)
        findings.anomalous[kept] = True
    with clock.step("explaining"):
        rows = findings.rows[:EXPLAINED]
        if rows:
            found = findings.model.contributions(findings.table.take(np.array(rows)))
            findings._explained.update(zip(rows, found, strict=True))
            findings.causes = causes(rows, found)
    findings.timings = clock.seconds
    hidden = ("reference_profile", "reference_notes", "why", "reference_rows")
    findings.settings = {k: v for k, v in settings.items() if k not in hidden}
    return findings
