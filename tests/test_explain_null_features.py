"""Claims about columns: p-values against loops, the rate of false claims in simulations, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import unusual
from unusual import InputError
from unusual.data.read_table import read_table
from unusual.decide.fdr import benjamini_hochberg
from unusual.explain.null_features import IRT, OSFT, symmetric_cut
from unusual.parts.conditional import ConditionalCopula, streams


class Independent:
    """The true conditional of independent standard normal columns."""

    name = "the true conditional"

    def __init__(self, d: int) -> None:
        self.groups = np.arange(d)

    def draw(self, x: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=(draws, len(x)))


def total(X: np.ndarray) -> np.ndarray:
    return np.abs(X).sum(axis=1)


def flagged(rng: np.random.Generator, n: int = 100, d: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """The paper's rows: each column N(0, 1), or N(4, 1) and important with chance 0.3."""
    important = rng.uniform(size=(n, d)) < 0.3
    return rng.normal(size=(n, d)) + 4 * important, important


# -- against the definition --------------------------------------------------------------------------------------------


def naive_cut(t: np.ndarray, level: float) -> float:
    for z in sorted({abs(v) for v in t if v != 0}):
        if (1 + sum(v <= -z for v in t)) / max(1, sum(v >= z for v in t)) <= level + 1e-12:
            return float(z)
    return np.inf


