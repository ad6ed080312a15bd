"""The command and the lines of Python that repeat a scan."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unusual.findings import Findings

OPTIONS: tuple[str, ...] = ("method", "alarm_rate", "fdr", "budget", "id", "group", "columns", "label")
OF_SCORE: tuple[str, ...] = ("alarm_rate", "fdr", "budget")


def command(findings: Findings) -> str:
    """The command line of the same scan, or nothing where the data or the method came from Python."""
    s, options = findings.settings, OPTIONS
    if _in_memory(s.get("source")) or _in_memory(s.get("reference")) or _changed(findings):
        return ""
    if s.get("model"):
        words = ["unusual", "score", s["model"], s.get("source") or findings.source]
        options = OF_SCORE
    else:
        words = ["unusual", "scan", s.get("source") or findings.source]
        words += ["--reference", s["reference"]] if s.get("reference") else []
    for name in options:
        if s.get(name) is not None:
            value = ",".join(s[name]) if name == "columns" else str(s[name])
            words += [f"--{name.replace('_', '-')}", value]
    if s.get("random_state") and not s.get("model"):
        words += ["--seed", str(s["random_state"])]
    return " ".join(shlex.quote(str(word)) for word in [*words, "--html", "report.html"])


def python(findings: Findings) -> str:
    """The lines of Python of the same scan."""
    s, verb, options = findings.settings, "scan", OPTIONS
    source = "data" if _in_memory(s.get("source")) else _literal(s.get("source") or findings.source)
    given = [source]
    if s.get("model"):
        given, verb, options = [_literal(s["model"]), source], "score", OF_SCORE
    elif s.get("reference"):
        given.append("reference" if _in_memory(s["reference"]) else _literal(s["reference"]))
    changed = _changed(findings)
    for name in options:
        if name == "method" and changed:
            parameters = "".join(f", {k}={_literal(v)}" for k, v in changed.items())
            given.append(f"method=unusual.make({_literal(findings.method.name)}{parameters})")
        elif s.get(name) is not None:
            given.append(f"{name}={_literal(s[name])}")
    if s.get("random_state") and verb == "scan":
        given.append(f"random_state={s['random_state']}")
    return f'import unusual\nfindings = unusual.{verb}({", ".join(given)})\nfindings.to_html("report.html")'


def _literal(value: Any) -> str:
    """A value as Python code, texts between double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(_literal(v) for v in value)}]" if isinstance(value, list) else repr(value)


def _in_memory(source: Any) -> bool:
    """Whether the source was an object of Python: scan then keeps only "a DataFrame"."""
    return isinstance(source, str) and source.startswith("a ") and source[2:].isidentifier()


def _changed(findings: Findings) -> dict[str, Any]:
    """The parameters of the detector that the caller set by hand."""
    from unusual.catalogue import cards, find

    if not findings.settings.get("method") or findings.settings.get("model") or findings.method.name not in cards():
        return {}
    usual = find(findings.method.name)().get_params(deep=False)
    set_by_scan = ("alarm_rate", "n_jobs", "random_state", "reference")
    return {k: v for k, v in findings.method.parameters.items() if k not in set_by_scan and usual.get(k) != v}
