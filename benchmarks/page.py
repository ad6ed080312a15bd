"""docs/benchmarks.md, put together from what is kept of all benchmarks."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import accuracy_page, auto_table_choice, series_accuracy, series_speed, speed_page
from benchmarks.results import load, table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
INTRO = """# Benchmarks

Side by side with PyOD, scikit-learn and stumpy. Everything here was measured by `make bench`; nothing is copied from
papers.
Peers run in an environment of their own (`benchmarks/.peers`, made on first use), both sides with one thread.

Reproduce: `make bench` for all, `make bench NAME=tables_speed` for one, or
`.venv/bin/python -m benchmarks tables_speed --only knn` for one row. The labelled tables are 21 sets of the ADBench
collection, found through `UNUSUAL_TEST_DATA`. Figures are kept in `benchmarks/results`.
"""


def sections() -> dict[str, Callable[[dict[str, Any]], str]]:
    """How each benchmark is told; one that has its own `markdown` tells itself."""
    own = importlib.util.find_spec("benchmarks.validity")
    validity = importlib.import_module("benchmarks.validity").markdown if own else lambda _: ""
    return {
        "tables_accuracy": accuracy_page.markdown,
        "auto_table_choice": auto_table_choice.markdown,
        "series_accuracy": series_accuracy.markdown,
        "validity": validity,
        "tables_speed": speed_page.markdown,
        "series_speed": series_speed.markdown,
        "scan_end_to_end": speed_page.end_to_end,
    }


def write(path: Path = PAGE) -> None:
    """Write the page; benchmarks without results are left out."""
    parts = [INTRO, _machines()]
    for name, tell in sections().items():
        kept = load(name)
        if kept:
            parts.append(tell(kept))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(part.strip() + "\n" for part in parts if part.strip()), encoding="utf-8")


def _machines() -> str:
    """The machines that the figures come from, each once, with what was measured on it."""
    found: dict[str, dict[str, Any]] = {}
    measured: dict[str, dict[str, list[dict[str, Any]]]] = {}  # by machine, by benchmark
    for name in sections():
        for value in load(name).values():
            machine = value["machine"]
            key = f"{machine['processor']} {machine['flags']}"
            if key not in found or machine["day"] > found[key]["day"] or "peers" in machine:
                found[key] = {**machine, "peers": machine.get("peers", found.get(key, {}).get("peers", {}))}
            measured.setdefault(key, {}).setdefault(name, []).append(machine)
    lines = []
    for key, machine in found.items():
        versions = {**machine["versions"], **{f"peers' {name}": v for name, v in machine["peers"].items()}}
        lines += [
            ["processor", machine["processor"]],
            ["flags", " ".join(machine["flags"])],
            ["kernels", machine["kernels"]],
            ["cores, memory", f"{machine['cores']}, {machine['memory_gb']} GB, {machine['system']}"],
            ["Python", machine["python"]],
            ["versions", ", ".join(f"{name} {version}" for name, version in versions.items())],
            ["measured", "; ".join(_when(name, parts) for name, parts in measured[key].items())],
        ]
    return "## Where it was measured\n\n" + table(["", ""], lines) if lines else ""


def _when(name: str, machines: list[dict[str, Any]]) -> str:
    """When the parts of a benchmark were measured, and how busy the machine was with other work."""
    days, loads = sorted(m["day"] for m in machines), sorted(m["load"] for m in machines)
    return f"{name} {days[0]} to {days[-1]}, load {loads[0]} to {loads[-1]}"
