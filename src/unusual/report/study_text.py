"""A study as a terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from unusual.report.study_page import cell_text, numeric
from unusual.report.text import said
from unusual.report.words import sentence
from unusual.study import Intervals, Study, Table, Words

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 30


def write(study: Study, console: Console) -> None:
    """Print answer, notes, words and tables; charts of intervals as tables, other charts stand in the page."""
    console.print(said(study.title, "dim"), highlight=False)
    console.print(said(sentence(study.answer), "bold"), highlight=False)
    for note in study.notes:
        console.print(said(f"Note: {sentence(note)}", "yellow"), highlight=False)
    tables = any(isinstance(block, Table) for block in study.blocks)
    for block in study.blocks:
        if isinstance(block, Words):
            console.print(said(block.text), highlight=False)
        elif isinstance(block, Table):
            _table(block, console)
        elif isinstance(block, Intervals) and not tables:
            _table(Table(block.caption, [block.label, "estimate", "low", "high"], block.rows), console)


def _table(table: Table, console: Console) -> None:
    console.print()
    console.print(said(table.caption, "italic"), highlight=False)
    drawn = Grid(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, right in zip(table.head, numeric(table), strict=True):
        drawn.add_column(said(name), justify="right" if right else "left", overflow="fold")
    for row in table.rows[:MOST_ROWS]:
        drawn.add_row(*(said(cell_text(cell)) for cell in row))
    console.print(drawn, highlight=False)
    if len(table.rows) > MOST_ROWS:
        console.print(f"and {len(table.rows) - MOST_ROWS:,} more rows; --html or --json has them\n", highlight=False)
