"""Simulated pairs of censored samples: a wide mixture of differences to learn from, and six fixed ones to prove on.

Times are drawn by their cumulative hazard: an exponential draw, bent where the second sample has another hazard, then
carried through the inverse cumulative hazard of a family.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv, ndtri

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]
Pairs = tuple[Matrix, Matrix, Matrix]  # time (P, n) ascending, event (P, n), first (P, 1, n)

FAMILIES = ("weibull", "log-logistic", "log-normal", "gamma")
DIFFERENCES = ("proportional", "early", "late", "crossing", "scale", "heavy tail")
LARGEST_LOG_RATIO = 2.5


def training_pairs(rng: np.random.Generator, pairs: int, n1: int, n2: int, differ: bool) -> Pairs:
    """Pairs with a family, a difference, its size and a share of censored items (0 to a half) drawn for each.

    Sizes are such that tests of so many items neither all find the difference nor all miss it.
    """
    n = n1 + n2
    hazard = rng.exponential(size=(pairs, n))
    shape = np.exp(rng.uniform(np.log(0.6), np.log(3), (pairs, 1)))
    family = rng.integers(len(FAMILIES), size=(pairs, 1))
    share = np.where(rng.uniform(size=pairs) < 0.25, 0.0, rng.uniform(0, 0.5, pairs))
    time = through(family, shape, hazard)
    if differ:
        size = rng.uniform(2, 6, (pairs, 1)) / np.sqrt(4 * n1 * n2 / n * (1 - share[:, None]))
        size = np.minimum(size, LARGEST_LOG_RATIO) * rng.choice([-1, 1], (pairs, 1))
        time[:, n1:] = _changed(rng, family, shape, hazard[:, n1:], size)
    return censored(rng, time, n1, share)


def _changed(rng: np.random.Generator, family: Index, shape: Matrix, hazard: Matrix, size: Matrix) -> Matrix:
    """Times (P, m) of second samples that differ in a drawn way by `size` (P, 1), a log ratio of either sign."""
    pairs = len(hazard)
    kind = rng.integers(len(DIFFERENCES), size=(pairs, 1))
    cut = -np.log(rng.uniform(0.3, 0.8, (pairs, 1)))  # where 20 to 70 % have failed
    all_along = np.exp(size)
    part = np.exp(np.clip(1.6 * size, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO))  # acts on some only: larger
    is_a = {name: kind == number for number, name in enumerate(DIFFERENCES)}
    before = np.select([is_a["proportional"], is_a["early"] | is_a["crossing"]], [all_along, part], 1.0)
    after = np.select([is_a["proportional"], is_a["late"], is_a["crossing"]], [all_along, part, 1 / part], 1.0)
    bent = inverse_hazard(before, after, cut, hazard)
    median = np.log(2)
    tail = 2 * np.abs(size)  # of Lomax's law, whose times bend the exponential ones by expm1, or back by log1p
    bend = [np.where(size > 0, np.expm1(tail * h), np.log1p(tail * h)) for h in (hazard, median)]
    heavy = median * bend[0] / bend[1]
    time = through(family, shape, np.where(is_a["heavy tail"], heavy, bent))
    middle = through(family, shape, np.full_like(shape, median))
    turned = is_a["crossing"] & (rng.uniform(size=(pairs, 1)) < 0.5)  # at the median, by another shape
    time = np.where(turned, middle * (through(family, shape, hazard) / middle) ** np.exp(size), time)
    return np.where(is_a["scale"], time * np.exp(size / shape), time)


def inverse_hazard(before: Matrix, after: Matrix, cut: Matrix, drawn: Matrix) -> Matrix:
    """h (P, m) up to which a hazard of `before` until `cut` and `after` from there, each (P, 1), adds up to `drawn`."""
    inside = before * cut
    return np.where(drawn < inside, drawn / before, cut + (drawn - inside) / after)


def through(family: Index, shape: Matrix, hazard: Matrix) -> Matrix:
    """Times (P, n) whose cumulative hazard in a family (P, 1), by its number in FAMILIES, and shape (P, 1) is given."""
    time = np.empty_like(hazard)
    inverses: list[Callable[[Matrix, Matrix], Matrix]] = [
        lambda h, k: h ** (1 / k),
        lambda h, k: np.expm1(np.minimum(h, 50)) ** (1 / k),
        lambda h, k: np.exp(-ndtri(np.exp(-h)) / k),
        lambda h, k: gammainccinv(k, np.exp(-h)),
    ]
    for number, inverse in enumerate(inverses):
        rows = family[:, 0] == number
        time[rows] = inverse(hazard[rows], shape[rows])
    return np.maximum(time, 1e-12)


def censored(rng: np.random.Generator, time: Matrix, n1: int, share: Matrix, unequal: float = 1.0) -> Pairs:
    """Censor `share` (P,) of the items by exponential or uniform times and sort each pair.

    With `unequal` the censoring times of the second sample are so many times longer.
    """
    pairs, n = time.shape
    exponential = rng.uniform(size=(pairs, 1)) < 0.5
    until = np.where(exponential, rng.exponential(size=time.shape), rng.uniform(size=time.shape))
    until = until * np.where(np.arange(n) < n1, 1.0, unequal)
    ratio = np.sort(time / until, axis=1)  # censored where this exceeds the scale
    place = np.round((1 - share) * n).astype(np.int64)
    scale = np.append(ratio, np.full((pairs, 1), np.inf), axis=1)[np.arange(pairs), place]
    # exactly the items whose ratio is at or above the scale are censored
    seen = time / until < scale[:, None]
    observed = np.where(seen, time, until * np.where(np.isfinite(scale), scale, 1.0)[:, None])
    order = np.argsort(observed, axis=1)
    first = np.take_along_axis(np.broadcast_to((np.arange(n) < n1) * 1.0, time.shape), order, axis=1)
    sorted_time = np.take_along_axis(observed, order, axis=1)
    return sorted_time, np.take_along_axis(seen * 1.0, order, axis=1), first[:, None]


def alternative_pairs(
    rng: np.random.Generator, kind: str | None, pairs: int, each: int, share: float, unequal: float = 1.0
) -> Pairs:
    """Pairs of `each` + `each` items that differ in one of six fixed ways, or not at all, with `share` censored.

    Crossing curves meet at the median; the heavy tail is Lomax's law with the median of the exponential one.
    """
    drawn = rng.exponential(size=(pairs, 2 * each))
    rates = {"proportional": (1.55, 1.55), "early": (2.2, 1.0), "late": (1.0, 2.2)}.get(kind or "", (1.0, 1.0))
    cut = -np.log(0.75 if kind == "early" else 0.5)  # where a quarter, or half, have failed
    bent = inverse_hazard(*(np.full((pairs, 1), value) for value in (*rates, cut)), drawn)
    median = np.log(2)
    changed = {
        "crossing": median * (drawn / median) ** 0.7,
        "scale": 1.45 * np.exp(-ndtri(np.exp(-drawn)) * 0.8),
        "heavy tail": median * np.expm1(drawn / 0.9) / np.expm1(median / 0.9),
    }.get(kind or "", bent)
    time = np.exp(-ndtri(np.exp(-drawn)) * 0.8) if kind == "scale" else drawn
    time = np.where(np.arange(2 * each) < each, time, changed)
    return censored(rng, time, each, np.full(pairs, share), unequal)
