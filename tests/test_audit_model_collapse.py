"""ModelCollapse: laws of the loop, both signs, what keeps it inside the band, and what cannot be used."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from unusual import InputError
from unusual.audit.collapse_rows import tail_index
from unusual.audit.generations import DISTANCES, MEASURES, Band, Reference, generations, null_measures
from unusual.audit.model_collapse import ModelCollapse
from unusual.parts.table_samplers import sampler

QUICK = {"trajectories": 6, "repeats": 60, "generations": 6}


def loop(X, fitter, count, policy="replace", share=0.0, seed=0):
    return list(generations(X, sampler(fitter), count, policy, share, np.random.default_rng(seed)))


def test_kernel_densities_explode_as_their_law_says(rng) -> None:
    X = rng.normal(size=(1000, 1))
    ratio = np.mean([loop(X, "kde", 20, seed=s)[-1].var() / X.var() for s in range(12)])
    assert ratio == pytest.approx((1 + 1000**-0.4) ** 20, rel=0.12)


def test_real_rows_bound_the_variance_as_their_law_says(rng) -> None:
    X, r, h2 = rng.normal(size=(1000, 1)), 0.5, 1000**-0.4
    ratio = np.mean([loop(X, "kde", 15, "mix", r, seed=s)[-1].var() / X.var() for s in range(12)])
    assert ratio == pytest.approx(r / (1 - (1 - r) * (1 + h2)), rel=0.04)


@pytest.mark.parametrize(("fitter", "divisor"), [("gaussian", 29), ("gaussian maximum likelihood", 30)])
def test_fitted_normal_laws_die_out_as_their_law_says(fitter, divisor) -> None:
    n, count = 30, 40
    X = stats.norm.ppf((np.arange(n) + 0.5) / n)[:, None]
    X /= np.sqrt((X**2).sum() / divisor)
    logs = [np.log(loop(X, fitter, count, seed=s)[-1].std(ddof=0)) for s in range(200)]
    from scipy.special import digamma

    drift = (digamma((n - 1) / 2) - np.log(divisor / 2)) / 2  # of log sd in a generation
    start = drift + np.log(divisor / n) / 2  # its sample is measured with divisor n
    assert np.mean(logs) == pytest.approx((count - 1) * drift + start, abs=4 * np.std(logs) / np.sqrt(200))


def test_resampling_loses_variety_as_drift_of_genes_does() -> None:
    n, count = 100, 60
    X = np.arange(n, dtype=float)[:, None]
    left = [1 - (np.bincount(loop(X, "bootstrap", count, seed=s)[-1].ravel().astype(int)) ** 2).sum() / n**2
            for s in range(150)]  # fmt: skip
    assert np.mean(left) == pytest.approx((1 - 1 / n) ** (count + 1), rel=0.06)


@pytest.mark.parametrize("policy", ["replace", "mix", "accumulate", "accumulate-subsample"])
def test_every_policy_keeps_the_size_and_follows_its_seed(rng, policy) -> None:
    X = rng.normal(size=(60, 2))
    sets = loop(X, "bootstrap", 3, policy, 0.25)
    assert [Y.shape for Y in sets] == [(60, 2)] * 3
    np.testing.assert_array_equal(sets[-1], loop(X, "bootstrap", 3, policy, 0.25)[-1])


def test_policies_show_the_model_what_they_say(rng) -> None:
    X = rng.normal(size=(50, 1))
    seen: list[int] = []

    def spy(train, n, _random_state):
        seen.append(len(train))
        return np.full((n, 1), 100.0)

    assert (loop(X, spy, 2, "mix", 0.2)[-1] == 100).sum() == 40
    list(generations(X, spy, 3, "accumulate", 0, rng))
    list(generations(X, spy, 3, "accumulate-subsample", 0, rng))
    assert seen == [50, 50, 50, 100, 150, 50, 50, 50]


def test_measures_of_the_reference_against_itself(rng) -> None:
    X = rng.normal(size=(500, 2)) * [1, 1000]
    found = dict(zip(MEASURES, Reference(X).measure(X), strict=True))
    for name in ("mean shift", "Wasserstein-1", "Kolmogorov-Smirnov", "energy", "Kullback-Leibler"):
        assert found[name] == pytest.approx(0, abs=1e-6)
    for name in ("sd", "spread", "distinct", "near-duplicates", "precision", "recall", "coverage"):
        assert found[name] == pytest.approx(1)
    assert found["tail mass"] == pytest.approx(0.02)
    assert found["skewness"] == pytest.approx(stats.skew(X).mean())
    assert found["kurtosis"] == pytest.approx(stats.kurtosis(X).mean())
    twice = dict(zip(MEASURES, Reference(X).measure(2 * X), strict=True))
    assert (twice["sd"], twice["spread"]) == pytest.approx((2, 2))


def test_units_do_not_matter(rng) -> None:
    X, Y = rng.normal(size=(200, 2)), rng.normal(0.3, 1.5, (200, 2))
    scale = np.array([1000.0, 0.01])
    np.testing.assert_allclose(
        Reference(X * scale + 5).measure(Y * scale + 5), Reference(X).measure(Y), rtol=1e-6, atol=1e-9
    )


def test_fresh_real_rows_seldom_leave_the_band(rng) -> None:
    n = 100
    null = np.array([Reference(rng.normal(size=(n, 1))).measure(rng.normal(size=(n, 1))) for _ in range(200)])
    new = np.array([Reference(rng.normal(size=(n, 1))).measure(rng.normal(size=(n, 1))) for _ in range(400)])
    joint = [MEASURES.index(name) for name in DISTANCES]
    rate = Band.of(null).left(new)[:, joint].any(axis=1).mean()
    assert 0.015 < rate < 0.11  # 5 %, known from 200


def test_halves_of_real_rows_do_not_overlap(rng) -> None:
    null = null_measures(rng.normal(size=(80, 1)), 40, 30, rng)
    assert null.shape == (30, len(MEASURES))
    assert null[:, MEASURES.index("Kolmogorov-Smirnov")].min() > 0
    assert null[:, MEASURES.index("near-duplicates")].max() < 0.5


@pytest.mark.parametrize(
    ("fitter", "direction"),
    [
        ("kde", "over-dispersion"),
        ("gaussian maximum likelihood", "under-dispersion"),
        ("bootstrap", "repetition"),
    ],
)
def test_collapse_has_several_signs(rng, fitter, direction) -> None:
    options = QUICK | {"generations": 25 if fitter != "bootstrap" else 4}
    found = ModelCollapse(fitter, **options).run(rng.normal(size=100), search=False)
    assert found.collapsed
    assert found.direction == direction
    assert direction in found.study().answer
    if direction == "under-dispersion":
        assert 1 <= (found.tails_halved_at or 0) <= 25
        assert "tails halve" in found.study().answer


def test_a_faithful_source_does_not_collapse(rng) -> None:
    def fresh(X, n, random_state):
        return np.random.default_rng(random_state).normal(size=(n, X.shape[1]))

    found = ModelCollapse(fresh, trajectories=20, repeats=100, generations=5).run(rng.normal(size=(400, 2)))
    assert not found.collapsed
    assert found.left_band_at is None
    assert found.direction == "none"
    assert "No sign of collapse" in found.study().answer


def test_the_smallest_real_share_is_searched_and_holds(rng) -> None:
    X = rng.normal(size=(300, 1))
    audit = ModelCollapse("kde", **QUICK)
    found = audit.run(X)
    assert 0 < (found.smallest_share or 0) < 1
    assert f"{found.smallest_share:.0%} of real rows" in found.study().answer
    held = ModelCollapse("kde", policy="mix", real_share=found.smallest_share, **QUICK).run(X)
    assert not held.collapsed
    assert held.real_share == found.smallest_share


def test_no_share_is_enough_for_a_maker_of_noise(rng) -> None:
    def far(_X, n, random_state):
        return np.full((n, 1), 50.0) + np.random.default_rng(random_state).normal(size=(n, 1))

    found = ModelCollapse(far, **QUICK).run(rng.normal(size=200))
    assert found.smallest_share is None
    assert any("none prevents" in note for note in found.notes)
    assert found.fitter == "far"


def test_watching_files_of_generations(rng, tmp_path) -> None:
    real = rng.normal(size=(300, 2))
    made = [(1 + 0.35 * g) * rng.normal(size=(250, 2)) for g in range(1, 4)]
    paths = []
    for number, rows in enumerate([real, *made]):
        paths.append(tmp_path / f"{number}.csv")
        np.savetxt(paths[-1], rows, delimiter=",", header="a,b", comments="")
    found = ModelCollapse(**QUICK).watch(paths[0], paths[1:])
    assert found.direction == "over-dispersion"
    assert found.left_band_at in (1, 2)
    assert found.values.shape == (6, 4, len(MEASURES))
    assert any("one loop" in note for note in found.study().notes)
    swapped = {"b": made[0][:, 1], "a": made[0][:, 0]}
    again = ModelCollapse(**QUICK).watch({"a": real[:, 0], "b": real[:, 1]}, [swapped])
    np.testing.assert_allclose(again.values[:, 1], found.values[:, 1], rtol=0.5, atol=0.5)


def test_same_seed_same_result_and_the_record_can_be_written(rng) -> None:
    X = rng.normal(size=(80, 1))
    first, second = (ModelCollapse("kde", **QUICK).run(X, search=False) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    kept = json.loads(json.dumps(first.study().as_dict(), allow_nan=False))
    table = kept["blocks"][-1]
    assert [row[0] for row in table["rows"]] == list(MEASURES)
    assert kept["blocks"][0]["lines"]["spread"][1][0] == pytest.approx(1)
    assert any("only 6 trajectories" in note.lower() for note in kept["notes"])


def test_heavy_tails_are_said(rng) -> None:
    assert tail_index(rng.standard_cauchy(5000)) == pytest.approx(1, abs=0.2)
    assert tail_index(rng.normal(size=5000)) > 3
    assert tail_index(np.ones(500)) == np.inf
    found = ModelCollapse("bootstrap", **QUICK).run({"income": rng.standard_cauchy(400)}, search=False)
    assert "income" in found.notes[0]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda X: ModelCollapse().run(X[:30]), "at least 40"),
        (lambda X: ModelCollapse().run(np.column_stack([X, np.ones(100)])), "constant"),
        (lambda X: ModelCollapse().run(np.where(X > 2, np.nan, X)), "missing or infinite"),
        (lambda _X: ModelCollapse().run({"a": np.array(["x", "y"] * 50)}), "no numbers"),
        (lambda X: ModelCollapse("kde").run(np.round(X)), "different values"),
        (lambda X: ModelCollapse("no such").run(X), "no sampler"),
        (lambda X: ModelCollapse(policy="never").run(X), "policy is 'never'"),
        (lambda X: ModelCollapse(real_share=1.0).run(X), "real_share is 1.0"),
        (lambda X: ModelCollapse(generations=0).run(X), "generations is 0"),
        (lambda X: ModelCollapse(repeats=5).run(X), "repeats 5"),
        (lambda X: ModelCollapse(lambda X, n, _seed: X[: n - 1]).run(X), "must give 50 finite rows"),
        (lambda X: ModelCollapse(lambda X, _n, _seed: X * np.nan).run(X), "NaN"),
        (lambda X: ModelCollapse().watch(X, []), "no generations"),
        (lambda X: ModelCollapse().watch(X, [X[:10]]), "has 10 rows"),
        (lambda X: ModelCollapse().watch({"a": X[:, 0]}, [{"b": X[:, 0]}]), "differ in columns 'a', 'b'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(rng, call, sentence) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        call(rng.normal(size=(100, 1)))
    assert "\n" not in str(caught.value)
