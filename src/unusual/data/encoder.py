"""TableEncoder: a table as a matrix of finite numbers, learned from reference rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data import ranks
from unusual.data.cells import LARGE
from unusual.data.columns import SAMPLE, Column, describe_columns, spread
from unusual.data.encodings import ENCODINGS, State, category_codes, differs, fit_date, text_of
from unusual.data.ranks import Rank, shown
from unusual.data.table import Array, Table, listed, missing
from unusual.errors import InputError, ModelFileError, suggest

_USED = {"number": "number", "boolean": "number", "date": "date", "category": "category", "text": "text"}


class TableEncoder:
    """Turns tables into matrices; medians, values of categories and constants come from the fitted rows only.

    Attributes
    ----------
    names_ : list of str, length d
        Names of the features.
    source_ : int array (d,)
        Index of the column of `columns_` that each feature comes from.
    columns_ : list of Column
        What was done with each column of the reference.
    notes_ : list of str
        Sentences about the fit.
    rows_ : int
        Reference rows.
    """

    names_: list[str]
    source_: NDArray[np.int64]
    columns_: list[Column]
    notes_: list[str]
    rows_: int

    def fit(
        self,
        table: Table,
        *,
        id: str | None = None,
        group: str | None = None,
        label: str | None = None,
        time: str | None = None,
        rows: Array | None = None,
    ) -> TableEncoder:
        """Learn from `rows` of the table (None: all); medians from at most 200,000 of them.

        Parameters
        ----------
        table : Table
        id, group, label, time : str, optional
            See `describe_columns`.
        rows : int array (m,) or bool array (n,), optional
            The only rows that are looked at.

        Raises
        ------
        InputError
            If no column is left to compare rows by.
        """
        reference = table if rows is None else table.take(rows)
        self.rows_, self.notes_ = len(reference), []
        self.columns_ = describe_columns(reference, id=id, group=group, label=label, time=time)
        if self.rows_ > SAMPLE:
            self.notes_.append(f"medians come from {SAMPLE:,} of {self.rows_:,} rows, spread evenly")
        self.encodings_ = [
            self._learn(column, reference.columns[column.name], running=column.name == time) for column in self.columns_
        ]
        if not any(column.used for column in self.columns_):
            raise InputError(
                f"no column of {table.name} is left to compare rows by ({_why(self.columns_)}); add columns that vary."
            )
        numeric = [c.name for c in self.columns_ if reference.columns[c.name].dtype.kind in "bifM" and c.levels]
        self.ranks_ = {name: ranks.kept(reference.columns[name], len(numeric)) for name in numeric}
        features = self._features(reference.take(slice(0, 1)))
        self.names_ = [name for _, name, _ in features]
        self.source_ = np.array([source for source, _, _ in features], dtype=np.int64)
        return self

    def _learn(self, column: Column, values: Array, running: bool) -> State:
        """What to do with a column: {"how": name of the encoding, or "" to leave it out, ...}."""
        if column.levels == 0 or column.kind == "constant":
            how = "constant"
        elif not column.used:
            return {"how": ""}
        else:
            how = "presence" if column.kind == "mostly missing" or column.levels == 1 else _USED[column.kind]
        if how not in ("category", "constant"):  # these need every row: a value not counted would be taken for new
            values = values[spread(len(values))]
        learned = fit_date(values, running) if how == "date" else ENCODINGS[how][0](values)
        return {"how": how, **learned}

    def _features(self, table: Table) -> list[tuple[int, str, Array]]:
        """Source, name and values (n,) of each feature."""
        features = []
        for j, (column, state) in enumerate(zip(self.columns_, self.encodings_, strict=True)):
            if state["how"]:
                encode = ENCODINGS[state["how"]][1]
                features += [(j, name, f) for name, f in encode(column.name, table.columns[column.name], state)]
        return features

    def transform(self, table: Table) -> NDArray[Any]:
        """The table as a finite matrix (n, d): float32 if all its numbers are or it is large, else float64.

        Raises
        ------
        InputError
            If a column of the reference is not there, or holds another type.
        """
        self._require(table)
        used = [
            table.columns[c.name] for c, s in zip(self.columns_, self.encodings_, strict=True) if s["how"] == "number"
        ]
        small = len(table) > LARGE or (bool(used) and all(values.dtype == np.float32 for values in used))
        matrix = np.empty((len(table), len(self.names_)), dtype=np.float32 if small else np.float64)
        k = 0
        for column, state in zip(self.columns_, self.encodings_, strict=True):
            if state["how"]:
                for _, values in ENCODINGS[state["how"]][1](column.name, table.columns[column.name], state):
                    matrix[:, k] = values
                    k += 1
        return matrix

    def fit_transform(self, table: Table, **named: Any) -> NDArray[Any]:
        """`fit` with the same arguments, then `transform` of the whole table."""
        return self.fit(table, **named).transform(table)

    def _require(self, table: Table) -> None:
        needed = [c.name for c, s in zip(self.columns_, self.encodings_, strict=True) if s["how"]]
        lacking = [name for name in needed if name not in table.columns]
        if lacking:
            raise InputError(
                f"{table.name} lacks {len(lacking):,} of the reference's columns ({listed(lacking)[8:]})"
                f"{suggest(lacking[0], table.names)}; give the same columns as the reference."
            )

    def check(self, table: Table) -> list[str]:
        """Sentences about what the table holds and the reference does not: columns, values, changed constants."""
        self._require(table)
        known = {column.name for column in self.columns_}
        extra = [name for name in table.names if name not in known]
        notes = (
            [f"{len(extra):,} columns are ignored, as the reference lacks them ({listed(extra)[8:]})"] if extra else []
        )
        for column, state in zip(self.columns_, self.encodings_, strict=True):
            if state["how"]:
                notes += _changes(column, table.columns[column.name], state)
        return notes

    def rank_of(self, name: str, value: Any) -> Rank:
        """How many reference rows lie below, at and above `value` in a column of numbers or dates.

        Raises
        ------
        InputError
            If the column holds no numbers.
        """
        if name not in self.ranks_:
            raise InputError(f"column {name!r} has no order to rank by{suggest(name, list(self.ranks_))}.")
        return ranks.rank(self.ranks_[name], value)

    def count_of(self, name: str, value: Any) -> tuple[int, int]:
        """How many reference rows have this value of a category, and how many rows were counted.

        Raises
        ------
        InputError
            If the column is no category.
        """
        state = self._state_of(name)
        if state["how"] != "category":
            raise InputError(f"column {name!r} is no category; ask for rank_of.")
        counts = dict(zip(state["levels"], state["counts"], strict=True))
        return int(counts.get("" if value is None else text_of(value), 0)), int(state["n"])

    def quantiles(self, name: str, shares: Sequence[float]) -> list[Any]:
        """Values (float or datetime64) below which these shares of the reference lie, in a column that has an order.

        Raises
        ------
        InputError
            If the column holds no numbers.
        """
        if name not in self.ranks_:
            raise InputError(f"column {name!r} has no order to rank by{suggest(name, list(self.ranks_))}.")
        return ranks.quantiles(self.ranks_[name], shares)

    def commonest(self, name: str, most: int = 4) -> list[tuple[str, int]]:
        """The commonest values of a category in the reference ("" stands for missing), and how many rows have each."""
        state = self._state_of(name)
        if state["how"] != "category":
            raise InputError(f"column {name!r} is no category; ask for quantiles.")
        return [(str(v), int(n)) for v, n in zip(state["levels"][:most], state["counts"][:most], strict=True)]

    def usual_range(self, name: str) -> str:
        """What a column usually holds: "9.71 to 21.2" (the middle 98 % of the rows), or its commonest values."""
        state = self._state_of(name)
        if state["how"] == "category":
            commonest = zip(state["levels"][:3], state["counts"], strict=False)
            shares = [f"{shown(level or None)} ({100 * count / state['n']:.3g} %)" for level, count in commonest]
            others = len(state["levels"]) - 3
            return ", ".join(shares) + (f" or one of {others:,} other{'s' * (others > 1)}" if others > 0 else "")
        if state["how"] == "constant" and name not in self.ranks_:
            return f"always {shown(state['value'])}"
        if name in self.ranks_:
            low, high = ranks.middle(self.ranks_[name])
            always = "always " * (state["how"] == "constant")
            return f"{shown(low)} to {shown(high)}" if low != high else always + shown(low)
        return "text" if state["how"] == "text" else ""

    def treatment_of(self, name: str) -> str:
        """How a column is encoded: "number", "category", "date", "text", "constant", "presence", or "" if left out."""
        return str(self._state_of(name)["how"])

    def has_order(self, name: str) -> bool:
        """Whether `rank_of` can be asked for a column."""
        return name in self.ranks_

    def _state_of(self, name: str) -> State:
        names = [column.name for column in self.columns_]
        if name not in names:
            raise InputError(f"the reference has no column {name!r}{suggest(name, names)}.")
        return self.encodings_[names.index(name)]

    def state(self) -> dict[str, Any]:
        """Everything learned, as plain values and arrays, for saving."""
        return {
            "columns": [asdict(column) for column in self.columns_],
            "encodings": self.encodings_,
            "ranks": {name: ranks.saved(kept) for name, kept in self.ranks_.items()},
            "names": self.names_,
            "source": self.source_,
            "notes": self.notes_,
            "rows": self.rows_,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableEncoder:
        """The encoder that gave this `state()`.

        Raises
        ------
        ModelFileError
            If the state does not hold together.
        """
        encoder = cls()
        try:
            encoder.columns_ = [Column(**column) for column in state["columns"]]
            encoder.encodings_ = [dict(encoding) for encoding in state["encodings"]]
            encoder.ranks_ = {name: ranks.restored(kept) for name, kept in state["ranks"].items()}
            encoder.names_, encoder.notes_ = list(state["names"]), list(state["notes"])
            encoder.source_, encoder.rows_ = np.asarray(state["source"], dtype=np.int64), int(state["rows"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelFileError(
                f"the saved treatment of the columns is broken ({error}); save the model again."
            ) from error
        known = all(encoding.get("how") in ("", *ENCODINGS) for encoding in encoder.encodings_)
        if not known or len(encoder.encodings_) != len(encoder.columns_) or len(encoder.names_) != len(encoder.source_):
            raise ModelFileError("the saved treatment of the columns does not hold together; save the model again.")
        return encoder


def _why(columns: list[Column]) -> str:
    return "; ".join(f"`{column.name}` is {column.kind}" for column in columns[:3]) + (
        "; ..." if len(columns) > 3 else ""
    )


def _changes(column: Column, values: Array, state: State) -> list[str]:
    if state["how"] == "constant":
        many = int(differs(values, state).sum())
        always = f"always {shown(state['value'])}" if state["value"] is not None else "always missing"
        return [f"`{column.name}` was {always} in the reference and is not in {many:,} rows"] if many else []
    if state["how"] == "category":
        many = int((category_codes(values, state) < 0).sum())
        return [f"`{column.name}` holds a value that the reference lacks in {many:,} rows"] if many else []
    many = int(missing(values).sum())
    return (
        [f"`{column.name}` is missing in {many:,} row{'s' * (many > 1)}, and never in the reference"]
        if many and not column.missing
        else []
    )
