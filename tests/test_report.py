"""The report: well-formed, self-contained, escaped, bounded in size; pictures that any numbers survive."""

from __future__ import annotations

import io
import json
import math
import re
import time
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from unusual.data.encoder import TableEncoder
from unusual.data.table import Table
from unusual.explain.causes import causes
from unusual.explain.reasons import contributions
from unusual.findings import Findings, Method, Promise
from unusual.parts.bootstrap import Interval
from unusual.report import draw, reproduce
from unusual.report.page import fragment, named, page
from unusual.report.text import table as print_table
from unusual.report.words import p_text, percent, seconds, sentence

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = "<script>alert(1)</script>\"'`&\x00\x1b[31m \u202eevil 🦠 שלום " + "long" * 200


class Stub:
    """A model whose score is the distance of each column to its median, in columns' order."""

    data_fingerprint_ = "abc123"

    def __init__(self, encoder: TableEncoder) -> None:
        self.encoder = encoder

    def contributions(self, table: Table, **_: Any) -> list[Any]:
        V = np.zeros((len(table), len(self.encoder.columns_)))
        Z = self.encoder.transform(table)
        np.add.at(V.T, self.encoder.source_, np.abs(Z).T)
        return [contributions(self.encoder, table.row(i), V[i]) for i in range(len(table))]


def made(n: int = 60, found: int = 3, *, hostile: bool = False, **changed: Any) -> Findings:
    """Findings about a table of numbers, categories, flags, dates, text and gaps."""
    rng = np.random.default_rng(0)
    metal = np.array(["steel", "wood", None], dtype=object)[rng.integers(0, 3, n)]
    words = np.array(
        [f"note {i} is {'short' if i % 2 else 'a little longer'}" for i in rng.permutation(n)], dtype=object
    )
    if hostile:
        metal[:5], words[:5] = HOSTILE, HOSTILE
    columns = {
        HOSTILE if hostile else "weight": np.append(1e4 * np.ones(1), rng.normal(size=n - 1)),
        "metal": metal,
        "new": rng.integers(0, 2, n).astype(bool),
        "day": np.datetime64("2024-01-01", "us") + rng.permutation(n) * np.timedelta64(37, "h"),
        "words": words,
        "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
    }
    table = Table(columns, name=HOSTILE if hostile else "parts.csv")
    model = Stub(TableEncoder().fit(table))
    scores = np.append(np.linspace(9, 5, found), rng.random(n - found))
    anomalous = np.arange(n) < found
    rows = list(range(found))
    explained = (
        dict(zip(rows, model.contributions(table.take(np.array(rows, dtype=int))), strict=True)) if found else {}
    )
    given: dict[str, Any] = {
        "source": table.name,
        "kind": "table",
        "items": np.arange(n),
        "scores": scores,
        "p_values": np.full(n, 0.01),
        "anomalous": anomalous,
        "threshold": 2.0,
        "calibration": Promise("guaranteed", 0.01, (0.002, 0.024), 200, 0.6, "expected false alarms: 0.6 of 60 rows"),
        "method": Method("Stub", "Stub: distance to the median", "Nobody, 1900", {"alarm_rate": 0.01}, "for a test"),
        "columns": model.encoder.columns_,
        "notes": [f"`{HOSTILE}` is odd"] if hostile else ["12 cells were no numbers"],
        "model": model,
        "table": table,
        "causes": causes(rows, [explained[i] for i in rows]),
        "timings": {"reading": 0.1, "fitting": 75.0},
        "settings": {"source": table.name, "reference": "it's normal.csv", "alarm_rate": 0.01, "id": None},
        "above_threshold": found,
    }
    return Findings(**{**given, **changed})


class Balance(HTMLParser):
    """Fails where a tag is not closed in its turn; keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def self_contained(text: str) -> Balance:
    """The parsed page, after checking that it runs nothing and loads nothing."""
    parsed = Balance(text)
    for tag, attributes in parsed.seen:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form", "img"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
    assert "@import" not in text
    assert "url(" not in text
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "").replace("http-equiv", "")
    return parsed


def pictures(text: str) -> list[ElementTree.Element]:
    found = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    for svg in found:
        sound(svg)
    return found


def sound(svg: ElementTree.Element) -> None:
    """Numbers only where numbers stand, none of them NaN or infinite; a title; all of it inside the picture's width."""
    width = float(svg.attrib["viewBox"].split()[2])
    assert next(iter(svg)).tag.endswith("title")
    for element in svg.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            if name in element.attrib:
                assert math.isfinite(float(element.attrib[name]))
        for name in ("x", "x1", "x2", "cx"):
            assert -1 <= float(element.attrib.get(name, 0)) <= width + 1
        assert not re.search(r"\b(nan|inf)\b", element.attrib.get("points", ""))


# -- the page ---------------------------------------------------------------------------------------------------------


