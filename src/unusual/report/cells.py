"""The cells of a finding, as a reader sees them: value, usual range, a small picture, and share of the push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unusual.data.ranks import shown
from unusual.explain.reasons import Contribution
from unusual.report.draw import QUANTILES, bars, levels, strip

if TYPE_CHECKING:
    from unusual.data.encoder import TableEncoder

MOST_BARS = 12
LONGEST = 60  # characters of a name or a value


@dataclass(frozen=True)
class Cell:
    """One column of one finding; `share` is that of everything that pushes the score up, 0 to 1."""

    name: str
    value: str
    usual: str
    picture: str
    share: float


def cut(text: object, most: int = LONGEST) -> str:
    """A text of at most `most` characters."""
    words = str(text)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def pushing(found: list[Contribution], encoder: TableEncoder, most: int = 4) -> list[Cell]:
    """The cells that push a score up most, until little is left to say."""
    total = sum(c.contribution for c in found if c.contribution > 0)
    cells = [
        Cell(cut(c.feature), cut(shown(c.value)), _usual(c, encoder), drawn(c, encoder), c.contribution / total)
        for c in found[:most]
        if c.contribution > 0
    ]
    return [cell for i, cell in enumerate(cells) if i < 2 or cell.share >= 0.05]


def _usual(c: Contribution, encoder: TableEncoder) -> str:
    if encoder.treatment_of(c.feature) == "text":
        return "judged by length, words, digits, capitals and signs"
    return f"usual: {cut(c.usual, 90)}" if c.usual else "nothing to compare with"


def drawn(c: Contribution, encoder: TableEncoder) -> str:
    """A cell against the reference: a strip for what has an order, bars for categories, nothing for the others."""
    title = f"{cut(c.feature)} against the reference"
    if encoder.treatment_of(c.feature) == "category":
        counts = [(cut(name) or "missing", count) for name, count in encoder.commonest(c.feature, 3)]
        count, total = encoder.count_of(c.feature, c.value)
        value = "missing" if c.value is None else cut(c.value)
        if all(name != value for name, _ in counts) and count:
            counts.append((value, count))
        return levels(counts, value, total, title=title)
    if c.value is None or isinstance(c.value, str) or not encoder.has_order(c.feature):
        return ""
    if isinstance(c.value, bool):
        below, equal, above, n, _ = encoder.rank_of(c.feature, c.value)
        return levels([("true", above + equal * c.value), ("false", below + equal * (not c.value))], shown(c.value), n,
                      title=title)  # fmt: skip
    quantiles = encoder.quantiles(c.feature, QUANTILES)
    ends = shown(quantiles[0]), shown(quantiles[-1])
    if isinstance(quantiles[0], np.datetime64) and quantiles[-1] - quantiles[0] > np.timedelta64(3, "D"):
        ends = ends[0][:10], ends[1][:10]  # days without the time of day
    return strip(_number(c.value), [_number(q) for q in quantiles], title=title, said="", ends=ends)


def _number(value: Any) -> float:
    """A number or a date as a position on an axis."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float(np.datetime64(value, "us").astype(np.int64))


def all_bars(found: list[Contribution]) -> str:
    """What every column adds to a score; those beyond the leading ones as one bar."""
    listed, rest = found[:MOST_BARS], found[MOST_BARS:]
    names = [cut(c.feature, 40) for c in listed]
    values = [c.contribution for c in listed]
    if rest:
        names.append(f"{len(rest):,} other columns")
        values.append(float(sum(c.contribution for c in rest)))
    return bars(
        names, values, title="What each column adds to the score", said=[f"{v:+.3g}" for v in values], width=400
    )
