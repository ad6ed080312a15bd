"""Lines as they are written: of a growing file, of an address that is asked again and again, of standard input.

Each source gives blocks of whole lines and the position after them; from a position it goes on where it was.
"""

from __future__ import annotations

import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from unusual.errors import InputError

logger = logging.getLogger(__name__)

Block = tuple[list[str], dict[str, Any]]
MOST = 4 * 2**20  # bytes read at once, and the longest line
PATIENCE = 30.0  # seconds that an answer may take


def live_lines(
    source: str | Path | Iterable[str], position: dict[str, Any], every: float, follow: bool
) -> Iterator[Block]:
    """Blocks of lines of `source`: a path, an address, or lines that come one by one.

    Parameters
    ----------
    source : path, http(s) address, or iterable of lines such as `sys.stdin`
    position : what came with the last block that was taken, {} for the beginning; iterables start where they stand
    every : seconds between two looks
    follow : whether to wait for more at the end

    Raises
    ------
    InputError
        If there is no such file, the address gives no answer at first, or a line is longer than 4 MB.
    """
    if not isinstance(source, str | Path):
        return (([line], {}) for line in source)
    if str(source).startswith(("http://", "https://")):
        return _of_address(str(source), position, every, follow)
    return _of_file(Path(source), position, every, follow)


def _of_file(path: Path, position: dict[str, Any], every: float, follow: bool) -> Iterator[Block]:
    offset = int(position.get("offset", 0))
    while True:
        handle = _opened(path)
        with handle:
            inode = os.fstat(handle.fileno()).st_ino
            if position.get("inode", inode) != inode:
                offset = 0  # another file has taken its place
            position = {"offset": offset, "inode": inode}
            for block in _of_handle(handle, path, position, every, follow):
                position = block[1]
                yield block
        if not follow and not _replaced(path, inode):
            return
        offset = int(position["offset"])


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give a file that exists") from error


def _of_handle(handle: IO[bytes], path: Path, position: dict[str, Any], every: float, follow: bool) -> Iterator[Block]:
    """The lines of one file until another one stands in its place, or until its end."""
    offset, inode = position["offset"], position["inode"]
    while True:
        if os.fstat(handle.fileno()).st_size < offset:
            logger.info("%s has become shorter; it is read from its beginning", path)
            offset = 0
        handle.seek(offset)
        replaced = _replaced(path, inode)  # before the last look, so that nothing is written in between
        data = handle.read(MOST)
        lines, taken = _whole(data, len(data) < MOST and (replaced or not follow), str(path))
        offset += taken
        if taken:
            yield lines, {"offset": offset, "inode": inode}
        elif replaced or not follow:
            return
        else:
            time.sleep(every)


def _replaced(path: Path, inode: int) -> bool:
    """Whether another file stands under the path now; between the old one and the new one there is none."""
    try:
        return path.stat().st_ino != inode
    except FileNotFoundError:
        return False


def _of_address(address: str, position: dict[str, Any], every: float, follow: bool) -> Iterator[Block]:
    offset, answered = int(position.get("offset", 0)), False
    while True:
        try:
            offset, data = _asked(address, offset)
        except OSError as error:
            if not answered:
                raise InputError(f"{address} gives no answer ({error}); check the address") from error
            logger.warning("%s gives no answer (%s); it is asked again", address, error)
            data = b""
        answered = True
        lines, taken = _whole(data, not follow, address)
        offset += taken
        if taken:
            yield lines, {"offset": offset}
        elif not follow:
            return
        else:
            time.sleep(every)


def _asked(address: str, offset: int) -> tuple[int, bytes]:
    """What lies beyond `offset`; from the beginning, and 0, where there is less now than there was."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={offset}-"} if offset else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            if answer.status == 206:
                return offset, answer.read(MOST)
            before = answer.read(offset)  # a server without ranges sends everything
            return (offset, answer.read(MOST)) if len(before) == offset else (0, before)
    except urllib.error.HTTPError as error:
        size = error.headers.get("Content-Range", "").rpartition("/")[2]
        error.close()
        if error.code != 416:
            raise
        return _asked(address, 0) if size.isdigit() and int(size) < offset else (offset, b"")


def _whole(data: bytes, ended: bool, name: str) -> tuple[list[str], int]:
    """The lines that are complete, and how many bytes they take; the half written last one waits unless it `ended`."""
    taken = len(data) if ended else data.rfind(b"\n") + 1
    if not taken and len(data) == MOST:
        raise InputError(f"{name} has a line of more than {MOST // 2**20} MB; it is no table of numbers")
    return data[:taken].decode("utf-8", errors="replace").splitlines(), taken
