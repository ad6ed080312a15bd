"""A fitted scan of tables: the encoder and the detector it feeds, saved and loaded as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.encoder import TableEncoder
from unusual.data.table import Table
from unusual.detector import Detector
from unusual.explain.reasons import Contribution, contributions

Vector = NDArray[np.float64]
SCORED_AT_ONCE = 200_000  # rows: bounds the memory that encoded columns take


@dataclass
class TableModel:
    """What `unusual.fit` returns and `unusual.score` uses.

    Attributes
    ----------
    encoder : TableEncoder
        Columns to numbers, as the reference had them.
    detector : Detector
        Fitted and calibrated.
    settings : dict
        Options of the fit: alarm rate, id and group columns, why this detector.
    """

    encoder: TableEncoder
    detector: Detector
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def data_fingerprint_(self) -> str:
        """A short name of the data of the fit."""
        return str(self.detector.data_fingerprint_)

    def anomaly_score(self, table: Table) -> Vector:
        """Scores (n,) of the rows of a table, higher is more unusual."""
        starts = range(0, len(table), SCORED_AT_ONCE)
        parts = (table.take(slice(start, start + SCORED_AT_ONCE)) for start in starts)
        return np.concatenate([self.detector.anomaly_score(self.encoder.transform(part)) for part in parts])

    def contributions(self, table: Table, evaluations: int = 1024) -> list[list[Contribution]]:
        """For each row, what each column adds to its score; encoded parts of a column are added up."""
        values = self.detector.explain(self.encoder.transform(table), evaluations=evaluations)  # (n, d encoded)
        per_column = np.zeros((len(table), len(self.encoder.columns_)))
        np.add.at(per_column.T, self.encoder.source_, values.T)
        return [contributions(self.encoder, table.row(i), per_column[i]) for i in range(len(table))]

    def summary(self) -> str:
        """What was fitted on what, in a few words."""
        return f"{type(self.detector).__name__}, fitted on {self.settings['reference_rows']:,} rows"

    def save(self, path: str | Path) -> None:
        """Write the model to one file that holds numbers and text only, never code."""
        from unusual.store import save

        save(self, path)

    def state(self) -> dict[str, Any]:
        """What `store` writes."""
        return {"encoder": self.encoder, "detector": self.detector, "settings": self.settings}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableModel:
        """The model that `state` described."""
        return cls(state["encoder"], state["detector"], state["settings"])
