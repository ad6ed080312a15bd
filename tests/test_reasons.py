"""Reasons say what is true of the other rows, whether the row is one of them or was never seen."""

from __future__ import annotations

import numpy as np
import pytest

from unusual.data.encoder import TableEncoder
from unusual.data.table import Table
from unusual.explain.reasons import Contribution, reason


@pytest.fixture
def encoder() -> TableEncoder:
    metal = np.array(["steel"] * 100 + ["wood"], dtype=object)
    remark = np.array([None] * 99 + ["late", "lost"], dtype=object)
    gaps = np.append(np.nan, np.arange(100) % 7 + 0.5)
    texts = np.array([f"{'very ' * (i % 9)}long line {i} of {i * i}" for i in range(101)], dtype=object)
    table = Table(
        {
            "words": texts,
            "weight": np.arange(101.0) ** 2,
            "metal": metal,
            "remark": remark,
            "gaps": gaps,
            "fixed": np.ones(101),
        }
    )
    return TableEncoder().fit(table)


def said(encoder: TableEncoder, feature: str, value: object, *, among: bool) -> str:
    return reason(encoder, [Contribution(feature, 1.0, value, encoder.usual_range(feature))], among=among)


def test_the_largest_of_the_rows_lies_above_all_others(encoder):
    assert said(encoder, "weight", 1e4, among=True) == "`weight` 10,000 lies above all 100 other rows"
    assert said(encoder, "weight", 1e4, among=False) == "`weight` 10,000 lies above all but 1 of 101 reference rows"
    assert said(encoder, "weight", 0.0, among=True) == "`weight` 0 lies below all 100 other rows"


def test_a_value_that_only_this_row_has_never_occurs_elsewhere(encoder):
    assert said(encoder, "metal", "wood", among=True) == "`metal` 'wood' never occurs in 100 other rows"
    assert "rare (1 of 101 reference rows have it)" in said(encoder, "metal", "wood", among=False)


def test_presence_and_gaps_are_counted(encoder):
    assert said(encoder, "remark", "lost", among=True) == "`remark` 'lost' is filled in, as in 1 of 100 other rows"
    assert said(encoder, "gaps", None, among=True) == "`gaps` is missing, as in none of 100 other rows"
    assert said(encoder, "fixed", 2.0, among=False) == "`fixed` 2 (in the reference always 1)"


def test_cells_beyond_the_same_rows_share_a_verb(encoder):
    high, low, new = (
        Contribution(*c) for c in [("weight", 1.0, 2e4, ""), ("weight", 1.0, -1, ""), ("metal", 1.0, "tin", "")]
    )
    rest = [Contribution("gaps", 1.0, 3.5, "")] * 3
    above = "`weight` 20,000 lies above all 101 reference rows"
    assert reason(encoder, [high, new]) == above
    assert reason(encoder, [high, new, *rest[:1]]) == f"{above} and `metal` 'tin' never occurs in 101 reference rows"
    both = "`weight` 20,000 and `weight` 20,000 lie above all 101 reference rows"
    assert reason(encoder, [high, high, low, *rest]) == f"{both}; `weight` -1 lies below all 101 reference rows"


def test_a_text_is_never_called_ordinary_without_a_look(encoder):
    assert (
        said(encoder, "words", "!!", among=False) == "`words` '!!' is unlike the reference texts in length or make-up"
    )