def test_page_is_whole_and_self_contained():
    findings = made()
    parsed = self_contained(text := page(findings))
    assert text.startswith("<!DOCTYPE html>")
    assert len(pictures(text)) > 5
    said = (
        "3 unusual rows among 60",
        "Expected false alarms: 0.6 of 60 rows",
        "12 cells were no numbers",
        "Stub: distance to the median",
        "Nobody, 1900",
        "guaranteed",
        "0.2\u00a0% to 2.4\u00a0%",
        "1 min 15 s",
        "unusual scan parts.csv --reference 'it'\"'\"'s normal.csv' --alarm-rate 0.01",
    )
    for words in said:
        assert words in parsed.text, words


def test_page_has_rules_for_phone_print_and_dark():
    text = page(made())
    assert 'name="viewport"' in text
    for query in ("@media (max-width", "@media print", "prefers-color-scheme: dark", "prefers-reduced-motion"):
        assert query in text
    assert "default-src 'none'" in text


@pytest.mark.parametrize("form", [page, fragment])
def test_hostile_names_and_cells_stay_text(form):
    text = form(made(hostile=True))
    self_contained(text)
    pictures(text)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\x00" not in text
    assert "long" * 200 not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)  # commands stay whole
    text.encode()


def test_lone_surrogates_can_be_written(tmp_path):
    findings = made(source="parts\ud800.csv")
    findings.to_html(tmp_path / "report.html")
    assert "parts\ufffd.csv" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_found():
    findings = made(found=0, threshold=math.inf, p_values=np.ones(60))
    parsed = self_contained(page(findings))
    assert "Nothing unusual among 60" in parsed.text
    assert "out of reach" in parsed.text
    assert sum(tag == "details" and a.get("class") == "finding" for tag, a in parsed.seen) == 5  # the highest scores
    assert "<tr>" not in fragment(findings)


def test_one_finding_and_one_row():
    assert "1 unusual row among 60" in self_contained(page(made(found=1))).text


def test_long_lists_are_cut_and_said():
    findings = made(n=6000, found=5000)
    findings.notes = [f"note {i}" for i in range(500)]
    start = time.process_time()
    text = page(findings)
    assert time.process_time() - start < 20
    assert len(text) < 1_000_000
    parsed = self_contained(text)
    assert sum(tag == "details" and a.get("class") == "finding" for tag, a in parsed.seen) == 50
    assert "the other 4,950 stand in the CSV file" in parsed.text
    assert "460 more notes" in parsed.text


def test_links_inside_the_page_lead_somewhere():
    parsed = Balance(page(made()))
    ids = [a["id"] for _, a in parsed.seen if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for _, a in parsed.seen if (a.get("href") or "").startswith("#")} <= set(ids)


def test_extreme_scores_and_unexplained_rows():
    findings = made(
        scores=np.append([1e308, np.finfo(float).max, 9.0], -1e308 * np.ones(57)),
        metrics={"AUROC": Interval(0.5, 0.4, 0.6, 0.95)},
    )
    findings._explained = {i: [] for i in range(3)}
    parsed = self_contained(page(findings))
    assert "no single column stands out" in parsed.text.lower()
    assert "0.500" in parsed.text


@pytest.mark.parametrize("kind", ["guaranteed", "approximate", "extrapolated", "estimated", "withdrawn"])
def test_every_kind_of_promise_is_explained(kind):
    promise = Promise(kind, None, None, 60, None, "what is known")
    assert kind in self_contained(page(made(calibration=promise))).text


def test_fragment_is_small_and_names_the_rest():
    text = fragment(made(n=200, found=40))
    assert "and 30 more" in self_contained(text).text
    assert len(text) < 40_000


# -- how it is written ------------------------------------------------------------------------------------------------


def test_names_between_backticks_become_code():
    assert named("`a<b` is 3 % off & `c") == "<code>a&lt;b</code> is 3\u00a0% off &amp; `c"


def test_numbers_for_people():
    assert [percent(r) for r in (0.0123, 1.0, None)] == ["1.2\u00a0%", "100\u00a0%", "–"]
    assert [p_text(p) for p in (0.00123, 0.5)] == ["0.0012", "0.50"]
    assert [seconds(t) for t in (0.0021, 3.44, 125)] == ["2 ms", "3.4 s", "2 min 5 s"]
    assert [sentence(s) for s in ("it is so", "Is it?", "")] == ["It is so.", "Is it?", ""]


def test_scans_of_objects_are_repeated_in_python_only():
    findings = made(
        settings={"source": "a DataFrame", "reference": "a ndarray", "columns": ["a", 'b"'], "random_state": 3}
    )
    assert reproduce.command(findings) == ""
    assert 'scan(data, reference, columns=["a", "b\\""], random_state=3)' in reproduce.python(findings)
    compile(reproduce.python(findings), "report", "exec")


def test_scores_with_a_saved_model_are_repeated_as_such():
    findings = made(settings={"source": "new.csv", "model": "m.unusual", "method": "ECOD", "alarm_rate": 0.05})
    assert reproduce.command(findings) == "unusual score m.unusual new.csv --alarm-rate 0.05 --html report.html"
    assert 'score("m.unusual", "new.csv", alarm_rate=0.05)' in reproduce.python(findings)


