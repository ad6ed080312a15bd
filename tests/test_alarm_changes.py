"""Alarms that appear and vanish: counts, McNemar's test, agreement, and the front door."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import cohen_kappa_score

import unusual
from unusual import InputError
from unusual.evaluate.alarm_changes import alarm_changes


def test_counts_test_and_agreement(rng) -> None:
    old, new = rng.normal(size=300), rng.normal(size=300)
    was, now = old > 1.5, new > 0.8
    found = alarm_changes(old, was, new, now)
    assert sorted(found.appeared) == np.flatnonzero(now & ~was).tolist()
    assert sorted(found.vanished) == np.flatnonzero(was & ~now).tolist()
    assert (np.diff(new[found.appeared]) <= 0).all()
    come, gone = (now & ~was).sum(), (was & ~now).sum()
    assert found.p_value == pytest.approx(2 * binom.cdf(min(come, gone), come + gone, 0.5))
    assert found.agreement == pytest.approx(cohen_kappa_score(was, now))
    assert found.effect == pytest.approx(now.mean() - was.mean())
    assert found.interval[0] < found.effect < found.interval[1]
    assert len(found) == come + gone
    assert "alarms more often" in found.study().blocks[0].caption


def test_the_interval_of_the_change_is_that_of_paired_differences(rng) -> None:
    was, now = rng.random(500) < 0.2, rng.random(500) < 0.3
    found = alarm_changes(was.astype(float), was, now.astype(float), now)
    d = now.astype(float) - was
    half = 1.96 * d.std() / np.sqrt(len(d))
    assert found.interval == pytest.approx((d.mean() - half, d.mean() + half))


def test_nothing_changes_between_equals() -> None:
    s = np.arange(10.0)
    found = alarm_changes(s, s > 7, s, s > 7)
    assert (len(found), found.p_value, found.agreement) == (0, 1.0, 1.0)
    assert found.rank_correlation == pytest.approx(1)
    assert found.study().answer.startswith("0 alarms appear and 0 alarms vanish among 10 items")


def test_constant_scores_have_no_correlation() -> None:
    found = alarm_changes([1.0, 1, 1], [0, 0, 0], [1.0, 2, 3], [0, 0, 0])
    assert np.isnan(found.rank_correlation)
    assert np.isnan(found.agreement)
    assert found.study().blocks[1].rows[0][1] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [(([1.0, 2], [0, 1], [1.0], [0]), "same items"), (([1.0, np.nan], [0, 1], [1.0, 2], [0, 1]), "1 of 2 old scores")],
)
def test_bad_input_is_one_sentence(given, message) -> None:
    with pytest.raises(InputError, match=message):
        alarm_changes(*given)


def test_two_models_on_the_same_table(rng, tmp_path) -> None:
    X = rng.normal(size=(600, 2))
    X[:, 1] = X[:, 0] + 0.1 * X[:, 1]
    names = {"a": X[:, 0], "b": X[:, 1]}
    old = unusual.fit(names, method="HBOS")
    new = unusual.fit(names, method="Mahalanobis")
    new.save(tmp_path / "new.unusual")
    data = {"id": ["x", "y", "z"], "a": [0.0, 1.5, 0.5], "b": [0.0, -1.5, 0.5]}  # y breaks the correlation only
    found = unusual.compare(old, tmp_path / "new.unusual", data)
    assert found.appeared.tolist() == [1]
    assert found.names == ("HBOS", "new.unusual")
    assert "`a`" in found.reasons[1]
    table = next(b for b in found.study().blocks if getattr(b, "caption", "") == "Alarms that appear")
    assert table.rows[0][3] == found.reasons[1]
    same = unusual.compare(old, old, data)
    assert same.names == ("old HBOS", "new HBOS")
    assert len(same) == 0
