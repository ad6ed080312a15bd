"""Between a log that has been read and its findings: fit, score, cut, merge lines into findings, explain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual._judge import ALARM_RATE, Clock
from unusual._log_explain import FindingMaker, ScoredSequences
from unusual._log_model import LogModel
from unusual._promise import estimated, promise
from unusual.catalogue import card
from unusual.data.log_events import LogEvents, read_log
from unusual.decide.reference import Health
from unusual.detect.events.auto_log import AutoLog
from unusual.explain.log_reasons import LineReasons
from unusual.findings import Method, Promise
from unusual.log_findings import LogFindings

Vector = NDArray[np.float64]

MOST = 50  # findings, unless a budget says otherwise
CANDIDATES = 10
FEWEST_SEQUENCES = 10
OTHER = 0.2  # share of the lines that are new kinds, above which the reference fits no longer


def scan_log(
    source: Any,
    reference: Any = None,
    *,
    by: str | None = None,
    severity: bool = True,
    alarm_rate: float | None = None,
    budget: int | None = None,
    random_state: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> LogFindings:
    """Find what does not belong in a log.

    Parameters
    ----------
    source : path, pattern such as "app.log*", or list of paths
    reference : the same kind of thing, known to be normal, or a fitted `LogModel`; with it the alarm rate is a promise
    by : what ties lines together: "process", "component", a pattern such as "request=(\\w+)", or "nothing"; looked for
        unless given
    severity : whether the level in the head of a line counts
    alarm_rate : share of normal blocks of lines, and of normal sequences, one accepts as false alarms, in (0, 1)
    budget : how many findings one can look at, at most
    random_state : seed of everything that draws
    progress : called as `progress(done, total, what)`

    Returns
    -------
    LogFindings

    Raises
    ------
    InputError
        If the files cannot be read as a log, or an option cannot be used; the sentence says what to do.
    """
    clock = Clock(progress)
    settings = {
        "by": by,
        "severity": severity,
        "alarm_rate": alarm_rate,
        "budget": budget,
        "random_state": random_state,
    }
    if reference is None:
        with clock.step("reading"):
            events = read_log(source, by=by)
        return judge_log_alone(events, settings, clock)
    if isinstance(reference, LogModel):
        model = reference
    else:
        with clock.step("reading"):
            normal = read_log(reference, by=by)
        with clock.step("fitting"):
            model = fit_log(normal, settings)
    with clock.step("reading"):
        events = model.read(source)
    return judge_log(model, events, settings, clock)


def fit_log(events: LogEvents, settings: dict[str, Any], *, clean: bool = True) -> LogModel:
    """Detectors of lines and, where something ties lines together, of sequences."""
    rate = settings["alarm_rate"] or ALARM_RATE
    lines: Any = AutoLog(severity=settings["severity"], clean=clean, alarm_rate=rate)
    lines.fit(events)
    sequences: Any = None
    if events.member is not None and len(parts := events.sequences()) >= FEWEST_SEQUENCES:
        sequences = AutoLog(clean=clean, alarm_rate=rate)
        sequences.fit(parts)
    return LogModel(lines, sequences, {**settings, "reference_lines": len(events)})


def judge_log(model: LogModel, events: LogEvents, settings: dict[str, Any], clock: Clock) -> LogFindings:
    """Scores, p-values and findings of a log against a fitted model."""
    rate = settings["alarm_rate"] or model.settings["alarm_rate"] or ALARM_RATE
    lines = model.lines
    with clock.step("scoring"):
        views = lines.magnitudes(events)
        scores = np.asarray(sum(views.values()))
        blocks = lines._calibrating(scores)
        block = lines.views_["kind"].block_
        fits = _health(events)
        threshold, said = promise(lines.calibration_, rate, len(blocks), fits, f"blocks of {block:,} lines")
        sequences = ScoredSequences.none()
        if model.sequences is not None and events.member is not None:
            parts = events.sequences()
            of_parts = np.asarray(sum(model.sequences.magnitudes(parts).values()))
            cut, word = promise(model.sequences.calibration_, rate, len(parts), fits, "sequences")
            sequences = ScoredSequences(model.sequences, parts, of_parts, cut, word)
    return _findings(model, events, views, scores, threshold, said, sequences, settings, clock, fits.sentences)


def judge_log_alone(events: LogEvents, settings: dict[str, Any], clock: Clock) -> LogFindings:
    """Rank the lines and sequences of a log by the rest of it, and cut at the estimated share of unusual blocks."""
    with clock.step("fitting"):
        model = fit_log(events, settings, clean=False)
        lines = model.lines
        views = lines.own_magnitudes()
        scores = np.asarray(sum(views.values()))
        blocks = lines._calibrating(scores)
        what = f"blocks of {lines.views_['kind'].block_:,} lines"
        cut = {"rate": settings["alarm_rate"], "budget": settings["budget"], "random_state": settings["random_state"]}
        threshold, said = estimated(blocks, **cut, what=what)
        sequences = ScoredSequences.none()
        if model.sequences is not None:
            of_parts = np.asarray(sum(model.sequences.own_magnitudes().values()))
            at, word = estimated(of_parts, **cut, what="sequences")
            sequences = ScoredSequences(model.sequences, events.sequences(), of_parts, at, word)
    return _findings(model, events, views, scores, threshold, said, sequences, settings, clock, [], own=True)


def _findings(
    model: LogModel,
    events: LogEvents,
    views: dict[str, Vector],
    scores: Vector,
    threshold: float,
    said: Promise,
    sequences: ScoredSequences,
    settings: dict[str, Any],
    clock: Clock,
    notes: list[str],
    *,
    own: bool = False,
) -> LogFindings:
    most = settings["budget"] or MOST
    p_values = model.lines.calibration_.p_value(scores)
    with clock.step("explaining"):
        maker = FindingMaker(model, events, views, scores, p_values, LineReasons(model.lines, events, own))
        found = [*maker.of_lines(threshold, most), *maker.of_sequences(sequences, most)]
        found.sort(key=lambda finding: -finding.score)
        candidates = [] if found else maker.of_lines(-np.inf, CANDIDATES)
    about = card("AutoLog")
    keys = (
        dict(zip(sequences.parts.keys, sequences.scores.tolist(), strict=True)) if sequences.parts is not None else {}
    )
    return LogFindings(
        source=_named(events),
        events=events,
        findings=found[:most],
        scores=scores,
        p_values=p_values,
        sequence_scores=keys,
        threshold=threshold,
        calibration=said,
        sequence_calibration=sequences.said,
        method=Method(about.name, about.title, about.paper, model.lines.get_params(), _why(events)),
        notes=[*events.notes, *notes, *([f"the strongest {most:,} are listed"] if len(found) > most else [])],
        block=model.lines.views_["kind"].block_,
        model=model,
        candidates=candidates,
        timings=dict(clock.seconds),
        settings=settings,
    )


def _health(events: LogEvents) -> Health:
    """Whether the reference still fits: most lines are of kinds it knows."""
    frozen = events.tree.frozen or 0
    share = float((events.template >= frozen).mean())
    if share <= OTHER:
        return Health([], False)
    return Health([f"{share:.0%} of the lines are of kinds that the reference does not know; take a newer one"], True)


def _named(events: LogEvents) -> str:
    name = Path(events.paths[0]).name
    return name if len(events.paths) == 1 else f"{name} and {len(events.paths) - 1} more"


def _why(events: LogEvents) -> str:
    tied = f"lines tied together by {events.key}" if events.key else "nothing ties lines together"
    return f"the default for logs: kinds, times and values of lines, added up as -log p; {tied}"
