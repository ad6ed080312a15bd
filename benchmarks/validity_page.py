"""The section of docs/benchmarks.md on promised and realised rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.results import table

Row = dict[str, Any]

INTRO = """## Is the alarm rate kept?

Tables with at least 999 normal rows and at most 1,000 columns; normals of each are split at random, and only normal
rows that neither fit nor calibration has seen are counted. "Promised" is floor((n + 1) a) / (n + 1) at n calibration
rows, "99 %" the interval in which the mean over the splits must lie if each follows the beta-binomial law. "Split"
is plain split-conformal prediction (400 rows fitted, 299 for calibration); "left out" fits all 699 and scores each as
if it had not been fitted. Not compared: nonconform 2.0, which needs Python 3.12 or later and could not be installed
beside Python 3.11; KNN "split" is the method of its default, measured in the same run.
"""


def markdown(kept: dict[str, Any]) -> str:
    """What was measured, as Markdown."""
    tell: dict[str, Callable[[list[Row]], str]] = {
        "rates": _rates,
        "sizes": _sizes,
        "references": _references,
        "discoveries": _discoveries,
    }
    return "\n".join([INTRO, *(tell[part](kept[part]["rows"]) for part in tell if kept.get(part, {}).get("rows"))])


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _mean(rows: Iterable[Row], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def _grouped(rows: list[Row], *keys: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return dict(sorted(found.items()))


def _inside(rows: list[Row]) -> str:
    return f"{sum(row['low'] <= row['realised'] <= row['high'] for row in rows)} of {len(rows)}"


def _rates(rows: list[Row]) -> str:
    head = ["detector", "calibration", "rate", "promised", "realised", "tables within 99 %", "recall"]
    summary = [
        [name, how, f"{rate:.0%}", _percent(found[0]["promised"]), _percent(_mean(found, "realised")), _inside(found),
         f"{_mean(found, 'recall'):.3f}"]
        for (name, how, rate), found in _grouped(rows, "detector", "how", "rate").items()
    ]  # fmt: skip
    detail = [
        [row["table"], row["detector"], row["how"], f"{row['rate']:.0%}", _percent(row["realised"]),
         f"{100 * row['low']:.2f} to {100 * row['high']:.2f} %", f"{row['recall']:.3f}"]
        for row in rows
    ]  # fmt: skip
    columns = ["table", "detector", "calibration", "rate", "realised", "99 %", "recall"]
    return f"{table(head, summary)}\nBy table, over {rows[0]['splits']} splits:\n\n{table(columns, detail)}"


def _sizes(rows: list[Row]) -> str:
    head = ["detector", "reference rows", "rate", "threshold", "promised", "realised", "tables within 99 %", "recall"]
    lines = [
        [name, size, f"{rate:.0%}", how, _percent(found[0]["promised"]) if found[0]["promised"] else "–",
         _percent(_mean(found, "realised")), _inside(found) if found[0]["promised"] else "–",
         f"{_mean(found, 'recall'):.3f}"]
        for (name, size, rate, how), found in _grouped(rows, "detector", "size", "rate", "how").items()
    ]  # fmt: skip
    detail = [
        [row["table"], row["detector"], row["size"], f"{row['rate']:.0%}", row["how"], row["splits"],
         _percent(row["realised"]), f"{row['recall']:.3f}"]
        for row in rows
    ]  # fmt: skip
    columns = ["table", "detector", "reference rows", "rate", "threshold", "draws", "realised", "recall"]
    return (
        "### Small references\n\nDisjoint draws of the reference, judged on the same 300 new rows; each reference row "
        "is left out in turn, or 30 % of them are kept for calibration (split). The draws of a table share their new "
        "rows, so that a table may lie outside its interval more often than one in a hundred.\n\n"
        f"{table(head, lines)}\nBy table:\n\n{table(columns, detail)}"
    )


def _references(rows: list[Row]) -> str:
    head = ["detector", "reference", "promised", "realised, mean", "lowest", "highest", "rate withdrawn", "recall"]
    lines = []
    for (name, how), found in _grouped(rows, "detector", "how").items():
        realised = [row["realised"] for row in found]
        ends = [_percent(min(realised)), _percent(max(realised))]
        shown = [_percent(found[0]["promised"]), _percent(_mean(found, "realised")), *ends]
        lines.append([name, how, *shown, f"{_mean(found, 'withdrawn'):.0%}", f"{_mean(found, 'recall'):.3f}"])
    return (
        "### References that are not what they should be\n\nAt 5 %, 699 rows left out in turn. Contaminated: 5 % of "
        "the reference are anomalies. Grouped: lots of about ten rows share half of their variance, new rows come from "
        "new lots. Drifted: every column of the new rows moved by one standard deviation. Lowest and highest are means "
        f"of tables.\n\n{table(head, lines)}"
    )


def _discoveries(rows: list[Row]) -> str:
    head = ["detector", "table", "promised", "false-discovery rate", "standard error", "power"]
    lines = []
    for (name,), found in _grouped(rows, "detector").items():
        lines += [
            [name, row["table"], _percent(row["promised"]), _percent(row["false_discovery_rate"]),
             _percent(row["error"]), f"{row['power']:.3f}"]
            for row in found
        ]  # fmt: skip
        rate, power = _mean(found, "false_discovery_rate"), _mean(found, "power")
        lines.append([name, f"**mean of {len(found)}**", _percent(0.1), _percent(rate), "", f"{power:.3f}"])
    return (
        "### False discoveries\n\nBenjamini-Hochberg at 10 % on 300 rows, a tenth of them anomalies (fewer where the "
        f"table has fewer), 400 rows fitted and 999 for calibration.\n\n{table(head, lines)}"
    )
