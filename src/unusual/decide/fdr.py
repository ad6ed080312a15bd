"""Control of the false-discovery rate: which of many items to report so that few of the reported are normal.

Benjamini-Hochberg holds for split-conformal p-values of independent items and a detector fixed beforehand;
Benjamini-Yekutieli and e-values hold under any dependence.
Sources: Benjamini, Hochberg, Controlling the False Discovery Rate, 1995; Benjamini, Yekutieli, The Control of the
False Discovery Rate in Multiple Testing under Dependency, 2001; Bates et al., Testing for Outliers with Conformal
p-values, 2023; Wang, Ramdas, False Discovery Rate Control with E-values, 2022; Bashari et al., Derandomized Novelty
Detection with FDR Control via Conformal E-values, 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Discoveries:
    """What is reported: `mask` bool (m,), those with p (or 1 / e) at or below `cut`, which is 0 where none are."""

    mask: NDArray[np.bool_]
    cut: float

    def __len__(self) -> int:
        return int(self.mask.sum())


def benjamini_hochberg(p_values: ArrayLike, fdr: float = 0.1) -> Discoveries:
    """Report the k smallest p-values (m,), k the largest number with p_(k) <= k fdr / m; ties go together."""
    p = _checked(p_values, 1.0, "p_values")
    return _step_up(p, check_rate(fdr, "fdr") / len(p) if len(p) else 0.0)


def benjamini_yekutieli(p_values: ArrayLike, fdr: float = 0.1) -> Discoveries:
    """Benjamini-Hochberg at fdr / (1 + 1/2 + ... + 1/m): holds however the p-values (m,) depend on each other."""
    p = _checked(p_values, 1.0, "p_values")
    level = check_rate(fdr, "fdr")
    return _step_up(p, level / (len(p) * (1 / np.arange(1, len(p) + 1)).sum()) if len(p) else 0.0)


def e_benjamini_hochberg(e_values: ArrayLike, fdr: float = 0.1) -> Discoveries:
    """Report the k largest e-values (m,), k the largest number with e_(k) >= m / (k fdr); any dependence."""
    e = _checked(e_values, math.inf, "e_values")
    level = check_rate(fdr, "fdr")
    with np.errstate(divide="ignore"):
        return _step_up(1 / e, level / len(e) if len(e) else 0.0)


def e_values(p_values: ArrayLike, kappa: float = 0.5) -> Vector:
    """e-values kappa p^(kappa - 1) (m,) of p-values: their mean is at most 1 for a normal item.

    e-values of several detectors or splits may be averaged, whatever their dependence; p-values may not.
    """
    p = _checked(p_values, 1.0, "p_values")
    exponent = check_rate(kappa, "kappa") - 1
    with np.errstate(divide="ignore"):
        return np.asarray(kappa * p**exponent)


def conformal_e_values(scores: ArrayLike, calibration: Calibration, fdr: float = 0.1) -> Vector:
    """e-values (m,) of scores whose e-BH at `fdr` reports what Benjamini-Hochberg does for one calibration.

    Averaged over several random calibrations they give one report that does not hinge on a single split; compute each
    at half the rate that is wanted of the average, as its source advises.
    """
    s = np.asarray(scores, dtype=np.float64)
    p = calibration.p_value(s)
    found = benjamini_hochberg(p, fdr)
    if not len(found):
        return np.zeros(len(s))
    exceeding = found.cut * (len(calibration) + 1)  # 1 + calibration scores at or above the lowest reported score
    return np.asarray(np.where(found.mask, (len(calibration) + 1) / exceeding, 0.0))


def findings_needed(n_tests: int, fdr: float, n_calibration: int) -> int:
    """How many items must stand out at once before any can be reported: m / (fdr (n + 1)), rounded up.

    The smallest conformal p-value is 1 / (n + 1), and Benjamini-Hochberg reports k items at p <= k fdr / m.
    """
    if n_tests < 1 or n_calibration < 1:
        raise InputError(f"there are {n_tests} items and {n_calibration} calibration items; both must be at least 1")
    return math.ceil(n_tests / (check_rate(fdr, "fdr") * (n_calibration + 1)) - 1e-9)


def fdr_warning(n_tests: int, fdr: float, n_calibration: int) -> str | None:
    """A sentence to show before false-discovery control runs, if it can report nothing or only many at once."""
    needed = findings_needed(n_tests, fdr, n_calibration)
    if needed <= 1:
        return None
    single = math.ceil(n_tests / fdr - 1e-9) - 1
    if needed > n_tests:
        return (
            f"{n_calibration:,} calibration items are too few to report anything at a false-discovery rate of {fdr:g}; "
            f"give at least {math.ceil(1 / fdr - 1e-9) - 1:,}"
        )
    return (
        f"with {n_calibration:,} calibration items none of {n_tests:,} items can be reported at a false-discovery rate "
        f"of {fdr:g} unless {needed:,} stand out at once; {single:,} calibration items would allow single findings"
    )


def _step_up(p: Vector, slope: float) -> Discoveries:
    """All p at or below the largest p_(k) with p_(k) <= k slope."""
    order = np.sort(p)
    under = np.flatnonzero(order <= np.arange(1, len(p) + 1) * slope * (1 + 1e-12))  # k / (n + 1) is rarely exact
    cut = float(order[under[-1]]) if len(under) else 0.0
    return Discoveries(p <= cut if len(under) else np.zeros(len(p), dtype=bool), cut)


def _checked(values: ArrayLike, most: float, name: str) -> Vector:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not ((array >= 0) & (array <= most)).all():
        raise InputError(f"{name} must be one list of numbers from 0 to {most:g}; it has shape {array.shape}")
    return array
