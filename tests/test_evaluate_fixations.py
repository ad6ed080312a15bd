"""FixationStudy: figures by hand, the unit of the test, folders of recordings, saliency, a detector against gaze."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from unusual import InputError
from unusual.data.fixations import GazeRecords, ImagePair, detected, dispersion_windows, read_gaze
from unusual.data.gaze_simulation import simulated_gaze, write_like
from unusual.evaluate.fixations import FixationStudy
from unusual.evaluate.gaze_resamples import mean_interval
from unusual.evaluate.gaze_statistics import GRID, STATISTICS, Gaze
from unusual.evaluate.saliency import (
    attention_weighted,
    auc_judd,
    correlation,
    divergence,
    nss,
    similarity,
    spectral_residual,
)
from unusual.parts.paired_tests import cliffs_delta, holm, rank_sum, signed_rank

FAST = {"resamples": 200, "observer_draws": 0}


def by_hand(x, y, duration, observer=None, image=None, size=(320.0, 320.0), mask=None) -> GazeRecords:
    """Two images, 320 px wide, cells of 10 px."""
    n = len(x)
    observer = np.zeros(n, dtype=int) if observer is None else np.array(observer)
    image = np.zeros(n, dtype=int) if image is None else np.array(image)
    start = np.arange(n) * 1000.0
    return GazeRecords(["a", "b"], np.tile(size, (2, 1)), [f"o{i}" for i in range(observer.max() + 1)],
                       [ImagePair("p", 0, 1, mask)], image, observer, start, np.array(duration, float),
                       np.array(x, float), np.array(y, float))  # fmt: skip


def gaze_of(records, sigma=None) -> Gaze:
    return Gaze.of(records, 0, sigma)


def test_the_map_is_the_sum_of_gaussians(rng) -> None:
    x, y, d = rng.uniform(0, 320, 12), rng.uniform(0, 320, 12), rng.uniform(50, 400, 12)
    centres = (np.arange(GRID) + 0.5) * 10
    slow = np.zeros((GRID, GRID))
    for a, b, w in zip(x, y, d, strict=True):
        for i in range(GRID):
            for j in range(GRID):
                slow[i, j] += w * np.exp(-((centres[j] - a) ** 2 + (centres[i] - b) ** 2) / (2 * 16.0**2))
    np.testing.assert_allclose(gaze_of(by_hand(x, y, d)).maps[0], slow / slow.sum(), rtol=1e-9)
    degrees = replace(by_hand(x, y, d), degree=30.0)
    np.testing.assert_allclose(gaze_of(degrees).maps[0], gaze_of(by_hand(x, y, d), sigma=30.0).maps[0])


def test_entropy_counts_the_cells_that_are_looked_at() -> None:
    one = by_hand([5], [5], [100])
    assert STATISTICS["entropy"](gaze_of(one, 0.5))[0] == pytest.approx(0, abs=1e-9)
    four = by_hand([5, 105, 205, 305], [5, 105, 205, 305], [100] * 4)
    assert STATISTICS["entropy"](gaze_of(four, 0.5))[0] == pytest.approx(2)
    assert STATISTICS["area looked at"](gaze_of(four, 0.5))[0] == pytest.approx(4 / GRID**2)
    centres = (np.arange(GRID) + 0.5) * 10
    x, y = (v.ravel() for v in np.meshgrid(centres, centres))
    assert STATISTICS["entropy"](gaze_of(by_hand(x, y, np.ones(1024)), 0.5))[0] == pytest.approx(10)


def test_figures_of_few_fixations_by_hand() -> None:
    mask = np.zeros((32, 32), dtype=bool)
    mask[:16] = True  # the upper half
    r = by_hand([0, 30, 30, 100], [0, 0, 40, 200], [100, 100, 200, 400], observer=[0, 0, 0, 1], mask=mask)
    g = gaze_of(r)
    values = {name: f(g)[0] for name, f in STATISTICS.items()}
    diagonal = np.hypot(320, 320)
    assert values["fixations"] == 2
    assert values["fixation duration"] == 200
    assert values["scan path"] == pytest.approx((30 + 40) / 2 / diagonal)
    assert values["convex hull"] == pytest.approx(ConvexHull(np.column_stack([r.x, r.y])).volume / 320**2)
    assert values["time on the alteration"] == pytest.approx(0.5)
    centre = np.average(np.column_stack([r.x, r.y]), axis=0, weights=r.duration)
    squares = ((np.column_stack([r.x, r.y]) - centre) ** 2).sum(axis=1)
    assert values["dispersion"] == pytest.approx(np.sqrt(np.average(squares, weights=r.duration)) / diagonal)
    assert all(np.isnan(f(g)[1]) for f in STATISTICS.values())  # nobody looked at the other image


def test_points_on_a_line_have_no_hull() -> None:
    assert STATISTICS["convex hull"](gaze_of(by_hand([1, 2, 3, 4], [1, 2, 3, 4], [1] * 4)))[0] == 0
    assert STATISTICS["convex hull"](gaze_of(by_hand([1, 1], [2, 2], [1] * 2)))[0] == 0


def test_congruency_leaves_the_observer_out(rng) -> None:
    n = 30
    x, y, d, o = rng.uniform(0, 320, n), rng.uniform(0, 320, n), rng.uniform(50, 400, n), np.repeat(np.arange(3), 10)
    r = by_hand(x, y, d, observer=o)
    expected = []
    for who in range(3):
        others = gaze_of(r.take(o != who)).maps[0]
        fixated = np.zeros((GRID, GRID))
        np.add.at(fixated, ((y[o == who] // 10).astype(int), (x[o == who] // 10).astype(int)), 1)
        expected.append(nss(others, fixated))
    assert STATISTICS["congruency"](gaze_of(r))[0] == pytest.approx(np.mean(expected))


def test_maps_of_a_pair_come_from_as_many_fixations() -> None:
    r = simulated_gaze(pairs=4, observers=3, weight=0.0)
    more = r.take((r.image != 1) | (np.arange(len(r.image)) % 2 == 0))
    g = gaze_of(more)
    kept = np.bincount(more.image[g.equal])
    assert kept[0] == kept[1] == (more.image == 1).sum() < (more.image == 0).sum()


def test_fewer_fixations_alone_make_no_difference() -> None:
    """Entropy grows with the number of fixations; the same gaze seen half as long must not look concentrated."""
    p = []
    for seed in range(20):
        r = simulated_gaze(pairs=20, observers=8, weight=0.0, random_state=seed)
        rng = np.random.default_rng(seed)
        less = r.take((r.image % 2 == 0) | (rng.uniform(size=len(r.image)) < 0.4))
        p.append(FixationStudy(["entropy"], random_state=seed, **FAST).run(less)["entropy"].p_value)
    assert np.mean(np.array(p) < 0.05) <= 0.25
    assert np.mean(p) > 0.3


def test_an_alteration_that_draws_the_gaze_is_found() -> None:
    found = FixationStudy(observer_draws=10).run(simulated_gaze(pairs=20, observers=10, weight=0.3))
    entropy, edited = found["entropy"], found["time on the alteration"]
    assert entropy.p_holm < 0.05
    assert entropy.effect < 0
    assert entropy.interval[1] < 0
    assert entropy.fake - entropy.real == pytest.approx(np.mean(entropy.interval), abs=0.1)
    assert edited.p_holm < 0.001
    assert edited.effect > 0
    assert [row.p_holm for row in found.differences] == pytest.approx(holm([row.p_value for row in found.differences]))
    kept = json.loads(json.dumps(found.study().as_dict(), allow_nan=False))
    assert "entropy is lower" in kept["answer"]
    assert "never the fixation" in kept["notes"][0]
    assert [b["kind"] for b in kept["blocks"]] == ["table", "intervals", "heat", "heat"]


def test_images_that_are_seen_alike_are_called_alike() -> None:
    answers = [
        FixationStudy(**FAST, random_state=seed).run(simulated_gaze(20, 6, 0.0, random_state=seed)).study().answer
        for seed in range(15)
    ]
    assert sum("No difference" in answer for answer in answers) >= 12  # all figures together err in 5 %


def test_the_test_is_that_of_scipy_on_one_figure_per_pair() -> None:
    r = simulated_gaze(pairs=12, observers=4)
    values = STATISTICS["dispersion"](gaze_of(r))
    row = FixationStudy(["dispersion"], **FAST).run(r)["dispersion"]
    wanted = stats.wilcoxon(values[1::2] - values[::2])
    assert (row.statistic, row.p_value) == pytest.approx((wanted.statistic, wanted.pvalue))
    assert row.units == 12
    assert row.effect == pytest.approx(cliffs_delta(values[1::2], values[::2]))


def test_intervals_cover_and_widen_with_the_observers(rng) -> None:
    d = rng.normal(1, 2, 40)
    low, high = mean_interval(d, np.zeros((1, 40)), 4000, 0)
    assert (high - low) / 2 == pytest.approx(1.96 * d.std() / np.sqrt(40), rel=0.1)
    shared = np.tile(rng.normal(0, 1, (500, 1)), (1, 40))  # what an observer does moves all pairs
    wide = mean_interval(d, shared, 4000, 0)
    assert wide[1] - wide[0] == pytest.approx(2 * 1.96 * np.sqrt(d.var() / 40 + 1), rel=0.1)


def test_pairs_that_lack_an_image_are_left_out_or_make_the_test_unpaired() -> None:
    r = simulated_gaze(pairs=10, observers=4)
    some = replace(r, pairs=[*r.pairs[:8], replace(r.pairs[8], fake=-1), replace(r.pairs[9], real=-1)])
    found = FixationStudy(["entropy"], **FAST).run(some)
    assert found["entropy"].units == 8
    assert any("2 pairs lack" in note for note in found.notes)
    apart = [ImagePair(f"r{p.name}", p.real, -1) for p in r.pairs] + [
        ImagePair(f"f{p.name}", -1, p.fake) for p in r.pairs
    ]
    loose = FixationStudy(["entropy", "dispersion"], **FAST).run(replace(r, pairs=apart))
    assert not loose.paired
    assert any("unpaired" in note for note in loose.notes)
    values = STATISTICS["dispersion"](gaze_of(replace(r, pairs=apart)))
    assert loose["dispersion"].p_value == pytest.approx(rank_sum(values[1::2], values[::2])[1])
    assert loose["dispersion"].interval[0] < loose["dispersion"].fake - loose["dispersion"].real
    loose.study()


def test_holm_cliff_and_wilcoxon_by_hand() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    assert cliffs_delta([1, 2, 3], [0, 2, 2]) == pytest.approx((-1 + 1 + 3) / 9)
    assert cliffs_delta([3, 4], [1, 2]) == 1
    assert signed_rank([0.0, 0.0, 0.0]) == (0.0, 1.0)
    assert signed_rank([1, 2, 3, 4, 5, 6])[1] == pytest.approx(2 / 64)


def test_a_folder_is_read_as_it_was_written(tmp_path) -> None:
    r = simulated_gaze(pairs=6, observers=3, fixations=5)
    write_like(tmp_path, r)
    back = read_gaze(tmp_path)
    assert back.images == r.images
    np.testing.assert_array_equal(back.image, r.image)
    for name in ("x", "y", "start", "duration"):
        np.testing.assert_allclose(getattr(back, name), getattr(r, name))
    np.testing.assert_array_equal(back.pairs[2].mask, r.pairs[2].mask)
    names = [n for n in STATISTICS if n != "congruency"]
    a, b = (FixationStudy(names, **FAST).run(source) for source in (tmp_path, r))
    for x, y in zip(a.differences, b.differences, strict=True):
        assert x.p_value == pytest.approx(y.p_value)


def test_screen_coordinates_are_mapped_back(tmp_path) -> None:
    r = simulated_gaze(pairs=6, observers=2, fixations=4)
    write_like(tmp_path, replace(r, x=100 + 2 * r.x, y=50 + 2 * r.y))
    screen = {"offset_px": [100, 50], "shown_px": [1280, 960], "pixels_per_degree": 60}
    (tmp_path / "screen.json").write_text(json.dumps(screen))
    back = read_gaze(tmp_path)
    np.testing.assert_allclose(back.x, r.x, atol=1e-9)
    np.testing.assert_allclose(back.y, r.y, atol=1e-9)
    assert back.degree == pytest.approx(30)
    (tmp_path / "screen.json").write_text("{}")
    with pytest.raises(InputError, match="offset_px"):
        read_gaze(tmp_path)


def slow_windows(t, x, y, widest, shortest):
    """The algorithm as it is told: from each start, the smallest window that lasts long enough, grown while it may."""
    wide = lambda a, b: np.ptp(x[a:b]) + np.ptp(y[a:b])  # noqa: E731 - said once, used three times
    found, a = [], 0
    while a < len(t):
        b = next((b for b in range(a + 1, len(t) + 1) if t[b - 1] - t[a] >= shortest), None)
        if b is None:
            break
        if wide(a, b) > widest:
            a += 1
            continue
        while b < len(t) and wide(a, b + 1) <= widest:
            b += 1
        found.append((a, b))
        a = b
    return found


def test_fixations_are_found_in_raw_gaze_as_the_slow_way_finds_them(rng, tmp_path) -> None:
    t = np.arange(600) * 10.0
    centre = np.repeat(rng.uniform(50, 590, (12, 2)), 50, axis=0)
    xy = centre + rng.normal(0, 4, (600, 2))
    windows = dispersion_windows(t, xy[:, 0], xy[:, 1], 35.0, 100.0)
    assert windows == slow_windows(t, xy[:, 0], xy[:, 1], 35.0, 100.0)
    assert len(windows) >= 12
    Image.new("L", (640, 640)).save(tmp_path / "a.png")
    (tmp_path / "pairs.csv").write_text("pair_id,real_path,fake_path\n1,a.png,\n")
    rows = "\n".join(f"anna,a,{a!r},{x!r},{y!r}" for a, x, y in zip(t.tolist(), *xy.T.tolist(), strict=True))
    (tmp_path / "gaze.csv").write_text(f"observer,image_id,t_ms,x_px,y_px\n{rows}\n")
    found = read_gaze(tmp_path)
    assert len(found.image) == len(windows)
    first, last = windows[0]
    assert found.duration[0] == t[last - 1] - t[first]
    assert found.x[0] == pytest.approx(xy[first:last, 0].mean())
    assert "600 samples" in found.notes[0]


def test_gaze_that_never_rests_is_refused() -> None:
    r = by_hand([0, 300, 0, 300], [0, 300, 0, 300], [0] * 4)
    with pytest.raises(InputError, match="no gaze rests"):
        detected(r)


def test_what_lies_outside_or_lasts_no_time_is_counted() -> None:
    r = by_hand([5, 500, 5, 5], [5, 5, -1, 5], [100, 100, 100, 0])
    clean = r.cleaned()
    assert len(clean.image) == 1
    assert "2 fixations (50.0%) lie outside" in clean.notes[0]
    assert "check the coordinates" in clean.notes[0]
    assert "1 fixations last no time" in clean.notes[1]


def test_one_observer_has_no_congruency() -> None:
    r = simulated_gaze(pairs=8, observers=1)
    found = FixationStudy(**FAST).run(r)
    assert "congruency" not in [row.name for row in found.differences]
    assert any("one observer only" in note for note in found.notes)
    with pytest.raises(InputError, match="congruency cannot be computed"):
        FixationStudy(["congruency"]).run(r)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"start": np.array([2.0, 1.0])}, "go back"),
        ({"duration": np.array([-1.0, 1.0])}, "negative duration"),
        ({"x": np.array([np.nan, 1.0])}, "no finite x"),
        ({"x": np.array([900.0, 900.0])}, "no fixation lies inside"),
    ],
)
def test_recordings_that_cannot_be_used_are_refused(change, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        FixationStudy().run(replace(by_hand([5, 6], [5, 6], [100, 100]), **change))


def test_folders_that_cannot_be_used_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"pairs\.csv does not exist"):
        read_gaze(tmp_path)
    write_like(tmp_path, simulated_gaze(pairs=2, observers=2, fixations=3))
    gaze = (tmp_path / "fixations.csv").read_text()
    (tmp_path / "fixations.csv").write_text(gaze.replace("real_0.png", "other.png"))
    with pytest.raises(InputError, match=r"'other\.png', which pairs\.csv does not name"):
        read_gaze(tmp_path)
    (tmp_path / "fixations.csv").write_text(gaze.replace("x_px", "xpx"))
    with pytest.raises(InputError, match="no column 'x_px'; did you mean 'xpx'"):
        read_gaze(tmp_path)
    (tmp_path / "images" / "real_0.png").unlink()
    with pytest.raises(InputError, match=r"real_0\.png does not exist"):
        read_gaze(tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"statistics": ["entropi"]}, "did you mean 'entropy'"),
        ({"resamples": 5}, "resamples is 5"),
        ({"sigma": 0.0}, "sigma 0.0"),
        ({"statistics": ["time on the alteration"]}, "no pair has a mask"),
    ],
)
def test_options_that_cannot_be_met_are_refused(options, sentence) -> None:
    r = simulated_gaze(pairs=6, observers=2)
    with pytest.raises(InputError, match=sentence):
        FixationStudy(**options).run(replace(r, pairs=[replace(p, mask=None) for p in r.pairs]))


def test_too_few_images_are_refused() -> None:
    with pytest.raises(InputError, match="fewer than 6"):
        FixationStudy().run(simulated_gaze(pairs=3, observers=2))


TOY = np.array([[0.0, 1.0], [2.0, 5.0]])
FIXATED = np.array([[0, 0], [1, 2]])


def test_saliency_metrics_on_a_toy_map_by_hand() -> None:
    mean, sd = 2.0, np.sqrt((4 + 1 + 0 + 9) / 4)
    assert nss(TOY, FIXATED) == pytest.approx((0 + 2 * 3) / 3 / sd)
    assert nss(TOY, [[1, 1], [1, 1]]) == pytest.approx(0)
    assert mean == TOY.mean()
    assert auc_judd(TOY, FIXATED) == 1
    assert auc_judd(-TOY, FIXATED) == pytest.approx(0.25)  # a line from the origin to (1, 1/2)
    assert auc_judd([[3.0, 1.0], [2.0, 0.0]], [[0, 0], [1, 0]]) == pytest.approx(1 / 6 + 2 / 3)
    assert auc_judd([[1.0, 1.0], [0.0, 1.0]], [[1, 0], [0, 0]]) == pytest.approx(2 / 3 / 2 + 1 / 3)
    p, q = TOY / 8, np.array([[0.5, 0.0], [0.25, 0.25]])
    assert similarity(TOY, q) == pytest.approx(0 + 0 + 0.25 + 0.25)
    assert correlation(TOY, q) == pytest.approx(np.corrcoef(p.ravel(), q.ravel())[0, 1])
    assert divergence(q + 0.25, q) == pytest.approx(
        sum(b * np.log(b / a) for a, b in zip(((q + 0.25) / 2).ravel(), q.ravel(), strict=True) if b > 0), abs=1e-9
    )
    assert divergence(q, q) == pytest.approx(0, abs=1e-9)
    assert similarity(q, q) == pytest.approx(1)
    assert attention_weighted(TOY, FIXATED) == pytest.approx((2 + 10) / 3)
    assert attention_weighted(TOY, np.ones((2, 2))) == pytest.approx(TOY.mean())


def test_auc_judd_is_near_the_area_of_all_thresholds(rng) -> None:
    from sklearn.metrics import roc_auc_score

    saliency = gaussian_filter(rng.normal(size=(40, 50)), 3)
    fixated = (rng.uniform(size=(40, 50)) < 0.1 + 0.1 * (saliency > 0)).astype(int)
    assert auc_judd(saliency, fixated) == pytest.approx(roc_auc_score(fixated.ravel(), saliency.ravel()), abs=0.01)


def test_the_spectral_residual_finds_what_breaks_a_pattern() -> None:
    y, x = np.indices((128, 192))
    picture = np.sin(x / 3.0) + np.sin(y / 3.0)
    picture[60:76, 120:136] = 2.0
    saliency = spectral_residual(picture)
    assert saliency.shape == picture.shape
    assert saliency.max() <= 1 + 1e-6
    top = np.unravel_index(saliency.argmax(), saliency.shape)
    assert abs(top[0] - 68) < 14
    assert abs(top[1] - 128) < 14


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: nss(np.ones((2, 2)), FIXATED), "constant"),
        (lambda: nss(TOY, np.zeros((2, 2))), "no fixation"),
        (lambda: nss(TOY, np.ones((3, 2))), "shapes"),
        (lambda: auc_judd(TOY, np.ones((2, 2))), "every pixel"),
        (lambda: similarity(np.zeros((2, 2)), TOY), "zero everywhere"),
        (lambda: correlation([1.0, 2.0], TOY), "shape"),
        (lambda: attention_weighted(TOY * np.nan, TOY), "NaN"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(call, sentence) -> None:
    with pytest.raises(InputError, match=sentence):
        call()


def test_a_detector_is_held_against_the_gaze_on_other_images(rng) -> None:
    r = simulated_gaze(pairs=12, observers=6)
    there = {r.images[p.fake]: gaussian_filter(p.mask.astype(float), 20) for p in r.pairs}
    found = FixationStudy(resamples=500).agreement(r, there)
    assert found["CC"].p_value < 0.01
    assert found["CC"].interval[0] > 0
    assert found["KL"].effect > 0
    assert "looks where people look" in found.study().answer
    y, x = np.indices((48, 64))
    middle = np.exp(-((x - 32) ** 2 + (y - 24) ** 2) / 200)  # agrees with any gaze, so with none in particular
    same = FixationStudy(resamples=500).agreement(r, dict.fromkeys(there, middle))
    assert same["CC"].statistic > 0.2
    assert same["CC"].p_value > 0.9
    assert "does not look" in same.study().answer
    noise = FixationStudy(resamples=500).agreement(r, {name: rng.normal(size=(48, 64)) for name in there})
    assert noise["NSS"].p_value > 0.01
    for maps, sentence in (
        ({}, "0 maps"),
        (dict(zip(["x", "fake_1.png", "fake_2.png"], there.values(), strict=False)), "map of 'x'"),
    ):
        with pytest.raises(InputError, match=sentence):
            FixationStudy().agreement(r, maps)
    with pytest.raises(InputError, match="nobody looked at"):
        FixationStudy().agreement(r.take(r.image != 1), there)
