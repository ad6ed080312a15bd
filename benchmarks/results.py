"""Results kept as JSON, part by part, so that one row can be measured again without the others."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def load(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """What is kept of the benchmark `name`; empty where nothing is."""
    path = folder / f"{name}.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return kept


def keep(name: str, part: str, value: Any, folder: Path = RESULTS) -> None:
    """Replace one part of the results of `name`."""
    change(name, part, lambda _: value, folder)


def change(name: str, part: str, changed: Callable[[Any], Any], folder: Path = RESULTS) -> None:
    """Replace one part by `changed(part)` (of None where it is new), one process at a time.

    The file is written whole and then renamed, so that a run that is broken off leaves no half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Path(__file__).open() as lock:  # any file that is there will do
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = load(name, folder)
        kept[part] = changed(kept.get(part))
        fresh = folder / f"{name}.json.new"
        fresh.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(folder / f"{name}.json")


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table; numbers are right-aligned."""
    width = len(columns)
    right = [all(not isinstance(row[i], str) or row[i][:1] in "–-+0123456789" for row in rows) for i in range(width)]
    lines = [columns, ["---:" if rows and i and right[i] else "---" for i in range(width)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"
