"""Why one row: contributions, stability and claims on one page, for arrays and for fitted scans."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import unusual
from unusual import InputError
from unusual.data.read_table import read_table
from unusual.explain.null_features import IRT
from unusual.explain.one_item import explained


@pytest.fixture
def usual(rng) -> np.ndarray:
    return rng.normal(size=(500, 3)) @ rng.normal(size=(3, 12)) + 0.5 * rng.normal(size=(500, 12))


def test_one_row_gets_contributions_stability_and_claims(usual, tmp_path) -> None:
    odd = usual[:1].copy()
    odd[0, 4] += 8
    detector = unusual.make("KNN").fit(usual)
    found = explained(detector, odd, reference=usual)
    assert_allclose(found.contributions, detector.explain(odd))
    assert found.contributions[0].argmax() == 4
    assert found.claims.claimed(0) == ["column 4"]
    assert_allclose(found.claims.evidence, IRT(draws=359).explain(detector, odd, usual).evidence)
    assert found.claims.tested.all()
    assert found.stability.values.shape == (5, 1, 12)
    study = found.study()
    assert study.answer.startswith("`column 4` pushes the score most; `column 4` stands out beyond chance (at most 10%")
    bars, table = study.blocks
    assert bars.rows[0][0] == "column 4 *"
    assert all(low <= value <= high for _, value, low, high in bars.rows)
    assert table.rows[0][-1] == "claimed"
    study.to_html(tmp_path / "row.html")
    study.to_json(tmp_path / "row.json")


def test_a_fitted_scan_shows_values_as_they_were_read(usual) -> None:
    kinds = np.array(["a", "b"] * 250, dtype=object)
    table = {**{f"c{j}": usual[:, j] for j in range(6)}, "kind": kinds}
    model = unusual.fit(table)
    odd = {name: values[:2].copy() for name, values in table.items()}
    odd["c2"] = odd["c2"] + 9.0
    found = explained(model, read_table(odd), reference=read_table(table))
    assert set(found.names) == {*table}
    study = found.study()
    assert study.title == "Why are these rows unusual?"
    assert [block.text.split(":")[0] for block in study.blocks[::3]] == ["Row 1", "Row 2"]
    first = study.blocks[2].rows[0]
    assert first[0] == "c2"
    assert first[2] == model.encoder.usual_range("c2")
    assert {row[1] for row in study.blocks[2].rows if row[0] == "kind"} == {"'a'"}


def test_few_reference_rows_are_said_to_be_few(usual) -> None:
    found = explained(unusual.make("PCA").fit(usual), usual[:1])
    assert any("with 64 reference rows" in note and "120 reference rows" in note for note in found.study().notes)
    assert found.stability.index == 1.0
    assert "no column is claimed" in found.answer(0) or found.claims.claimed(0)


def test_of_many_columns_the_promising_are_tested_and_all_count(rng) -> None:
    usual = rng.normal(size=(2000, 80))
    odd = usual[:2].copy()
    odd[0, 4] += 8
    found = explained(unusual.make("PCA").fit(usual), odd, reference=usual)
    tested = found.claims.tested
    assert (tested.sum(axis=1) == tested[0].sum()).all()
    assert 3 <= tested[0].sum() < 80
    assert found.contributions[tested].min() >= 0
    assert found.claims.claimed(0) == ["column 4"]
    assert (found.claims.evidence[~tested] == 1).all()
    full = IRT(draws=found.claims.draws).explain(unusual.make("PCA").fit(usual), odd, usual)
    np.testing.assert_array_equal(full.evidence[tested], found.claims.evidence[tested])
    assert any("most promising columns" in note for note in found.study().notes)


def test_what_cannot_be_explained_is_refused(usual) -> None:
    detector = unusual.make("PCA").fit(usual)
    with pytest.raises(InputError, match="level is 2"):
        explained(detector, usual[:1], level=2)
    with pytest.raises(InputError, match="reference has shape"):
        explained(detector, usual[:1], reference=usual[:, :3])
