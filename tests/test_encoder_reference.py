"""What the encoder tells of the reference for pictures: quantiles and the commonest values."""

from __future__ import annotations

import numpy as np
import pytest

from unusual.data.encoder import TableEncoder
from unusual.data.table import Table
from unusual.errors import InputError


@pytest.fixture
def encoder() -> TableEncoder:
    days = np.datetime64("2024-01-01", "us") + np.arange(101)[::-1] * np.timedelta64(1, "D")
    steel = np.array((["steel"] * 6 + ["wood"] * 3 + [None]) * 10 + ["glass"], dtype=object)
    table = Table({"weight": np.arange(101) * 0.5, "day": days, "material": steel})
    return TableEncoder().fit(table)


def test_quantiles_are_values_of_the_reference_in_order(encoder):
    assert encoder.quantiles("weight", [0.0, 0.01, 0.5, 1.0]) == [0.0, 0.5, 25.0, 50.0]
    first, last = encoder.quantiles("day", [0, 1])
    assert (first, last) == (np.datetime64("2024-01-01"), np.datetime64("2024-04-10"))


def test_commonest_values_come_with_their_counts(encoder):
    assert encoder.commonest("material", 3) == [("steel", 60), ("wood", 30), ("", 10)]


def test_the_wrong_kind_of_column_is_refused(encoder):
    with pytest.raises(InputError, match="no order"):
        encoder.quantiles("material", [0.5])
    with pytest.raises(InputError, match="no category"):
        encoder.commonest("weight")
