"""The page of all metrics: chance levels, intervals, and the sentences about what limits them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unusual import InputError
from unusual.evaluate import metrics as m
from unusual.evaluate.intervals import metric_interval
from unusual.evaluate.scorecard import LOWER_IS_BETTER, METRICS, summary


def case(rng, anomalous=40, normal=200, shift=1.5):
    y = np.repeat([1, 0], [anomalous, normal])
    return y, rng.normal(size=len(y)) + shift * y


def test_figures_are_those_of_the_metrics(rng) -> None:
    y, s = case(rng)
    card = summary(y, s, resamples=200)
    assert [f.name for f in card.figures] == list(METRICS)
    for figure in card.figures:
        assert figure.value == METRICS[figure.name](y, s)
        assert figure.interval is not None
        assert figure.interval.estimate == figure.value
        assert (figure.value < figure.chance) == (figure.name in LOWER_IS_BETTER)
    alone = metric_interval(m.average_precision, y, s, resamples=200)
    assert card["average precision"].interval == alone
    study = card.study()
    assert "40 of 240" in study.answer
    assert "too short" not in " ".join(study.notes)
    json.dumps(study.as_dict(), allow_nan=False)


def test_chance_is_what_scores_that_know_nothing_get(rng) -> None:
    y, s = case(rng)
    card = summary(y, s, resamples=50)
    noise = [[METRICS[f.name](y, rng.normal(size=len(y))) for f in card.figures] for _ in range(400)]
    spread = np.std(noise, axis=0) / 20
    gap = np.abs(np.mean(noise, axis=0) - [f.chance for f in card.figures])
    assert (gap < 4.5 * spread).all()
    assert card["AUROC"].chance == 0.5
    assert card["average precision"].chance > 40 / 240  # a known bias of small samples


def test_groups_are_resampled_and_named(rng) -> None:
    y, s = case(rng)
    card = summary(y, s, np.arange(240) // 8, resamples=100)
    assert card.groups == 30
    assert any("30 groups" in note for note in card.notes)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda _, s: s * 0, "All scores are equal"),
        (lambda _, s: s.round(), "both scores are equal"),
        (lambda _, s: -s, "looks inverted"),
        (lambda y, s: s + 100 * y, "Every anomaly scores above"),
        (lambda _, s: s, "hangs on the few"),
    ],
)
def test_what_limits_the_figures_is_said(change, sentence, rng) -> None:
    y, s = case(rng)
    assert any(sentence in note for note in summary(y, change(y, s), resamples=100).notes)


def test_few_anomalies_are_said_and_one_has_no_interval(rng) -> None:
    y, s = case(rng, 5, 100)
    assert any("only 5 anomalies" in note for note in summary(y, s, resamples=50).notes)
    y, s = case(rng, 1, 20)
    card = summary(y, s)
    assert all(f.interval is None for f in card.figures)
    assert "max significance improvement" not in {f.name for f in card.figures}
    assert any("no intervals" in note for note in card.study().notes)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(InputError, match="needs both classes"):
        summary([0, 0], [1, 2])
    with pytest.raises(InputError, match="one label per item"):
        summary([0, 1], [1, 2], [1])