@given(arrays(np.float64, st.integers(1, 60), elements=st.integers(-6, 9).map(float)), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_cut_is_the_definition(t, level) -> None:
    assert symmetric_cut(t, level) == naive_cut(t, level)


def test_nine_large_changes_are_not_enough_at_a_tenth_and_ten_are() -> None:
    assert symmetric_cut(np.arange(1.0, 10.0), 0.1) == np.inf
    assert symmetric_cut(np.arange(1.0, 11.0), 0.1) == 1.0
    assert symmetric_cut(np.r_[np.arange(1.0, 20.0), -0.5], 0.1) == 1.0  # zeros and small ones do not count


@pytest.mark.parametrize("sided", ["one", "two"])
def test_p_values_are_those_of_a_loop(sided, rng) -> None:
    X, sampler = rng.normal(size=(3, 4)), Independent(4)
    found = IRT(draws=19, sided=sided, sampler=sampler, random_state=7).explain(total, X, rng.normal(size=(50, 4)))
    for i, stream in enumerate(streams(X, 7)):
        V = sampler.draw(X[i], 19 + (sided == "two"), stream)
        V = V if len(V) >= 20 else sampler.draw(X[i], 20, next(iter(streams(X[i : i + 1], 7))))[: len(V)]
        for j in range(4):
            others = []
            for v in V:
                row = X[i].copy()
                row[j] = v[j]
                others.append(total(row[None])[0])
            own = total(X[i : i + 1])[0]
            assert_allclose(found.values[i, j], own - np.mean(others))
            if sided == "two":
                own, others = (own - others[0]) ** 2, [(o - others[0]) ** 2 for o in others[1:]]
            assert_allclose(found.evidence[i, j], (1 + sum(o >= own for o in others)) / (1 + 19))


@pytest.mark.parametrize("sided", ["one", "two"])
def test_one_shot_changes_are_those_of_a_loop(sided, rng) -> None:
    X, sampler = rng.normal(size=(6, 4)), Independent(4)
    found = OSFT(sided=sided, sampler=sampler).explain(total, X, rng.normal(size=(50, 4)))
    for i, stream in enumerate(streams(X, 0)):
        V = np.abs(sampler.draw(X[i], 20, stream))
        own, one, two = np.abs(X[i]), V[0], V[1]
        expected = own - one if sided == "one" else (own - one) ** 2 - (two - one) ** 2
        assert_allclose(found.evidence[i], expected, atol=1e-12)


def test_selection_is_benjamini_hochberg_over_rows_or_over_all(rng) -> None:
    X, important = flagged(rng, 20)
    each = IRT(sampler=Independent(25)).explain(total, X, rng.normal(size=(50, 25)))
    assert each.draws == 749  # three times what it takes to claim a single one of 25 at a tenth
    for i, p in enumerate(each.evidence):
        assert_array_equal(each.selected[i], benjamini_hochberg(p, 0.1).mask)
        assert_array_equal(each.selected[i], p <= each.cut[i])
    together = IRT(sampler=Independent(25), pooled=True, draws=99).explain(total, X, rng.normal(size=(50, 25)))
    assert_array_equal(together.selected.ravel(), benjamini_hochberg(together.evidence.ravel(), 0.1).mask)
    assert set(each.claimed(0)) == {f"column {j}" for j in np.flatnonzero(each.selected[0])}
    assert (each.selected & important).sum() > 0.8 * important.sum()


# -- the promise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sided", ["one", "two"])
@pytest.mark.parametrize("level", [0.1, 0.2])
def test_false_claims_stay_below_the_level_with_power(sided, level) -> None:
    for test in (IRT(level=level, draws=100, pooled=True), OSFT(level=level)):
        test.set_params(sided=sided, sampler=Independent(25))
        shares, power = [], []
        for seed in range(8):
            rng = np.random.default_rng([3, seed])
            X, important = flagged(rng)
            found = test.explain(total, X, rng.normal(size=(50, 25))).selected
            shares.append((found & ~important).sum() / max(1, found.sum()))
            power.append(found[important].mean())
        assert np.mean(shares) <= level + 2 * np.std(shares) / np.sqrt(8)
        assert np.mean(shares) > level / 4
        assert np.mean(power) > 0.8


def test_rows_that_are_usual_get_claims_no_more_often_than_promised(rng) -> None:
    mix = rng.normal(size=(12, 12))
    for reference in (40, 600):
        usual = rng.normal(size=(reference, 12)) @ mix
        detector = unusual.make("Mahalanobis").fit(usual)
        found = IRT().explain(detector, rng.normal(size=(300, 12)) @ mix, usual)
        assert found.selected.any(axis=1).mean() <= 0.1 + 2 * np.sqrt(0.09 / 300)


def test_a_faulty_cell_does_not_spread_to_the_columns_it_belongs_with() -> None:
    rng = np.random.default_rng(8)
    loads = rng.normal(size=(4, 20))
    usual = rng.normal(size=(800, 4)) @ loads + rng.normal(size=(800, 20))
    X = rng.normal(size=(60, 4)) @ loads + rng.normal(size=(60, 20))
    faulty = np.zeros(X.shape, dtype=bool)
    faulty[np.arange(60), rng.integers(20, size=60)] = True
    X = X + 5 * X.std(axis=0) * faulty
    detector = unusual.make("Mahalanobis").fit(usual)

    def run(sampler: ConditionalCopula) -> tuple[float, float]:
        found = IRT(sampler=sampler).explain(detector, X, usual).selected
        false = (found & ~faulty).sum(axis=1) / np.maximum(1, found.sum(axis=1))
        return float(false.mean()), float(found[faulty].mean())

    false, power = run(ConditionalCopula(usual))
    spread, _ = run(ConditionalCopula(usual, outlying=np.inf))
    assert false <= 0.12 < 0.2 < spread
    assert power > 0.9


# -- what comes back ---------------------------------------------------------------------------------------------------


def test_a_row_gets_the_same_whatever_else_is_explained(rng) -> None:
    usual = rng.normal(size=(300, 6))
    detector = unusual.make("KNN").fit(usual)
    X = rng.normal(size=(30, 6)) * 2
    for test in (IRT(draws=39), OSFT()):
        whole = test.explain(detector, X, usual)
        part = test.explain(detector, X[::-1][:12], usual)
        assert_array_equal(part.evidence, whole.evidence[::-1][:12])
    assert (IRT(draws=39, random_state=1).explain(detector, X, usual).evidence != whole.evidence).any()


def test_every_table_detector_and_any_function_can_be_asked(rng) -> None:
    usual = rng.normal(size=(400, 8))
    x = np.full((1, 8), 0.1)
    x[0, 2] = 9.0
    for card in unusual.methods("detector", "table"):
        detector = unusual.make(card.name).fit(usual)
        found = IRT().explain(detector, x, usual)
        assert found.selected[0, 2] or card.name in ("COPOD", "ECOD"), card.name
    assert IRT().explain(total, x, usual).claimed(0) == ["column 2"]
    assert IRT().explain(detector, x).values.shape == (1, 8)  # the rows that the detector keeps are usual ones


def test_a_fitted_scan_is_explained_by_its_columns(rng) -> None:
    days = np.datetime64("2024-01-01", "us") + np.arange(400) * np.timedelta64(1, "D").astype("timedelta64[us]")
    usual = {"day": days, "load": rng.normal(size=400), "kind": np.array(["a", "b"] * 200, dtype=object)}
    usual["heat"] = usual["load"] * 2 + rng.normal(0, 0.1, 400)
    model = unusual.fit(usual)
    odd = read_table({**{name: values[:1] for name, values in usual.items()}, "heat": np.array([40.0])})
    found = IRT().explain(model, odd, read_table(usual))
    assert list(found.names) == [c.name for c in model.encoder.columns_ if c.used]
    assert len(model.encoder.names_) > len(found.names)  # a date has several parts, which are tested as one
    assert found.claimed(0)[0] == "heat"


def test_columns_that_follow_from_the_others_are_untestable_until_they_break_with_them(rng) -> None:
    usual = rng.normal(size=(500, 5))
    usual[:, 1] = usual[:, 0] * 3 + 1
    usual[:, 4] = 7.0
    x = np.array([[0.5, 2.5, 0.1, -0.2, 7.0]])
    found = IRT(level=0.2).explain(total, x, usual)
    assert_array_equal(found.untestable[0], [True, True, False, False, True])
    assert found.untestable_columns == ["column 0", "column 1", "column 4"]
    assert (found.evidence[0][found.untestable[0]] == 1).all()
    assert "`column 0`, `column 1`, `column 4` follow from the other columns" in " ".join(found.notes)
    broken = IRT(level=0.2).explain(total, np.array([[0.5, 30.0, 0.1, -0.2, 9.0]]), usual)
    assert not broken.untestable[0, [1, 4]].any()
    assert {"column 1", "column 4"} <= set(broken.claimed(0))


def test_studies_say_what_is_claimed_and_what_limits_it(rng, tmp_path) -> None:
    usual = rng.normal(size=(2000, 12))
    x = np.zeros((1, 12))
    x[0, 3] = 8.0
    one = IRT(random_state=1).explain(total, x, usual)
    study = one.study()
    assert study.answer.startswith("`column 3` is claimed, of 12 columns; on average at most 10% of such claims")
    assert any("Gaussian copula" in note or "margins" in note for note in study.notes)
    study.to_json(tmp_path / "one.json")
    study.to_html(tmp_path / "one.html")
    assert "column 3 *" in (tmp_path / "one.html").read_text(encoding="utf-8")
    shot = OSFT().explain(total, x, usual).study()
    assert "No column is claimed" in shot.answer
    assert any("at least 10 columns over all rows must stand out" in note for note in shot.notes)
    many = IRT().explain(total, np.vstack([x, x + 0.01]), usual).study()
    assert "in 2 of 2 rows" in many.answer
    few = IRT(draws=20).explain(total, x, usual)
    assert any("with 20 draws 6 of 12 tests must reach" in note and "120 draws allow" in note for note in few.notes)
    sparse = IRT().explain(total, x, usual[:30])
    assert any("with 30 reference rows 4 of 12" in note and "120 reference rows" in note for note in sparse.notes)
    assert not any("must reach" in note for note in one.notes)


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_scores_that_vary_are_refused(rng) -> None:
    noisy = np.random.default_rng(0)
    with pytest.raises(InputError, match="dropout"):
        IRT().explain(lambda X: total(X) + noisy.normal(size=len(X)), np.ones((3, 4)), rng.normal(size=(50, 4)))
    with pytest.raises(InputError, match="depends on the other rows"):
        IRT().explain(lambda X: total(X) - total(X).mean(), rng.normal(size=(3, 4)), rng.normal(size=(50, 4)))


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (IRT(level=0), "level is 0"),
        (IRT(sided="both"), "sided is 'both'"),
        (IRT(sampler="gan"), "sampler is 'gan'"),
        (IRT(level=0.05, draws=10), "ask for at least 19 draws"),
        (IRT(sampler="nearest", draws=99), "99 draws from 50 reference rows"),
        (OSFT(level=0.04), "20 tests in all can never reject at level 0.04, where 25 must stand out.* use IRT"),
        (OSFT(pooled=False), "4 tests in each row can never reject at level 0.1"),
    ],
)
def test_what_cannot_be_tested_is_refused(test, sentence, rng) -> None:
    with pytest.raises(InputError, match=sentence):
        test.explain(total, rng.normal(size=(5, 4)), rng.normal(size=(50, 4)))


