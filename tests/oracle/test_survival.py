"""Statistics of two censored samples against loops that follow the definitions one time and one item at a time."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from unusual.evaluate.censored_statistics import STATISTICS, thirteen
from unusual.parts.survival import Pooled, SurvivalCurve, quadratic_form


def kaplan_meier(time, event, t, strict=False):
    """Product over distinct event times up to t (before t where `strict`)."""
    S = 1.0
    for u in sorted(set(time[event == 1])):
        if u < t or (u == t and not strict):
            S *= 1 - ((time == u) & (event == 1)).sum() / (time >= u).sum()
    return S


def censoring(time, event, t):
    """Kaplan-Meier estimate of not being censored through t; events of the same time leave first."""
    C = 1.0
    for u in sorted(set(time[event == 0])):
        if u <= t:
            left = (time >= u).sum() - ((time == u) & (event == 1)).sum()
            C *= 1 - ((time == u) & (event == 0)).sum() / left
    return C


def weighted(time, event, first, weights):
    """U and E of the family of weight functions, functions of Y and of S and L just before."""
    U, E, L = np.zeros(len(weights)), np.zeros((len(weights), len(weights))), 0.0
    for u in sorted(set(time[event == 1])):
        Y, Y1 = (time >= u).sum(), (time[first] >= u).sum()
        d, d1 = ((time == u) & (event == 1)).sum(), ((time == u) & (event == 1) & first).sum()
        at = SimpleNamespace(Y=Y, S=kaplan_meier(time, event, u, strict=True), L=L)
        g = np.array([w(at) for w in weights])
        U += g * (d1 - Y1 * d / Y)
        if Y > 1:
            E += np.outer(g, g) * d * Y1 / Y * (1 - Y1 / Y) * (Y - d) / (Y - 1)
        L += d / Y
    return U @ np.linalg.pinv(E) @ U


def scores(time, event, kind):
    found = []
    for t, e in zip(time, event, strict=True):
        if kind == "gehan":
            smaller = sum(1 for u, f in zip(time, event, strict=True) if f and (u < t or (u == t and not e)))
            larger = sum(1 for u, f in zip(time, event, strict=True) if e and (u > t or (u == t and not f)))
            found.append(smaller - larger)
        else:
            S = kaplan_meier(time, event, t)
            found.append(S + kaplan_meier(time, event, t, strict=True) - 1 if e else S - 1)
    return np.array(found)


def score_statistic(time, event, first, kind):
    n, n1 = len(time), first.sum()
    s = scores(time, event, kind)
    s = s - s.mean()
    return s[first].sum() ** 2 / (n1 * (n - n1) * (s**2).sum() / (n * (n - 1)))


def pepe_fleming(time, event, first):
    n, n1 = len(time), int(first.sum())
    n2 = n - n1
    grid = sorted(set(time))

    def weight(t):
        C1, C2 = censoring(time[first], event[first], t), censoring(time[~first], event[~first], t)
        return n * C1 * C2 / (n1 * C1 + n2 * C2) if n1 * C1 + n2 * C2 else 0.0

    area, parts = 0.0, []
    for a, b in pairwise(grid):
        gap = kaplan_meier(time[first], event[first], a) - kaplan_meier(time[~first], event[~first], a)
        area += weight(a) * gap * (b - a)
        parts.append(weight(a) * kaplan_meier(time, event, a) * (b - a))
    variance = 0.0
    for j, t in enumerate(grid):
        S, before = kaplan_meier(time, event, t), kaplan_meier(time, event, t, strict=True)
        w = weight(grid[j - 1]) if j else 1.0
        if S > 0 and w > 0:
            variance += sum(parts[j:]) ** 2 * (before - S) / (S * before) / w
    return n1 * n2 / n * area**2 / variance


def constant(at):
    return 1.0 + 0 * at.Y


def obvious(time, event, first):
    """The first ten, in the order of STATISTICS."""
    return [
        score_statistic(time, event, first, "peto"),
        score_statistic(time, event, first, "gehan"),
        weighted(time, event, first, [constant]),
        weighted(time, event, first, [lambda at: np.sqrt(at.Y)]),
        weighted(time, event, first, [lambda at: at.S]),
        weighted(time, event, first, [lambda at: at.S * at.Y / (at.Y + 1)]),
        pepe_fleming(time, event, first),
        weighted(time, event, first, [constant, lambda at: -np.log(1 + at.L)]),
        weighted(time, event, first, [constant, lambda at: at.L, lambda at: at.L**2]),
        weighted(time, event, first, [lambda at: np.exp(-at.L), lambda at: np.exp(-at.L) - 1]),
    ]


def pair(rng, ties):
    n = 34
    time = rng.exponential(size=n)
    if ties:
        time = np.ceil(time * 4)
    first = np.arange(n) < 15
    return time, (rng.uniform(size=n) < 0.7).astype(int), first[rng.permutation(n)]


@pytest.mark.parametrize("ties", [False, True])
def test_all_statistics_follow_their_definitions(rng, ties) -> None:
    for _ in range(4):
        time, event, first = pair(rng, ties)
        order = np.argsort(time, kind="stable")
        pooled = Pooled.of(time[order][None], event[order][None].astype(float))
        assert pooled.tied == ties
        own = first[order][None, None].astype(float)
        chi, p = (values[0, 0] for values in thirteen(pooled, own))
        assert_allclose(chi[:10], obvious(time, event, first), rtol=1e-7)
        by_name = dict(zip(STATISTICS, range(13), strict=True))
        assert chi[by_name["Q"]] in (chi[by_name["log-rank"]], chi[by_name["Peto-Wilcoxon"]])
        assert chi[by_name["MAX"]] == max(chi[by_name["log-rank"]], chi[by_name["Gehan-Wilcoxon"]])
        assert p[by_name["MIN3"]] == min(p[6], p[8], p[9])


def test_many_pairs_and_many_labellings_agree_with_one_at_a_time(rng) -> None:
    time = np.sort(np.ceil(rng.exponential(size=(5, 40)) * 6), axis=1)
    event = (rng.uniform(size=(5, 40)) < 0.7).astype(float)
    first = rng.permuted(np.broadcast_to(np.arange(40) < 18, (5, 7, 40)), axis=2).astype(float)
    together = thirteen(Pooled.of(time, event), first)
    for i in range(5):
        for b in range(7):
            alone = thirteen(Pooled.of(time[i : i + 1], event[i : i + 1]), first[i : i + 1, b : b + 1])
            for many, one in zip(together, alone, strict=True):
                assert_allclose(many[i, b], one[0, 0], rtol=1e-9, atol=1e-12)


def test_the_pretest_takes_log_rank_for_late_and_peto_for_early_differences(rng) -> None:
    hazard = rng.exponential(size=400)
    second = np.arange(400) >= 200
    cut = np.log(2)
    late = np.where(second & (hazard > cut), cut + (hazard - cut) / 4, hazard)
    early = np.where(second, np.where(hazard < 4 * cut, hazard / 4, hazard - 3 * cut), hazard)
    chosen = []
    for time in (late, early):
        order = np.argsort(time)
        chi, _ = thirteen(Pooled.of(time[order][None], np.ones((1, 400))), (~second)[order][None, None].astype(float))
        chosen.append(STATISTICS[:3][list(chi[0, 0, :3]).index(chi[0, 0, 10])])
    assert chosen == ["log-rank", "Peto-Wilcoxon"]


def test_swapped_samples_give_equal_statistics(rng) -> None:
    time, event, first = pair(rng, ties=True)
    order = np.argsort(time, kind="stable")
    pooled = Pooled.of(time[order][None], event[order][None].astype(float))
    own = first[order][None, None].astype(float)
    one, other = thirteen(pooled, own)[0][0, 0], thirteen(pooled, 1 - own)[0][0, 0]
    symmetric = [i for i, name in enumerate(STATISTICS) if name != "Q"]  # Q looks at quantiles of the first
    assert_allclose(one[symmetric], other[symmetric], rtol=1e-8)


def test_a_curve_with_ties_and_greenwood_by_hand() -> None:
    curve = SurvivalCurve.of(np.array([1.0, 2, 2, 3, 5]), np.array([True, True, False, False, True]))
    assert_allclose(curve.time, [1, 2, 3, 5])
    assert_allclose(curve.survival, [0.8, 0.6, 0.6, 0.0])
    assert_allclose(curve.at_risk, [5, 4, 2, 1])
    assert_allclose(curve.deviation[:2], [0.8 * np.sqrt(1 / 20), 0.6 * np.sqrt(1 / 20 + 1 / 12)])
    assert_allclose(curve.at(np.array([0.5, 1, 4, 9])), [1, 0.8, 0.6, 0])
    mean, _ = curve.restricted_mean(4.0)
    assert mean == pytest.approx(1 + 0.8 + 2 * 0.6)


def test_elimination_is_the_quadratic_form_and_skips_what_has_no_variance(rng) -> None:
    A = rng.normal(size=(50, 3, 6))
    E, U = A @ A.transpose(0, 2, 1), rng.normal(size=(50, 3))
    assert_allclose(quadratic_form(U, E), np.einsum("bi,bij,bj->b", U, np.linalg.inv(E), U), rtol=1e-8)
    v = np.array([1.0, 2.0, -1.0])
    assert quadratic_form(2 * v[None], np.outer(v, v)[None])[0] == pytest.approx(4.0)
