"""Streams: equal to batch, alarms merged and told at least once, state kept over a kill, drift policies."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import unusual
from unusual import InputError
from unusual.series_detector import SeriesDetector, reach
from unusual.stream import Stream

LOCAL = ("SubPCA", "SubIsolationForest", "MovingZ", "HalfSpaceTrees", "RobustRandomCutForest")


def series(seed: int, steps: int = 1500, channels: int = 2) -> np.ndarray:
    t = np.arange(steps)[:, None]
    return np.sin(t / 3 + np.arange(channels)) + 0.1 * np.random.default_rng(seed).normal(size=(steps, channels))


def spiked(seed: int, at: list[int], steps: int = 600) -> np.ndarray:
    X = series(seed, steps)
    for i in at:
        X[i : i + 3, 1] += 6.0
    return X


@lru_cache
def fitted(name: str) -> SeriesDetector:
    window = {} if name in ("HalfSpaceTrees", "RobustRandomCutForest") else {"window": 10}
    return unusual.make(name, **window).fit(series(0))


def fresh(name: str) -> SeriesDetector:
    from sklearn.base import clone

    return clone(fitted(name)).fit(series(0))


@pytest.mark.parametrize("name", LOCAL)
@given(st.lists(st.integers(1, 299), max_size=5))
@settings(max_examples=5)
def test_batch_and_stream_give_equal_scores(name: str, cuts: list[int]) -> None:
    X = spiked(1, [150], 300)
    stream, scores = Stream(fitted(name)), []
    assert stream.exact
    for part in np.split(X, sorted(set(cuts))):
        scores += stream.extend(part)
    expected = fitted(name).anomaly_score(X)
    first = stream.warm
    assert scores[: first + stream.delay] == [None] * (first + stream.delay)
    assert_allclose(scores[first + stream.delay :], expected[first : 300 - stream.delay], rtol=1e-9, atol=1e-9)


def test_single_steps_are_a_block_of_them() -> None:
    X = spiked(2, [40], 80)
    one, all_ = Stream(fitted("SubPCA")), Stream(fitted("SubPCA"))
    scores, expected = [one.push(x, f"t{i}") for i, x in enumerate(X)], all_.extend(X)
    assert [s is None for s in scores] == [s is None for s in expected]
    assert_allclose(np.array(scores, dtype=float), np.array(expected, dtype=float), rtol=1e-9)
    assert [a.start for a in one.pending] == [a.start for a in all_.pending]
    assert one.pending[0].time == f"t{one.pending[0].start}"
    assert one.pending[0].channel == 1


def test_how_far_a_score_sees_is_found() -> None:
    assert reach(fitted("SubPCA")) == (9, 9)
    assert reach(fitted("HalfSpaceTrees")) == (3, 0)
    assert reach(fitted("MovingZ"))[1] == 0
    spectral = unusual.make("SpectralResidual", window=10).fit(series(0))  # a transform of the whole
    assert reach(spectral) is None
    stream = Stream(spectral)
    assert not stream.exact
    assert sum(s is not None for s in stream.extend(series(3, 100))) == 91


def test_high_scores_near_each_other_are_one_alarm_told_at_its_start_and_end() -> None:
    stream = Stream(fitted("RobustRandomCutForest"), cooldown=30)
    X = spiked(4, [200, 215, 400])
    scores = np.array(stream.extend(X), dtype=float)
    high = np.flatnonzero(scores > stream.cut)
    groups = np.split(high, np.flatnonzero(np.diff(high) >= 30) + 1)
    ended = [a for a in stream.pending if a.ended]
    begun = [a for a in stream.pending if not a.ended]
    assert [a.start for a in begun] == [g[0] for g in groups]
    assert [a.number for a in begun] == list(range(1, len(groups) + 1))
    for alarm, group in zip(ended, groups, strict=False):
        assert (alarm.start, alarm.end) == (group[0], group[-1])
        assert alarm.score == scores[alarm.peak] == scores[group].max()
    assert any(a.start <= 200 + 3 and a.end >= 215 for a in ended)  # the two spikes are one alarm
    stream.acknowledge()
    assert not stream.pending


@pytest.mark.parametrize("learn", ["none", "all", "normal", "delayed"])
@pytest.mark.parametrize("threshold", ["calibration", "spot"])
def test_a_saved_stream_goes_on_as_if_it_had_not_stopped(learn: str, threshold: str, tmp_path) -> None:
    X = spiked(5, [100, 300, 420])
    options = {"learn": learn, "threshold": threshold}
    whole = Stream(fresh("HalfSpaceTrees"), **options)
    expected = whole.extend(X)
    stream, scores = Stream(fresh("HalfSpaceTrees"), **options), []
    for part in np.split(X, [1, 101, 103, 250, 421]):
        scores += stream.extend(part)
        stream.save(tmp_path / "s")
        stream = Stream.load(tmp_path / "s")
    assert scores == expected
    assert stream.pending == whole.pending
    assert stream.cut == whole.cut


def test_a_new_normal_is_learned_by_policy() -> None:
    """The level changes for good: learning all gets used to it, learning nothing never does, and an anomaly that
    alarms is not learned where only normal steps are."""
    X = series(6, 900)
    X[300:] += 4.0
    last = {}
    for learn in ("none", "all", "normal"):
        stream = Stream(fresh("RobustRandomCutForest"), learn=learn)
        last[learn] = (np.array(stream.extend(X)[700:]) > stream.cut).mean()
    assert last["all"] < 0.2
    assert last["none"] > 0.5
    assert last["normal"] > last["all"]


def test_spot_follows_the_scores_of_the_stream() -> None:
    detector = fresh("HalfSpaceTrees")
    noisy = series(7, 6000) + 0.35 * np.random.default_rng(8).normal(size=(6000, 2))
    still, moving = Stream(detector), Stream(detector, threshold="spot")
    still.extend(noisy)
    moving.extend(noisy)
    assert moving.cut > still.cut
    assert sum(a.start > 3000 for a in moving.pending) < sum(a.start > 3000 for a in still.pending)


def test_missing_values_are_held_and_nothing_is_scored_before_the_first() -> None:
    X = series(9, 60)
    X[0, 0] = np.nan
    X[30, 1] = np.nan
    bridged = X[1:].copy()
    bridged[29, 1] = bridged[28, 1]
    found = Stream(fitted("HalfSpaceTrees")).extend(X)
    assert found[0] is None
    assert found[1:] == Stream(fitted("HalfSpaceTrees")).extend(bridged)


CHILD = """
import json, os, signal, sys
import numpy as np
from unusual.stream import Stream
state, model, out, X, stop = sys.argv[1:]
X = np.load(X)
if os.path.exists(state):
    stream = Stream.load(state)
