"""What a proof depends on: its data, and the code it reaches inside `unusual` and `proofs` through imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from unusual.catalogue import cards

ROOT = Path(__file__).resolve().parents[1]
PLACES = {"unusual": ROOT / "src", "proofs": ROOT}
MACHINERY = {"proofs", "proofs.harness", "proofs.reach", "proofs.record"}  # a change here changes no measurement


def code_fingerprint(path: Path, places: dict[str, Path] = PLACES) -> str:
    """A hash of the code that the proof at `path` reaches; comments and docstrings do not count."""
    digest = hashlib.sha256()
    for file in sorted(reached(path, places)):
        text = _meaning(file) if file.suffix == ".py" else file.read_text(encoding="utf-8")
        digest.update(f"{file.name}\n{text}\n".encode())
    return digest.hexdigest()[:16]


def data_fingerprint(data_dir: Path | None, patterns: tuple[str, ...]) -> str | None:
    """A hash of the files below `data_dir` that match; "" if there are no patterns, None if the data are absent."""
    if not patterns:
        return ""
    files = sorted(f for pattern in patterns for f in (data_dir.glob(pattern) if data_dir else []))
    if not files:
        return None
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def reached(path: Path, places: dict[str, Path] = PLACES) -> set[Path]:
    """Files reached from `path` through imports and names of methods, itself among them."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".py":
            for module in _mentioned(ast.parse(file.read_text(encoding="utf-8")), file, places):
                waiting += [f for f in _files(module, places) if f not in found]
    return found


def _mentioned(tree: ast.Module, file: Path, places: dict[str, Path]) -> Iterator[str]:
    """Modules named by import statements, and the homes of methods named in strings or as `unusual.NAME`."""
    methods = cards()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                start = ".".join([*_package(file, places)[: 1 - node.level or None], *start.split(".")]).strip(".")
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)
            yield from (methods[a.name].module for a in node.names if start == "unusual" and a.name in methods)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in methods:
            yield methods[node.value].module
        elif isinstance(node, ast.Attribute) and node.attr in methods:
            yield methods[node.attr].module


def _package(file: Path, places: dict[str, Path]) -> list[str]:
    for place in places.values():
        if file.is_relative_to(place):
            return list(file.relative_to(place).parts[:-1])
    return []


def _files(module: str, places: dict[str, Path]) -> list[Path]:
    """The file of a module of ours, and the C beside it where it is the package of the kernels; else nothing."""
    head = module.partition(".")[0]
    if head not in places or module in MACHINERY or module == "unusual":
        return []
    base = places[head].joinpath(*module.split("."))
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    if (base / "__init__.py").is_file():
        return [base / "__init__.py", *base.glob("*.c"), *base.glob("*.h")]
    return []


def _meaning(file: Path) -> str:
    """The code of a file without comments and docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
