"""Run the proofs whose code or data changed, one by name, or the quick ones, and write docs/proofs.md and .json."""

from __future__ import annotations

import argparse
import sys

from proofs import record
from proofs.harness import DataAbsent, prove

QUICK = 10.0  # seconds of the last run


def main(arguments: list[str] | None = None) -> int:
    """Exit status 2 if there is no proof of the given name, else 0: a claim that does not hold is a result."""
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    parser.add_argument("name", nargs="?", help="run this one, changed or not, such as alarm_rate")
    parser.add_argument("--quick", action="store_true", help="only those that took less than ten seconds")
    options = parser.parse_args(arguments)
    found = record.entries()
    chosen = [e for e in found if options.name in (None, e.name, e.name.rpartition("/")[2])]
    if not chosen:
        print(f"there is no proof {options.name!r}; there are: {', '.join(e.name for e in found)}", file=sys.stderr)
        return 2
    for entry in chosen:
        if options.name is None and not (entry.is_stale() and (is_quick(entry) or not options.quick)):
            print(f"{entry.name}: kept")
            continue
        try:
            result = prove(entry.module.run, record.data_dir())
        except DataAbsent as reason:
            print(f"{entry.name}: skipped, {reason}")
            continue
        entry.keep(result)
        print(f"{entry.name}: {result['verdict']}, {result['seconds']:.0f} s", flush=True)
    record.write_pages(found)
    return 0


def is_quick(entry: record.Entry) -> bool:
    """Whether the last run took less than ten seconds; one that has never run says so itself by `QUICK = True`."""
    kept = entry.kept()
    return kept["seconds"] < QUICK if kept else bool(getattr(entry.module, "QUICK", False))


if __name__ == "__main__":
    sys.exit(main())
