"""The labelled series, and how the scores of one are judged."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.evaluate import default_window, series_summary

DATA = Path(os.environ.get("UNUSUAL_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "series"
LEFT_OUT = (  # nothing to find; and too long for some of the peers, so that their mean has it neither
    "nab_art_noisy",
    "nab_machine_temperature_system_failure",
)
FIGURES = {"VUS-PR": "vus_pr", "VUS-ROC": "vus_roc", "NAB score": "nab", "events found at 1 alarm a day": "events"}
SHIFTS = 20  # of the scores, for the chance level


@dataclass(frozen=True)
class Labelled:
    """Values (T, C), labels (T,), and steps in a day where time stamps tell."""

    name: str
    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    steps_per_day: float | None

    def judge(self, scores: NDArray[np.float64]) -> dict[str, Any]:
        """VUS of scores (T,) with chance level and ceiling, NAB score, share of events found at one alarm a day."""
        window = default_window(self.values[:, 0])
        summary = series_summary(self.labels, scores, self.steps_per_day, window, resamples=0, draws=SHIFTS)
        found = {FIGURES[f.metric]: round(f.value, 4) for f in summary.figures if f.metric in FIGURES}
        main = summary["VUS-PR"].against
        return {**found, "chance": round(main.chance, 4), "ceiling": round(main.ceiling, 4)}


def family(name: str) -> str:
    """Where a series comes from: nab, ucr, ecg, tsbuad, skab or nasa."""
    return name.split("_")[0]


def names(folder: Path = DATA) -> list[str]:
    """Names of the series, by family."""
    if not folder.is_dir():
        raise SystemExit(f"no labelled series at {folder}; set UNUSUAL_TEST_DATA to the folder that holds series/")
    return sorted(path.stem for path in folder.glob("*_*.csv") if path.stem not in LEFT_OUT)


def read(name: str, folder: Path = DATA) -> Labelled:
    """One series from its file: time stamp, values, label."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    table = np.array([[float(value) for value in row[1:]] for row in rows])
    return Labelled(name, table[:, :-1], table[:, -1].astype(np.int64), _steps_per_day([row[0] for row in rows]))


def _steps_per_day(stamps: list[str]) -> float | None:
    """None where the stamps are row numbers, or the series is shorter than a day."""
    if "-" not in stamps[0]:
        return None
    time = np.array([stamp.replace(" ", "T") for stamp in stamps], dtype="datetime64[s]")
    step = float(np.median(np.diff(time)).astype(np.int64))
    steps = 86_400 / step if step > 0 else 0.0
    return steps if 0 < steps <= len(stamps) else None
