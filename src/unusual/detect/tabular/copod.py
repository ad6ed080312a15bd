"""COPOD: tail probabilities of the columns, joined by the empirical copula.

role: detector
data: table
system: -
paper: Li et al., COPOD: Copula-Based Outlier Detection, 2020
needs: -
checkpoint: none
"""

from __future__ import annotations

from typing import ClassVar

from unusual.detect.tabular.ecod import ECOD
from unusual.kernels.tails import Combine


class COPOD(ECOD):
    """Sum over columns of -log of the tail that the column's skewness points at, or of the mean of both tails.

    With L and R the -log of the share of reference values <= and >= the row's, a column adds max(S, (L + R) / 2), where
    S is L for columns skewed to the left, R for those skewed to the right and L + R for symmetric ones. The
    distribution is that of the reference alone: a row's score does not depend on the rows scored with it. Beyond all
    reference values the share is half a row.

    Parameters
    ----------
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    tails_ : Tails
        Sorted columns and their skewness.
    """

    rule: ClassVar[Combine] = "copod"
