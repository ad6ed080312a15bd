"""The few SVG elements that pictures are made of; every text is escaped, every colour can be restyled by class."""

from __future__ import annotations

import html
import re

ACCENT, QUIET, GROUND, COOL = "#c2410c", "#8a94a6", "#e3e6ec", "#2f6fb0"
ALARM, PLAIN, CALM = (ACCENT, "u-alarm"), (QUIET, "u-plain"), (COOL, "u-calm")
FONT = 'font-family="system-ui, sans-serif" font-size="11" fill="currentColor" direction="ltr"'
UNSAFE = re.compile(  # what XML forbids, C1 controls, and the two marks that turn the direction of all that follows
    "[^\t\n\r\u0020-\u007e\u00a0-\u202c\u202f-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def escaped(text: object, most: int = 400) -> str:
    """Text for XML: escaped, without characters that break a page, cut at `most` characters."""
    clean = UNSAFE.sub("\ufffd", str(text))
    return html.escape(clean if len(clean) <= most else f"{clean[: most - 1]}…")


def picture(kind: str, width: float, height: float, title: str, body: list[str], about: str = "") -> str:
    """An `<svg>` of elements, with a title and a description for screen readers."""
    scales = f'role="img" viewBox="0 0 {width:g} {height:g}" {FONT}'
    described = f"<desc>{escaped(about)}</desc>" if about else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="u-draw u-{kind}" {scales}><title>{escaped(title)}</title>'
    return f"{head}{described}{''.join(body)}</svg>"


def text(x: float, y: float, words: object, kind: str = "u-soft", *, anchor: str = "start", most: int = 60) -> str:
    """Words at a baseline; `anchor` is start, middle or end; user's words keep their own writing direction."""
    aligned = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{aligned}>{isolated(escaped(words, most))}</text>'


def isolated(words: str) -> str:
    """Words between marks that keep writing from right to left from moving what stands beside them."""
    return (
        f"\u2068{words}\u2069" if any("\u0590" <= c <= "\u08ff" or "\u200e" <= c <= "\u202c" for c in words) else words
    )


def rect(x: float, y: float, width: float, height: float, look: tuple[str, str], radius: float = 0) -> str:
    """A filled rectangle; `look` is a colour and a class."""
    round = f' rx="{radius:g}"' if radius else ""
    size = f'width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}"{round}'
    return f'<rect class="{look[1]}" x="{x:.1f}" y="{y:.1f}" {size} fill="{look[0]}"/>'


def rule(x1: float, y1: float, x2: float, y2: float, look: tuple[str, str], width: float = 1, dash: str = "") -> str:
    """A straight line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line class="{look[1]}" {ends} stroke="{look[0]}" stroke-width="{width:g}"{dashed}/>'


def mark(x: float, y: float, look: tuple[str, str], pointing: float = 0) -> str:
    """A dot, or an arrow head to the right or left where `pointing` is above or below 0."""
    ring = 'stroke="#ffffff" stroke-width="1.5"'
    if not pointing:
        return f'<circle class="{look[1]}" cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{look[0]}" {ring}/>'
    tip, back = (8, -4) if pointing > 0 else (-8, 4)
    points = f"{x + tip:.1f},{y:.1f} {x + back:.1f},{y - 6:.1f} {x + back:.1f},{y + 6:.1f}"
    return f'<polygon class="{look[1]}" points="{points}" fill="{look[0]}"/>'


def path(points: list[tuple[float, float]], look: tuple[str, str]) -> str:
    """A line through points."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{look[1]}" points="{joined}" fill="none" stroke="{look[0]}" stroke-width="1.3"/>'


def anchor(x: float, width: float, margin: float) -> str:
    """The anchor that keeps a label at `x` inside a picture."""
    return "start" if x < margin else "end" if x > width - margin else "middle"
