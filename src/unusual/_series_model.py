"""A fitted scan of series: channels and one detector for each series, saved and loaded as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.series import Series
from unusual.data.table import listed
from unusual.errors import InputError
from unusual.series_detector import SeriesDetector

Vector = NDArray[np.float64]


@dataclass
class SeriesModel:
    """What `unusual.fit` returns for series.

    Attributes
    ----------
    channels : list of str
    detectors : dict of str to SeriesDetector
        By name of the series; the one called "" is for a series of any name.
    settings : dict
        Options of the fit.
    """

    channels: list[str]
    detectors: dict[str, SeriesDetector]
    settings: dict[str, Any] = field(default_factory=dict)

    def detector_of(self, series: Series) -> SeriesDetector:
        """The detector of a series.

        Raises
        ------
        InputError
            If there is none of its name, or its channels are others.
        """
        found = self.detectors.get(series.name, self.detectors.get(""))
        if found is None:
            known = listed(sorted(self.detectors))[8:]
            raise InputError(f"the reference has no series called {series.name!r}; it has: {known}")
        return found

    def values_of(self, series: Series) -> NDArray[np.float64]:
        """The channels of the model out of a series (T, C).

        Raises
        ------
        InputError
            If one of them is not there.
        """
        lacking = [name for name in self.channels if name not in series.channels]
        if lacking:
            raise InputError(f"{series.name} lacks the channel {lacking[0]!r} of the reference; give the same channels")
        return series.values[:, [series.channels.index(name) for name in self.channels]]

    @property
    def data_fingerprint_(self) -> str:
        """A short name of the data of the fit."""
        return " ".join(str(detector.data_fingerprint_) for detector in self.detectors.values())

    def summary(self) -> str:
        """What was fitted on what, in a few words."""
        name = type(next(iter(self.detectors.values()))).__name__
        many = f"{len(self.detectors):,} series with " if len(self.detectors) > 1 else ""
        return f"{name}, fitted on {many}{self.settings['reference_steps']:,} steps"

    def save(self, path: str | Path) -> None:
        """Write the model to one file that holds numbers and text only, never code."""
        from unusual.store import save

        save(self, path)

    def state(self) -> dict[str, Any]:
        """What `store` writes."""
        return {"channels": self.channels, "detectors": self.detectors, "settings": self.settings}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> SeriesModel:
        """The model that `state` described."""
        return cls(state["channels"], state["detectors"], state["settings"])
