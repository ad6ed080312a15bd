"""Words of many messages at once: where they lie, which hold a digit, and one number for the rest of each message.

Words are cut at blanks and control characters. A word with a digit is taken for a parameter (He et al., Drain: An
Online Log Parsing Approach with Fixed Depth Tree, 2017), so messages with the same signature differ in those alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Hashes = NDArray[np.uint64]

SPARE = bytes(8)  # behind a text, so that eight bytes can be read from its last one
BLANK, ZERO = 32, ord("0")  # all letters up to the blank part words
_KEPT = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)  # masks of the first bytes of eight
_LENGTH, _MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(29)
_PARAMETER = np.uint64(0x94D049BB133111EB)  # the hash of every word that holds a digit
PLACES = 4096  # words further behind are told apart by what they are, no more by their place
_PLACE = np.random.default_rng(0).integers(0, 2**63, PLACES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


@dataclass(frozen=True)
class Tokens:
    """Words of n messages in `text`, those of message i being first[i]:first[i + 1].

    Attributes
    ----------
    text : bytes
        What the positions count in, with spare bytes at its end.
    start, end : int64 (m,)
        Where each word begins, and the byte after it.
    digits : bool (m,)
        Whether it holds a digit.
    first : int64 (n + 1,)
    """

    text: bytes
    start: Index
    end: Index
    digits: NDArray[np.bool_]
    first: Index

    @classmethod
    def of(cls, text: bytes, begin: Index, finish: Index) -> Tokens:
        """Words of the messages text[begin[i]:finish[i]], which are in order and do not overlap."""
        text = text + SPARE
        letters = np.frombuffer(text, dtype=np.uint8)
        ink = letters > BLANK
        begins, ends = ink.copy(), ink.copy()
        begins[1:] &= ~ink[:-1]
        ends[:-1] &= ~ink[1:]
        begins[begin] |= ink[begin]  # a message may begin inside what looks like a word: "sshd[7]:failed"
        before = begin[begin > 0] - 1
        ends[before] |= ink[before]
        last = finish[finish > begin] - 1
        ends[last] |= ink[last]
        after = finish[finish < len(text)]
        begins[after] |= ink[after]
        start, end = np.flatnonzero(begins), np.flatnonzero(ends) + 1
        digits = np.logical_or.reduceat((letters - ZERO) < 10, start) if len(start) else np.zeros(0, dtype=bool)
        low, high = np.searchsorted(start, begin), np.searchsorted(start, finish)
        first = np.concatenate([[0], np.cumsum(high - low)])
        chosen = np.arange(first[-1]) + np.repeat(low - first[:-1], high - low)  # those inside messages
        return cls(text, start[chosen], end[chosen], digits[chosen], first)

    @classmethod
    def of_lines(cls, lines: list[bytes]) -> Tokens:
        """Words of each line, given one by one."""
        lengths = np.array([len(line) for line in lines], dtype=np.int64)
        begin = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]]) if len(lines) else lengths
        return cls.of(b"\n".join(lines), begin, begin + lengths)

    def __len__(self) -> int:
        return len(self.first) - 1

    def words(self, i: int) -> list[bytes]:
        """The words of message i."""
        part = slice(self.first[i], self.first[i + 1])
        return [self.text[a:b] for a, b in zip(self.start[part].tolist(), self.end[part].tolist(), strict=True)]

    def hashes(self, chosen: Index) -> Hashes:
        """A 64-bit hash of each word with a number in `chosen` (k,), equal for equal words."""
        eights = np.ndarray((len(self.text) - 7,), dtype="<u8", buffer=self.text, strides=(1,))  # from every byte on
        place, length = self.start[chosen], self.end[chosen] - self.start[chosen]
        state = _mixed(length.astype(np.uint64) * _LENGTH, eights[place] & _KEPT[np.minimum(length, 8)])
        done, rest = 8, np.flatnonzero(length > 8)
        while len(rest):
            part = eights[place[rest] + done] & _KEPT[np.minimum(length[rest] - done, 8)]
            state[rest] = _mixed(state[rest], part)
            done += 8
            rest = rest[length[rest] > done]
        return state

    def places(self) -> Index:
        """The place (m,) of each word in its message, counted from 0."""
        return np.arange(len(self.start)) - np.repeat(self.first[:-1], np.diff(self.first))

    def signatures(self) -> Hashes:
        """A 64-bit number of each message (n,), equal where all words without digits are, and parameters between."""
        state = np.full(len(self.start), _PARAMETER)
        plain = np.flatnonzero(~self.digits)
        state[plain] = self.hashes(plain)
        state *= _PLACE[np.minimum(self.places(), PLACES - 1)]
        counts = np.diff(self.first)
        total = np.zeros(len(self), dtype=np.uint64)
        full = counts > 0
        total[full] = np.add.reduceat(state, self.first[:-1][full]) if full.any() else 0
        return _mixed(counts.astype(np.uint64) * _LENGTH, total)


def _mixed(state: Hashes, word: Hashes) -> Hashes:
    state = (state ^ word) * _MIX
    return state ^ (state >> _SHIFT)
