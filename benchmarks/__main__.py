"""Run the benchmarks, or one, and write docs/benchmarks.md from what is kept of all of them."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

from benchmarks import page
from benchmarks.peers import single_thread

NAMES = (
    "tables_accuracy",
    "auto_table_choice",
    "series_accuracy",
    "tables_speed",
    "series_speed",
    "scan_end_to_end",
    "validity",
)


def main() -> None:
    """Each benchmark runs in a process of its own, so that none inherits memory, threads or settings of another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*NAMES, "page"], help="one benchmark, or the page alone")
    parser.add_argument("--only", nargs="+", default=[], help="parts or rows of it; see the head of its file")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        importlib.import_module(f"benchmarks.{given.name}").run(given.only)
        return
    chosen = NAMES if given.name is None else [name for name in NAMES if name == given.name]
    for name in chosen:
        command = [
            sys.executable,
            "-m",
            "benchmarks",
            name,
            "--inside",
            *(["--only", *given.only] if given.only else []),
        ]
        subprocess.run(command, check=True, env=single_thread())
    page.write()


if __name__ == "__main__":
    main()
