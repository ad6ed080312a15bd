"""The peers' own environment, and a process in it that takes orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent
# combo is needed by FeatureBagging, which does not say so
REQUIREMENTS = ("pyod==3.6.7", "scikit-learn==1.9.1", "combo==0.1.3", "stumpy==1.14.1", "threadpoolctl", "psutil")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # both sides shall run as on a machine nobody has tuned


def single_thread() -> dict[str, str]:
    """The environment of a process whose CPU time is the time of one thread."""
    kept = {name: value for name, value in os.environ.items() if name not in FORCED}
    return {**kept, **dict.fromkeys(THREADS, "1")}


def python() -> Path:
    """The interpreter of the environment that UNUSUAL_PEERS names, else of benchmarks/.peers, made where absent."""
    home = Path(os.environ.get("UNUSUAL_PEERS", HERE / ".peers"))
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if uv is None:
            raise SystemExit("uv is not installed, and the peers need an environment of their own: make install")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(interpreter)]
        subprocess.run([*install, *REQUIREMENTS], check=True)
    return interpreter


class Peer:
    """A process in the peers' environment: `peer(do="time", task=..., data=...)` gives its answer."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [str(python()), str(HERE / "peer_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=single_thread(),
        )
        return self

    def __call__(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of the peers ended while it ran {order}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.process.communicate(timeout=60)
