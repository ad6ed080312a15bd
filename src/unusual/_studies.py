"""What a person asks for besides a scan; each command of the command line calls the function of its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unusual._model import TableModel
from unusual._scan import score
from unusual._series_model import SeriesModel
from unusual.data.labels import labels_of
from unusual.data.read_table import read_table
from unusual.data.split import related
from unusual.data.table import Table, missing, require
from unusual.errors import InputError
from unusual.evaluate.alarm_changes import AlarmChanges, alarm_changes
from unusual.evaluate.detectability import Detectability, DetectionCurve, detection_curve
from unusual.evaluate.table_damage import Damage, damages, moving, spread
from unusual.findings import Findings
from unusual.parts.rows import some_rows
from unusual.series_findings import SeriesFindings
from unusual.store import load

if TYPE_CHECKING:
    from unusual.explain.trust_report import TrustReport

MOST_PLACES = 60  # columns damaged one by one
FEW_ITEMS = 50
MOST_REASONS = 50


def model_of(model: TableModel | str | Path) -> TableModel:
    """A fitted model, loaded if a path is given.

    Raises
    ------
    InputError
        If the file holds a bare detector.
    """
    fitted = model if isinstance(model, TableModel) else load(model)
    if not isinstance(fitted, TableModel):
        raise InputError(f"{model} holds a bare detector without its columns; save a model of unusual.fit")
    return fitted


def sensitivity(
    model: TableModel | str | Path,
    reference: Any,
    *,
    wanted: float = 0.9,
    items: int = 200,
    random_state: int = 0,
) -> Detectability:
    """What would it catch? Normal rows are damaged more and more until they alarm; no labels are needed.

    Parameters
    ----------
    model : what `unusual.fit` returned, or the file it was saved to
    reference : normal rows, best such as the fit has not seen; anything that `scan` reads
    wanted : the chance of being caught that "smallest" stands for
    items : how many of the rows are damaged
    random_state : seed of what is damaged where

    Returns
    -------
    Detectability
        A curve for each kind of damage, the smallest size caught with its 95 % interval, and the same for each numeric
        column alone; `.study()` is the page.

    Raises
    ------
    InputError
        If the data have fewer than two rows, or lack columns of the model.
    """
    fitted = model_of(model)
    table = read_table(reference)
    if len(table) < 2 or items < 2:
        raise InputError(f"{table.name} has {len(table)} rows and items is {items}; at least 2 rows are to be damaged")
    used = [column for column in fitted.encoder.columns_ if column.used]
    numbers = [column.name for column in used if column.kind == "number" and table[column.name].dtype.kind in "fiu"]
    spreads = {name: spread(table[name]) for name in numbers}
    spreads = {name: scale for name, scale in spreads.items() if scale > 0}
    rows = table.take(some_rows(len(table), items))
    threshold = fitted.detector.threshold_
    group = fitted.settings.get("group")
    groups = related(rows, group, []) if group in rows.names else None

    def curve(damage: Damage) -> DetectionCurve:
        hits = [fitted.anomaly_score(damage.done(size)) > threshold for size in damage.sizes]
        caught = np.column_stack(hits)
        return detection_curve(caught, damage.sizes, kind=damage.kind, unit=damage.unit, wanted=wanted, groups=groups)

    rng = np.random.default_rng(random_state)
    ways = rng.choice([-1.0, 1.0], (len(rows), 1))
    alone = [moving(f"`{name}` moves", rows, {name: spreads[name]}, ways) for name in list(spreads)[:MOST_PLACES]]
    return Detectability(
        [curve(damage) for damage in damages(rows, spreads, [column.name for column in used], random_state)],
        [curve(damage) for damage in alone],
        type(fitted.detector).__name__,
        table.name,
        float(fitted.settings["alarm_rate"]),
        _notes(fitted, table, len(rows), len(spreads)),
    )


def _notes(fitted: TableModel, table: Table, items: int, numbers: int) -> list[str]:
    """What limits the answer of a sensitivity study."""
    notes = [f"{items:,} rows were damaged; the model alarms at a rate of {fitted.settings['alarm_rate']:g}"]
    if items < FEW_ITEMS:
        notes.append(f"{items} rows are few; the intervals are wide")
    if not np.isfinite(fitted.detector.threshold_):
        notes.append("the model cannot alarm at this rate with so few calibration rows, so nothing is ever caught")
    if numbers > MOST_PLACES:
        notes.append(f"the first {MOST_PLACES} of {numbers:,} numeric columns were damaged one by one")
    holes = [name for name in table.names if missing(table.columns[name]).all()]
    if holes:
        notes.append(f"columns without any value were left alone: {', '.join(f'`{name}`' for name in holes[:5])}")
    return notes


def compare(
    old: TableModel | SeriesModel | str | Path,
    new: TableModel | SeriesModel | str | Path,
    source: Any,
    *,
    alarm_rate: float | None = None,
) -> AlarmChanges:
    """Which alarms appear and which vanish when one model takes the place of another, on the same data.

    Parameters
    ----------
    old, new : fitted models or their files
    source : anything that `scan` reads
    alarm_rate : share of normal rows accepted as false alarms, in (0, 1); by default that of each model

    Raises
    ------
    InputError
        If a model cannot read the data; the sentence says why.
    """
    table = read_table(source)
    before, after = (_judged(model, table, alarm_rate) for model in (old, new))
    changes = alarm_changes(before.scores, before.anomalous, after.scores, after.anomalous)
    reasons = {i: after.reason(i) for i in changes.appeared[:MOST_REASONS].tolist()}
    reasons |= {i: before.reason(i) for i in changes.vanished[:MOST_REASONS].tolist()}
    names = (_name(old, before), _name(new, after))
    if names[0] == names[1]:
        names = (f"old {names[0]}", f"new {names[1]}")
    return replace(changes, names=names, items=before.items.tolist(), reasons=reasons)


def _judged(
    model: TableModel | SeriesModel | str | Path, table: Table, alarm_rate: float | None
) -> Findings | SeriesFindings:
    found = score(model, table, alarm_rate=alarm_rate)
    assert isinstance(found, Findings | SeriesFindings), "a table is never judged by the model of a log"
    return found


def _name(model: TableModel | SeriesModel | str | Path, findings: Findings | SeriesFindings) -> str:
    return findings.method.name if isinstance(model, TableModel | SeriesModel) else Path(model).name


def trust(
    model: TableModel | str | Path,
    source: Any,
    *,
    label: str | None = None,
    truth: Sequence[str] = (),
    cue: Sequence[str] = (),
    random_state: int = 0,
) -> TrustReport:
    """Does the detector look where it should? Its alarms are explained, and the explanations put to the test.

    Parameters
    ----------
    model : what `unusual.fit` returned, or the file it was saved to
    source : anything that `scan` reads
    label : column of 0 normal, 1 anomalous
    truth : the columns that are truly wrong in the anomalous rows
    cue : columns that should not matter
    random_state : seed of what is hidden

    Returns
    -------
    TrustReport
        `.study()` is the page.

    Raises
    ------
    InputError
        If a column is not there, or labels and truth contradict each other.
    """
    from unusual.explain.subject import Hiding, Subject
    from unusual.explain.trust import TrustAudit

    fitted = model_of(model)
    table = read_table(source)
    labels = None if label is None else labels_of(table, label)
    masks = None
    if truth:
        columns = list(Subject.of(fitted, table, Hiding()).names)
        require(list(truth), columns, "the model")
        wrong = np.ones(len(table), dtype=bool) if labels is None else labels == 1
        masks = wrong[:, None] & np.isin(columns, list(truth))
    audit = TrustAudit(random_state=random_state)
    return audit.run(fitted, table, masks, labels, cue=list(cue) or None)
