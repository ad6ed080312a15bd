"""Labels and scores of one series or of several, some of which may hold no event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector, binary, scores_of

OneOrMore = Sequence[Any] | NDArray[Any]  # one vector (n,), or one for each series


def each_series(labels: OneOrMore, scores: OneOrMore) -> list[tuple[Labels, Vector]]:
    """Labels as bool (n_i,) and scores as float64 (n_i,) of each series.

    Raises
    ------
    InputError
        If there are not as many labels as scores, labels are not 0 and 1, scores are NaN, or no series holds an event
        or none a normal row.
    """
    one = not len(scores) or np.ndim(scores[0]) == 0
    if not one and len(labels) != len(scores):
        raise InputError(f"there are labels of {len(labels)} series and scores of {len(scores)}; give one of each")
    pairs = [(binary(y), scores_of(s)) for y, s in ([(labels, scores)] if one else zip(labels, scores, strict=True))]
    for i, (y, s) in enumerate(pairs):
        if y.shape != s.shape:
            where = "there are " if one else f"series {i} has "
            raise InputError(f"{where}{len(y):,} labels for {len(s):,} scores; give one label per score")
    if not any(y.any() for y, _ in pairs) or all(y.all() for y, _ in pairs):
        which = "anomalous" if pairs[0][0].any() else "normal"
        raise InputError(f"all labels are {which}; events can only be looked for among normal rows")
    return pairs
