"""Scores that lie in a table beside labels: the figures of one, or one against the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.data.labels import labels_of
from unusual.data.read_table import read_table
from unusual.data.split import related
from unusual.data.table import Table
from unusual.errors import InputError
from unusual.evaluate.comparison import Comparison, paired_comparison
from unusual.evaluate.metrics import auroc, average_precision
from unusual.evaluate.scorecard import Scorecard, summary
from unusual.evaluate.series_figures import series_summary
from unusual.study import Block, Cell, Intervals, Study
from unusual.study import Table as Cells

NAMES = ("anomaly_score", "score", "scores")  # of a column, where none is given


def run(
    source: Any,
    label: str,
    scores: Sequence[str] = (),
    *,
    group: str | None = None,
    series: bool = False,
    steps_per_day: float | None = None,
    random_state: int = 0,
) -> Study:
    """How good are these scores? Every metric with its interval; of several columns of scores, which is better.

    Parameters
    ----------
    source : anything that `scan` reads, with labels and scores in columns
    label : column of 0 normal, 1 anomalous
    scores : columns of scores, higher is more unusual; by default one called score
    group : column of related rows, which are resampled together
    series : whether the rows are steps in time: metrics of ranges and events, for one column of scores
    steps_per_day : rows in a day, for alarms a day
    random_state : seed of the resamples

    Raises
    ------
    InputError
        If a column is not there or holds something else; the sentence says what to do.
    """
    table = read_table(source)
    names = list(scores) or [name for name in NAMES if name in table.names][:1]
    if not names:
        raise InputError(f"{table.name} has no column called score; name the columns of scores with scores=")
    y = labels_of(table, label)
    given = {name: _numbers(table, name) for name in names}
    groups = None if group is None else related(table.select([group]), group, [])
    if series:
        if len(names) > 1 or group is not None:
            raise InputError("a series is judged by one column of scores and without groups; give just one")
        return series_summary(y, given[names[0]], steps_per_day, random_state=random_state).study()
    cards = {name: summary(y, s, groups, random_state=random_state) for name, s in given.items()}
    if len(cards) == 1:
        return cards[names[0]].study()
    against = [
        (other, paired_comparison(y, given[names[0]], given[other], metric, groups, random_state=random_state))
        for other in names[1:]
        for metric in (auroc, average_precision)
    ]
    return _compared(cards, against)


def _numbers(table: Table, name: str) -> NDArray[np.float64]:
    values = table[name]
    if values.dtype.kind not in "bif":
        raise InputError(f"the column {name!r} holds no numbers; scores are numbers, higher for more unusual")
    return values.astype(np.float64)


def _compared(cards: dict[str, Scorecard], against: list[tuple[str, Comparison]]) -> Study:
    """Several scores side by side, and the first against each of the others."""
    first = next(iter(cards))
    said = []
    for other, c in against:
        clear = not c.interval.low <= 0 <= c.interval.high
        verdict = ("better than" if c.effect > 0 else "worse than") if clear else "not clearly different from"
        span = f"{c.effect:+.3f}, interval {c.interval.low:+.3f} to {c.interval.high:+.3f}"
        said.append(f"in {c.metric} `{first}` is {verdict} `{other}` ({span})")
    metrics = [figure.name for figure in cards[first].figures]
    rows: list[list[Cell]] = [
        [name, *(card[name].value for card in cards.values()), cards[first][name].chance] for name in metrics
    ]
    differences = [
        (f"{c.metric}: {first} minus {other}", c.effect, c.interval.low, c.interval.high) for other, c in against
    ]
    blocks: list[Block] = [
        Intervals("Differences on the same items; 0 is none", "difference", differences, 0.0),
        Cells("All figures", ["metric", *cards, "by chance"], rows),
    ]
    notes = list(dict.fromkeys(note for card in cards.values() for note in card.notes))
    return Study(f"Is `{first}` better?", "; ".join(said), blocks, notes)
