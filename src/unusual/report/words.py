"""Sentences, shares, p-values and times as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unusual.parts.bootstrap import Interval


def sentence(text: str) -> str:
    """A clause as a sentence: a capital letter and a full stop."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def p_text(p: float) -> str:
    """A p-value with two digits."""
    return f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def interval_text(interval: Interval) -> str:
    """An estimate with its limits: 0.816 (0.78 to 0.85)."""
    if interval.low == interval.high:
        return f"{interval.estimate:.3f}"
    return f"{interval.estimate:.3f} ({interval.low:.2f} to {interval.high:.2f})"


def percent(rate: float | None) -> str:
    """A share in per cent, with two digits."""
    return "–" if rate is None else f"{100 * rate:.2g}\u00a0%" if rate < 0.995 else "100\u00a0%"


def seconds(time: float) -> str:
    """A time as people write it: 12 ms, 3.4 s, 2 min 5 s."""
    if time >= 60:
        return f"{int(time // 60)} min {int(time % 60)} s"
    return f"{time:.1f} s" if time >= 1 else f"{1000 * time:.0f} ms"
