"""The hold-out that can be asked often: the algorithm step by step, what it hides, what it keeps, what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from unusual import InputError, Thresholdout
from unusual.errors import UnusualError
from unusual.evaluate.asked import BudgetSpent
from unusual.evaluate.metrics import auroc
from unusual.parts.sparse_vector import SparseVector


def samples(rng, n=2000, d=5):
    return rng.normal(size=(n, d)), rng.normal(size=(n, d))


def moved(rng, n=2000, by=2.0):
    """A hold-out whose first column lies elsewhere: training data mislead about it."""
    train, holdout = samples(rng, n)
    holdout[:, 0] += by
    return train, holdout


def above(column):
    return lambda X: X[:, column] > 0


def test_the_mechanism_follows_the_algorithm_line_by_line() -> None:
    T, sigma, budget = 0.04, 0.01, 5
    gate = SparseVector.start(T, sigma, budget, random_state=4)
    rng = np.random.default_rng(4)
    T_hat = T + rng.laplace(scale=2 * sigma)
    pairs = np.random.default_rng(0).uniform(0.45, 0.55, (40, 2))
    for train, holdout in pairs:
        heard = gate.hear(train, holdout)
        if abs(holdout - train) > T_hat + rng.laplace(scale=4 * sigma):
            assert heard == holdout + rng.laplace(scale=sigma)
            budget -= 1
            T_hat = T + rng.laplace(scale=2 * sigma)
        else:
            assert heard is None
        assert gate.left == budget


@given(st.floats(0.02, 1), st.floats(0.5, 4))
def test_wider_scales_multiply_everything(gap, scale) -> None:
    one, other = (SparseVector.start(0.1, 0.02, 9, random_state=1) for _ in range(2))
    a, b = one.hear(0.0, gap), other.hear(0.0, gap * scale, scale)
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        assert b == pytest.approx(a * scale, rel=1e-9, abs=1e-12)


def test_where_both_agree_the_training_mean_is_told_and_nothing_is_used(rng) -> None:
    train, holdout = samples(rng)
    guard = Thresholdout(train, holdout, threshold=0.5, noise=0.001, random_state=0)
    assert guard.ask(above(1)) == (train[:, 1] > 0).mean()
    assert guard.budget_left == 128
    assert guard.log[0].source == "train"


def test_where_they_differ_the_hold_out_is_told_with_noise(rng) -> None:
    train, holdout = moved(rng)
    truth = (holdout[:, 0] > 0).mean()
    told = [Thresholdout(train, holdout, noise=0.01, random_state=seed).ask(above(0)) for seed in range(200)]
    assert truth not in told
    assert np.mean(told) == pytest.approx(truth, abs=0.004)
    assert np.mean(np.abs(np.array(told) - truth)) == pytest.approx(0.01, rel=0.25)  # mean size of Laplace noise


def test_the_same_question_gets_the_same_answer_for_nothing(rng) -> None:
    train, holdout = moved(rng)
    guard = Thresholdout(train, holdout, budget=3, random_state=0)
    first = guard.ask(above(0), "first")
    assert [guard.ask(lambda X: X[:, 0] > 0) for _ in range(50)] == [first] * 50
    assert guard.budget_left == 2
    record = guard.record()
    assert record.questions == 1
    assert record.overfit == 1.0
    assert [entry.source for entry in record.asked] == ["holdout"] + ["repeated"] * 50


def test_a_spent_budget_is_an_error_with_advice_and_old_answers_stay(rng) -> None:
    train, holdout = moved(rng)
    guard = Thresholdout(train, holdout, budget=2, noise=1e-6, random_state=0)
    first = guard.ask(lambda X: X[:, 0] > 0.1)
    guard.ask(lambda X: X[:, 0] > 0.2)
    with pytest.raises(BudgetSpent, match="collect a new hold-out") as caught:
        guard.ask(lambda X: X[:, 0] > 0.3)
    assert isinstance(caught.value, UnusualError)
    assert guard.ask(lambda X: X[:, 0] > 0.1) == first
    assert "budget is spent" in " ".join(guard.study().notes)


def test_many_questions_at_once_are_those_one_by_one(rng) -> None:
    train, holdout = moved(rng)
    together, apart = (Thresholdout(train, holdout, random_state=5) for _ in range(2))
    assert_allclose(together.ask(lambda X: X > 0), [apart.ask(above(j)) for j in range(5)])


def test_bounds_move_and_scale_threshold_noise_and_answer(rng) -> None:
    train, holdout = samples(rng)
    holdout[:, 0] += 1
    guard = Thresholdout(train, holdout, random_state=1)
    told = guard.ask(lambda X: X[:, 0], bounds=(-10, 10))
    unit = Thresholdout(train, holdout, random_state=1).ask(lambda X: (np.clip(X[:, 0], -10, 10) + 10) / 20)
    assert told == pytest.approx(20 * unit - 10)


def test_no_answer_log_or_text_tells_the_mean_of_the_hold_out(rng) -> None:
    train, holdout = moved(rng)
    guard = Thresholdout(train, holdout, random_state=None)
    guard.ask(above(0), "column 0")
    raw = (holdout[:, 0] > 0).mean()
    told = " ".join([repr(guard), str(guard.log), str(guard.record()), json.dumps(guard.study().as_dict())])
    assert str(raw) not in told
    assert guard.log[0].answer != raw
    assert repr(guard._gate._noisy_threshold) not in repr(guard._gate)


def test_noise_without_a_seed_differs(rng) -> None:
    train, holdout = moved(rng)
    assert Thresholdout(train, holdout).ask(above(0)) != Thresholdout(train, holdout).ask(above(0))


def test_saved_state_goes_on_with_the_same_noise_and_cannot_be_rewound_into_new_noise(rng, tmp_path) -> None:
    data = moved(rng)
    guard = Thresholdout(*data, budget=9, random_state=2)
    first = guard.ask(above(0), "first")
    guard.save(tmp_path / "holdout.json")
    text = (tmp_path / "holdout.json").read_text()
    assert str((data[1][:, 0] > 0).mean()) not in text
    again = Thresholdout.resume(tmp_path / "holdout.json", *data)
    assert again.ask(above(0)) == first
    later = [lambda X, t=t: X[:, 0] > t for t in (0.5, 0.6, 0.7)]
    assert [again.ask(q) for q in later] == [guard.ask(q) for q in later]
    assert (again.budget_left, again.budget) == (guard.budget_left, 9)
    assert again.log[0] == guard.log[0]


def test_a_state_of_other_data_or_another_file_is_refused(rng, tmp_path) -> None:
    data, path = moved(rng), tmp_path / "holdout.json"
    Thresholdout(*data, random_state=2).save(path)
    with pytest.raises(InputError, match="other data"):
        Thresholdout.resume(path, *moved(rng))
    for text in ("{}", "no json", "[]", path.read_text().replace('"left"', '"right"')):
        path.write_text(text)
        with pytest.raises(InputError, match="no saved state"):
            Thresholdout.resume(path, *data)
    with pytest.raises(InputError, match="no saved state"):
        Thresholdout.resume(tmp_path / "absent.json", *data)


def test_an_area_under_the_curve_is_guarded_as_a_hold_out_of_the_rarer_class(rng) -> None:
    (X, Z), y = samples(rng, 4000), np.arange(4000) % 40 == 0  # 100 of the rarer class
    guard = Thresholdout((X, y), (Z, y), random_state=0)
    assert guard.ask_auroc(lambda rows: rows[:, 0]) == auroc(y, X[:, 0])
    Z[:, 1] += 5 * y
    truth = auroc(y, Z[:, 1])
    told = [Thresholdout((X, y), (Z, y), random_state=s).ask_auroc(lambda rows: rows[:, 1]) - truth for s in range(400)]
    heard = np.array([t for t in told if abs(t + truth - auroc(y, X[:, 1])) > 1e-12])
    assert len(heard) > 200
    assert np.abs(heard).mean() == pytest.approx(1 / 4 / np.sqrt(100), rel=0.25)


def test_an_analyst_who_keeps_what_pleases_is_told_the_truth(rng) -> None:
    """Without any signal, columns chosen by the hold-out's own means make it look better than chance."""
    n, d = 2000, 400
    train, holdout = ((rng.normal(size=(n, d)), rng.choice([-1, 1], n)) for _ in range(2))

    def agreement(X, y):
        return ((X > 0) == (y[:, None] > 0)).astype(float)

    own = agreement(*train).mean(axis=0) - 0.5

    def reported(ask):
        told = ask(agreement) - 0.5
        w = np.where(own * told > 0, np.sign(own), 0)
        return float(ask(lambda X, y: ((X @ w > 0) == (y > 0)).astype(float)))

    plain = reported(lambda question: np.asarray(question(*holdout)).mean(axis=0))
    guards = [Thresholdout(train, holdout, threshold=0.06, noise=0.005, budget=400, random_state=s) for s in range(12)]
    guarded = [reported(guard.ask) for guard in guards]
    assert plain > 0.57
    assert abs(np.median(guarded) - 0.5) < 0.03
    assert np.mean(np.abs(np.array(guarded) - 0.5)) < 0.5 * (plain - 0.5)


