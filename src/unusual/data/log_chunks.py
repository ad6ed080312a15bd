"""The bytes of a log file as whole lines: compressed or not, UTF-8 with whatever is mixed in, or UTF-16.

Memory is bounded: a chunk holds about a megabyte, and of a line that is longer the first 64 KB are kept.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.parts.templates import decoded

Index = NDArray[np.int64]

CHUNK = 1 << 20  # bytes read at once
LONGEST = 1 << 16  # bytes of a line that are looked at
BINARY_SHARE = 0.05  # of control characters, above which a file is no text
_OPENERS: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_COLOURS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
_CONTROL = np.zeros(256, dtype=bool)
_CONTROL[[*range(7), *range(14, 27), *range(28, 32)]] = True


def chunks(path: Path) -> Iterator[tuple[bytes, Index, int]]:
    """Whole lines of a file as UTF-8, the byte at which each begins in it, and how many of them were cut."""
    offset, rest, encoding, cut = 0, b"", None, 0
    with _opened(path) as stream:
        while True:
            try:
                chunk = stream.read(CHUNK)
            except (OSError, EOFError, lzma.LZMAError) as error:
                raise InputError(f"{path} is no complete compressed file ({error}); compress it again") from error
            if encoding is None:
                encoding, skipped = _encoding(chunk, path)
                chunk, offset = chunk[skipped:], skipped
            end = b"" if chunk else _newline(encoding)
            whole, rest, length = _whole_lines(rest + chunk + (end if rest else b""), encoding)
            if whole:
                text, offsets = _as_utf8(whole, encoding, offset)
                yield text, offsets, cut
                cut = 0
            offset += length
            if len(rest) > CHUNK and chunk:  # one line longer than a chunk: keep its head, drop up to its end
                rest, dropped = _skip_line(stream, rest, _newline(encoding))
                text, offsets = _as_utf8(rest[:LONGEST] + _newline(encoding), encoding, offset)
                yield text, offsets, 1
                offset += dropped
                rest = b""
            if not chunk:
                return


def lines_at(path: str | Path, offset: int, count: int) -> list[str]:
    """At most `count` lines of a file from the byte `offset` on, as text."""
    with _opened(Path(path)) as stream:
        encoding, _ = _encoding(stream.read(1 << 16), Path(path))
        stream.seek(offset)
        lines: list[str] = []
        while len(lines) < count:
            line, _ = _skip_line(stream, b"", _newline(encoding))
            if not line:
                break
            lines.append(_COLOURS.sub(b"", _text_of(line, encoding).encode()).decode().rstrip("\r\n"))
    return lines


def _text_of(line: bytes, encoding: str) -> str:
    return decoded(line) if encoding == "utf-8" else line.decode(encoding, "replace")


def _newline(encoding: str) -> bytes:
    return "\n".encode(encoding)


def _whole_lines(raw: bytes, encoding: str) -> tuple[bytes, bytes, int]:
    """What ends with a newline, the rest, and the length of the former."""
    sign = _newline(encoding)
    place = raw.rfind(sign)
    while place >= 0 and place % len(sign):  # a newline of two bytes begins at an even one
        place = raw.rfind(sign, 0, place + len(sign) - 1)
    length = place + len(sign) if place >= 0 else 0
    return raw[:length], raw[length:], length


def _skip_line(stream: IO[bytes], rest: bytes, sign: bytes) -> tuple[bytes, int]:
    """Read to the end of a line that has begun with `rest`: its head, and how long it is."""
    dropped = len(rest)
    while chunk := stream.readline(CHUNK):
        if chunk.endswith(b"\n") and sign.endswith(b"\0"):
            chunk += stream.read(1)  # the second byte of a little-endian newline
        dropped += len(chunk)
        rest = rest[:LONGEST] + chunk if len(rest) < LONGEST else rest
        if chunk.endswith(sign):
            break
    return rest[:LONGEST], dropped


def _as_utf8(raw: bytes, encoding: str, offset: int) -> tuple[bytes, Index]:
    """The lines as UTF-8 without colours, and the byte at which each begins in the file."""
    if encoding == "utf-8":
        ends = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord("\n"))
        lengths = np.diff(ends, prepend=-1)
    else:
        lines = raw.decode(encoding, "replace").split("\n")[:-1]
        lengths = np.array([len(line.encode(encoding)) + 2 for line in lines], dtype=np.int64)
        raw = "".join(line + "\n" for line in lines).encode()
    offsets = offset + np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return (_COLOURS.sub(b"", raw) if b"\x1b[" in raw else raw), offsets


def _encoding(head: bytes, path: Path) -> tuple[str, int]:
    """ "utf-8" (with whatever else is mixed in) or UTF-16, and how many bytes its mark takes."""
    if not head.strip():
        raise InputError(f"{path} is empty; point at a file with lines of a log")
    for mark, encoding in _WIDE.items():
        if head.startswith(mark):
            return encoding, 2
    sample = np.frombuffer(head[: 1 << 16], dtype=np.uint8)
    if _CONTROL[sample].mean() > BINARY_SHARE:
        raise InputError(f"{path} is not a text file (it holds control characters); point at a log with lines of text")
    return "utf-8", 3 * head.startswith(codecs.BOM_UTF8)


def _opened(path: Path) -> IO[bytes]:
    try:
        return _OPENERS[path.suffix](path, "rb") if path.suffix in _OPENERS else path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror})") from error
