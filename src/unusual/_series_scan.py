"""Between series that have been read and their findings: fit, score, cut, merge steps into events, explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._judge import ALARM_RATE, Clock
from unusual._promise import estimated, promise
from unusual._series_events import candidates_of, event_of, kept, normal_steps, runs_above
from unusual._series_model import SeriesModel
from unusual.catalogue import card, make
from unusual.data.read_table import read_table
from unusual.data.series import Series, series_of
from unusual.data.table import Table
from unusual.decide import reference as health
from unusual.errors import InputError, suggest
from unusual.evaluate.intervals import metric_interval
from unusual.evaluate.metrics import auroc, average_precision
from unusual.findings import Method, Promise
from unusual.parts.bootstrap import Interval
from unusual.parts.windows import block_maxima
from unusual.series_detector import SeriesDetector
from unusual.series_findings import SeriesFindings, moment

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
DEFAULT = "AutoSeries"


def fit_series(series: Sequence[Series], method: str | SeriesDetector | None, settings: dict[str, Any]) -> SeriesModel:
    """A detector for each series by name, or one for all where the series are not told apart by a column."""
    channels = _common(series)
    settings = {**settings, "alarm_rate": settings["alarm_rate"] or ALARM_RATE}
    groups = {s.name: [s] for s in series} if settings.get("by") else {"": list(series)}
    detectors = {}
    for name, members in groups.items():
        detector, why = _detector(method, settings)
        detectors[name] = detector.fit([_columns(s, channels) for s in members])
        why = getattr(detector, "why_", why)
    settings.update(
        why=why,
        reference_steps=sum(len(s) for s in series),
        reference_profile={
            name: health.profile(_table(members, channels), channels) for name, members in groups.items()
        },
        reference_notes=list(dict.fromkeys(note for s in series for note in s.notes)),
    )
    return SeriesModel(channels, detectors, settings)


def judge_series(
    model: SeriesModel, series: Sequence[Series], settings: dict[str, Any], clock: Clock
) -> SeriesFindings:
    """Scores, p-values and events of series against a fitted model."""
    scores, p_values, thresholds, said = [], [], [], []
    with clock.step("scoring"):
        for s in series:
            detector, values = model.detector_of(s), model.values_of(s)
            score = detector.anomaly_score(values)
            p = detector.calibration_.p_value(score)
            profile = model.settings["reference_profile"].get(s.name, model.settings["reference_profile"].get("", {}))
            blocks = detector.calibration_.p_value(block_maxima(score, detector.block_))
            fits = health.compare(profile, _table([s], model.channels), blocks, len(detector.calibration_))
            rate = _rate(settings, detector.block_, s)
            what = f"stretches of {detector.block_} steps"
            threshold, word = promise(detector.calibration_, rate, len(blocks), fits, what)
            scores.append(score)
            p_values.append(p)
            thresholds.append(threshold)
            said.append((word, [*s.notes, *fits.sentences]))
    return _findings(model, series, scores, p_values, thresholds, said, settings, clock, own=False)


def judge_series_alone(
    series: Sequence[Series], method: str | SeriesDetector | None, settings: dict[str, Any], clock: Clock
) -> SeriesFindings:
    """Rank the steps of each series by the rest of it, and cut where the estimated share of unusual stretches ends."""
    channels = _common(series)
    detectors, scores, p_values, thresholds, said = {}, [], [], [], []
    with clock.step("fitting"):
        for s in series:
            detector, why = _detector(method, {**settings, "alarm_rate": settings["alarm_rate"] or ALARM_RATE})
            score = detector._fit_to_rank(_columns(s, channels))
            why = getattr(detector, "why_", why)
            maxima = block_maxima(score, detector.block_)
            per_day = settings.get("alarms_per_day")
            rate = settings["alarm_rate"] if per_day is None else _rate(settings, detector.block_, s)
            what = f"stretches of {detector.block_} steps"
            threshold, word = estimated(maxima, rate, settings["budget"], settings["random_state"], what)
            ascending = np.sort(maxima)
            detectors[s.name if len(series) > 1 else ""] = detector
            scores.append(score)
            p_values.append((1 + len(maxima) - np.searchsorted(ascending, score)) / (1 + len(maxima)))
            thresholds.append(threshold)
            said.append((word, s.notes))
    model = SeriesModel(channels, detectors, {**settings, "why": why, "reference_profile": {}})
    return _findings(model, series, scores, p_values, thresholds, said, settings, clock, own=True)


def _findings(
    model: SeriesModel,
    series: Sequence[Series],
    scores: list[Vector],
    p_values: list[Vector],
    thresholds: list[float],
    said: list[tuple[Promise, list[str]]],
    settings: dict[str, Any],
    clock: Clock,
    *,
    own: bool,
) -> SeriesFindings:
    with clock.step("explaining"):
        runs = [runs_above(s > t, model.detector_of(x)) for s, t, x in zip(scores, thresholds, series, strict=True)]
        events = kept(
            [
                event_of(model, x, s, p, run, normal_steps(len(x), r), own)
                for x, s, p, r in zip(series, scores, p_values, runs, strict=True)
                for run in r
            ],
            settings["budget"],
        )
        candidates = [] if events else candidates_of(model, series, scores, p_values, own)
    anomalous = [np.zeros(len(s), dtype=bool) for s in series]
    place = {s.name: i for i, s in enumerate(series)}
    for event in events:
        anomalous[place[event.series]][event.start : event.end + 1] = True
    detector = model.detector_of(series[0])
    about = card(type(detector).__name__)
    findings = SeriesFindings(
        source=series[0].name if len(series) == 1 else f"{len(series)} series",
        series=list(series),
        scores=np.concatenate(scores),
        p_values=np.concatenate(p_values),
        anomalous=np.concatenate(anomalous),
        events=events,
        thresholds=thresholds,
        calibration=_said(said),
        method=Method(about.name, about.title, about.paper, detector.get_params(), model.settings["why"]),
        notes=list(dict.fromkeys(note for _, notes in said for note in notes)),
        block=detector.block_,
        model=model,
        candidates=candidates,
        metrics=_metrics(series, scores, detector.block_),
    )
    findings.notes += [note for s in series for note in _gap_notes(s)]
    findings.timings = clock.seconds
    hidden = ("reference_profile", "reference_notes", "reference_steps", "why")
    findings.settings = {k: v for k, v in settings.items() if k not in hidden}
    return findings


# -- parts ------------------------------------------------------------------------------------------------------------


def _detector(method: str | SeriesDetector | None, settings: dict[str, Any]) -> tuple[SeriesDetector, str]:
    if isinstance(method, SeriesDetector):
        return method.set_params(alarm_rate=settings["alarm_rate"]), "as you asked"
    name = DEFAULT if method is None else method
    if card(name).data != "series":
        series = [c.name for c in _series_cards()]
        raise InputError(
            f"{name} is for data of kind {card(name).data}, and this is a series{suggest(f'Sub{name}', series)}; "
            "choose one of: " + ", ".join(series)
        )
    parameters: dict[str, Any] = {"alarm_rate": settings["alarm_rate"]}
    detector = make(name, **parameters)
    if "random_state" in detector.get_params():
        detector.set_params(random_state=settings["random_state"])
    return detector, "the default for series" if method is None else "as you asked"


def _series_cards() -> list[Any]:
    from unusual.catalogue import methods

    return methods("detector", "series")


def _common(series: Sequence[Series]) -> list[str]:
    """The channels that all series have."""
    shared = [name for name in series[0].channels if all(name in s.channels for s in series)]
    if not shared:
        raise InputError("the series have no channel in common; scan them one by one")
    return shared


def _columns(series: Series, channels: list[str]) -> NDArray[np.float64]:
    return series.values[:, [series.channels.index(name) for name in channels]]


def _table(series: Sequence[Series], channels: list[str]) -> Table:
    stacked = np.concatenate([_columns(s, channels) for s in series])
    return Table(dict(zip(channels, stacked.T, strict=True)), series[0].name)


def _rate(settings: dict[str, Any], block: int, series: Series) -> float:
    """The share of normal stretches that may alarm, from alarms a day where those are asked for."""
    per_day = settings.get("alarms_per_day")
    if per_day is None:
        return float(settings["alarm_rate"] or ALARM_RATE)
    if series.steps_per_day is None:
        raise InputError("alarms_per_day needs a column of times; give alarm_rate for steps without a clock")
    rate = per_day * block / series.steps_per_day
    if not 0 < rate < 1:
        blocks = series.steps_per_day / block
        raise InputError(f"alarms_per_day is {per_day}; with stretches of {block} steps give less than {blocks:.3g}")
    return float(rate)


def _said(said: list[tuple[Promise, list[str]]]) -> Promise:
    """What is promised for all series: that of the only one, or the weakest."""
    weakest = ("withdrawn", "estimated", "extrapolated", "approximate", "guaranteed")
    return min((word for word, _ in said), key=lambda word: weakest.index(word.kind))


def _gap_notes(series: Series) -> list[str]:
    """Rows that are not there are no steps: they are told, not scored."""
    if not series.gaps:
        return []
    i, steps = max(series.gaps, key=lambda gap: gap[1])
    many = len(series.gaps)
    return [
        f"{many:,} gap{'s' * (many > 1)} in time; the longest, of {steps:.3g} steps, follows {moment(series.time[i])}"
    ]


def _metrics(series: Sequence[Series], scores: list[Vector], block: int) -> dict[str, Interval] | None:
    """AUROC and average precision of the steps, with intervals over stretches."""
    labelled = [(s.labels, score) for s, score in zip(series, scores, strict=True) if s.labels is not None]
    if len(labelled) < len(series):
        return None
    y, s = (np.concatenate(part) for part in zip(*labelled, strict=True))
    if y.min() == y.max():
        raise InputError("the label column holds one value only; metrics need both 0 and 1")
    stretch = np.arange(len(y)) // block
    return {
        name: metric_interval(metric, y, s, stretch)
        for name, metric in (("AUROC of steps", auroc), ("average precision of steps", average_precision))
    }


# -- front door -------------------------------------------------------------------------------------------------------


def scan_series(
    table: Table,
    reference: Any,
    method: str | SeriesDetector | None,
    settings: dict[str, Any],
    clock: Clock,
    recognised: str,
) -> SeriesFindings:
    """A table recognised as series, judged by a reference or by itself."""
    chosen = {"columns": settings["columns"], "label": settings["label"]}
    with clock.step("reading"):
        series = series_of(table, settings["time"], by=settings["by"], **chosen)
        normal = None if reference is None else _reference(read_table(reference), settings)
    if normal is None:
        findings = judge_series_alone(series, method, settings, clock)
    else:
        with clock.step("fitting"):
            model = fit_series(normal, method, settings)
        findings = judge_series(model, series, settings, clock)
    if recognised:
        findings.notes.insert(0, recognised)
    return findings


def fit_from(table: Table, method: str | SeriesDetector | None, settings: dict[str, Any], clock: Clock) -> SeriesModel:
    """A model of the series in a table of normal rows."""
    with clock.step("reading"):
        series = _reference(table, settings)
    with clock.step("fitting"):
        return fit_series(series, method, settings)


def score_from(model: SeriesModel, table: Table, settings: dict[str, Any], clock: Clock) -> SeriesFindings:
    """The series in a new table, judged by a fitted model."""
    with clock.step("reading"):
        series = _reference(table, {**settings, "columns": model.channels})
    return judge_series(model, series, settings, clock)


def _reference(table: Table, settings: dict[str, Any]) -> list[Series]:
    label = settings["label"] if settings["label"] in table.names else None
    return series_of(table, settings["time"], by=settings["by"], columns=settings["columns"], label=label)
