"""Write the pages that are made from the cards: one per method with its picture, the list, and the README's table.

Usage: python -m docs.build [--readme]   (--readme writes only the table in README.md)
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import unusual
from unusual.catalogue import Card, cards
from unusual.report.charts import chart
from unusual.report.study_page import cell_text, numeric
from unusual.report.words import sentence
from unusual.study import Block, Study, Table, TimeLine, Words

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
START, END = "<!-- methods: generated from the cards -->", "<!-- end of methods -->"
CELLS = 44  # of the picture, each way
SIZE = 440.0
CHART = 700  # pixels of a chart of an example
ROWS = 20  # of its tables


def table() -> str:
    """All methods as a Markdown table."""
    rows = [f"| `{c.name}` | {c.data} | {c.role} | {c.title.partition(': ')[2]} |" for c in cards().values()]
    return "\n".join(["| method | data | role | what it does |", "| --- | --- | --- | --- |", *rows])


def write_readme() -> None:
    """Put the table of methods between its two marks in the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}\n{table()}\n{END}{after}", encoding="utf-8")


def example_rows() -> NDArray[np.float64]:
    """Two crescents and a small dense group in the plane (320, 2)."""
    rng = np.random.default_rng(0)
    t = rng.uniform(0, np.pi, 300)
    upper = np.arange(300) < 150
    x = np.where(upper, np.cos(t), 1 - np.cos(t))
    y = np.where(upper, np.sin(t), 0.4 - np.sin(t))
    crescents = np.column_stack([x, y]) + rng.normal(0, 0.08, (300, 2))
    return np.vstack([crescents, rng.normal([2.3, 1.4], 0.06, (20, 2))])


def picture(name: str) -> str:
    """Scores of a detector over the plane as an SVG: darker is more unusual, the line of alarms drawn by its cells."""
    X = example_rows()
    detector = unusual.make(name, alarm_rate=0.05).fit(X)
    low, high = X.min(axis=0) - 0.5, X.max(axis=0) + 0.5
    ticks = [np.linspace(a, b, CELLS) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*ticks), axis=-1).reshape(-1, 2)  # (CELLS^2, 2)
    scores = detector.anomaly_score(grid)
    shade = np.argsort(np.argsort(scores)) / len(scores)
    alarm = scores > detector.threshold_
    side = SIZE / CELLS
    cells = []
    for i, (dark, alarmed) in enumerate(zip(shade, alarm, strict=True)):
        row, column = divmod(i, CELLS)
        colour = f"hsl(18 80% {96 - 45 * dark:.0f}%)" if alarmed else f"hsl(210 45% {98 - 25 * dark:.0f}%)"
        x, y = column * side, SIZE - (row + 1) * side
        cells.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{side + 0.3:.1f}" height="{side + 0.3:.1f}" fill="{colour}"/>'
        )
    P = (X - low) / (high - low) * SIZE
    dots = [f'<circle cx="{x:.1f}" cy="{SIZE - y:.1f}" r="2.2" fill="#1b2a3a"/>' for x, y in P]
    title = f"<title>Scores of {name}: orange alarms at a rate of 5 %, dots are the rows of the fit</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE:.0f} {SIZE:.0f}" role="img">'
    return f"{head}{title}{''.join(cells + dots)}</svg>"


def example_series() -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """A wave (600,) with a spike, a flat stretch and a shift, and where these are."""
    rng = np.random.default_rng(0)
    t = np.arange(600)
    x = np.sin(2 * np.pi * t / 30) + 0.1 * rng.normal(size=600)
    x[200:203] += 2.5
    x[330:360] = 0.1 * rng.normal(size=30)
    x[470:500] += 1.2
    return x, [(200, 202), (330, 359), (470, 499)]


def series_picture(name: str) -> str:
    """A series with its anomalies marked and the scores of a detector below, as an SVG."""
    x, spans = example_series()
    scores = unusual.make(name).fit_anomaly_score(x)
    title = f"A wave with a spike, a flat stretch and a shift, and the scores of {name}"
    return chart(TimeLine(title, np.arange(len(x)), {"value": x}, spans, scores), CHART)


