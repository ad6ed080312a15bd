"""What a hold-out was asked and what it answered, as a record that can be shown to those who ask."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unusual.errors import InputError, UnusualError
from unusual.study import Cell, Lines, Study, Table

SOURCES = ("train", "holdout", "repeated")
FEW = 500  # rows of a hold-out
SHOWN = 50


class BudgetSpent(UnusualError):
    """The hold-out has given all the answers of its own that it may give."""


@dataclass(frozen=True)
class Asked:
    """One question: its name, the answer given, and where that came from.

    `source` is "train" where the hold-out agreed with the training data, "holdout" where it did not and was heard with
    noise, "repeated" where the same question had been answered before.
    """

    name: str
    answer: float
    source: str

    def __post_init__(self) -> None:
        if self.source not in SOURCES or not math.isfinite(self.answer):
            raise InputError(f"an answer of {self.answer!r} from {self.source!r} is none that a hold-out gives")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class HoldoutRecord:
    """Everything a hold-out was asked.

    Attributes
    ----------
    asked : tuple of Asked
        In order; nothing in it tells the mean of the hold-out but for noise.
    budget, budget_left : int
        Answers of its own that the hold-out may give, and those left.
    threshold, noise : float
        Difference from which it is heard, and scale of its noise.
    rows : int
        Of the hold-out.
    """

    asked: tuple[Asked, ...]
    budget: int
    budget_left: int
    threshold: float
    noise: float
    rows: int

    @property
    def questions(self) -> int:
        """Different questions answered."""
        return sum(entry.source != "repeated" for entry in self.asked)

    @property
    def overfit(self) -> float:
        """Share of the questions on which training data and hold-out did not agree; NaN before the first."""
        found = sum(entry.source == "holdout" for entry in self.asked)
        return found / self.questions if self.questions else math.nan

    def study(self) -> Study:
        """Answers given, budget left, and how often the training data had misled."""
        spent = self.budget - self.budget_left
        if not self.questions:
            answer = f"Nothing has been asked yet; {self.budget:,} answers of its own are left to the hold-out."
        else:
            answer = (
                f"Of {self.questions:,} questions {spent:,} ({self.overfit:.1%}) fitted the training data but not the "
                f"hold-out; {self.budget_left:,} of {self.budget:,} answers of its own are left."
            )
        rows: list[list[Cell]] = [[number + 1, e.name, e.answer, e.source] for number, e in enumerate(self.asked)]
        caption = "The answers" if len(self.asked) <= SHOWN else f"The last {SHOWN} of {len(self.asked):,} answers"
        return Study(
            "Can the hold-out still be believed?",
            answer,
            [self._chart(), Table(caption, ("question", "name", "answer", "from"), rows[-SHOWN:])]
            if self.asked
            else [],
            self._notes(),
        )

    def _chart(self) -> Lines:
        used = np.cumsum([entry.source == "holdout" for entry in self.asked])
        number = np.arange(1, len(self.asked) + 1)
        return Lines(
            "Answers of its own that the hold-out gave",
            "questions asked",
            "answers",
            {"given": (number, used)},
            levels={"budget": float(self.budget)} if used[-1] > self.budget / 3 else {},
        )

    def _notes(self) -> tuple[str, ...]:
        notes = [
            f"An answer from the training data lies within about {self.threshold:.2g} of the hold-out, one from the "
            f"hold-out carries noise of scale {self.noise:.2g}; that holds while the hold-out is seen in no other way."
        ]
        if self.rows < FEW:
            notes.append(
                f"The hold-out has {self.rows:,} rows: what it cannot tell from chance is wider than 5 %; {FEW} or "
                "more are needed to say anything finer."
            )
        if not self.budget_left:
            notes.append("The budget is spent: further questions are refused until there is a new hold-out.")
        return tuple(notes)
