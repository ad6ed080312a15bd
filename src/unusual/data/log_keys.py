"""What ties lines of a log together: the block, request or session they speak of, found or named.

A key is a kind of word, such as "blk_..." or "request=...", that most messages hold, that takes many values, and of
which most values come again in messages of several kinds.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unusual.data.log_file import LogBlock
from unusual.data.log_header import Layout
from unusual.errors import InputError

Index = NDArray[np.int64]

FIELDS = ("process", "component")
SAMPLE = 5000  # messages in which a key is looked for
LOOKED_AT = 1000  # bytes of a message
HELD = 0.5  # share of the messages that must hold it
REPEATED = 3.0  # mean number of messages with the same value
FEWEST = 5  # values
KINDS = 1.5  # mean number of kinds of message with the same value
_UUID = rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WORD = re.compile(
    rb"(?P<uuid>"
    + _UUID
    + rb")|(?P<prefix>[A-Za-z][A-Za-z.]{0,30}(?:[_-]|=|: ?|#|\[)\[?)(?P<id>-?[0-9a-fA-F]{0,40}\d[0-9a-fA-F_-]*)"
)
_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.", dtype=np.uint8)


def find_key(messages: Sequence[bytes], kinds: Sequence[int]) -> re.Pattern[bytes] | None:
    """A pattern of the key of some messages, whose kinds (templates) are given; None where there is no such thing.

    Of several, the one with the most values is taken: a request rather than the machine it ran on.
    """
    held: Counter[bytes] = Counter()
    seen: dict[bytes, dict[bytes, list[int]]] = defaultdict(lambda: defaultdict(list))
    for message, kind in zip(messages[:SAMPLE], kinds, strict=False):
        found = {(m["prefix"] or b"", m["id"] or m["uuid"]) for m in _WORD.finditer(message[:LOOKED_AT])}
        for prefix in {prefix for prefix, _ in found}:
            held[prefix] += 1
        for prefix, name in found:
            seen[prefix][name].append(kind)
    count = min(len(messages), SAMPLE)
    best: tuple[int, bytes] | None = None
    for prefix, values in seen.items():
        repeats = np.mean([len(rows) for rows in values.values()])
        several = np.mean([len(set(rows)) for rows in values.values()])
        fits = held[prefix] >= HELD * count and len(values) >= FEWEST and repeats >= REPEATED and several >= KINDS
        if fits and (best is None or (len(values), prefix) > best):
            best = (len(values), prefix)
    return None if best is None else _pattern(best[1])


def _pattern(prefix: bytes) -> re.Pattern[bytes]:
    if not prefix:
        return re.compile(rb"(?P<key>" + _UUID + rb")")
    return re.compile(rb"(?P<key>" + re.escape(prefix) + rb"-?[0-9a-fA-F]*\d[0-9a-fA-F_-]*)")


def given_key(by: str, layout: Layout) -> re.Pattern[bytes] | str:
    """What the user names: a field of the head, or a pattern whose first group (or whole match) is the key.

    Raises
    ------
    InputError
        If the head has no such field, or the pattern cannot be understood.
    """
    if by in FIELDS:
        if by not in layout.fields:
            raise InputError(f"the lines have no {by} in their head (found: {', '.join(layout.fields) or 'nothing'})")
        return by
    try:
        return re.compile(by.encode())
    except re.error as error:
        raise InputError(
            f"by={by!r} is no pattern ({error}); give 'process', 'component' or such as 'id=\\d+'"
        ) from None


def keys_of(block: LogBlock, key: re.Pattern[bytes] | str) -> tuple[Index, list[bytes]]:
    """Pairs of line and key (p,): a line may speak of several, or of none."""
    if isinstance(key, str):
        fields = block.heads.fields[key]
        rows = [i for i, word in enumerate(fields) if word]
        return np.array(rows, dtype=np.int64), [fields[i] or b"" for i in rows]
    group = key.groupindex.get("key", min(1, key.groups))
    pattern = key if group else re.compile(rb"(" + key.pattern + rb")")
    width, group = pattern.groups + 1, max(1, group)
    parts = pattern.split(block.text) if pattern.groups == 1 else None
    if parts is not None:
        ends = np.cumsum(np.fromiter(map(len, parts), np.int64))
        place, words = ends[:-1:2], parts[1::width]
    else:
        hits = list(pattern.finditer(block.text))
        place, words = np.array([m.start(group) for m in hits], dtype=np.int64), [m.group(group) for m in hits]
    row = np.searchsorted(block.begin, place, side="right") - 1
    inside = (row >= 0) & (place < block.finish[row])
    if "key" in key.groupindex:  # a word of that beginning, not the end of a longer one
        letters = np.frombuffer(block.text, dtype=np.uint8)
        inside &= ~np.isin(letters[np.maximum(place - 1, 0)], _LETTERS) | (place == 0)
    return row[inside], words if inside.all() else [words[i] for i in np.flatnonzero(inside).tolist()]
