"""A fitted scan of logs: templates, and detectors of lines and of sequences of lines, saved and loaded as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unusual.data.log_events import LogEvents, read_log
from unusual.detect.events.auto_log import AutoLog


@dataclass
class LogModel:
    """What `unusual.fit` returns for logs.

    Attributes
    ----------
    lines : AutoLog
        Of single lines.
    sequences : AutoLog or None
        Of the lines of one request or session, where something ties lines together.
    settings : dict
        Options of the fit.
    """

    lines: AutoLog
    sequences: AutoLog | None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def data_fingerprint_(self) -> str:
        """A short name of the data of the fit."""
        return str(self.lines.data_fingerprint_)

    def read(self, source: Any) -> LogEvents:
        """A log with the templates and the key of the reference."""
        kind = self.lines.views_["kind"]
        return read_log(source, kind.tree_, kind.key_)

    def summary(self) -> str:
        """What was fitted on what, in a few words."""
        return f"{type(self.lines).__name__}, fitted on {self.settings['reference_lines']:,} lines"

    def save(self, path: str | Path) -> None:
        """Write the model to one file that holds numbers and text only, never code."""
        from unusual.store import save

        save(self, path)

    def state(self) -> dict[str, Any]:
        """What `store` writes."""
        return {"lines": self.lines, "sequences": self.sequences, "settings": self.settings}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> LogModel:
        """The model that `state` described."""
        return cls(state["lines"], state["sequences"], state["settings"])
