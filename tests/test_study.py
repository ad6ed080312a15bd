"""Studies: what is kept, what is drawn, and that user's words cannot break a page."""

from __future__ import annotations

import io
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from unusual import InputError
from unusual.report.charts import chart
from unusual.report.study_page import cell_text, fragment
from unusual.report.study_text import write
from unusual.study import Distribution, Heat, Intervals, Lines, Specifications, Study, Table, Words

X = np.linspace(0, 10, 20)
BLOCKS = [
    Words("Read `column` first."),
    Lines("Caught", "size", "share",
          {"shift": (X, X / 10), "gap": (X, X / 20)}, {"shift": (X / 12, X / 8)}, {"90 %": 0.9}),
    Intervals("Metrics", "value", [("AUROC", 0.9, 0.8, 0.95), ("AP", 0.5, math.nan, math.nan)], 0.5),
    Distribution("Seeds", "AUROC", np.sin(X), 0.5),
    Specifications("Choices", "AUROC", [0.7, 0.9, 0.8], {"method": ["KNN", "LOF", "KNN"],
                   "scale": ["z", "z", "rank"]}, 0.75),
    Heat("Map", np.outer(X, X), np.ones((20, 20))),
    Table("All", ["metric", "value", "n", "ok"], [["AUROC", 0.91234, 1200, True], ["AP", None, 3, False]]),
]  # fmt: skip
STUDY = Study("Which <b>one</b>?", "`KNN` is better & <script>alert(1)</script>", BLOCKS, ["only 12 anomalies"])
DRAWN = [block for block in BLOCKS if not isinstance(block, Words | Table | Heat)]


def test_json_holds_every_number_and_nothing_that_json_cannot(tmp_path) -> None:
    STUDY.to_json(tmp_path / "s.json")
    kept = json.loads((tmp_path / "s.json").read_text())
    assert kept["answer"] == STUDY.answer
    assert kept["blocks"][1]["lines"]["shift"][1] == (X / 10).tolist()
    assert kept["blocks"][2]["rows"][1] == ["AP", 0.5, None, None]
    assert [b["kind"] for b in kept["blocks"]] == [type(b).__name__.lower() for b in BLOCKS]


def test_the_page_is_one_file_and_escapes_what_users_write(tmp_path) -> None:
    STUDY.to_html(tmp_path / "s.html")
    html = (tmp_path / "s.html").read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.findall(r'(?:src|href)="(?!data:)[^"#]', html)
    assert html.count("<svg") == 2 * len(DRAWN)  # wide and narrow
    assert html.count("<section>") == len(BLOCKS)
    assert '<td class="n">0.912</td>' in html
    assert "&lt;script&gt;" in fragment(STUDY)


@pytest.mark.parametrize("block", DRAWN, ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("width", [860, 360])
def test_charts_are_xml_within_their_frame(block, width) -> None:
    drawn = ElementTree.fromstring(chart(block, width))
    wide, high = (float(v) for v in drawn.attrib["viewBox"].split()[2:])
    for element in drawn.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert -1 <= float(element.attrib.get(name, 0)) <= wide + 1
        for name in ("y", "y1", "y2", "cy"):
            assert -20 <= float(element.attrib.get(name, 0)) <= high + 1


def test_an_interval_that_misses_the_level_stands_out() -> None:
    inside = chart(Intervals("c", "v", [("a", 0.5, 0.4, 0.6)], 0.5))
    beyond = chart(Intervals("c", "v", [("a", 0.7, 0.6, 0.8)], 0.5))
    assert "u-alarm" not in inside
    assert "u-alarm" in beyond


def test_a_line_breaks_where_it_is_not_finite() -> None:
    y = X.copy()
    y[10] = np.nan
    assert chart(Lines("c", "x", "y", {"a": (X, y)})).count("<polyline") == 2
    assert chart(Lines("c", "x", "y", {"a": (X, X)})).count("<polyline") == 1


def test_specifications_are_sorted_and_keep_their_choices() -> None:
    drawn = ElementTree.fromstring(chart(BLOCKS[4]))
    boxes = [e for e in drawn if e.tag.endswith("rect")]
    dots = [e for e in boxes if e.attrib["class"] == "u-calm"]
    heights = [float(e.attrib["y"]) for e in sorted(dots, key=lambda e: float(e.attrib["x"]))]
    assert heights == sorted(heights, reverse=True)  # higher values lie higher up
    assert len(boxes) - len(dots) == 2 * 3  # one mark per factor and configuration


def test_a_map_is_as_large_as_its_numbers() -> None:
    assert 'src="data:image/png;base64,' in chart(BLOCKS[5])
    flat = chart(Heat("flat", np.zeros((4, 4))))
    assert flat.startswith("<img")


@pytest.mark.parametrize(
    "block",
    [
        Lines("c", "x", "y", {"a": ([], [])}),
        Intervals("c", "v", []),
        Specifications("c", "v", [math.nan], {"m": ["a"]}),
    ],
    ids=lambda block: type(block).__name__,
)
def test_nothing_to_draw_is_said(block) -> None:
    assert "nothing to draw" in chart(block)


def test_the_terminal_shows_answer_notes_and_tables() -> None:
    stream = io.StringIO()
    write(STUDY, Console(file=stream, width=90))
    text = stream.getvalue()
    assert "only 12 anomalies" in text.lower()
    assert "0.912" in text
    assert "1,200" in text
    stream = io.StringIO()
    write(Study("t", "a", [BLOCKS[2]]), Console(file=stream, width=90))
    assert "0.95" in stream.getvalue()  # intervals become a table where there is none


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, "–"), (math.nan, "–"), (True, "yes"), (0.12345, "0.123"), (12, "12"), (1234567, "1,234,567"), ("a", "a")],
)
def test_cells_read_like_text(cell, text) -> None:
    assert cell_text(cell) == text


def test_tables_and_lines_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="a row has 1 cells for 2 columns"):
        Table("t", ["a", "b"], [["x"]])
    with pytest.raises(InputError, match="line 'a' has 2 x for 3 y"):
        Lines("c", "x", "y", {"a": ([1, 2], [1, 2, 3])})
