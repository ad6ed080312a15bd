"""Which instruction set the kernels use: the widest this processor has, unless UNUSUAL_KERNELS names another."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from unusual.errors import InputError, suggest

logger = logging.getLogger(__name__)

NAMES = ("plain", "avx2", "avx512")  # position = the number the C side knows a level by
_in_force: str | None = None


def _extension() -> ModuleType | None:
    try:
        from unusual.kernels import _loops
    except ImportError:
        return None
    return _loops


def available() -> list[str]:
    """Levels this machine can run, widest first; "numpy" is always the last."""
    loops = _extension()
    compiled = NAMES[: loops.widest() + 1] if loops is not None else ()
    return [*reversed(compiled), "numpy"]


def _choose(wish: str) -> str:
    levels = available()
    if wish == "auto":
        if levels == ["numpy"]:
            logger.info("the compiled kernels are not installed; their slower NumPy twins run instead")
        return levels[0]
    if wish in levels:
        return wish
    hint = suggest(wish, ["auto", *NAMES, "numpy"])
    raise InputError(
        f"UNUSUAL_KERNELS={wish!r} cannot run on this machine; use auto or one of {', '.join(levels)}{hint}"
    )


def level() -> str:
    """The level in force: "avx512", "avx2", "plain" or "numpy".

    Raises
    ------
    InputError
        If the environment variable UNUSUAL_KERNELS names a level that this machine or build does not have.
    """
    global _in_force
    if _in_force is None:
        _in_force = _choose(os.environ.get("UNUSUAL_KERNELS", "auto"))
    return _in_force


@contextmanager
def at_level(name: str) -> Iterator[None]:
    """Force a level for the length of a `with` block (all threads); tests and benchmarks compare levels with it."""
    global _in_force
    before = level()
    _in_force = _choose(name)
    try:
        yield
    finally:
        _in_force = before


def compiled() -> tuple[ModuleType, int] | None:
    """The extension module and the number of the level in force, or None where the NumPy twins are to run."""
    name = level()
    loops = _extension()
    return None if name == "numpy" or loops is None else (loops, NAMES.index(name))
