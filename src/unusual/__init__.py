"""unusual: point it at data, get what is unusual, how sure that is, and why.

>>> import unusual
>>> findings = unusual.scan("data.csv")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unusual._experiments import choices, collapse, gaze, holdout, leaks, seeds, survival
    from unusual._scan import fit, scan, score
    from unusual._studies import compare, sensitivity, trust
    from unusual._watch import watch
    from unusual.catalogue import make, methods
    from unusual.detector import Detector, from_sklearn_labels
    from unusual.errors import InputError, MissingExtra, ModelFileError, UnusualError
    from unusual.findings import Findings
    from unusual.store import load

__version__ = "0.1.0"

_HOME = {
    "scan": "unusual._scan",
    "fit": "unusual._scan",
    "score": "unusual._scan",
    "compare": "unusual._studies",
    "sensitivity": "unusual._studies",
    "trust": "unusual._studies",
    "watch": "unusual._watch",
    "choices": "unusual._experiments",
    "collapse": "unusual._experiments",
    "gaze": "unusual._experiments",
    "holdout": "unusual._experiments",
    "leaks": "unusual._experiments",
    "seeds": "unusual._experiments",
    "survival": "unusual._experiments",
    "load": "unusual.store",
    "make": "unusual.catalogue",
    "methods": "unusual.catalogue",
    "Detector": "unusual.detector",
    "from_sklearn_labels": "unusual.detector",
    "Findings": "unusual.findings",
    "InputError": "unusual.errors",
    "MissingExtra": "unusual.errors",
    "ModelFileError": "unusual.errors",
    "UnusualError": "unusual.errors",
}

__all__ = [
    "Detector",
    "Findings",
    "InputError",
    "MissingExtra",
    "ModelFileError",
    "UnusualError",
    "__version__",
    "choices",
    "collapse",
    "compare",
    "fit",
    "from_sklearn_labels",
    "gaze",
    "holdout",
    "leaks",
    "load",
    "make",
    "methods",
    "scan",
    "score",
    "seeds",
    "sensitivity",
    "survival",
    "trust",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import unusual` stays light."""
    from importlib import import_module

    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if not name.startswith("_"):
        from unusual.catalogue import cards, find

        if name in cards():
            return find(name)
    raise AttributeError(f"module 'unusual' has no attribute {name!r}")


def __dir__() -> list[str]:
    from unusual.catalogue import cards

    return sorted({*__all__, *cards()})
