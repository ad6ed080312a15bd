"""P-values and thresholds beyond the calibration scores, by a generalised-Pareto tail. Extrapolated: no guarantee.

Down to 1 / (n + 1) the conformal p-value stands unchanged; only scores above every calibration score are extrapolated.
Sources: Pickands, Statistical Inference Using Extreme Order Statistics, 1975; the fit: Zhang, Stephens, A New and
Efficient Estimation Method for the Generalized Pareto Distribution, 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate
from unusual.parts.pareto import ParetoLaw

Vector = NDArray[np.float64]

FEWEST_EXCESSES = 10  # with fewer the shape is anyone's guess


@dataclass(frozen=True)
class ExtrapolatedTail:
    """A generalised-Pareto law of what exceeds `start`, fitted to `excesses` of the calibration scores.

    P(score > start + x) = excess_share (1 + shape x / scale)^(-1 / shape), shape >= 0; `scale` is in the units
    of the score. Errs towards long tails: p-values of light-tailed scores (normal, bounded) come out too large.
    """

    calibration: Calibration
    start: float
    scale: float
    shape: float
    excesses: int

    @classmethod
    def of(cls, calibration: Calibration, share: float = 0.1) -> ExtrapolatedTail:
        """Fit to the highest `share` of the calibration scores.

        Raises
        ------
        InputError
            If fewer than 10 scores exceed the start, because there are too few or too many equal ones.
        """
        scores = calibration.scores
        count = math.floor(check_rate(share, "share") * len(scores))
        start = float(scores[-count - 1]) if count else math.inf
        excess = scores[scores > start] - start
        if len(excess) < FEWEST_EXCESSES or not np.isfinite(excess).all():
            raise InputError(
                f"{len(excess)} of {len(scores)} calibration scores lie in the tail; "
                f"a tail needs at least {FEWEST_EXCESSES} finite ones: give more calibration items or a larger share"
            )
        shape, scale = generalised_pareto(excess)
        if shape <= 0:  # no finite end of the scores is believed: an anomaly beyond it would get the p-value 0
            shape, scale = 0.0, float(excess.mean())
        return cls(calibration, start, scale, shape, len(excess))

    def p_value(self, scores: ArrayLike) -> Vector:
        """Conformal p-values (m,), and for scores above every calibration score what the tail says, if less."""
        values = np.asarray(scores, dtype=np.float64)
        law = ParetoLaw(self.shape, self.scale)
        tail = self.excesses / len(self.calibration) * law.survival(np.maximum(values - self.start, 0))
        tail = np.maximum(tail, np.finfo(np.float64).tiny)  # so that its logarithm is finite
        conformal = self.calibration.p_value(values)
        highest = self.calibration.scores[-1]
        return np.asarray(np.where(values > highest, np.minimum(conformal, tail), conformal))

    def threshold(self, rate: float) -> float:
        """The conformal threshold where `rate` is in reach of so few items, else an extrapolated one."""
        if check_rate(rate) >= self.calibration.smallest_rate:
            return self.calibration.threshold(rate)
        beyond = ParetoLaw(self.shape, self.scale).exceeded_by(rate * len(self.calibration) / self.excesses)
        return max(self.start + beyond, float(self.calibration.scores[-1]))


def cut_within_reach(calibration: Calibration, rate: float) -> tuple[float, bool]:
    """The threshold at `rate`, and whether it had to be extrapolated since there are too few scores for the rate.

    Raises
    ------
    InputError
        If there are too few for a tail as well.
    """
    if check_rate(rate) >= calibration.smallest_rate:
        return calibration.threshold(rate), False
    share = min(max(1.5 * FEWEST_EXCESSES / len(calibration), 0.1), 0.5)
    return ExtrapolatedTail.of(calibration, share).threshold(rate), True


def generalised_pareto(excess: ArrayLike) -> tuple[float, float]:
    """Shape and scale of a generalised-Pareto law from excesses (k,) over its start, all above 0.

    The posterior mean of theta = -shape / scale on a grid set by the data's own quartile and maximum, so that the
    shape does not change with the units; the shape is shrunk towards 0.5 with the weight of ten excesses, without
    which a few of them can give any tail.
    """
    x = np.sort(np.asarray(excess, dtype=np.float64))
    n = len(x)
    if not n or not x[0] > 0 or not np.isfinite(x[-1]):
        raise InputError("excesses must be finite numbers above 0; subtract the start of the tail first")
    unit = x[(n - 1) // 2]
    x = x / unit  # the median is 1: no unit of the score can overflow
    m = 20 + math.isqrt(n)
    quartile = x[int(n / 4 + 0.5) - 1] if n > 1 else x[0]
    theta = 1 / x[-1] + (1 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3 * quartile)  # (m,)
    shapes = np.log1p(-theta[:, None] * x).mean(axis=1)  # (m,), the most likely shape for each theta
    with np.errstate(divide="ignore", invalid="ignore"):
        loglik = n * (np.log(-theta / shapes) - shapes - 1)
    loglik = np.where(np.isfinite(loglik), loglik, -np.inf)
    weights = np.exp(loglik - loglik.max())
    best = float((weights * theta).sum() / weights.sum())
    shape = float(np.log1p(-best * x).mean())
    scale = -shape / best if best != 0 else float(x.mean())
    shape = (n * shape + 10 * 0.5) / (n + 10)
    return shape, scale * float(unit)
