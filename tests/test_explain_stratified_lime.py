"""StratifiedLime: additive scores are recovered, the switch, every kind of data, and what it refuses."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import unusual
from unusual import InputError
from unusual.explain.explanation import Explanation
from unusual.explain.stratified_lime import MODES, PILOT, StratifiedLime
from unusual.explain.subject import Hiding, Subject
from unusual.parts.masking import Game
from unusual.parts.segments import clusters, grid, stretches


class Toy:
    """A detector by a formula on a batch of items."""

    def __init__(self, formula, threshold: float = 0.0) -> None:
        self.anomaly_score = formula
        self.threshold_ = threshold


def additive(p: int, rng: np.random.Generator) -> tuple[Game, np.ndarray]:
    c = rng.uniform(-1, 1, size=p)
    return Game(p, lambda Z: Z @ c), c


def saturating(p: int, t: float, rng: np.random.Generator) -> tuple[Game, np.ndarray]:
    c = rng.dirichlet(np.ones(p))
    return Game(p, lambda Z: 1 / (1 + np.exp(-25 * (Z @ c - t)))), c


@pytest.mark.parametrize("mode", MODES)
def test_an_additive_score_is_recovered(mode, rng) -> None:
    game, c = additive(12, rng)
    fit, used = StratifiedLime(mode, n_samples=2000).fit_game(game)
    assert_allclose(fit.weights, c, atol=0.03)  # the ridge shrinks a little
    assert fit.intercept == pytest.approx(0, abs=0.1)
    assert fit.r2 > 0.99
    assert used == (mode if mode != "auto" else "classic")
    assert fit.effective <= 2000


def test_a_pilot_of_half_masked_items_decides_how_masks_are_drawn(rng) -> None:
    lime = StratifiedLime(n_samples=500)
    for t, expected in ((0.9, "stratified"), (0.5, "classic")):
        game, _ = saturating(60, t, rng)
        fit, used = lime.fit_game(game)
        assert used == expected
        chosen, _ = StratifiedLime(expected, n_samples=500).fit_game(game)
        assert_array_equal(fit.weights, chosen.weights)
    flat = Game(60, lambda Z: np.where(Z.all(axis=1), 1.0, 0.0))
    assert lime.fit_game(flat)[1] == "stratified"
    assert flat.evaluations <= 500 + PILOT + 2


def test_weights_back_to_classic_masks_leave_few_effective_samples(rng) -> None:
    game, _ = additive(100, rng)
    sizes = {m: StratifiedLime(m, n_samples=500).fit_game(game)[0].effective for m in ("stratified", "reweighted")}
    assert sizes["reweighted"] < 150 < 200 < sizes["stratified"]


def test_a_constant_score_gets_no_contributions_and_says_so() -> None:
    toy = Toy(lambda X: np.full(len(X), 3.25))
    found = StratifiedLime(fill=np.zeros((4, 6))).explain(toy, np.ones((2, 6)))
    assert_array_equal(found.values, np.zeros((2, 6)))
    assert found.stability == 1
    assert "item 0: the score stays the same" in found.messages[0]
    assert found.study().as_dict()["notes"][0] == found.messages[0]


@pytest.mark.parametrize("name", ["KNN", "Mahalanobis", "IsolationForest", "AutoTable"])
def test_the_planted_column_of_a_row_leads_for_any_detector_of_tables(name, rng) -> None:
    X = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6))
    detector = unusual.make(name).fit(X)
    odd = X[:5].copy()
    odd[:, 4] += 8 * X[:, 4].std()
    found = StratifiedLime(n_samples=200).explain(detector, odd)
    assert isinstance(found, Explanation)
    assert found.values.shape == (5, 6)
    assert (found.values.argmax(axis=1) == 4).all()
    assert found.names == [f"column {j}" for j in range(6)]
    assert 0.5 < found.stability <= 1
    alone = StratifiedLime(n_samples=200).explain(detector, odd[3:4])
    assert_allclose(alone.values[0], found.values[3], rtol=1e-9, atol=1e-12)


def test_frames_keep_their_names_and_scans_their_columns(rng, tmp_path) -> None:
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["heat", "flow", "load"])
    odd = frame.iloc[:2].assign(flow=9.0)
    detector = unusual.make("Mahalanobis").fit(frame)
    assert StratifiedLime(n_samples=100).explain(detector, odd).names == ["heat", "flow", "load"]
    frame["site"] = np.where(rng.random(200) < 0.5, "north", "south")
    frame.to_csv(tmp_path / "a.csv", index=False)
    odd.assign(site="north").to_csv(tmp_path / "b.csv", index=False)
    from unusual.data.read_table import read_table

    model = unusual.fit(str(tmp_path / "a.csv"))
    found = StratifiedLime(n_samples=100).explain(model, read_table(str(tmp_path / "b.csv")))
    assert "flow" in found.names
    assert len(found.names) == found.values.shape[1]
    assert found.names[int(found.values[0].argmax())] == "flow"


def test_hidden_columns_take_ordinary_rows_not_the_odd_ones_of_the_fit(rng) -> None:
    X = rng.normal(size=(200, 3))
    X[:60] += 12
    detector = unusual.make("KNN").fit(X)
    background = Subject.of(detector, X[:1], Hiding()).background
    assert len(background) == 8
    cut = np.median(detector.anomaly_score(detector.background_))
    assert detector.anomaly_score(background).max() <= cut


@pytest.mark.parametrize("fill", ["bridge", "mean", lambda item: np.zeros_like(item)])
def test_the_stretch_with_the_spike_leads_in_a_series(fill, rng) -> None:
    series = rng.normal(0, 0.1, size=(2, 100, 2))
    series[0, 42:45, 1] += 5
    series[1, 71:73, 0] -= 5
    toy = Toy(lambda X: np.abs(X).max(axis=(1, 2)))
    found = StratifiedLime(kind="series", parts=40, fill=fill, n_samples=500).explain(toy, series)
    assert found.values.shape == (2, 100, 2)
    index = stretches((100, 2), 40)
    assert_array_equal(found.values[0] == found.values[0].max(), index == index[43, 1])
    assert_array_equal(found.values[1] == found.values[1].max(), index == index[72, 0])
    assert found.study().as_dict()["blocks"][0]["kind"] == "heat"


@pytest.mark.parametrize("fill", [None, "mean", lambda item: np.full_like(item, 100), "nearest"])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_superpixel_that_is_the_score_leads_in_an_image(fill, channels, rng) -> None:
    images = rng.integers(90, 110, size=(2, 36, 30, *channels)).astype(np.uint8)
    images[:, 8:14, 20:27] += 90
    toy = Toy(lambda X: X[:, 8:14, 20:27].reshape(len(X), -1).mean(axis=1))
    if isinstance(fill, str) and fill == "nearest":
        fill = [np.full((36, 30, *channels), level, dtype=np.uint8) for level in (0, 100, 250)]
    lime = StratifiedLime(kind="image", parts=30, fill=fill, n_samples=300)
    if isinstance(fill, str):  # a part that lies in the patch is its own mean: the grid cuts through its edge
        lime.set_params(segments="grid", parts=12)
    found = lime.explain(toy, images)
    assert found.values.shape == (2, 36, 30)
    i, j = np.unravel_index(found.values[0].argmax(), (36, 30))
    index = grid((36, 30), 12) if isinstance(fill, str) else clusters(images[0], 30)
    assert np.isin(index[i, j], index[8:14, 20:27])


def test_only_the_own_superpixels_of_a_callable_are_used() -> None:
    halves = np.repeat([[3, 7]], 10, axis=0).repeat(5, axis=1)
    toy = Toy(lambda X: X[:, :, 5:].mean(axis=(1, 2)))
    lime = StratifiedLime(kind="image", segments=lambda _: halves, fill=lambda item: np.zeros_like(item))
    values = lime.explain(toy, np.ones((1, 10, 10))).values[0]
    assert_array_equal(values[:, 5:] > 0.5, True)
    assert_allclose(values[:, :5], 0, atol=0.01)


def test_the_same_seed_gives_the_same_explanation_and_another_seed_another(rng) -> None:
    X = rng.normal(size=(100, 12))
    detector = unusual.make("KNN").fit(X)
    first, again, other = (StratifiedLime(random_state=s, n_samples=100).explain(detector, X[:2]) for s in (0, 0, 1))
    assert_array_equal(first.values, again.values)
    assert (first.values != other.values).any()
    assert StratifiedLime(seeds=1, n_samples=100).explain(detector, X[:2]).stability is None


def test_one_row_of_thirty_columns_takes_well_under_a_second_with_the_default_detector(rng) -> None:
    X = rng.normal(size=(1000, 30)) @ rng.normal(size=(30, 30))
    detector = unusual.make("AutoTable").fit(X)
    lime = StratifiedLime()
    started = time.perf_counter()
    detector.anomaly_score(np.repeat(X, 10, axis=0))
    scoring = time.perf_counter() - started
    started = time.perf_counter()
    lime.explain(detector, X[:1])
    assert time.perf_counter() - started < 8 * scoring  # 3 x 8,000 rows are scored, in the time of 80,000 at most


IMAGES = np.ones((2, 8, 8))


@pytest.mark.parametrize(
    ("parameters", "X", "says"),
    [
        ({"mode": "clasic"}, np.ones((2, 4)), "did you mean 'classic'"),
        ({"kind": "picture"}, np.ones((2, 4)), "use one of table"),
        ({"n_samples": 40}, np.ones((2, 4)), "more than 50"),
        ({"seeds": 0}, np.ones((2, 4)), "seeds 0"),
        ({}, np.ones((2, 1)), "at least 2"),
        ({}, IMAGES, "kind='image'"),
        ({"fill": np.ones((3, 5))}, np.ones((2, 4)), "5"),
        ({"fill": "blur"}, np.ones((2, 4)), "ordinary rows"),
        ({"kind": "image"}, np.ones((2, 4)), r"\(H, W\)"),
        ({"kind": "image"}, [], "nothing"),
        ({"kind": "image", "fill": "grey"}, IMAGES, "use one of blur"),
        ({"kind": "image", "fill": IMAGES[:, 1:]}, IMAGES, "give ordinary ones"),
        ({"kind": "image", "segments": "quickshift"}, IMAGES, "use one of clusters"),
        ({"kind": "image", "parts": 1}, IMAGES, "at least 2"),
        ({"kind": "image"}, [np.ones((8, 8)), np.ones((9, 8))], "several shapes"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_a_sentence(parameters, X, says) -> None:
    ordinary = {"fill": np.zeros((3, np.shape(X)[-1]))} if parameters.get("kind", "table") == "table" and len(X) else {}
    with pytest.raises(InputError, match=says) as caught:
        StratifiedLime(**{**ordinary, **parameters}).explain(Toy(lambda X: X.reshape(len(X), -1).sum(axis=1)), X)
    assert "\n" not in str(caught.value)


def test_detectors_that_cannot_be_asked_are_refused() -> None:
    X = np.ones((2, 4))
    with pytest.raises(InputError, match="no anomaly_score"):
        StratifiedLime().explain(object(), X)
    with pytest.raises(InputError, match="keeps no rows"):
        StratifiedLime().explain(Toy(lambda X: X[:, 0]), X)
    with pytest.raises(InputError, match="one each is due"):
        StratifiedLime(fill=X).explain(Toy(lambda X: X), X)


def test_many_parts_and_few_samples_are_warned_of(rng) -> None:
    game, _ = additive(600, rng)
    with pytest.warns(UserWarning, match="600 parts are too many for 500 samples"):
        StratifiedLime(n_samples=500).fit_game(game)
