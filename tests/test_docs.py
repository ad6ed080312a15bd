"""Generated pages are up to date, and links lead somewhere."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs import build  # noqa: E402


def test_the_readme_lists_every_method_as_its_card_says() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    between = text.partition(build.START)[2].partition(build.END)[0]
    assert between.strip() == build.table(), "run: python -m docs.build --readme"


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_relative_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http", "methods/")):
            assert (path.parent / target).exists(), f"{name} links to {target}"


def test_a_method_page_has_card_parameters_and_a_picture(tmp_path, monkeypatch) -> None:
    (tmp_path / "methods").mkdir()
    monkeypatch.setattr(build, "DOCS", tmp_path)
    text = build.page(build.cards()["Mahalanobis"])
    assert "On the Generalised Distance" in text
    assert "shrinkage : float" in text
    drawn = ElementTree.parse(tmp_path / "methods" / "Mahalanobis.svg").getroot()
    fills = [e.get("fill") for e in drawn if e.tag.endswith("rect")]
    assert len(fills) == build.CELLS**2
    assert 0.1 < sum(f.startswith("hsl(18") for f in fills) / len(fills) < 0.9


PICTURED = ("table", "series")  # detectors whose picture is drawn from an example that they share
EXAMPLES = [card for card in build.cards().values() if card.role != "detector" or card.data not in PICTURED]


@pytest.mark.parametrize("card", EXAMPLES, ids=lambda card: card.name)
def test_every_other_method_shows_an_example_with_a_picture(card) -> None:
    page = build.page(card)
    assert "## Example" in page, f"write docs/studies/{card.name}.py with a function study()"
    assert "<svg" in page or "<img" in page
    assert "nothing to draw" not in page
