"""Pixel metrics: pages, lazy reading, frames of video, and inputs that cannot be used."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unusual import InputError
from unusual.evaluate.frames import frame_auc
from unusual.evaluate.metrics import auroc
from unusual.evaluate.per_image import aupimo
from unusual.evaluate.pixels import au_pro, image_scores, pixel_auroc, pixel_average_precision, pixel_curve
from unusual.evaluate.regions import per_region_overlap


def images(rng, count=6):
    masks = np.zeros((count, 32, 32), dtype=np.uint8)
    masks[count // 2 :, 4:12, 6:20] = 1
    masks[-1, 25, 25] = 1
    return (rng.normal(size=masks.shape) + 2 * masks).astype(np.float32), masks


class Lazy:
    """A list that makes its arrays when asked and counts how many it has given."""

    def __init__(self, arrays):
        self.arrays, self.given = arrays, 0

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, i):
        self.given += 1
        return self.arrays[i]


def test_lists_are_read_twice_one_image_at_a_time(rng) -> None:
    maps, masks = images(rng)
    lazy = Lazy(maps)
    assert au_pro(lazy, Lazy(masks), bins=100) == pytest.approx(au_pro(maps, masks), abs=0.01)
    assert lazy.given <= 2 * (len(maps) + 1)
    assert pixel_auroc(maps, masks) == pixel_curve(maps, masks).auroc().value
    assert pixel_average_precision(maps, masks) == pixel_curve(maps, masks).average_precision().value


def test_pages_say_the_answer(rng) -> None:
    maps, masks = images(rng)
    for study in (
        pixel_curve(maps, masks).study(),
        per_region_overlap(maps, masks).study(),
        aupimo(maps, masks, (1e-3, 1e-2)).study(),
    ):
        assert any(c.isdigit() for c in study.answer)
        json.dumps(study.as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda a, k: (iter(a), k), "not generators"),
        (lambda a, k: (a[1:], k), "one mask, or None, per map"),
        (lambda a, k: (a, k[:, 1:]), "resize one to the other"),
        (lambda a, k: (a, k * 255), "give 0 and 1, such as mask > 0"),
        (lambda a, k: (a * np.nan, k), "map 0 holds NaN"),
        (lambda a, k: (a[0], k[0]), "give \\(H, W\\) numbers"),
        (lambda a, k: (a, k * 0), "no mask holds a defect"),
        (lambda a, k: (a, k * 0 + 1), "no normal pixel"),
        (lambda a, k: (a[:0], k[:0]), "0 maps"),
    ],
)
def test_maps_and_masks_that_do_not_fit_are_refused(change, sentence, rng) -> None:
    with pytest.raises(InputError, match=sentence):
        pixel_curve(*change(*images(rng)))


def test_options_out_of_range_are_refused(rng) -> None:
    maps, masks = images(rng)
    for call, sentence in [
        (lambda: pixel_curve(maps, masks, connectivity=6), "use 8 or 4"),
        (lambda: pixel_curve(maps, masks, bins=1), "at least 2"),
        (lambda: au_pro(maps, masks, limit=0), "limit is 0"),
        (lambda: pixel_curve(maps, masks).threshold(2), "fpr is 2"),
        (lambda: per_region_overlap(maps, masks, fpr=0), "fpr is 0"),
        (lambda: per_region_overlap(maps, masks * 0, threshold=1.0), "no defect"),
        (lambda: image_scores(maps, top=2), "top is 2"),
        (lambda: aupimo(maps, masks, (1e-4, 1e-5)), "the lower first"),
        (lambda: aupimo(maps, masks), "less than one pixel"),
        (lambda: aupimo(maps, masks * 0, (1e-3, 1e-2)), "nothing to find"),
        (lambda: aupimo(maps[3:], masks[3:]), "every image has a defect"),
    ]:
        with pytest.raises(InputError, match=sentence):
            call()


def clips(rng):
    """Five clips with offsets of their own; the fourth is all normal, the fifth all anomalous."""
    clip = np.repeat(["a", "b", "c", "d", "e"], 40)
    y = np.tile(np.repeat([0, 1], 20), 5)
    y[clip == "d"], y[clip == "e"] = 0, 1
    return y, rng.normal(size=200) + 2 * y + np.repeat([0, 10, 20, 0, 0], 40), clip


def test_micro_pools_and_macro_averages(rng) -> None:
    y, s, clip = clips(rng)
    found = frame_auc(y, s, clip)
    each = [auroc(y[clip == c], s[clip == c]) for c in "abc"]
    assert found.micro == auroc(y, s)
    assert found.macro == pytest.approx(np.mean(each))
    assert found.micro < 0.75 < 0.9 < found.macro
    assert found.per_clip == pytest.approx(each)
    assert found.left_out.tolist() == ["d", "e"]
    assert "2 of 5 clips hold one class (1 without an anomaly, 1 with nothing else)" in found.notes[0]
    assert found.micro_interval is not None
    assert found.micro_interval.high - found.micro_interval.low > 0.15  # five clips, not two hundred frames
    assert "macro" in found.study().answer


def test_clips_of_one_class_alone_have_no_macro() -> None:
    found = frame_auc([0, 0, 1, 1], [1, 2, 3, 4], ["a", "a", "b", "b"])
    assert (found.micro, found.macro, found.macro_interval, found.micro_interval) == (1.0, None, None, None)
    assert found.study().answer.endswith("(micro).")
    with pytest.raises(InputError, match="one label per item"):
        frame_auc([0, 1], [1, 2], ["a"])
    with pytest.raises(InputError, match="clips is None"):
        frame_auc([0, 1], [1, 2], None)
