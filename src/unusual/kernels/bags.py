"""Out-of-bag means: what an ensemble says about a row when the members that saw the row keep silent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.kernels.checks import Array


def mean_outside_bags(total: Array, rows: Array, inside: Array, own: Array, members: int) -> NDArray[np.float64]:
    """Mean over the members that did not see the row.

    Parameters
    ----------
    total : float64 (m,)
        Sum over all members for the rows in question.
    rows : int64 (m,)
        Row numbers in the matrix the members were fitted on.
    inside : int64 (p,)
        Row number of each pair (member, row inside its bag); all of them occur in `rows`.
    own : float64 (p,)
        What that member says about that row.
    members : int
        Number of members.

    Returns
    -------
    float64 (m,); the mean over all members for a row that all of them saw.
    """
    names, where = np.unique(rows, return_inverse=True)
    place = np.searchsorted(names, inside)
    seen = np.bincount(place, minlength=len(names))[where]  # (m,)
    said = np.bincount(place, weights=own, minlength=len(names))[where]  # (m,)
    everywhere = seen == members
    kept = np.where(everywhere, members, members - seen)
    return (total - np.where(everywhere, 0.0, said)) / kept
