"""Finished runs of a seed scan, one line of JSON each, kept under a hash of their configuration."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unusual.errors import InputError

Key = tuple[str, int]


class SeedCache:
    """Results by seeds and attempt, in memory and, where a path is given, in a file that only grows.

    A line that was cut off by an interruption is dropped; a file with other broken lines is refused.
    """

    def __init__(self, path: str | Path | None, configuration: Mapping[str, Any]) -> None:
        self._path = None if path is None else Path(path)
        self._name = _hash(configuration)
        self._known: dict[Key, float] = {}
        if self._path is not None and self._path.exists():
            self._read(self._path)

    def get(self, seeds: Mapping[str, int], attempt: int) -> float | None:
        """The result, NaN for a failed run, None for one that was never made."""
        return self._known.get((_hash(seeds), attempt))

    def add(self, results: Iterable[tuple[Mapping[str, int], float]], attempt: int) -> None:
        """Keep finished runs."""
        lines = []
        for seeds, value in results:
            self._known[_hash(seeds), attempt] = value
            number = None if math.isnan(value) else value
            lines.append({"configuration": self._name, "seeds": dict(seeds), "attempt": attempt, "value": number})
        if self._path is not None:
            try:
                with self._path.open("a", encoding="utf-8") as stream:
                    stream.writelines(json.dumps(line) + "\n" for line in lines)
            except OSError as error:
                raise InputError(f"cannot write {self._path}: {error.strerror}; choose another cache") from error

    def _read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {path} as a cache of seeds; choose another file") from error
        whole, _, cut = text.rpartition("\n")
        if cut:  # the last line was not finished: keep what is before it, or new lines would join it
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")
        for number, line in enumerate(whole.split("\n") if whole else [], 1):
            try:
                entry = json.loads(line)
                value = math.nan if entry["value"] is None else float(entry["value"])
                key = _hash(entry["seeds"]), int(entry["attempt"])
                mine = entry["configuration"] == self._name
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"line {number} of {path} is no finished run; choose another file") from error
            if mine:
                self._known[key] = value


def _hash(content: Mapping[str, Any]) -> str:
    """A name of what JSON can hold, whatever the order of its keys."""
    try:
        text = json.dumps(content, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"configuration cannot be written as JSON ({error}); give numbers, text and lists") from error
    return hashlib.sha256(text.encode()).hexdigest()[:16]
