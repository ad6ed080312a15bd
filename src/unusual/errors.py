"""The few exceptions of this library. Each message says what is wrong with which input and what to do next."""

from __future__ import annotations

import importlib
from types import ModuleType


class UnusualError(Exception):
    """Anything this library refuses on purpose; the command line prints its sentence and exits with 2."""


class InputError(UnusualError, ValueError):
    """The data or an option cannot be used as given."""


class ModelFileError(UnusualError, ValueError):
    """A saved model is broken, hostile, or from another version."""


class MissingExtra(UnusualError, ImportError):
    """An optional dependency is not installed."""


def need(module: str, extra: str) -> ModuleType:
    """Import `module`, or say in one sentence which extra of this library brings it.

    Raises
    ------
    MissingExtra
        If the module cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtra(
            f"this needs {package}, which is not installed; install it with: pip install 'unusual[{extra}]'"
        ) from error


def suggest(wrong: str, known: list[str]) -> str:
    """ "; did you mean 'temperature'?" when something known is close, else an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(wrong, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