def test_the_study_reads(rng) -> None:
    train, holdout = moved(rng, n=300)
    guard = Thresholdout(train, holdout, noise=1e-4, random_state=0)
    assert guard.study().answer.startswith("Nothing has been asked yet")
    for j in range(5):
        guard.ask(above(j), f"column {j}")
    study = guard.study()
    assert "Of 5 questions 1 (20.0%)" in study.answer
    assert any("300 rows" in note for note in study.notes)
    chart, table = study.as_dict()["blocks"]
    assert chart["lines"]["given"][1] == [1, 1, 1, 1, 1]
    assert [row[3] for row in table["rows"]] == ["holdout"] + ["train"] * 4


def test_shared_rows_are_refused_but_not_rows_that_repeat_by_nature(rng) -> None:
    train, holdout = samples(rng)
    holdout[7] = train[3]
    with pytest.raises(InputError, match=r"1 of 2,000 rows of holdout are in train"):
        Thresholdout(train, holdout)
    dice = rng.integers(0, 3, (1000, 3)), rng.integers(0, 3, (1000, 3))
    Thresholdout(*dice)


@pytest.mark.parametrize(
    "question, words",
    [
        (lambda X: X[:, 0], "outside 0 and 1"),
        (lambda X: X[:5, 0] > 0, "one number per row"),
        (lambda X: np.full(len(X), np.nan), "outside 0 and 1, or NaN"),
        (lambda X: np.full(len(X), "a"), "one number per row"),
        (lambda X: X[:, : 1 + int(X[0, 0] > 0)] > 0, "other columns"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(rng, question, words) -> None:
    train, holdout = samples(rng)
    train[0, 0], holdout[0, 0] = -1.0, 1.0
    with pytest.raises(InputError, match=words):
        Thresholdout(train, holdout).ask(question)


def test_bad_samples_and_options_are_refused(rng) -> None:
    train, holdout = samples(rng)
    guard = Thresholdout(train, holdout)
    with pytest.raises(InputError, match="ascending"):
        guard.ask(above(0), bounds=(1, 0))
    with pytest.raises(InputError, match="not finite"):
        guard.ask(lambda X: np.full(len(X), np.inf), bounds=(0, 2))
    with pytest.raises(InputError, match="no labels"):
        guard.ask_auroc(lambda X: X[:, 0])
    for bad, words in (
        (lambda: Thresholdout(train, holdout[:, :2]), "different columns"),
        (lambda: Thresholdout((train, np.ones(2000)), holdout), "labels in one only"),
        (lambda: Thresholdout(train[0], holdout), "give rows of numbers"),
        (lambda: Thresholdout((train, np.ones(3)), (holdout, np.ones(2000))), "one number per row"),
        (lambda: Thresholdout(train, holdout, threshold=0), "above 0"),
        (lambda: Thresholdout(train, holdout, noise=-1), "above 0"),
        (lambda: Thresholdout(train, holdout, budget=0), "above 0"),
    ):
        with pytest.raises(InputError, match=words):
            bad()
