"""What a scan may say about false alarms, and where it cuts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unusual.decide.fdr import findings_needed
from unusual.decide.reference import Health
from unusual.findings import Promise
from unusual.parts.conformal import Calibration

Vector = NDArray[np.float64]
LEAST_TO_ESTIMATE = 50  # rows: below it the estimate is what was believed before
LEAST_FOR_A_TAIL = 100  # calibration rows: a tenth of them are fitted
KINDS = {"held out": "guaranteed", "left out": "approximate", "cross-fitted": "approximate"}


def promise(
    calibration: Calibration, rate: float, count: int, health: Health, what: str = "rows"
) -> tuple[float, Promise]:
    """Threshold for `count` items, called `what`, at an alarm rate, and what can be said of it."""
    if calibration.source == "ranked":
        sentence = (
            f"the model was fitted without a reference of normal {what}, so no rate is promised: above the threshold "
            f"lie the top {percent(rate)} of the {what} it was fitted on"
        )
        return calibration.threshold(rate), Promise("estimated", None, None, len(calibration), None, sentence)
    if calibration.smallest_rate > rate:
        return _beyond_reach(calibration, rate, count, health, what)
    threshold = calibration.threshold(rate)
    low, high = calibration.realised_rate(rate)
    promised = calibration.promised_rate(rate)
    kind = "withdrawn" if health.withdrawn else KINDS[calibration.source]
    if health.withdrawn:
        return threshold, Promise(kind, None, None, len(calibration), None, _withdrawn(rate))
    how = {
        "held out": f"reference {what} the detector had not seen",
        "left out": f"reference {what}, each scored without itself",
        "cross-fitted": f"reference {what}, each scored by a fit without it",
    }[calibration.source]
    sentence = (
        f"expected false alarms: {promised * count:.3g} of {count:,} {what} if all were normal ({percent(promised)}, "
        f"95 % interval {percent(low)} to {percent(high)}; calibrated on {len(calibration):,} {how}"
        f"{'' if kind == 'guaranteed' else '; approximate'})"
    )
    return threshold, Promise(kind, promised, (low, high), len(calibration), promised * count, sentence)


def _beyond_reach(
    calibration: Calibration, rate: float, count: int, health: Health, what: str
) -> tuple[float, Promise]:
    """Too few calibration rows for the alarm rate: a fitted tail, or the smallest rate there is."""
    from unusual.decide.tail import ExtrapolatedTail

    n, reachable = len(calibration), calibration.smallest_rate
    if health.withdrawn:
        return calibration.threshold(reachable), Promise("withdrawn", None, None, n, None, _withdrawn(rate))
    if n < LEAST_FOR_A_TAIL:
        sentence = (
            f"{n:,} calibration {what} cannot support an alarm rate of {percent(rate)}; the smallest they reach, "
            f"{percent(reachable)}, is used instead: give more reference {what}"
        )
        return calibration.threshold(reachable), Promise("approximate", reachable, None, n, reachable * count, sentence)
    sentence = (
        f"{n:,} calibration {what} reach no lower than {percent(reachable)}; the threshold for {percent(rate)} is "
        "extrapolated by a generalised-Pareto tail, so the rate is no guarantee"
    )
    said = Promise("extrapolated", rate, None, n, rate * count, sentence)
    return ExtrapolatedTail.of(calibration).threshold(rate), said


def _withdrawn(rate: float) -> str:
    return (
        f"the reference no longer fits these data, so an alarm rate of {percent(rate)} is not promised: take a new one"
    )


def discoveries(fdr: float, count: int, calibration: Calibration, health: Health) -> Promise:
    """What Benjamini-Hochberg promises here, and how many findings it takes before any can be returned."""
    least = findings_needed(count, fdr, len(calibration))
    held_out = calibration.source == "held out"
    kind = "withdrawn" if health.withdrawn else "guaranteed" if held_out else "approximate"
    sentence = f"at most {percent(fdr)} of the findings are expected to be false, if the rows are independent"
    if not held_out:
        sentence += " (approximate: the reference was too small to set rows aside)"
    if health.withdrawn:
        sentence = "the reference no longer fits these data, so no share of false findings is promised"
    sentence += (
        f"; with {len(calibration):,} calibration rows nothing is returned unless at least {least:,} rows stand out"
    )
    return Promise(kind, None, None, len(calibration), None, sentence)


def estimated(
    scores: Vector, rate: float | None, budget: int | None, random_state: int, what: str = "rows"
) -> tuple[float, Promise]:
    """Where to cut scores that nothing but the data themselves can judge.

    At a share or a number of items, called `what`, that the user named, else at the estimated share of anomalies.
    """
    n = len(scores)
    if rate is None and budget is None:
        return _at_estimate(scores, random_state, what)
    share = min(1.0, budget / n) if rate is None and budget is not None else float(rate or 0)
    threshold = float(np.sort(scores)[::-1][min(round(share * n), n - 1)])
    top = f"top {percent(share)}" if rate is not None else f"{budget:,} most unusual"
    sentence = f"ranked among themselves: the {top} of {n:,} {what}; give a reference of normal {what} for a promise"
    return threshold, Promise("estimated", None, None, n, None, sentence)


def _at_estimate(scores: Vector, random_state: int, what: str) -> tuple[float, Promise]:
    from unusual.decide.contamination import ContaminationPosterior

    n = len(scores)
    advice = f"set a budget to list the most unusual ones, or give a reference of normal {what}"
    if n < LEAST_TO_ESTIMATE:
        sentence = f"{n:,} {what} are too few to estimate how many are unusual; {advice}"
        return math.inf, Promise("estimated", None, None, n, None, sentence)
    if scores.min() == scores.max():
        sentence = f"all {n:,} {what} have the same score, so none is unusual"
        return math.inf, Promise("estimated", None, None, n, None, sentence)
    posterior = ContaminationPosterior(random_state=random_state).fit(scores)
    if posterior.nothing_there_:
        sentence = f"none of the {n:,} {what} stands clearly apart, so none is called unusual; {advice}"
        return math.inf, Promise("estimated", None, None, n, None, sentence)
    low, high = posterior.interval_
    sentence = (
        f"ranked, rate estimated: about {percent(posterior.mean_)} of {n:,} {what} look anomalous "
        f"(95 % interval {percent(low)} to {percent(high)}); give a reference of normal {what} for a promise"
    )
    return posterior.threshold(scores), Promise("estimated", None, (low, high), n, None, sentence)


def percent(rate: float) -> str:
    """A rate in per cent, with as many digits as it needs."""
    return f"{100 * rate:.2g} %"
