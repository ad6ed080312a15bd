"""Eye-tracking recordings on pairs of a real picture and its altered twin, read from a folder or made in memory.

The folder holds `pairs.csv` (pair_id, real_path, fake_path, optionally mask_path, prompt), the pictures it names, and
`fixations.csv` (observer, image_id, t_ms, duration_ms, x_px, y_px, optionally valid) or raw gaze in `gaze.csv` (the
same without duration_ms). `image_id` is the path in `pairs.csv`, or its file name with or without the ending. With
`screen.json` (offset_px: [x, y], shown_px: [width, height], pixels_per_degree) coordinates are those of the screen and
are mapped back to the picture; without it they are pixels of the picture.
Source: Salvucci, Goldberg, Identifying Fixations and Saccades in Eye-Tracking Protocols, 2000 (I-DT).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.read_table import read_table
from unusual.data.table import Table, require
from unusual.errors import InputError

Vector = NDArray[np.float64]
Index = NDArray[np.int64]

SHORTEST = 100.0  # ms of a fixation
WIDEST = 35.0  # px of a fixation, where the angle is not known
MANY_OUTSIDE = 0.05


@dataclass(frozen=True)
class ImagePair:
    """A picture and its altered twin: numbers of images, -1 where one is missing, and where the alteration is."""

    name: str
    real: int
    fake: int
    mask: NDArray[np.bool_] | None = None  # (H, W) of the altered picture


@dataclass(frozen=True)
class GazeRecords:
    """Fixations of observers on images.

    Attributes
    ----------
    images : list of str, length k
    sizes : (k, 2) float
        Width and height in pixels.
    observers : list of str
    pairs : list of ImagePair
    image, observer : (f,) numbers of image and observer of each fixation
    start, duration : (f,) ms
    x, y : (f,) pixels of the image, from its upper left corner
    degree : float or None
        Pixels of the image per degree of visual angle.
    notes : tuple of str
    """

    images: list[str]
    sizes: Vector
    observers: list[str]
    pairs: list[ImagePair]
    image: Index
    observer: Index
    start: Vector
    duration: Vector
    x: Vector
    y: Vector
    degree: float | None = None
    notes: tuple[str, ...] = ()

    def take(self, rows: NDArray[Any]) -> GazeRecords:
        """The same with only these fixations, numbers or a mask."""
        of_fixations = ("image", "observer", "start", "duration", "x", "y")
        return replace(self, **{name: getattr(self, name)[rows] for name in of_fixations})

    def cleaned(self) -> GazeRecords:
        """Without fixations that lie outside their image or last no time; both are counted in `notes`.

        Raises
        ------
        InputError
            If a number is not finite, a duration is negative, the times of an observer on an image go back, or nothing
            is left.
        """
        for name in ("start", "duration", "x", "y"):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(f"some fixations have no finite {name}; leave them out or mark them as not valid")
        if (self.duration < 0).any():
            raise InputError("some fixations have a negative duration; check the column duration_ms")
        order = np.lexsort((np.arange(len(self.image)), self.observer, self.image))
        same = (np.diff(self.image[order]) == 0) & (np.diff(self.observer[order]) == 0)
        back = np.flatnonzero(same & (np.diff(self.start[order]) < 0))
        if len(back):
            at = order[back[0] + 1]
            who, where = self.observers[self.observer[at]], self.images[self.image[at]]
            raise InputError(f"the times of observer {who!r} on image {where!r} go back; sort each recording by t_ms")
        size = self.sizes[self.image]
        inside = (self.x >= 0) & (self.y >= 0) & (self.x < size[:, 0]) & (self.y < size[:, 1])
        lasting = self.duration > 0
        if not (inside & lasting).any():
            raise InputError("no fixation lies inside its image; check the coordinates, or give screen.json")
        return replace(self.take(inside & lasting), notes=(*self.notes, *_dropped(inside, lasting)))


def _dropped(inside: NDArray[np.bool_], lasting: NDArray[np.bool_]) -> list[str]:
    out, none = int((~inside).sum()), int((~lasting).sum())
    share = out / len(inside)
    doubt = ": check the coordinates" if share > MANY_OUTSIDE else ""
    return [
        *([f"{out:,} fixations ({share:.1%}) lie outside their image and were left out{doubt}."] if out else []),
        *([f"{none:,} fixations last no time and were left out."] if none else []),
    ]


def read_gaze(folder: str | Path) -> GazeRecords:
    """Read a folder of recordings, see the head of this file; fixations are found in raw gaze where there are none.

    Raises
    ------
    InputError
        If a file or column is missing, or a fixation is on an image that no pair names.
    """
    from PIL import Image

    root = Path(folder)
    table = read_table(root / "pairs.csv")
    require(["pair_id", "real_path", "fake_path"], table.names, "pairs.csv")
    images: list[str] = []
    pairs = []
    for i in range(len(table)):
        row = table.row(i)
        real, fake = (_number(images, row[side]) for side in ("real_path", "fake_path"))
        mask = row.get("mask_path")
        pairs.append(ImagePair(str(row["pair_id"]), real, fake, _mask(_file(root, mask)) if mask else None))
    sizes = []
    for name in images:
        with Image.open(_file(root, name)) as picture:
            sizes.append(picture.size)
    raw = not (root / "fixations.csv").is_file()
    events = read_table(root / ("gaze.csv" if raw else "fixations.csv"))
    screen = json.loads((root / "screen.json").read_text()) if (root / "screen.json").is_file() else None
    return _records(events, raw, images, np.array(sizes, dtype=np.float64), pairs, screen)


def _records(
    events: Table, raw: bool, images: list[str], sizes: Vector, pairs: list[ImagePair], screen: dict[str, Any] | None
) -> GazeRecords:
    what = "gaze.csv" if raw else "fixations.csv"
    columns = ["observer", "image_id", "t_ms", "x_px", "y_px"] + ([] if raw else ["duration_ms"])
    require(columns, events.names, what)
    if "valid" in events.names:
        events = events.take(np.asarray(events["valid"]).astype(bool))
    place = {key: i for i, name in enumerate(images) for key in (Path(name).stem, Path(name).name, name)}
    unknown = [key for key in events["image_id"] if str(key) not in place]
    if unknown:
        raise InputError(f"{what} has gaze on image {unknown[0]!r}, which pairs.csv does not name; add it or drop it")
    image = np.array([place[str(key)] for key in events["image_id"]], dtype=np.int64)
    observers, observer = np.unique([str(key) for key in events["observer"]], return_inverse=True)
    t, x, y = (events[name].astype(np.float64) for name in ("t_ms", "x_px", "y_px"))
    duration = np.zeros(len(t)) if raw else events["duration_ms"].astype(np.float64)
    degree = None
    if screen is not None:
        x, y, degree = _mapped_back(x, y, sizes[image], screen)
    found = GazeRecords(images, sizes, list(observers), pairs, image, observer, t, duration, x, y, degree)
    return (detected(found) if raw else found).cleaned()


def _mapped_back(x: Vector, y: Vector, size: Vector, screen: dict[str, Any]) -> tuple[Vector, Vector, float | None]:
    """Coordinates on the screen as pixels of the images, and pixels of the image per degree where known."""
    for name in ("offset_px", "shown_px"):
        if len(screen.get(name, ())) != 2:
            raise InputError(
                f"screen.json has no {name}; give the pair of numbers, or remove it if pixels are those of the image"
            )
    offset, scale = np.array(screen["offset_px"], dtype=float), size / np.array(screen["shown_px"], dtype=float)
    degree = screen.get("pixels_per_degree")
    mapped = None if degree is None else float(degree) * float(np.median(scale[:, 0]))
    return (x - offset[0]) * scale[:, 0], (y - offset[1]) * scale[:, 1], mapped


def detected(samples: GazeRecords, widest: float | None = None, shortest: float = SHORTEST) -> GazeRecords:
    """Fixations in raw gaze (start: time of each sample), by I-DT: at most `widest` px across, at least `shortest` ms.

    `widest` is by default one degree where that is known, else 35 px.
    """
    limit = widest or samples.degree or WIDEST
    order = np.lexsort((np.arange(len(samples.image)), samples.observer, samples.image))
    s = samples.take(order)
    edges = np.flatnonzero((np.diff(s.image) != 0) | (np.diff(s.observer) != 0)) + 1
    found: list[tuple[int, int, float, float, float, float]] = []
    for rows in np.split(np.arange(len(s.image)), edges):
        for first, last in dispersion_windows(s.start[rows], s.x[rows], s.y[rows], limit, shortest):
            part = rows[first:last]
            t = s.start[part]
            middle = (float(s.x[part].mean()), float(s.y[part].mean()))
            found.append((int(s.image[part[0]]), int(s.observer[part[0]]), float(t[0]), float(t[-1] - t[0]), *middle))
    if not found:
        raise InputError(f"no gaze rests for {shortest:g} ms within {limit:g} px; check units of t_ms and x_px")
    image, observer, start, duration, x, y = map(np.array, zip(*found, strict=True))
    note = f"{len(found):,} fixations were found in {len(s.image):,} samples of gaze."
    return replace(samples, image=image, observer=observer, start=start, duration=duration, x=x, y=y,
                   notes=(*samples.notes, note))  # fmt: skip


def dispersion_windows(t: Vector, x: Vector, y: Vector, widest: float, shortest: float) -> list[tuple[int, int]]:
    """Stretches [first, last) of samples whose width plus height stays at most `widest` for at least `shortest`."""
    found = []
    first, n = 0, len(t)
    while first < n:
        last = int(np.searchsorted(t, t[first] + shortest))  # the first sample at which the window is long enough
        if last >= n:
            break
        px, py = x[first : last + 1], y[first : last + 1]
        box = [px.min(), px.max(), py.min(), py.max()]
        if box[1] - box[0] + box[3] - box[2] > widest:
            first += 1
            continue
        end = last + 1
        while end < n:
            box = [min(box[0], x[end]), max(box[1], x[end]), min(box[2], y[end]), max(box[3], y[end])]
            if box[1] - box[0] + box[3] - box[2] > widest:
                break
            end += 1
        found.append((first, end))
        first = end
    return found


def _number(images: list[str], path: Any) -> int:
    """The number of an image in the list, which grows by it; -1 for none."""
    if not path:
        return -1
    if str(path) not in images:
        images.append(str(path))
    return images.index(str(path))


def _file(root: Path, name: str) -> Path:
    for path in (root / name, root / "images" / name):
        if path.is_file():
            return path
    raise InputError(f"{root / name} does not exist; pairs.csv names it")


def _mask(path: Path) -> NDArray[np.bool_]:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("L")) > 127