def example(name: str) -> Study | None:
    """The example of a method that is no detector of tables, from `docs/studies`."""
    if not (DOCS / "studies" / f"{name}.py").is_file():
        return None
    made = importlib.import_module(f"docs.studies.{name}").study()
    assert isinstance(made, Study), f"docs/studies/{name}.py gives a {type(made).__name__}"
    return made


def written(block: Block) -> list[str]:
    """One block of a study as Markdown."""
    if isinstance(block, Words):
        return [block.text, ""]
    if not isinstance(block, Table):
        return [f"**{block.caption}**", "", f"<div>{chart(block, CHART)}</div>", ""]
    rule = ["---:" if right else "---" for right in numeric(block)]
    rows = [[cell_text(cell).replace("|", "/") for cell in row] for row in block.rows[:ROWS]]
    return [
        f"**{block.caption}**",
        "",
        *(f"| {' | '.join(cells)} |" for cells in (list(block.head), rule, *rows)),
        "",
    ]


def shown(study: Study) -> list[str]:
    """A study as Markdown: what was asked, the answer, its limits, the evidence."""
    notes = [f"- {sentence(note)}" for note in study.notes]
    blocks = [line for block in study.blocks for line in written(block)]
    return ["## Example", "", study.title, "", f"> {sentence(study.answer)}", "", *notes, "", *blocks]


def parameters(card: Card) -> str:
    """The public docstring of a method, as it stands in the code."""
    target = getattr(importlib.import_module(card.module), card.name)
    return inspect.getdoc(target) or ""


def call(card: Card) -> str:
    """How a method is reached: made with its parameters, or called where it is a function."""
    is_class = inspect.isclass(getattr(importlib.import_module(card.module), card.name))
    return f"method = unusual.make({card.name!r})" if is_class else f"result = unusual.{card.name}(...)"


def page(card: Card) -> str:
    """The page of one method."""
    lines = [f"# {card.name}", "", card.title.partition(": ")[2].capitalize() or card.title, ""]
    if card.role == "detector" and card.data == "table":
        (DOCS / "methods" / f"{card.name}.svg").write_text(picture(card.name), encoding="utf-8")
        lines += [
            f"![Scores of {card.name} over two crescents and a small group]({card.name}.svg)",
            "",
            "Dots are the rows of the fit; orange is where a new row would alarm at a rate of 5 %.",
            "",
        ]
    if card.role == "detector" and card.data == "series":
        (DOCS / "methods" / f"{card.name}.svg").write_text(series_picture(card.name), encoding="utf-8")
        lines += [f"![Scores of {card.name} on a wave with three anomalies]({card.name}.svg)", ""]
    if card.text:
        lines += [card.text, ""]
    made = example(card.name)
    lines += [
        "| | |",
        "| --- | --- |",
        f"| data | {card.data} |",
        f"| role | {card.role} |",
        f"| source | {card.paper} |",
        f"| needs | {', '.join(card.needs) or 'nothing beyond the base install'} |",
        f"| checkpoint | {card.checkpoint} |",
        "",
        f"```python\nimport unusual\n\n{call(card)}\n```",
        "",
        f"```text\n{parameters(card)}\n```",
        "",
        *(shown(made) if made else []),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    write_readme()
    if "--readme" in sys.argv:
        return
    (DOCS / "methods").mkdir(exist_ok=True)
    for card in cards().values():
        (DOCS / "methods" / f"{card.name}.md").write_text(page(card), encoding="utf-8")
    linked = table()
    for name in cards():
        linked = linked.replace(f"| `{name}` |", f"| [{name}]({name}.md) |")
    (DOCS / "methods" / "index.md").write_text(f"# Methods\n\n{linked}\n", encoding="utf-8")
    changes = (DOCS.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    (DOCS / "changelog.md").write_text(changes, encoding="utf-8")


if __name__ == "__main__":
    main()