def test_parameters_set_by_hand_are_repeated():
    method = Method("Mahalanobis", "", "", {"shrinkage": 0.5, "alarm_rate": 0.02}, "given as an instance")
    findings = made(method=method, settings={"source": "x.csv", "method": "Mahalanobis"})
    assert 'method=unusual.make("Mahalanobis", shrinkage=0.5)' in reproduce.python(findings)
    assert reproduce.command(findings) == ""


# -- the terminal -----------------------------------------------------------------------------------------------------


def printed(findings: Findings, width: int) -> str:
    stream = io.StringIO()
    print_table(findings, Console(file=stream, width=width))
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_terminal_text_keeps_to_the_width(width):
    text = printed(made(n=100, found=30), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "30 unusual rows among 100" in text
    flat = " ".join(text.split())
    assert "and 10 more" in flat
    assert "\x1b" not in text


def test_terminal_is_not_steered_by_cells():
    text = printed(made(hostile=True), 100)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)


def test_terminal_when_nothing_is_found():
    text = printed(made(found=0), 80)
    assert "Nothing unusual among 60" in text
    assert "Columns: " in text


# -- pictures ---------------------------------------------------------------------------------------------------------

numbers = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=80)
quick = settings(max_examples=60, deadline=None)


def drawn(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    sound(root)
    return root


@quick
@given(values=st.lists(numbers, max_size=60), threshold=st.none() | numbers, title=words)
def test_any_histogram_is_sound(values, threshold, title):
    assert drawn(draw.histogram(values, threshold, title=title, width=360)).get("class") == "u-draw u-histogram"


@quick
@given(value=finite, five=st.lists(finite, min_size=5, max_size=5), said=words)
def test_any_strip_is_sound(value, five, said):
    assert drawn(draw.strip(value, sorted(five), title="a", said=said)).get("class") == "u-draw u-strip"
    assert drawn(draw.strip(five[0], [five[0]] * 5, title="a")).get("class") == "u-draw u-strip"


@quick
@given(rows=st.lists(st.tuples(words, numbers), max_size=12))
def test_any_bars_are_sound(rows):
    assert (
        drawn(draw.bars([name for name, _ in rows], [value for _, value in rows], title="a")).get("class")
        == "u-draw u-bars"
    )


@quick
@given(counts=st.lists(st.tuples(words, st.integers(0, 10**15)), max_size=6), value=words, total=st.integers(0, 10**15))
def test_any_levels_are_sound(counts, value, total):
    assert drawn(draw.levels(counts, value, total, title="a")).get("class") == "u-draw u-levels"


@quick
@given(values=st.lists(numbers, max_size=60), threshold=st.none() | numbers)
def test_any_line_is_sound(values, threshold):
    assert (
        drawn(draw.line(values, threshold, title="a", spans=[(0, max(0, len(values) - 1))])).get("class")
        == "u-draw u-line"
    )


def test_bars_of_a_histogram_split_at_the_threshold(rng):
    values = np.append(rng.normal(size=1000), [7.0, 8.0])
    root = drawn(draw.histogram(values, 5.0, title="a"))
    assert "2 lie above the threshold of 5." in (root.findtext("{*}desc") or "")
    cut = next(float(e.attrib["x1"]) for e in root if e.attrib.get("class") == "u-cut")
    for bar in root.findall("{*}rect"):
        x, wide = float(bar.attrib["x"]), float(bar.attrib["width"])
        assert x >= cut - 0.1 if bar.attrib["class"] == "u-alarm" else x + wide <= cut + 0.1


def test_values_far_off_are_drawn_at_the_edge_with_an_arrow():
    near, far = (draw.strip(v, [0, 1, 2, 3, 4], title="a") for v in (9, 9000))
    assert "<circle" in near
    assert "<polygon" in far


def test_a_long_line_stays_small_and_keeps_its_extremes(rng):
    values = rng.normal(size=200_000)
    values[777], values[500:600] = 40, np.nan
    svg = draw.line(values, title="a")
    assert len(svg) < 60_000
    assert svg.count("<polyline") == 2
    assert "to 40." in svg


def test_levels_mark_what_never_occurred():
    root = drawn(draw.levels([("steel", 90), ("wood", 10)], "glass", 100, title="a"))
    assert [e.text for e in root.findall("{*}text")][-2:] == ["glass", "never"]


def test_a_column_the_picture_cannot_order_has_none():
    from unusual.explain.reasons import Contribution
    from unusual.report.cells import drawn as cell_picture

    encoder = made().model.encoder
    assert cell_picture(Contribution("words", 1.0, "hello", "text"), encoder) == ""
    assert cell_picture(Contribution("gaps", 1.0, None, ""), encoder) == ""
    assert "u-strip" in cell_picture(Contribution("day", 1.0, encoder.quantiles("day", [0.5])[0].item(), ""), encoder)
    assert "u-levels" in cell_picture(Contribution("new", 1.0, True, ""), encoder)
    assert "missing" in cell_picture(Contribution("metal", 1.0, None, ""), encoder)


def test_json_of_the_same_findings_is_plain(tmp_path):
    made().to_json(tmp_path / "f.json")
    body = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert len(body["findings"]) == 3
    assert body["summary"] == "3 unusual rows among 60"
