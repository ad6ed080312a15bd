"""Builds the optional C kernels; everything else about the package is in pyproject.toml.

UNUSUAL_REQUIRE_EXTENSION=1 turns a failed compilation into a failed build (releases set it),
UNUSUAL_NO_EXTENSION=1 leaves the kernels out, and the package then runs their NumPy twins.
"""

from __future__ import annotations

import os
import sys
from glob import glob

from setuptools import Extension, setup

SOURCES = "src/unusual/kernels/csrc"
GNU_FLAGS = ["-O3", "-std=c11", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"]
# No fused multiply-add unless a kernel asks for it: every instruction set must give the same answer.
MSVC_FLAGS = ["/O2", "/std:c11", "/fp:precise"]


def kernels() -> list[Extension]:
    """The one extension module, or none when the environment says so."""
    if os.environ.get("UNUSUAL_NO_EXTENSION") == "1":
        return []
    return [
        Extension(
            "unusual.kernels._loops",
            sources=sorted(glob(f"{SOURCES}/*.c")),
            depends=sorted(glob(f"{SOURCES}/*.h")),
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_compile_args=MSVC_FLAGS if sys.platform == "win32" else GNU_FLAGS,
            py_limited_api=True,
            optional=os.environ.get("UNUSUAL_REQUIRE_EXTENSION") != "1",
        )
    ]


EXTENSIONS = kernels()

setup(
    ext_modules=EXTENSIONS,
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if EXTENSIONS else {},
)
