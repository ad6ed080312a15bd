"""A detector and the items to be explained, made ready to have parts hidden, whatever kind of data they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector
from unusual.errors import InputError, suggest
from unusual.parts.masking import (
    Game,
    Index,
    Items,
    Score,
    blurred,
    bridged_game,
    checked,
    filled_game,
    part_means,
    table_game,
)
from unusual.parts.segments import clusters, grid, slic, stretches

Vector = NDArray[np.float64]
Fill = str | Callable[[Items], Items] | Items | list[Items] | None

KINDS = ("table", "series", "image")
SEGMENTATIONS = {"clusters": clusters, "grid": lambda image, count: grid(image.shape, count), "slic": slic}
FILLS = {"series": ("bridge", "mean"), "image": ("blur", "mean")}
BACKGROUND_ROWS = 8  # rows scored for each set of hidden columns


@dataclass(frozen=True)
class Hiding:
    """What counts as a part of an item, and what is shown in place of a hidden one.

    Attributes
    ----------
    kind : "table", "series" or "image"
    parts : int
        About how many parts a series or an image is cut into; those of a table are its columns.
    segments : "clusters", "grid", "slic", or a callable that maps an image to the part of each pixel (H, W)
    fill : what hidden parts show. Ordinary items of the same shape (b, ...): of rows a few in turn, of series and
        images the nearest; of rows None takes what the detector keeps of its fit. Series: "bridge" (None) for a
        straight line, "mean"; images: "blur" (None), "mean"; or a callable that maps an item to an ordinary one of its
        shape, such as a reconstruction. A blur keeps what is large: give ordinary images where whole regions are odd.
    """

    kind: str = "table"
    parts: int = 50
    segments: str | Callable[[Items], Index] = "clusters"
    fill: Fill = None

    def check(self) -> None:
        """Refuse an unknown kind, segmentation or fill with a sentence."""
        if self.kind == "table" and (isinstance(self.fill, str) or callable(self.fill)):
            raise InputError("hidden columns of a table take the values of ordinary rows; give fill= as rows (b, d)")
        known: list[tuple[str, Any, tuple[str, ...]]] = [("kind", self.kind, KINDS)]
        known.append(("segments", self.segments, tuple(SEGMENTATIONS)))
        if self.kind in FILLS:
            known.append(("fill", self.fill, FILLS[self.kind]))
        for name, given, choices in known:
            if isinstance(given, str) and given not in choices:
                hint = suggest(given, list(choices))
                raise InputError(f"{name} is {given!r}; use one of {', '.join(choices)}{hint}")


@dataclass(frozen=True)
class Subject:
    """Items and how a detector scores them.

    Attributes
    ----------
    items : n arrays, (d,), (T,), (T, C), (H, W) or (H, W, C)
    score : maps items (m, ...) to (m,)
    names : sequence of str
        Of the parts of a table, else empty.
    columns : int array (d,) or None
        The part of each column of a table.
    background : (b, d) array or None
        Ordinary rows of a table.
    detector : the detector itself, to be asked for its threshold and its own explanation
    """

    items: Sequence[Items]
    score: Score
    hiding: Hiding
    names: Sequence[str]
    columns: Index | None
    background: Items | None
    detector: Any

    @classmethod
    def of(cls, detector: Any, X: Any, hiding: Hiding) -> Subject:
        """Items of X and their scores by `detector`: a detector, a fitted scan, or anything with `anomaly_score`.

        Raises
        ------
        InputError
            If X does not hold items of the kind, or nothing says what ordinary rows are.
        """
        hiding.check()
        if not hasattr(detector, "anomaly_score"):
            raise InputError(f"{type(detector).__name__} has no anomaly_score; give a fitted detector")
        if hiding.kind == "table":
            return _table(detector, X, hiding)
        items = [np.asarray(item) for item in X]
        wanted = (1, 2) if hiding.kind == "series" else (2, 3)
        odd = next((item.shape for item in items if item.ndim not in wanted), None)
        if odd is not None or not items:
            shape = "(T,) or (T, C)" if hiding.kind == "series" else "(H, W) or (H, W, C)"
            raise InputError(f"X must be a list of {hiding.kind} items of shape {shape}; it holds {odd or 'nothing'}")
        return cls(items, checked(detector.anomaly_score), hiding, (), None, None, detector)

    def scores(self) -> Vector:
        """Scores (n,) of the items as they are."""
        if len({item.shape for item in self.items}) == 1:
            return np.asarray(self.score(np.stack(self.items)))
        return np.concatenate([np.asarray(self.score(item[None])) for item in self.items])

    def parts(self, i: int) -> Index:
        """The part of each cell of item i: (d,), (T,), (T, C) or (H, W)."""
        item, hiding = self.items[i], self.hiding
        if self.columns is not None:
            return self.columns
        if hiding.kind == "series":
            return stretches(item.shape, hiding.parts)
        if callable(hiding.segments):
            return np.unique(hiding.segments(item), return_inverse=True)[1].reshape(item.shape[:2])
        return SEGMENTATIONS[hiding.segments](item, hiding.parts)

    def game(self, i: int, index: Index | None = None) -> Game:
        """Item i with its parts hidden; `index` (its own parts) saves cutting it again."""
        item, fill = self.items[i], self.hiding.fill
        part = self.parts(i) if index is None else index
        if self.background is not None:
            return table_game(self.score, item, self.background, part)
        if callable(fill):
            return filled_game(self.score, item, np.asarray(fill(item)), part)
        if isinstance(fill, np.ndarray | list):
            return filled_game(self.score, item, _nearest(item, np.asarray(fill)), part)
        if fill == "mean":
            return filled_game(self.score, item, part_means(item, part), part)
        if self.hiding.kind == "series":
            return bridged_game(self.score, item, part)
        return filled_game(self.score, item, blurred(item), part)

    def own(self, rows: Sequence[int]) -> list[Vector] | None:
        """The detector's own contributions to some items, one for each cell; None where it has none of its own."""
        exact = getattr(self.detector, "_explain", None)
        ask = getattr(self.detector, "explain", None) if not isinstance(self.detector, Detector) else exact
        return None if ask is None else [np.asarray(ask(self.items[i][None])[0], dtype=np.float64) for i in rows]

    def spread(self, weights: Vector, index: Index) -> Vector:
        """Weights of parts (p,) as one reads them: of a table as they are, else one for each cell."""
        return weights if self.columns is not None else weights[index]


