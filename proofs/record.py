"""Keeps the result of each proof as one small file, and writes the page and the list of all of them."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs.reach import ROOT, code_fingerprint, data_fingerprint

PROOFS = ROOT / "proofs"
RESULTS = PROOFS / "results"
DOCS = ROOT / "docs"
TEST_DATA = Path(os.environ.get("UNUSUAL_TEST_DATA", ROOT.parent / "shared" / "data"))
MACHINERY = {"__init__", "__main__", "harness", "reach", "record", "scenarios"}
HEADER = """# Proofs

Each row is an experiment that can fail: run with paired seeds, against the named rival, with the margin said before.
The interval is a 95 % bootstrap of the difference, ours minus baseline, over seeds or over data sets. Each proof is
also run with its key step removed and must then fail. Run them all with `make proofs`, one with
`make proofs NAME={example}`.

| claim | data | measured | baseline | ours | difference | verdict | minutes |
| --- | --- | --- | ---: | ---: | --- | --- | ---: |
"""


@dataclass(frozen=True)
class Entry:
    """One proof: its name such as "decide/alarm_rate", its file and what is kept of it."""

    name: str
    path: Path

    @property
    def module(self) -> Any:
        return importlib.import_module("proofs." + self.name.replace("/", "."))

    @property
    def kept_at(self) -> Path:
        return RESULTS / f"{self.name.replace('/', '.')}.json"

    def kept(self) -> dict[str, Any] | None:
        """The last result, or None if it has never run."""
        if not self.kept_at.is_file():
            return None
        result: dict[str, Any] = json.loads(self.kept_at.read_text(encoding="utf-8"))
        return result

    def fingerprints(self) -> dict[str, str | None]:
        """Of the code it reaches and of its data."""
        patterns = tuple(getattr(self.module, "FILES", ()))
        return {"code": code_fingerprint(self.path), "data": data_fingerprint(data_dir(), patterns)}

    def is_stale(self) -> bool:
        """Whether code or data changed since the last result; absent data cannot be told from unchanged ones."""
        kept = self.kept()
        if kept is None:
            return True
        now = self.fingerprints()
        return now["code"] != kept["code"] or now["data"] not in (None, kept["data"])

    def keep(self, result: dict[str, Any]) -> None:
        """Write the result with what it stands on."""
        module = self.module
        head = {"name": self.name, "system": module.SYSTEM, "data_used": module.DATA, **self.fingerprints()}
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps({**head, **result}, indent=1, ensure_ascii=False)
        self.kept_at.write_text(text + "\n", encoding="utf-8")


def data_dir() -> Path | None:
    """The folder of real data, or None where there is none."""
    return TEST_DATA if TEST_DATA.is_dir() else None


def entries() -> list[Entry]:
    """All proofs, in alphabetical order."""
    paths = (p for p in PROOFS.rglob("*.py") if p.parent != PROOFS and p.stem not in MACHINERY)
    return [Entry("/".join(p.relative_to(PROOFS).with_suffix("").parts), p) for p in sorted(paths)]


def rows(found: list[Entry]) -> list[dict[str, Any]]:
    """One object per proof that has a result, its main part first."""
    listed = []
    for entry in found:
        kept = entry.kept()
        if kept is None:
            continue
        main = kept["parts"][0] if kept["parts"] else dict.fromkeys(("claim", "metric", "baseline", "ours", "interval"))
        row = {"system": kept["system"], "name": entry.name, "data": kept["data_used"]}
        row |= {key: main[key] for key in ("claim", "metric", "baseline", "ours", "interval")}
        row |= {key: kept[key] for key in ("verdict", "seconds", "note", "parts")}
        row["claim"] = row["claim"] or (entry.module.__doc__ or entry.name).splitlines()[0]
        listed.append({**row, "stale": entry.is_stale()})
    return listed


def write_pages(found: list[Entry]) -> None:
    """docs/proofs.md and docs/proofs.json from what is kept."""
    listed = rows(found)
    DOCS.mkdir(exist_ok=True)
    text = json.dumps(listed, indent=1, ensure_ascii=False)
    (DOCS / "proofs.json").write_text(text + "\n", encoding="utf-8")
    example = listed[0]["name"].rpartition("/")[2] if listed else "alarm_rate"
    page = HEADER.format(example=example) + "".join(_lines(row) for row in listed) + _notes(listed)
    (DOCS / "proofs.md").write_text(page, encoding="utf-8")


def _lines(row: dict[str, Any]) -> str:
    """The table lines of a proof: one for each part, the verdict of the whole on the first."""
    stale = " (stale)" if row["stale"] else ""
    if not row["parts"]:
        return f"| {row['claim']} | {row['data']} | – | – | – | – | **{row['verdict']}**{stale} | – |\n"
    lines = []
    for number, part in enumerate(row["parts"]):
        whole = f"**{row['verdict']}**{stale}" if number == 0 else ""
        own = part["verdict"] if len(row["parts"]) > 1 else ""
        low, high = part["interval"]
        cells = [
            part["claim"],
            row["data"] if number == 0 else "",
            f"{part['metric']}, {_wanted(part)}",
            f"{part['baseline']:.3g}" + (f" ({part['against']})" if part["against"] else ""),
            f"{part['ours']:.3g}",
            f"{low:+.2g} to {high:+.2g}",
            "; ".join(filter(None, [whole, own])),
            f"{row['seconds'] / 60:.1f}" if number == 0 else "",
        ]
        lines.append("| " + " | ".join(cells) + " |\n")
    return "".join(lines)


def _wanted(part: dict[str, Any]) -> str:
    margin = f"{part['margin']:g}"
    if part["better"] == "equal":
        return f"equal within {margin}"
    return f"{part['better']} is better" + (f", by {margin}" if part["margin"] else "")


def _notes(listed: list[dict[str, Any]]) -> str:
    notes = [(row["name"], row["note"]) for row in listed if row["note"]]
    notes += [(row["name"], part["note"]) for row in listed for part in row["parts"] if part["note"]]
    return "\n" + "".join(f"- {name}: {note}\n" for name, note in dict.fromkeys(notes)) if notes else ""
