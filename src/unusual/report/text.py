"""The findings of a scan as a terminal shows them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from unusual.data.ranks import shown
from unusual.report.words import interval_text, p_text, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from unusual.findings import Findings

MOST_ROWS = 20
FEW = 5  # shown where nothing is found
MOST_CAUSES = 5
MOST_NOTES = 8
LONGEST = 400  # characters of a sentence
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # what could steer a terminal


def table(findings: Findings, console: Console) -> None:
    """Print summary, promise, notes, the most unusual rows with their reasons, shared causes and columns.

    Parameters
    ----------
    findings : Findings
    console : rich.console.Console
        Its width is kept to; without a terminal there are no colours.
    """
    rows = findings.rows
    console.print(said(sentence(findings.summary()).rstrip("."), "bold"), highlight=False)
    console.print(said(sentence(findings.calibration.sentence)), highlight=False)
    for note in findings.notes[:MOST_NOTES]:
        console.print(said(f"Note: {note}", "yellow"), highlight=False)
    if len(findings.notes) > MOST_NOTES:
        console.print(f"{len(findings.notes) - MOST_NOTES:,} more notes stand in the report", highlight=False)
    if rows:
        console.print(_rows(findings, rows), highlight=False)
    else:
        console.print("\nThe highest scores, though none is high enough to be called unusual:", highlight=False)
        console.print(_rows(findings, findings.highest(FEW)), highlight=False)
    if len(rows) > MOST_ROWS:
        console.print(f"and {len(rows) - MOST_ROWS:,} more; --csv FILE writes all of them\n", highlight=False)
    shared = [cause for cause in findings.causes if len(cause.rows) > 1]
    for cause in shared[:MOST_CAUSES]:
        console.print(said(sentence(cause.sentence)), highlight=False)
    if len(shared) > MOST_CAUSES:
        console.print(f"and {len(shared) - MOST_CAUSES:,} more shared causes", highlight=False)
    if shared:
        console.print()
    if findings.metrics:
        figures = ", ".join(f"{name} {interval_text(value)}" for name, value in findings.metrics.items())
        console.print(said(f"Against `{findings.settings.get('label')}`: {figures}"), highlight=False)
    console.print(said(_columns(findings), "dim"), highlight=False)
    console.print(said(f"Method: {findings.method.name}, {findings.method.why}", "dim"), highlight=False)


def said(text: str, style: str = "") -> Text:
    """A sentence that cannot steer the terminal, cut where it is very long, with names between backticks in bold."""
    clean = HIDDEN.sub("\ufffd", text)
    words = Text(clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 1]}…", style=style)
    words.highlight_regex(r"`[^`]*`", "bold")
    return words


def _rows(findings: Findings, rows: list[int]) -> Table:
    """The most unusual rows, one line or more each."""
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    drawn.add_column("item" if findings.settings.get("id") is not None else "row", max_width=24, overflow="fold")
    drawn.add_column("score", justify="right", no_wrap=True)
    drawn.add_column("p", justify="right", no_wrap=True)
    drawn.add_column("why", ratio=1, overflow="fold")
    for i in rows[:MOST_ROWS]:
        score, p = float(findings.scores[i]), float(findings.p_values[i])
        reason = said(findings.reason(i))
        drawn.add_row(said(str(findings.items[i]), "bold"), shown(score), p_text(p), reason)
    return drawn


def _columns(findings: Findings) -> str:
    """ "Columns: 30 numbers and 2 categories used; 2 left out (`id`, `batch`)"."""
    used = Counter(column.kind for column in findings.columns if column.used)
    kinds = [f"{count:,} {_plural(kind, count)}" for kind, count in used.most_common()]
    counted = f"{', '.join(kinds[:-1])} and {kinds[-1]}" if len(kinds) > 1 else "".join(kinds)
    left = [column.name for column in findings.columns if not column.used]
    named = ", ".join(f"`{name[:40]}`" for name in left[:4]) + (", …" if len(left) > 4 else "")
    return f"Columns: {counted or 'none'} used" + (f"; {len(left):,} left out ({named})" if left else "")


def _plural(kind: str, count: int) -> str:
    if count == 1 or kind == "mostly missing":
        return kind
    return "categories" if kind == "category" else f"{kind}s"