def _table(detector: Any, X: Any, hiding: Hiding) -> Subject:
    encoder = getattr(detector, "encoder", None)
    inner = detector if encoder is None else detector.detector
    given = X if encoder is None else encoder.transform(X)
    if isinstance(inner, Detector):
        rows, score = inner._matrix(given, reset=False), checked(inner._score)
    else:
        rows, score = np.asarray(given), checked(inner.anomaly_score)
    if rows.ndim != 2 or not len(rows):
        raise InputError(f"X has shape {rows.shape}; give rows (n, d), or say kind='series' or kind='image'")
    if encoder is None:
        columns, names = np.arange(rows.shape[1]), _names(inner, X, rows.shape[1])
    else:
        used, columns = np.unique(encoder.source_, return_inverse=True)
        names = [encoder.columns_[j].name for j in used]
    return Subject(list(rows), score, hiding, names, columns, _ordinary(inner, rows, score, hiding.fill), inner)


def _nearest(item: Items, ordinary: Items) -> Items:
    """The one of several items (b, *shape) with the smallest mean difference to an item, in its own type."""
    if ordinary.shape[1:] != item.shape or not len(ordinary):
        raise InputError(f"fill has shape {ordinary.shape} for items of shape {item.shape}; give ordinary ones like it")
    gap = [np.abs(other.astype(np.float64) - item).sum() for other in ordinary]
    return np.asarray(ordinary[int(np.argmin(gap))].astype(item.dtype))


def _names(detector: Any, X: Any, count: int) -> list[str]:
    names = getattr(detector, "feature_names_in_", getattr(X, "columns", None))
    return [f"column {j}" for j in range(count)] if names is None else [str(name) for name in names]


def _ordinary(detector: Any, rows: Items, score: Score, fill: Fill) -> Items:
    """A few rows that score no higher than the median of the known ordinary ones, from all over their range."""
    known = getattr(detector, "background_", None) if fill is None else np.asarray(fill)
    if known is None:
        raise InputError(f"{type(detector).__name__} keeps no rows of its fit; give some ordinary rows as fill=")
    if known.ndim != 2 or known.shape[1] != rows.shape[1] or not len(known):
        raise InputError(f"fill has shape {known.shape} for rows of {rows.shape[1]} columns; give ordinary rows (b, d)")
    lower = np.argsort(np.asarray(score(known)), kind="stable")[: (len(known) + 1) // 2]
    chosen = lower[np.linspace(0, len(lower) - 1, min(BACKGROUND_ROWS, len(lower))).round().astype(int)]
    return np.asarray(known[chosen])
