"""Columns that say which rows are anomalous."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.data.table import Array, Table, missing
from unusual.errors import InputError


def labels_of(table: Table, label: str) -> NDArray[np.int64]:
    """A column of 0 and 1, or of false and true, as labels (n,).

    Raises
    ------
    InputError
        If cells are missing or hold anything else.
    """
    values: Array = table[label]
    gaps = int(missing(values).sum())
    if gaps:
        raise InputError(f"the label column {label!r} has {gaps:,} missing cells; leave those rows out")
    if values.dtype.kind not in "bif" or not np.isin(values, (0, 1)).all():
        raise InputError(f"the label column {label!r} holds other values than 0 and 1; 0 is normal, 1 anomalous")
    return values.astype(np.int64)