else:
    import unusual
    stream = Stream(unusual.load(model), learn="all")
def tell():
    with open(out, "a") as file:
        for alarm in stream.pending:
            file.write(json.dumps(vars(alarm)) + "\\n")
    stream.acknowledge()
tell()
taken = 0
while stream.count < len(X):
    if taken >= int(stop):
        os.kill(os.getpid(), signal.SIGKILL)
    stream.extend(X[stream.count : stream.count + 20])
    taken += 20
    if taken % 60 == 0 or stream.pending:
        stream.save(state)
    if taken >= int(stop) and taken % 40 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    tell()
stream.save(state)
"""


def test_a_killed_stream_loses_no_alarm_and_numbers_those_it_tells_again(tmp_path) -> None:
    X = spiked(10, [60, 160, 250, 333, 480])
    np.save(tmp_path / "x.npy", X)
    fresh("HalfSpaceTrees").save(tmp_path / "m.unusual")
    whole = Stream(fresh("HalfSpaceTrees"), learn="all")
    for i in range(0, len(X), 20):
        whole.extend(X[i : i + 20])
    expected = [json.loads(json.dumps(vars(a))) for a in whole.pending]
    assert len(expected) >= 8
    paths = [str(tmp_path / n) for n in ("s", "m.unusual", "out", "x.npy")]
    codes = []
    for stop in (80, 170, 10**6):
        codes.append(subprocess.run([sys.executable, "-c", CHILD, *paths, str(stop)], check=False).returncode)
    assert codes[-1] == 0
    assert -9 in codes
    told = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    once = {(a["number"], a["ended"]): a for a in told}
    assert list(once.values()) == expected  # nothing lost, and what was told twice was the same
    assert all(once[a["number"], a["ended"]] == a for a in told)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Stream(unusual.make("KNN")), "fitted detector of series"),
        (lambda: Stream(unusual.make("SubPCA")), "fitted detector of series"),
        (lambda: Stream(fitted("SubPCA"), learn="all"), "cannot learn step by step"),
        (lambda: Stream(fitted("SubPCA"), learn="al"), "did you mean 'all'"),
        (lambda: Stream(fitted("SubPCA"), threshold="x"), "threshold is 'x'"),
        (lambda: Stream(fitted("SubPCA"), cooldown=0), "cooldown is 0"),
        (lambda: Stream(fitted("SubPCA"), alarms_per_day=1), "needs steps_per_day"),
        (lambda: Stream(fitted("SubPCA"), alarms_per_day=50, steps_per_day=100), "50 alarms per day are not possible"),
        (lambda: Stream(unusual.make("SubPCA", window=40).fit(series(0, 600))), "a tail needs at least 10"),
        (lambda: Stream(fitted("SubPCA")).push([1.0, 2.0, 3.0]), "shape"),
        (lambda: Stream(fitted("SubPCA")).push([1.0, np.inf]), "finite"),
        (lambda: Stream(fitted("SubPCA")).extend(np.zeros((3, 2)), ["a"]), "1 times for 3 steps"),
    ],
)
def test_bad_input_is_one_sentence(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_a_file_of_a_model_is_no_stream(tmp_path) -> None:
    fitted("SubPCA").save(tmp_path / "m.unusual")
    with pytest.raises(InputError, match="holds a SubPCA and no stream"):
        Stream.load(tmp_path / "m.unusual")
