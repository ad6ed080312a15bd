"""Alarms explained in several ways, and whether what each way blames is where the truth lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.explain.overlap import best_iou, blamed, iou, max_iou, random_iou
from unusual.explain.stratified_lime import StratifiedLime
from unusual.explain.subject import Subject
from unusual.parts.masking import Game, Index
from unusual.parts.surrogate import kernel_shap, occlusion

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

EXPLAINERS = ("lime", "shap", "occlusion", "own")
LOCALISED, WRONG_REASON, MISSED = "detected and localised", "detected for the wrong reason", "missed"
REJECTED, FALSE_ALARM = "correct reject", "false alarm"
TOO_SMALL, NOT_EXPLAINED = "too small to judge", "not explained"
VERDICTS = (LOCALISED, WRONG_REASON, MISSED, REJECTED, FALSE_ALARM, TOO_SMALL, NOT_EXPLAINED)


@dataclass(frozen=True)
class Alarm:
    """One explained alarm.

    Attributes
    ----------
    item : int
        Its place among the items.
    index : int array, the part of each cell of a mask: (p,) for the columns of a row, else of the shape of the item
    game : its score with parts hidden
    weights : explainer -> (p,) array, what each part adds to the score
    own : (cells,) array or None
        The detector's own contributions where they are finer than parts.
    """

    item: int
    index: Index
    game: Game
    weights: Mapping[str, Vector]
    own: Vector | None


@dataclass(frozen=True)
class Located:
    """Intersection over union of what one explainer blames with the truth, for each alarm (k,).

    Attributes
    ----------
    max_iou : at the best threshold of its weights, an optimistic measure
    at_share : of the parts that hold a fixed share of its weight
    random : mean of `max_iou` for random weights
    least : what counts as localised: the limit, or what 95 % of random weights stay at or below, if that is higher
    possible : of the best choice of whole parts
    """

    max_iou: Vector
    at_share: Vector
    random: Vector
    least: Vector
    possible: Vector


def explained(
    subject: Subject, items: Sequence[int], explainers: Sequence[str], n_samples: int, random_state: int
) -> list[Alarm]:
    """Explain some items by each explainer; "own" only where the detector has contributions of its own."""
    lime = StratifiedLime(n_samples=n_samples, random_state=random_state)
    own = subject.own(items) if "own" in explainers else None
    found = []
    for place, i in enumerate(items):
        index = subject.parts(i)
        game = subject.game(i, index)
        weights = {}
        for name in explainers:
            if name == "lime":
                weights[name] = lime.fit_game(game)[0].weights
            elif name == "shap":
                weights[name] = kernel_shap(game, n_samples, np.random.default_rng(random_state)).weights
            elif name == "occlusion":
                weights[name] = occlusion(game)
        cells = None if own is None else _cells(own[place], index)
        if cells is not None:
            total = _sums(index, cells)
            weights["own"] = total if subject.columns is not None else total / _sums(index, np.ones(index.size))
        if subject.columns is not None:
            index, cells = np.arange(game.parts), None  # masks of a table mark columns as they were read
        found.append(Alarm(i, index, game, weights, cells))
    return found


def _sums(index: Index, values: Vector) -> Vector:
    """Totals of the cells of each part."""
    return np.asarray(np.bincount(index.ravel(), weights=values), dtype=np.float64)


def _cells(values: Vector, index: Index) -> Vector:
    """A detector's own contributions, one for each cell; those of a step go to each of its channels."""
    if values.ndim < index.ndim and values.shape == index.shape[:1]:
        values = np.broadcast_to(values[:, None], index.shape)
    if values.shape != index.shape:
        raise InputError(f"the detector explains an item by {values.shape} numbers; {index.shape} are due")
    return values.ravel()


def located(
    alarms: Sequence[Alarm], truth: Sequence[Mask], explainers: Sequence[str], share: float, limit: float, seed: int
) -> dict[str, Located]:
    """Compare what each explainer blames with the masks of all items, (p,) of a table, else one value for each cell."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in explainers}
    for alarm in alarms:
        mask = truth[alarm.item].astype(np.float64).ravel()
        sizes, hits = _sums(alarm.index, np.ones(mask.size)), _sums(alarm.index, mask)
        mean, chance = random_iou(sizes, hits, rng)
        for name, w in alarm.weights.items():
            best = float(max_iou(w, sizes, hits))
            if name == "own" and alarm.own is not None:
                best = float(max_iou(alarm.own, np.ones(mask.size), mask))
            at_share = iou(blamed(w, share), sizes, hits)
            rows[name].append((best, at_share, mean, max(limit, chance), best_iou(sizes, hits)))
    return {name: Located(*np.array(found, dtype=np.float64).reshape(-1, 5).T) for name, found in rows.items()}


def verdicts(alarms: Mask, anomalous: Mask, items: Sequence[int], found: Located, limit: float) -> list[str]:
    """One verdict for each item (n,), of which the explained alarms are `items` (k,)."""
    said = np.where(
        anomalous, np.where(alarms, NOT_EXPLAINED, MISSED), np.where(alarms, FALSE_ALARM, REJECTED)
    ).tolist()
    for i, best, least, possible in zip(items, found.max_iou, found.least, found.possible, strict=True):
        said[i] = TOO_SMALL if possible < limit else LOCALISED if best >= least else WRONG_REASON
    return [str(verdict) for verdict in said]
