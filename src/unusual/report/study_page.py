"""The page of a study: its answer, its limits, then the evidence; one HTML file that needs no network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from unusual.data.ranks import shown
from unusual.report.charts import chart
from unusual.report.page import environment, named
from unusual.report.svg import UNSAFE
from unusual.study import Block, Cell, Study, Table, Words

MOST_ROWS = 200  # of a table on the page; the JSON file holds all
WIDE, NARROW = 860, 360  # pixels of a chart on a screen, and on a phone
IN_FRAGMENT = 600


def page(study: Study) -> str:
    """The whole study as one HTML page without scripts and without references to anything outside itself."""
    import unusual

    blocks = [_block(block, WIDE, NARROW) for block in study.blocks]
    template = environment().get_template("study.html")
    drawn = template.render(
        study=study, blocks=blocks, version=unusual.__version__, created=datetime.now().astimezone()
    )
    return UNSAFE.sub("\ufffd", drawn)


def fragment(study: Study) -> str:
    """The answer and the charts, for the output of a notebook cell."""
    blocks = [_block(block, IN_FRAGMENT, NARROW) for block in study.blocks]
    return UNSAFE.sub("\ufffd", environment().get_template("study_fragment.html").render(study=study, blocks=blocks))


def cell_text(cell: Cell) -> str:
    """A cell of a table as people read it: three digits of a number, a dash for nothing."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.3g}" if 1e-3 <= abs(cell) < 1e3 or cell == 0 else shown(cell)
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def capital(text: str) -> str:
    """A heading with its first letter large."""
    return text[:1].upper() + text[1:]


def numeric(table: Table) -> list[bool]:
    """Which columns of a table hold numbers, and are set to the right."""
    columns = zip(*table.rows, strict=True) if table.rows else [[] for _ in table.head]
    return [any(_is_number(c) for c in column) and not any(isinstance(c, str) for c in column) for column in columns]


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _block(block: Block, wide: int, narrow: int) -> dict[str, Any]:
    if isinstance(block, Words):
        return {"kind": "words", "words": named(block.text, 4000)}
    if isinstance(block, Table):
        rows = [[cell_text(cell) for cell in row] for row in block.rows[:MOST_ROWS]]
        more = max(0, len(block.rows) - MOST_ROWS)
        return {
            "kind": "table",
            "caption": capital(block.caption),
            "head": list(block.head),
            "rows": rows,
            "right": numeric(block),
            "more": more,
        }
    return {
        "kind": "chart",
        "caption": capital(block.caption),
        "wide": Markup(chart(block, wide)),
        "narrow": Markup(chart(block, narrow)),
    }