def test_samplers_that_fail_are_refused(rng) -> None:
    X, usual = rng.normal(size=(5, 4)), rng.normal(size=(50, 4))
    broken = Independent(4)
    broken.draw = lambda x, draws, _: np.full((draws, len(x)), np.nan)
    with pytest.raises(InputError, match="not finite"):
        IRT(sampler=broken).explain(total, X, usual)
    with pytest.raises(InputError, match="replaces 3 groups of 3 columns; the rows have 4 of 4"):
        IRT(sampler=Independent(3)).explain(total, X, usual)


def test_bad_rows_and_scorers_are_refused(rng) -> None:
    X, usual = rng.normal(size=(5, 4)), rng.normal(size=(50, 4))
    with pytest.raises(InputError, match="nothing says what is usual"):
        IRT().explain(total, X)
    with pytest.raises(InputError, match="cannot score"):
        IRT().explain("KNN", X, usual)
    with pytest.raises(InputError, match=r"reference has shape \(50, 3\) for rows of 4 columns"):
        IRT().explain(total, X, usual[:, :3])
    with pytest.raises(InputError, match="at least 4 rows"):
        IRT().explain(total, X, usual[:3])
    with pytest.raises(InputError, match=r"give bool \(5, 4\)"):
        IRT().explain(total, X, usual, tested=np.ones((5, 3), dtype=bool))
    with pytest.raises(InputError, match="one each is due"):
        IRT().explain(lambda A: np.ones(len(A) + 1), X, usual)
