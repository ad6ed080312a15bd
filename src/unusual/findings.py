"""What a scan gives back: scores, decisions, reasons, and everything needed to check them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.parquet_file import write_parquet
from unusual.errors import InputError
from unusual.explain.causes import Cause
from unusual.explain.reasons import Contribution, reason
from unusual.parts.bootstrap import Interval
from unusual.store import written_whole

if TYPE_CHECKING:
    from unusual._model import TableModel
    from unusual.data.columns import Column
    from unusual.data.table import Table

Vector = NDArray[np.float64]
QUICK = 64  # evaluations for each finding beyond those a person looks at first


@dataclass(frozen=True)
class Finding:
    """One unusual row: its position in the input, its name, its score and why."""

    row: int
    item: Any
    score: float
    p_value: float
    reason: str
    contributions: list[Contribution]


@dataclass(frozen=True)
class Promise:
    """What is known of false alarms.

    Attributes
    ----------
    kind : str
        "guaranteed" (unseen normal items), "approximate" (cross-fitted), "extrapolated" (a fitted tail),
        "estimated" (no reference: the share of anomalies is estimated), "withdrawn" (the reference does not fit).
    rate : float or None
        Share of normal items expected to alarm.
    interval : (float, float) or None
        95 % interval of that share for this calibration.
    items : int
        How many calibration scores there are.
    expected_false_alarms : float or None
        In the data scanned, if all of them were normal.
    sentence : str
    """

    kind: str
    rate: float | None
    interval: tuple[float, float] | None
    items: int
    expected_false_alarms: float | None
    sentence: str


@dataclass(frozen=True)
class Method:
    """The detector that was used: its card, its parameters, and why it was chosen."""

    name: str
    title: str
    paper: str
    parameters: dict[str, Any]
    why: str


@dataclass
class Findings:
    """The result of a scan, in the order of the input.

    Attributes
    ----------
    items : (n,) array
        Row numbers from 0, or the values of the id column.
    scores : (n,) float64
        Higher is more unusual.
    p_values : (n,) float64
        Against the calibration scores; without a reference they rank the rows among themselves.
    anomalous : (n,) bool
        Rows above the threshold (or under the false-discovery rate), the most unusual `budget` of them.
    threshold : float
    calibration : Promise
    method : Method
    columns : list of Column
        What was done with each column.
    notes : list of str
        What was noticed while reading, and about the reference.
    causes : list of Cause
        Findings that share a cause.
    timings : dict of str to seconds
    settings : dict
        Options of the scan, enough to repeat it.
    metrics : dict of Interval, or None
        AUROC and average precision with 95 % intervals, where the source has labels.
    model : TableModel
        Encoder and fitted detector; `model.save(path)` keeps them.
    """

    source: str
    kind: str
    items: NDArray[Any]
    scores: Vector
    p_values: Vector
    anomalous: NDArray[np.bool_]
    threshold: float
    calibration: Promise
    method: Method
    columns: list[Column]
    notes: list[str]
    model: TableModel
    table: Table = field(repr=False)
    causes: list[Cause] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Interval] | None = None
    above_threshold: int = 0
    _explained: dict[int, list[Contribution]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.anomalous.sum())

    def __iter__(self) -> Iterator[Finding]:
        return (self.finding(i) for i in self.rows)

    @property
    def rows(self) -> list[int]:
        """Positions of the anomalous rows, most unusual first."""
        found = np.flatnonzero(self.anomalous)
        return [int(i) for i in found[np.argsort(-self.scores[found], kind="stable")]]

    def highest(self, most: int) -> list[int]:
        """Positions of the `most` highest scores, anomalous or not, most unusual first."""
        few = min(most, len(self.scores))
        rows = np.argpartition(-self.scores, few - 1)[:few]
        return [int(i) for i in rows[np.argsort(-self.scores[rows], kind="stable")]]

    def finding(self, i: int) -> Finding:
        """Everything about the row at position `i`, anomalous or not."""
        return Finding(
            i,
            self.items[i].item() if isinstance(self.items[i], np.generic) else self.items[i],
            float(self.scores[i]),
            float(self.p_values[i]),
            self.reason(i),
            self.explanation(i),
        )

    def explanation(self, i: int) -> list[Contribution]:
        """What each column adds to the score of row `i`, those that push hardest first.

        Raises
        ------
        InputError
            If there is no such row.
        """
        if not -len(self.scores) <= i < len(self.scores):
            raise InputError(f"there is no row {i}; {self.source} has rows 0 to {len(self.scores) - 1:,}")
        i %= len(self.scores)
        if i not in self._explained:
            self._explained.update(zip([i], self.model.contributions(self.table.take(np.array([i]))), strict=True))
        return self._explained[i]

    def reason(self, i: int) -> str:
        """Why row `i` has its score, in one sentence."""
        return reason(self.model.encoder, self.explanation(i), among=self.calibration.kind == "estimated")

    def frame(self) -> Any:
        """Item, score, p-value, anomalous and reason of every row: pandas or polars, else a dict of arrays.

        Reasons are given for the anomalous rows.
        """
        data = {
            "item": self.items,
            "score": self.scores,
            "p_value": self.p_values,
            "anomalous": self.anomalous,
            "reason": self._reasons(),
        }
        from importlib.util import find_spec

        for library in ("pandas", "polars"):
            if find_spec(library) is not None:
                module = __import__(library)
                plain = {k: v.tolist() if v.dtype == object else v for k, v in data.items()}
                return module.DataFrame(plain)
        return data

    def _explain_all(self) -> None:
        """Contributions of all findings not yet explained, in one go and with less effort than the foremost got."""
        rows = [i for i in self.rows if i not in self._explained]
        if rows:
            found = self.model.contributions(self.table.take(np.array(rows)), evaluations=QUICK)
            self._explained.update(zip(rows, found, strict=True))

    def _reasons(self) -> NDArray[Any]:
        self._explain_all()
        reasons = np.full(len(self.scores), "", dtype=object)
        for i in self.rows:
            reasons[i] = self.reason(i)
        return reasons

    def summary(self) -> str:
        """What was found, in one sentence."""
        n = len(self.scores)
        found = "nothing unusual" if not len(self) else f"{len(self):,} unusual row{'s' * (len(self) > 1)}"
        whole = sum(len(cause.rows) for cause in self.causes) == len(self)
        causes = f"{len(self.causes):,} cause{'s' * (len(self.causes) > 1)}"
        problems = f" with {causes}" if whole and 0 < 2 * len(self.causes) <= len(self) else ""
        more = self.above_threshold - len(self)
        rest = f"; {more:,} more lie above the threshold than the budget allows" if more > 0 else ""
        return f"{found} among {n:,}{problems}{rest}"

    # -- written down ---------------------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """The findings as plain dicts, most unusual first."""
        self._explain_all()
        return [asdict(finding) for finding in self]

    def to_html(self, path: str | Path) -> None:
        """Write the report: one page that needs no network."""
        from unusual.report.page import page

        with written_whole(path) as stream:
            stream.write(page(self).encode())

    def to_json(self, path: str | Path) -> None:
        """Write summary, promise, method, columns, causes and findings."""
        body = {
            "source": self.source,
            "kind": self.kind,
            "summary": self.summary(),
            "threshold": self.threshold if np.isfinite(self.threshold) else None,
            "calibration": asdict(self.calibration),
            "method": asdict(self.method),
            "columns": [asdict(column) for column in self.columns],
            "notes": self.notes,
            "causes": [asdict(cause) for cause in self.causes],
            "findings": self.records(),
            "metrics": None if self.metrics is None else {k: asdict(v) for k, v in self.metrics.items()},
            "timings": self.timings,
            "settings": self.settings,
        }
        with written_whole(path) as stream:
            stream.write(json.dumps(body, indent=1, ensure_ascii=False, default=str, allow_nan=False).encode())

    def to_csv(self, path: str | Path) -> None:
        """Write every row of the input with item, score, p-value, anomalous and reason."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["item", "score", "p_value", "anomalous", "reason"])
        reasons = self._reasons()
        for i in range(len(self.scores)):
            row = [self.items[i], repr(float(self.scores[i])), repr(float(self.p_values[i]))]
            writer.writerow([*row, int(self.anomalous[i]), reasons[i]])
        with written_whole(path) as stream:
            stream.write(text.getvalue().encode())

    def to_parquet(self, path: str | Path) -> None:
        """Write the same columns as `to_csv`, as Parquet."""
        columns = {
            "item": self.items if self.items.dtype != object else self.items.astype(str),
            "score": self.scores,
            "p_value": self.p_values,
            "anomalous": self.anomalous,
            "reason": self._reasons(),
        }
        write_parquet(columns, path)

    def _repr_html_(self) -> str:
        from unusual.report.page import fragment

        return fragment(self)
