"""What an analysis gives back besides its numbers: an answer in one sentence, then words, tables and charts as data.

The charts hold numbers, not pixels: `report` draws them, JSON keeps them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from unusual.errors import InputError
from unusual.store import written_whole

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Words:
    """A paragraph; names between backticks are set as code."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head; numbers are written with three digits, None as a dash."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]  # of cells: text, numbers, truth values, None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise InputError(f"table {self.caption!r}: a row has {len(row)} cells for {len(self.head)} columns")


@dataclass(frozen=True)
class Lines:
    """Named lines y over x, each with an optional band around it, and named levels drawn across."""

    caption: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]]  # name -> x (n,), y (n,)
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] = field(default_factory=dict)  # name -> low (n,), high (n,)
    levels: Mapping[str, float] = field(default_factory=dict)  # name -> y
    dots: bool = False  # points only, nothing joined

    def __post_init__(self) -> None:
        for name, (x, y) in {**self.lines, **self.bands}.items():
            if len(np.asarray(x)) != len(np.asarray(y)):
                raise InputError(
                    f"chart {self.caption!r}: line {name!r} has {len(np.asarray(x))} x for {len(np.asarray(y))} y"
                )


@dataclass(frozen=True)
class Intervals:
    """Named estimates with their intervals, one under the other, against an optional level such as chance."""

    caption: str
    label: str
    rows: Sequence[tuple[str, float, float, float]]  # name, estimate, low, high
    level: float | None = None


@dataclass(frozen=True)
class Distribution:
    """How numbers are distributed, with an optional cut; those beyond it stand out."""

    caption: str
    label: str
    values: ArrayLike  # (n,)
    cut: float | None = None


@dataclass(frozen=True)
class Heat:
    """A map of numbers (H, W), dark where they are high, over an optional grey picture of the same size."""

    caption: str
    values: ArrayLike  # (H, W)
    picture: ArrayLike | None = None  # (H, W), grey


@dataclass(frozen=True)
class Specifications:
    """Results of many configurations in order, over dots that show which choices each was made of."""

    caption: str
    label: str
    values: ArrayLike  # (n,)
    choices: Mapping[str, Sequence[str]]  # factor -> level of each configuration (n,)
    level: float | None = None


@dataclass(frozen=True)
class TimeLine:
    """Channels over time, one above the other, with stretches marked, and the anomaly score below them."""

    caption: str
    time: ArrayLike  # (T,) times or numbers
    lines: Mapping[str, ArrayLike]  # channel -> values (T,); "expected" is drawn into the channel before it
    spans: Sequence[tuple[int, int]] = ()  # first and last step of each stretch
    scores: ArrayLike | None = None  # (T,)
    threshold: float | None = None


Block = Words | Table | Lines | Intervals | Distribution | Heat | Specifications | TimeLine


@dataclass(frozen=True)
class Study:
    """The result of an analysis as one reads it.

    Attributes
    ----------
    title : str
        What was asked.
    answer : str
        The result in one or two sentences.
    blocks : sequence of blocks
        Evidence in the order in which one reads it.
    notes : sequence of str
        What limits the answer; shown right under it.
    """

    title: str
    answer: str
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()

    def to_html(self, path: str | Path) -> None:
        """Write one page that needs no network."""
        from unusual.report.study_page import page

        with written_whole(path) as stream:
            stream.write(page(self).encode())

    def to_json(self, path: str | Path) -> None:
        """Write everything on the page as numbers and text."""
        with written_whole(path) as stream:
            stream.write(json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False).encode())

    def as_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and text; what is not finite becomes None."""
        blocks = [
            {"kind": type(block).__name__.lower(), **{f.name: plain(getattr(block, f.name)) for f in fields(block)}}
            for block in self.blocks
        ]
        return {"title": self.title, "answer": self.answer, "notes": list(self.notes), "blocks": blocks}

    def _repr_html_(self) -> str:
        from unusual.report.study_page import fragment

        return fragment(self)


def plain(value: Any) -> Any:
    """Arrays, tuples and mappings as lists and dicts of Python values that JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain((value.astype(str) if value.dtype.kind == "M" else value).tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
