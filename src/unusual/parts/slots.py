"""What stands in the places of log messages where words vary: a number, where there is one, and a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.parts.tokens import Tokens

Index = NDArray[np.int64]
Vector = NDArray[np.float64]

MOST_DIGITS, MOST_DECIMALS = 15, 9
MOST_PLACES = 255


@dataclass(frozen=True)
class Slots:
    """Values of n messages, those of message i being first[i]:first[i + 1].

    Attributes
    ----------
    first : int64 (n + 1,)
    place : uint8 (m,)
        Which word of the message it is.
    number : float64 (m,)
        The one number in the word, NaN where there is none or more than one ("10.0.0.7", "a3-77").
    name : uint64 (m,)
        A hash of the word.
    """

    first: Index
    place: NDArray[np.uint8]
    number: Vector
    name: NDArray[np.uint64]

    @classmethod
    def of(cls, messages: Tokens, chosen: NDArray[np.bool_]) -> Slots:
        """The words with `chosen` (m,), at most 255 places into a message."""
        places = messages.places()
        index = np.flatnonzero(chosen & (places < MOST_PLACES))
        first = np.searchsorted(index, messages.first)
        return cls(first, places[index].astype(np.uint8), numbers(messages)[index], messages.hashes(index))

    @classmethod
    def joined(cls, parts: Sequence[Slots]) -> Slots:
        """The values of the messages of all parts, one after the other."""
        ends = np.cumsum([0, *(len(part.place) for part in parts)])
        first = [part.first[:-1] + end for part, end in zip(parts, ends, strict=False)]
        return cls(
            np.concatenate([*first, ends[-1:]]).astype(np.int64),
            np.concatenate([np.zeros(0, dtype=np.uint8), *(part.place for part in parts)]),
            np.concatenate([np.zeros(0), *(part.number for part in parts)]),
            np.concatenate([np.zeros(0, dtype=np.uint64), *(part.name for part in parts)]),
        )

    def take(self, rows: Index) -> Slots:
        """The values of some messages."""
        counts = np.diff(self.first)[rows]
        first = np.concatenate([[0], np.cumsum(counts)])
        index = np.arange(first[-1]) + np.repeat(self.first[rows] - first[:-1], counts)
        return Slots(first, self.place[index], self.number[index], self.name[index])

    def owner(self) -> Index:
        """The message (m,) of each value."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


def varying(messages: Tokens, template: Index, free: Mapping[int, Sequence[int]]) -> NDArray[np.bool_]:
    """Which words (m,) are parameters: those with digits, and those where their template (n,) lets any word stand.

    `free` has the places of the latter for each template that has some.
    """
    chosen = messages.digits.copy()
    for number, places in free.items():
        rows = np.flatnonzero(template == number)
        for place in places:
            chosen[messages.first[rows] + place] = True
    return chosen


def numbers(messages: Tokens) -> Vector:
    """The number (m,) in each word, NaN where there is none or more than one; units and signs around it are let be."""
    letters = np.frombuffer(messages.text, dtype=np.uint8)
    digit = (letters - ord("0")) < 10  # unsigned: what is below wraps around
    edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    edges = np.concatenate([[0], edges]) if digit[:1].any() else edges
    start, end = edges[::2], edges[1::2]  # the runs of digits; the spare bytes at the end of the text close the last
    first = np.searchsorted(start, messages.start)
    count = np.searchsorted(start, messages.end) - first
    found = np.full(len(messages.start), np.nan)
    whole = np.flatnonzero((count == 1) | (count == 2))
    run = first[whole]
    second = np.minimum(run + 1, len(start) - 1)
    decimal = (count[whole] == 2) & (start[second] == end[run] + 1) & (letters[end[run]] == ord("."))
    short = (end[run] - start[run] <= MOST_DIGITS) & (~decimal | (end[second] - start[second] <= MOST_DECIMALS))
    keep = short & (decimal | (count[whole] == 1))
    whole, run, second, decimal = whole[keep], run[keep], second[keep], decimal[keep]
    value = _value(letters, start[run], end[run])
    if decimal.any():
        behind = second[decimal]
        value[decimal] += _value(letters, start[behind], end[behind]) * 0.1 ** (end[behind] - start[behind])
    sign = start[run] - 1
    minus = (sign >= messages.start[whole]) & (letters[sign] == ord("-"))
    before = sign - 1
    word_before = (before >= messages.start[whole]) & np.isin(letters[before], _ALPHANUMERIC)
    found[whole] = np.where(minus & ~word_before, -value, value)
    return found


_ALPHANUMERIC = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz)", dtype=np.uint8)


def _value(letters: NDArray[np.uint8], start: Index, end: Index) -> Vector:
    """The integers written in letters[start:end], as float64."""
    value = np.zeros(len(start))
    rest = np.arange(len(start))
    done = 0
    while len(rest := rest[start[rest] + done < end[rest]]):
        value[rest] = value[rest] * 10 + (letters[start[rest] + done] - ord("0"))
        done += 1
    return value
