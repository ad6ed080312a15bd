"""The main job: source in, `Findings` out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unusual._judge import ALARM_RATE, Clock, Progress, finish, fit_model, judge, judge_alone, require_rows
from unusual._log_model import LogModel
from unusual._model import TableModel
from unusual._series_model import SeriesModel
from unusual.catalogue import card
from unusual.data.read_table import read_table
from unusual.data.series import time_column
from unusual.data.table import Table, require
from unusual.detector import Detector
from unusual.errors import InputError
from unusual.findings import Findings
from unusual.parts.conformal import check_rate
from unusual.series_detector import SeriesDetector
from unusual.series_findings import SeriesFindings

if TYPE_CHECKING:
    from unusual.log_findings import LogFindings


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
    time: str | None = None,
    by: str | None = None,
    alarms_per_day: float | None = None,
    label: str | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> Findings | SeriesFindings | LogFindings:
    """Find what does not belong in a table, in the series that a table holds, or in a log.

    Parameters
    ----------
    source : path of a CSV, JSON, Parquet or SQLite file, folder, glob, query, connection string, data frame or array
    reference : the same kind of thing, known to be normal; with it the alarm rate is a promise
    kind : "table", "series" or "events"; recognised unless given: rows at regular times with numbers are a series,
        files ending in .log are logs of events
    method : name of a detector (see `unusual methods`) or an instance; chosen unless given
    alarm_rate : share of normal rows one accepts as false alarms, in (0, 1). By default 0.01 with a reference; without
        one, the share of anomalies in the data is estimated instead.
    fdr : share of false findings among the findings, in (0, 1), in place of an alarm rate; needs a reference
    budget : how many findings one can look at, at most
    id : column that names the rows; it is not looked at
    group : column of related rows (lot, machine, customer), kept together in every split and calibration
    columns : the columns to look at; all unless given
    time : column with the time of each row, of a series
    by : column that tells several series in one table apart (machine, sensor), each judged by itself; in a log what
        ties lines together: "process", "component", a pattern such as "request=(\\w+)", or "nothing"
    alarms_per_day : false alarms accepted in a day of a normal series, in place of an alarm rate
    label : column of 0 normal, 1 anomalous; adds metrics and never changes a score
    random_state : seed of everything that draws
    progress : called as `progress(done, total, what)`

    Returns
    -------
    Findings; for a series SeriesFindings with scores for each step and events; for a log LogFindings

    Raises
    ------
    InputError
        If the data or an option cannot be used; the sentence says what to do.
    """
    _check_options(kind, alarm_rate, fdr, budget, reference is not None)
    if _is_log(source, kind, method):
        from unusual._log_scan import scan_log

        unused = {"fdr": fdr, "group": group, "columns": columns, "label": label, "alarms_per_day": alarms_per_day}
        _refuse(unused, "a log")
        drawn: dict[str, Any] = {"random_state": random_state, "progress": progress}
        return scan_log(source, reference, by=by, alarm_rate=alarm_rate, budget=budget, **drawn)
    clock = Clock(progress)
    settings = _settings(method, alarm_rate, id, group, columns, label, random_state, budget=budget)
    roles = [name for name in (id, group, label, time, by) if name is not None]
    with clock.step("reading"):
        table = read_table(source, columns=_with(columns, *roles))
        require(roles, table.names, table.name)
        require_rows(table, 2 if reference is None else 1)
    when, recognised = _time_of(table, kind, time, by, method)
    if recognised is not None:
        if fdr is not None:
            raise InputError("fdr counts items, and the steps of a series are none; give alarms_per_day or alarm_rate")
        settings.update(time=when, by=by, alarms_per_day=alarms_per_day)
        from unusual._series_scan import scan_series

        found = scan_series(table, reference, method, settings, clock, recognised)
        found.settings.update(source=_named(source), reference=_named(reference))
        return found
    if alarms_per_day is not None:
        raise InputError("alarms_per_day is for series, and this is a table; give alarm_rate, or time= for a series")
    if reference is None:
        findings = judge_alone(table, method, settings, clock)
    else:
        with clock.step("reading"):
            normal = read_table(reference, columns=_with(columns, *_present(table, id, group, label)))
        model = fit_model(normal, method, settings, clock)
        findings = judge(model, table, fdr, clock)
    settings.update(source=_named(source), reference=_named(reference), fdr=fdr)
    return finish(findings, settings, clock)


def _is_log(source: Any, kind: str | None, method: Any) -> bool:
    """Whether a source is a log: asked for, or files that end in .log, numbered and packed ones included."""
    first = (
        source[0] if isinstance(source, list | tuple) and len(source) and isinstance(source[0], str | Path) else source
    )
    if kind is not None or not isinstance(first, str | Path):
        return kind == "events"
    if isinstance(method, str) and card(method).data != "events":
        return False
    return bool(re.search(r"\.log([.*\d-][^/\\]*)?$", str(first)))


def _refuse(options: dict[str, Any], what: str) -> None:
    """Say which of the options given make no sense here."""
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} is given, but {what} knows nothing of it; leave it out")


def _time_of(
    table: Table, kind: str | None, time: str | None, by: str | None, method: str | Detector | None
) -> tuple[str | None, str | None]:
    """The time column of a table that is a series, and a sentence on how that was recognised; None, None for a table.

    The sentence is empty where one asked for a series.
    """
    wanted: str | None = "series" if isinstance(method, SeriesDetector) else None if method is None else "table"
    if isinstance(method, str):
        wanted = card(method).data
    asked = kind == "series" or time is not None or by is not None
    if asked or (wanted == "series" and kind is None):
        return time if time is not None else time_column(table), ""
    when = None if kind == "table" or wanted == "table" else time_column(table)
    if when is None:
        return None, None
    return when, f"read as a series: `{when}` holds regular times and the rest is numbers (kind='table' overrides)"


def fit(
    reference: Any,
    *,
    method: str | Detector | None = None,
    alarm_rate: float = ALARM_RATE,
    id: str | None = None,
    group: str | None = None,
    columns: list[str] | None = None,
    kind: str | None = None,
    time: str | None = None,
    by: str | None = None,
    label: str | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> TableModel | SeriesModel | LogModel:
    """Learn from a table, series or log known to be normal; parameters as for `scan`.

    Returns
    -------
    TableModel, SeriesModel or LogModel
        `unusual.score(model, new)` judges new data with it, `model.save("m.unusual")` keeps it.
    """
    _check_options(kind, alarm_rate, None, None, True)
    check_rate(alarm_rate)
    if _is_log(reference, kind, method):
        from unusual._log_scan import fit_log
        from unusual.data.log_events import read_log

        _refuse({"group": group, "columns": columns, "label": label}, "a log")
        chosen = {"by": by, "severity": True, "alarm_rate": alarm_rate, "budget": None, "random_state": random_state}
        return fit_log(read_log(reference, by=by), chosen)
    clock = Clock(progress)
    settings = _settings(method, alarm_rate, id, group, columns, label, random_state)
    with clock.step("reading"):
        roles = [name for name in (id, group, label, time, by) if name is not None]
        table = read_table(reference, columns=_with(columns, *roles))
        require(roles, table.names, table.name)
    when, recognised = _time_of(table, kind, time, by, method)
    if recognised is not None:
        from unusual._series_scan import fit_from

        return fit_from(table, method, {**settings, "time": when, "by": by}, clock)
    return fit_model(table, method, settings, clock)


def score(
    model: TableModel | SeriesModel | LogModel | str | Path,
    source: Any,
    *,
    alarm_rate: float | None = None,
    fdr: float | None = None,
    budget: int | None = None,
    alarms_per_day: float | None = None,
    progress: Progress | None = None,
) -> Findings | SeriesFindings | LogFindings:
    """Judge new data with a fitted model; the alarm rate may differ from that of the fit.

    Raises
    ------
    ModelFileError
        If the model is a path and the file is not intact.
    InputError
        If the new table lacks columns of the reference or they are of other types.
    """
    from unusual.store import load

    _check_options(None, alarm_rate, fdr, budget, True)
    clock = Clock(progress)
    path = None if isinstance(model, TableModel | SeriesModel | LogModel) else model
    fitted = model if path is None else load(path)
    if isinstance(fitted, LogModel):
        from unusual._log_scan import judge_log

        _refuse({"fdr": fdr, "alarms_per_day": alarms_per_day}, "a log")
        settings = {**fitted.settings, "alarm_rate": alarm_rate, "budget": budget}
        with clock.step("reading"):
            events = fitted.read(source)
        return judge_log(fitted, events, settings, clock)
    if isinstance(fitted, SeriesModel):
        return _score_series(fitted, source, path, alarm_rate, budget, alarms_per_day, clock)
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
        require_rows(table, 1)
    findings = judge(fitted, table, fdr, clock)
    settings.update(source=_named(source), fdr=fdr, budget=budget)
    return finish(findings, settings, clock)


def _score_series(
    model: SeriesModel,
    source: Any,
    path: Any,
    alarm_rate: float | None,
    budget: int | None,
    alarms_per_day: float | None,
    clock: Clock,
) -> SeriesFindings:
    from unusual._series_scan import score_from

    rate = model.settings["alarm_rate"] if alarm_rate is None else alarm_rate
    settings = {**model.settings, "alarm_rate": rate, "budget": budget, "alarms_per_day": alarms_per_day}
    findings = score_from(model, read_table(source), settings, clock)
    findings.settings.update(source=_named(source), model=None if path is None else str(path))
    return findings


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
    if kind not in (None, "table", "series", "events"):
        raise InputError(f"kind is {kind!r}; leave it out, or give one of: table, series, events")
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


def _present(table: Table, *names: str | None) -> list[str]:
    return [name for name in names if name is not None and name in table.names]


def _named(source: Any) -> str | None:
    if source is None:
        return None
    return str(source) if isinstance(source, str | Path) else f"a {type(source).__name__}"
