"""Bootstrap intervals against SciPy's, against theory, and with groups."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.metrics import roc_auc_score

from unusual import InputError
from unusual.parts.bootstrap import bootstrap_interval, paired_interval


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("statistic", [np.mean, np.median, np.std])
def test_agrees_with_scipy(method, statistic, rng) -> None:
    x = rng.gamma(2.0, size=80)
    ours = bootstrap_interval(x, statistic, method=method, resamples=20_000)
    theirs = stats.bootstrap((x,), statistic, method=method, n_resamples=20_000, rng=1).confidence_interval
    width = theirs.high - theirs.low
    assert_allclose([ours.low, ours.high], theirs, atol=0.04 * width)
    assert ours.estimate == pytest.approx(statistic(x))


def test_paired_interval_agrees_with_scipy_and_ignores_what_both_share(rng) -> None:
    shared = rng.normal(size=60) * 100
    a, b = shared + rng.normal(0.5, 1, 60), shared + rng.normal(0, 1, 60)
    ours = paired_interval(a, b, resamples=10_000)
    theirs = stats.bootstrap(
        (a, b), lambda u, v, axis: u.mean(axis=axis) - v.mean(axis=axis), paired=True, n_resamples=10_000, rng=1
    ).confidence_interval
    assert_allclose([ours.low, ours.high], theirs, atol=0.03)
    assert ours.high - ours.low < 1.5


def test_a_statistic_without_axis_gives_the_same_interval(rng) -> None:
    x = rng.normal(size=50)
    fast = bootstrap_interval(x, np.mean, resamples=500)
    slow = bootstrap_interval(x, lambda sample: sample.mean(), resamples=500)
    assert_allclose([slow.low, slow.high], [fast.low, fast.high])
    a, b = x, x + rng.normal(size=50)
    assert_allclose(paired_interval(a, b).low, paired_interval(a, b, lambda s: float(np.mean(s))).low)


def test_items_may_carry_labels_and_scores(rng) -> None:
    labels = np.repeat([0, 1], 40)
    scores = labels + rng.normal(size=80)
    found = bootstrap_interval(
        np.column_stack([labels, scores]), lambda s: roc_auc_score(s[:, 0], s[:, 1]), resamples=300
    )
    assert found.low < roc_auc_score(labels, scores) < found.high
    assert roc_auc_score(labels, scores) in found


def test_repeating_every_item_does_not_narrow_an_interval_over_groups(rng) -> None:
    x = rng.normal(size=30)
    once = bootstrap_interval(x, resamples=5000)
    copies = bootstrap_interval(np.repeat(x, 10), groups=np.repeat(np.arange(30), 10), resamples=5000)
    naive = bootstrap_interval(np.repeat(x, 10), resamples=5000)
    assert_allclose([copies.low, copies.high], [once.low, once.high], atol=0.03)
    assert naive.high - naive.low < 0.5 * (copies.high - copies.low)


def test_groups_of_unlike_size(rng) -> None:
    sizes = rng.integers(1, 9, 25)
    group = np.repeat(np.arange(25), sizes)
    x = rng.normal(size=25)[group]
    found = bootstrap_interval(x, groups=group, resamples=3000)
    spread = np.std([x[np.isin(group, g)].mean() for g in np.array_split(np.arange(25), 5)])
    assert found.low < x.mean() < found.high
    assert found.high - found.low > spread


def test_covers_as_often_as_it_says(rng) -> None:
    hits = [
        0.0 in bootstrap_interval(rng.normal(size=40), level=0.9, resamples=400, random_state=seed)
        for seed in range(300)
    ]
    assert 0.84 < np.mean(hits) < 0.94  # 0.88 expected of 40 items; four standard errors either side of 0.9


def test_constant_values_give_an_interval_without_width() -> None:
    found = bootstrap_interval(np.full(10, 0.1))
    assert_allclose([found.low, found.high], 0.1)


def test_same_seed_same_interval(rng) -> None:
    x = rng.normal(size=20)
    assert bootstrap_interval(x, random_state=3) == bootstrap_interval(x, random_state=3)
    assert bootstrap_interval(x, random_state=3) != bootstrap_interval(x, random_state=4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bootstrap_interval([1.0]),
        lambda: bootstrap_interval([1.0, np.nan]),
        lambda: bootstrap_interval([1.0, 2.0], level=1.0),
        lambda: bootstrap_interval([1.0, 2.0], method="exact"),
        lambda: bootstrap_interval([1.0, 2.0], groups=[1]),
        lambda: bootstrap_interval([1.0, 2.0], groups=["a", "a"]),
        lambda: paired_interval([[1.0]], [[2.0]]),
    ],
)
def test_what_cannot_be_resampled_is_refused(call) -> None:
    with pytest.raises(InputError):
        call()
