"""What is known or suspected about items, checked: masks of what is wrong, labels, categories, a cue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError, suggest
from unusual.evaluate.checks import binary
from unusual.explain.subject import Subject
from unusual.parts.masking import Game, Items

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

REPEATS = 5  # of scores that differ from call to call
FRAME = 0.1  # width of the frame, of the shorter side of an image


def masks(truth: Any, subject: Subject) -> list[Mask]:
    """One mask for each item: (p,) for the columns of a row, else one value for each cell.

    Raises
    ------
    InputError
        If there is another number of masks, or one has another shape than its item.
    """
    given = [np.asarray(mask, dtype=bool) for mask in truth]
    if len(given) != len(subject.items):
        raise InputError(f"truth has {len(given):,} masks for {len(subject.items):,} items; give one per item")
    return [_mask(mask, item, subject, i) for i, (mask, item) in enumerate(zip(given, subject.items, strict=True))]


def _mask(mask: Mask, item: Items, subject: Subject, i: int) -> Mask:
    shape = {"table": (len(subject.names),), "series": item.shape, "image": item.shape[:2]}[subject.hiding.kind]
    if subject.hiding.kind == "series" and mask.shape == item.shape[:1] != item.shape:
        mask = np.broadcast_to(mask[:, None], item.shape)  # a step is wrong in all its channels
    if mask.shape != shape:
        raise InputError(f"the truth of item {i} has shape {mask.shape}; mark what is wrong as a mask of shape {shape}")
    return mask


def anomalous(labels: ArrayLike | None, truth: Sequence[Mask] | None, count: int) -> Mask | None:
    """Which items (n,) are anomalous, by their labels or by their masks; None if nothing is known.

    Raises
    ------
    InputError
        If labels and masks contradict each other.
    """
    marked = None if truth is None else np.array([mask.any() for mask in truth])
    if labels is None:
        return marked
    known = binary(labels)
    if len(known) != count:
        raise InputError(f"there are {len(known):,} labels for {count:,} items; give one label per item")
    if marked is not None and (known != marked).any():
        i = int(np.flatnonzero(known != marked)[0])
        if known[i]:
            raise InputError(f"item {i} is labelled anomalous but its truth is empty; mark what is wrong with it")
        raise InputError(f"item {i} is labelled normal but its truth marks something; label it 1 or clear its mask")
    return known


def threshold_of(detector: Any, threshold: float | None) -> float:
    """The score above which an item is an alarm."""
    cut = getattr(detector, "threshold_", None) if threshold is None else threshold
    if cut is None or np.isnan(cut):
        raise InputError(f"{type(detector).__name__} has no threshold; give threshold= as the score that alarms")
    return float(cut)


def steady_scores(subject: Subject) -> tuple[Vector, float]:
    """Scores (n,), and by how much they differ from call to call: means and spread of five calls if they do."""
    first, second = subject.scores(), subject.scores()
    if np.array_equal(first, second):
        return first, 0.0
    calls = np.stack([first, second, *(subject.scores() for _ in range(REPEATS - 2))])
    return calls.mean(axis=0), float(calls.std(axis=0, ddof=1).max())


def cue_game(cue: Any, subject: Subject, i: int) -> Game:
    """Item i as a game of two parts: part 1 is the cue, part 0 all else.

    Raises
    ------
    InputError
        If the cue is unknown, nothing, or everything.
    """
    shape = subject.parts(i).shape
    if subject.columns is not None:
        chosen = np.isin(subject.columns, [_column(name, subject.names) for name in np.atleast_1d(cue).tolist()])
    elif isinstance(cue, str):
        if cue != "frame" or subject.hiding.kind != "image":
            raise InputError(f"cue is {cue!r}; give a mask of shape {shape}, or 'frame' for images")
        width = max(1, round(FRAME * min(shape)))
        chosen = np.ones(shape, dtype=bool)
        chosen[width:-width, width:-width] = False
    else:
        chosen = _mask(np.asarray(cue, dtype=bool), subject.items[i], subject, i)
    if chosen.all() or not chosen.any():
        raise InputError("the cue is everything or nothing; mark the part of an item that should not matter")
    return subject.game(i, chosen.astype(np.int64))


def _column(name: Any, names: Sequence[str]) -> int:
    if isinstance(name, int) and 0 <= name < len(names):
        return name
    if name not in names:
        raise InputError(f"there is no column {name!r} for a cue{suggest(str(name), list(names))}")
    return list(names).index(name)
