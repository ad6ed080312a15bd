"""The report of a scan: one HTML page that needs no network, and a short form of it for notebooks."""

from __future__ import annotations

import math
import platform
import re
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from unusual.data.ranks import shown
from unusual.report import reproduce
from unusual.report.cells import all_bars, cut, pushing
from unusual.report.draw import histogram
from unusual.report.svg import UNSAFE
from unusual.report.words import interval_text, p_text, percent, seconds, sentence

if TYPE_CHECKING:
    from unusual.explain.causes import Cause
    from unusual.findings import Findings

MOST_FINDINGS = 50  # shown one by one; the CSV file holds all
OPEN_FINDINGS = 5  # shown unfolded
HIGHEST = 5  # shown where nothing is found
MOST_CAUSES = 20
MOST_COLUMNS = 300
MOST_NOTES = 40
IN_FRAGMENT = 10
LONGEST_SENTENCE = 700

KINDS = {
    "guaranteed": ("guaranteed", "It holds for normal rows that come from where the reference came from."),
    "approximate": (
        "approximate",
        "The calibration rows also helped to fit the detector, so it is close but no proof.",
    ),
    "extrapolated": ("extrapolated", "It reaches beyond what so few calibration rows can show, so it is no guarantee."),
    "estimated": ("estimated", "There was no reference of normal rows, so it comes from the data themselves."),
    "withdrawn": ("withdrawn", "The reference does not fit these data, so nothing is promised."),
}


def page(findings: Findings) -> str:
    """The whole report as one HTML page.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        A document without scripts and without references to anything outside itself.
    """
    rows = findings.rows
    drawn = (
        environment()
        .get_template("page.html")
        .render(
            f=findings,
            **_headline(findings, rows),
            shown_findings=[_finding(findings, i, rank) for rank, i in enumerate(_foremost(findings, rows), 1)],
            open_findings=OPEN_FINDINGS,
            causes=[_cause(findings, cause, rows) for cause in _shared(findings)[:MOST_CAUSES]],
            explained=sum(len(cause.rows) for cause in findings.causes),
            more_causes=max(0, len(_shared(findings)) - MOST_CAUSES),
            columns=sorted(findings.columns, key=lambda c: not c.used)[:MOST_COLUMNS],
            more_columns=max(0, len(findings.columns) - MOST_COLUMNS),
            used=sum(column.used for column in findings.columns),
            notes=findings.notes[:MOST_NOTES],
            more_notes=max(0, len(findings.notes) - MOST_NOTES),
            wide=_distribution(findings, 860, 250),
            narrow=_distribution(findings, 360, 220),
            command=reproduce.command(findings),
            python=reproduce.python(findings),
            versions=_versions(findings),
            created=datetime.now().astimezone(),
        )
    )
    return UNSAFE.sub("\ufffd", drawn)


def fragment(findings: Findings) -> str:
    """The report in short, for the output of a notebook cell."""
    rows = findings.rows
    drawn = (
        environment()
        .get_template("fragment.html")
        .render(
            f=findings,
            **_headline(findings, rows),
            shown_findings=[
                {"item": _item(findings, i), "i": i, "reason": findings.reason(i)} for i in rows[:IN_FRAGMENT]
            ],
            picture=_distribution(findings, 560, 170),
        )
    )
    return UNSAFE.sub("\ufffd", drawn)


def _headline(findings: Findings, rows: list[int]) -> dict[str, Any]:
    promise = findings.calibration
    word, meaning = KINDS.get(promise.kind, (promise.kind, ""))
    summary = findings.summary()
    return {
        "summary": summary[0].upper() + summary[1:],
        "n": len(findings.scores),
        "found": len(rows),
        "promise": promise,
        "kind_word": word,
        "kind_meaning": meaning,
        "named_items": findings.settings.get("id") is not None,
        "finite_threshold": math.isfinite(findings.threshold),
    }


def _distribution(findings: Findings, width: int, height: int) -> Markup:
    title = f"Scores of {len(findings.scores):,} rows"
    drawn = histogram(
        findings.scores, findings.threshold, title=title, label="anomaly score", width=width, height=height
    )
    return Markup(drawn)


def _item(findings: Findings, i: int) -> str:
    item = findings.items[i]
    return cut(item) if findings.settings.get("id") is not None else f"row {shown(item) if _plain(item) else cut(item)}"


def _plain(item: Any) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)


def _finding(findings: Findings, i: int, rank: int) -> dict[str, Any]:
    found = findings.explanation(i)
    cells = pushing(found, findings.model.encoder)
    return {
        "rank": rank,
        "i": i,
        "item": _item(findings, i),
        "score": float(findings.scores[i]),
        "p": float(findings.p_values[i]),
        "reason": findings.reason(i),
        "cells": cells,
        "largest": max((cell.share for cell in cells), default=1.0),
        "bars": all_bars(found),
        "columns": len(found),
    }


def _foremost(findings: Findings, rows: list[int]) -> list[int]:
    """The findings to show; where there are none, the rows with the highest scores."""
    if rows:
        return rows[:MOST_FINDINGS]
    return findings.highest(HIGHEST)


def _shared(findings: Findings) -> list[Cause]:
    """The causes that more than one finding has."""
    return [cause for cause in findings.causes if len(cause.rows) > 1]


def _cause(findings: Findings, cause: Cause, rows: list[int]) -> dict[str, Any]:
    """A cause with its findings, those first that stand on the page and can be linked to."""
    rank = {i: r for r, i in enumerate(rows[:MOST_FINDINGS], 1)}
    listed = cause.rows[:12]
    head, _, body = cause.sentence.partition(": ")
    items = [{"item": _item(findings, i), "rank": rank.get(i)} for i in listed]
    return {"head": head, "body": body, "items": items, "more": len(cause.rows) - len(listed)}


def _versions(findings: Findings) -> list[tuple[str, str]]:
    import unusual

    fingerprint = getattr(findings.model, "data_fingerprint_", "")
    packages = [(name, version(name)) for name in ("numpy", "scipy", "scikit-learn")]
    named = [("unusual", unusual.__version__), ("Python", platform.python_version()), *packages]
    return [*named, ("data of the fit", str(fingerprint))] if fingerprint else named


# -- how things are written -------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of all pages, with how things are written in them."""
    made = Environment(
        loader=PackageLoader("unusual", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        cut=cut,
        interval=interval_text,
        named=named,
        number=shown,
        p=p_text,
        percent=percent,
        svg=Markup,
        sentence=sentence,
        seconds=seconds,
    )
    return made


def named(text: str, most: int = LONGEST_SENTENCE) -> Markup:
    """A sentence, escaped, with `names` between backticks marked up as code."""
    parts = re.split(r"`([^`]*)`", cut(text, most))
    marked = [
        Markup("<code>{}</code>").format(cut(p)) if i % 2 else escape(p.replace(" %", "\u00a0%"))
        for i, p in enumerate(parts)
    ]
    return Markup("").join(marked)
