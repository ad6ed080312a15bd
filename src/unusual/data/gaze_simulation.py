"""Recordings of made-up observers, whose gaze an alteration draws in, for tests and trials without an eye tracker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unusual.data.fixations import GazeRecords, ImagePair

WIDTH, HEIGHT = 640, 480
PLACES = 4  # that draw the gaze in an image
SPREAD = 60.0  # px about such a place
CENTRE = 0.2  # share of fixations about the middle, whatever is shown
ALIKE = 30.0  # concentration of what draws the gaze on an image about what does on its pair: twins differ a little


def simulated_gaze(
    pairs: int = 30, observers: int = 15, weight: float = 0.3, fixations: int = 10, random_state: int = 0
) -> GazeRecords:
    """Gaze on pairs of images: some places and the middle draw it, on the altered twin also the alteration.

    Parameters
    ----------
    pairs, observers : int
    weight : float in [0, 1]
        Share of fixations of the altered images that go to the alteration, and by which all of them lie closer
        together; 0: both images of a pair are seen alike.
    fixations : int
        Of each observer on each image, on average: Poisson, at least 2.
    """
    rng = np.random.default_rng(random_state)
    size = np.array([WIDTH, HEIGHT])
    places = rng.uniform(0.15, 0.85, (pairs, PLACES, 2)) * size
    shared = rng.dirichlet(np.ones(PLACES), pairs)[:, None]  # (pairs, 1, places)
    appeal = rng.gamma(ALIKE * np.repeat(shared, 2, axis=1) + 0.01)  # Dirichlet laws as gammas over their sum
    appeal /= appeal.sum(axis=2, keepdims=True)  # (pairs, 2, places)
    edits = rng.uniform(0.2, 0.8, (pairs, 2)) * size
    counts = np.maximum(rng.poisson(fixations, (pairs, 2, observers)), 2)
    pair, side, observer = (np.repeat(part.ravel(), counts.ravel()) for part in np.indices(counts.shape))
    n = len(pair)
    place = (rng.uniform(size=(n, 1)) > np.cumsum(appeal, axis=2)[pair, side]).sum(axis=1).clip(max=PLACES - 1)
    middle = rng.uniform(size=n) < CENTRE
    target = np.where(middle[:, None], size / 2, places[pair, place])
    drawn = (side == 1) & (rng.uniform(size=n) < weight)
    target = np.where(drawn[:, None], edits[pair], target)
    spread = np.where(middle, 2 * SPREAD, SPREAD) * np.where(side == 1, 1 - weight, 1.0)
    where = np.clip(target + spread[:, None] * rng.standard_normal((n, 2)), 0, size - 1e-6)
    duration = 100 + rng.gamma(2.0, 75.0, n)
    start = _starts(counts, duration)
    images = [f"{kind}_{i}.png" for i in range(pairs) for kind in ("real", "fake")]
    made = [ImagePair(str(i), 2 * i, 2 * i + 1, _disc(edits[i])) for i in range(pairs)]
    return GazeRecords(
        images, np.tile(size.astype(float), (2 * pairs, 1)), [f"observer {i}" for i in range(observers)], made,
        2 * pair + side, observer, start, duration, where[:, 0], where[:, 1],
    )  # fmt: skip


def write_like(folder: str | Path, records: GazeRecords) -> None:
    """Write recordings in the form that `read_gaze` reads, with blank pictures."""
    from PIL import Image

    root = Path(folder)
    (root / "images").mkdir(parents=True, exist_ok=True)
    for name, (width, height) in zip(records.images, records.sizes.astype(int).tolist(), strict=True):
        Image.new("L", (width, height), 128).save(root / "images" / name)
    lines = ["pair_id,real_path,fake_path,mask_path,prompt"]
    for pair in records.pairs:
        mask = ""
        if pair.mask is not None:
            mask = f"mask_{pair.name}.png"
            Image.fromarray(255 * pair.mask.astype(np.uint8)).save(root / "images" / mask)
        sides = (records.images[i] if i >= 0 else "" for i in (pair.real, pair.fake))
        lines.append(f"{pair.name},{','.join(sides)},{mask},")
    (root / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    who = [records.observers[o] for o in records.observer]
    what = [records.images[i] for i in records.image]
    figures = zip(*(v.tolist() for v in (records.start, records.duration, records.x, records.y)), strict=True)
    text = [f"{o},{i},{','.join(map(repr, row))},1" for o, i, row in zip(who, what, figures, strict=True)]
    head = "observer,image_id,t_ms,duration_ms,x_px,y_px,valid"
    (root / "fixations.csv").write_text("\n".join([head, *text]) + "\n", encoding="utf-8")
    if records.degree is not None:
        shown = {"offset_px": [0, 0], "shown_px": records.sizes[0].tolist(), "pixels_per_degree": records.degree}
        (root / "screen.json").write_text(json.dumps(shown), encoding="utf-8")


def _starts(counts: NDArray[np.int64], duration: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times (n,) at which fixations begin, each recording from 0, with 30 ms to move the eye."""
    ends = np.cumsum(duration + 30.0)
    last = np.cumsum(counts.ravel()) - 1
    before = np.concatenate([[0.0], ends[last[:-1]]])
    return np.asarray(ends - duration - 30.0 - np.repeat(before, counts.ravel()))


def _disc(centre: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where an alteration lies (H, W): a disc of twice the spread of the gaze on it."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    return np.asarray((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (2 * SPREAD) ** 2)
