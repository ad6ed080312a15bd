"""The methods of this library, read from the cards at the head of their files without importing them."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from unusual.errors import InputError, suggest

PACKAGE = Path(__file__).parent
FIELDS = ("role", "data", "names", "system", "paper", "needs", "checkpoint")
ROLES = (
    "detector",
    "explainer",
    "test",
    "audit",
    "guard",
    "synthesizer",
    "sampler",
    "learner",
    "data set",
    "protocol",
    "simulation",
)
DATA = ("table", "series", "events", "image", "video", "audio", "pointcloud", "text", "any")
_DOCSTRING = re.compile(r'\A"""(.*?)"""', re.DOTALL)
_DEFINITION = re.compile(r"^(?:class|def) ([A-Za-z]\w*)", re.MULTILINE)


@dataclass(frozen=True)
class Card:
    """What stands at the head of a method file."""

    name: str
    title: str
    role: str
    data: str
    paper: str
    system: str
    needs: tuple[str, ...]
    checkpoint: str
    module: str
    text: str = field(repr=False, default="")


@lru_cache(maxsize=1)
def cards() -> dict[str, Card]:
    """All cards by public name, in alphabetical order."""
    found = [card for path in sorted(PACKAGE.rglob("*.py")) for card in _cards_of(path)]
    return {card.name: card for card in sorted(found, key=lambda card: card.name.lower())}


def _cards_of(path: Path) -> list[Card]:
    source = path.read_text(encoding="utf-8")
    match = _DOCSTRING.match(source)
    if match is None or "\nrole: " not in match[1]:
        return []
    docstring = ast.literal_eval(f'"""{match[1]}"""')
    head, _, body = docstring.partition("\n")
    lines = dict(re.findall(r"^(\w+): (.*)$", body, re.MULTILINE))
    names = lines.get("names") or ", ".join(n for n in _DEFINITION.findall(source) if not n.startswith("_"))
    module = ".".join(["unusual", *path.relative_to(PACKAGE).with_suffix("").parts])
    needs = tuple(n.strip() for n in lines["needs"].split(",") if n.strip() != "-")
    text = re.sub(r"^(\w+): .*\n?", "", body, flags=re.MULTILINE).strip()
    return [
        Card(name.strip(), head.strip(), lines["role"], lines["data"], lines["paper"], lines["system"], needs,
             lines["checkpoint"], module, text)
        for name in names.split(",")
    ]  # fmt: skip


def card(name: str) -> Card:
    """The card of a method.

    Raises
    ------
    InputError
        If there is no such method; the sentence suggests a similar one.
    """
    known = cards()
    if name in known:
        return known[name]
    same = [other for other in known if other.lower() == name.lower()]
    hint = f"; did you mean {same[0]!r}?" if same else suggest(name, list(known))
    raise InputError(f"there is no method {name!r} (list them with: unusual methods){hint}")


def find(name: str) -> Any:
    """The class or function of a method, imported."""
    return getattr(importlib.import_module(card(name).module), name)


def make(name: str, /, **parameters: Any) -> Any:
    """A detector (or other method) by its name, such as `make("KNN", n_neighbors=10)`.

    Raises
    ------
    InputError
        If there is no such method or it has no such parameter.
    """
    method = find(name)
    known = list(method._get_param_names()) if hasattr(method, "_get_param_names") else None
    for parameter in parameters:
        if known is not None and parameter not in known:
            hint = suggest(parameter, known)
            raise InputError(f"{name} has no parameter {parameter!r}{hint}; it has: {', '.join(known)}")
    return method(**parameters)


def methods(role: str | None = None, data: str | None = None) -> list[Card]:
    """Cards of all methods, or of those with this role and kind of data."""
    return [c for c in cards().values() if role in (None, c.role) and data in (None, c.data)]
