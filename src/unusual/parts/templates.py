"""Templates of log messages by a tree of fixed depth: what the lines of one kind have in common.

Source: He et al., Drain: An Online Log Parsing Approach with Fixed Depth Tree, 2017. Here a word that holds a digit
equals every other such word, and messages that were seen before up to such words are looked up by their signature, so
that the tree is asked only about new ones.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.parts.tokens import Tokens

Index = NDArray[np.int64]

ANY = b"<*>"
MOST_SIGNATURES = 200_000
MOST_CHILDREN = 100  # first words told apart in a node, as in the paper
SHED = 0.1  # share of the templates forgotten at once when there are too many
_SHAPE = re.compile(  # every mask in one pass, longest first
    rb"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|(?P<ip>(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?)"
    rb"|(?P<hex>0[xX][0-9a-fA-F]+|(?<![0-9A-Za-z])(?=[a-f]{0,40}\d)[0-9a-f]{8,}(?![0-9A-Za-z]))|[-+]?\d+(?:[.,:/-]\d+)*"
)


@dataclass
class Template:
    """What lines of one kind have in common.

    `words` holds None where any word may stand, b"<*>" where words with digits do; `shapes` is how they are shown.
    `near` is the number of the template of the reference that a new one almost fits, else -1.
    """

    words: list[bytes | None]
    shapes: list[bytes]
    near: int = -1

    @property
    def text(self) -> str:
        """The template as one line."""
        return decoded(b" ".join(self.shapes))

    def free(self) -> list[int]:
        """The places where any word may stand."""
        return [place for place, word in enumerate(self.words) if word is None]


class TemplateTree:
    """Gives each message the number of its template, and learns new templates from what fits none.

    Parameters
    ----------
    similarity : float in (0, 1], default 0.5
        Share of words in which a message must agree with a template to belong to it.
    leading : int, default 2
        First words that must agree (up to words with digits).
    most : int, default 10_000
        Templates kept; those not seen for longest are forgotten, so that memory stays bounded.

    Attributes
    ----------
    known : OrderedDict
        Templates by number, the one not seen for longest first. Numbers are never given twice.
    frozen : int or None
        Templates with a smaller number are those of the reference, which no longer change.
    """

    def __init__(self, similarity: float = 0.5, leading: int = 2, most: int = 10_000) -> None:
        if not 0 < similarity <= 1 or leading < 0 or most < 10:
            raise InputError(
                f"similarity is {similarity}, leading {leading}, most {most}; give a share, a number of words and at "
                "least 10 templates"
            )
        self.similarity, self.leading, self.most = similarity, leading, most
        self.known: OrderedDict[int, Template] = OrderedDict()
        self.frozen: int | None = None
        self.made = 0
        self._leaves: dict[tuple[Any, ...], list[int]] = {}
        self._first_words: dict[tuple[Any, ...], set[bytes]] = {}
        self._by_signature: dict[int, int] = {}

    # -- numbers of messages ----------------------------------------------------------------------------------------

    def number(self, messages: Tokens) -> Index:
        """The template (n,) of each message, in their order; unknown ones make new templates."""
        signatures = messages.signatures().tolist()
        found = np.fromiter(map(self._by_signature.get, signatures, repeat(-1)), np.int64, len(signatures))
        for i in np.flatnonzero(found < 0).tolist():
            found[i] = self._place(signatures[i], messages, i)
        for number in np.unique(found).tolist():
            if number in self.known:  # one forgotten within this very block is gone
                self.known.move_to_end(number)
        return found

    def number_lines(self, lines: Sequence[str | bytes]) -> Index:
        """The template (n,) of each line of text."""
        raw = [line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line for line in lines]
        return self.number(Tokens.of_lines(raw))

    def freeze(self) -> None:
        """Keep all templates as they are; what fits none of them makes new ones from now on."""
        self.frozen = self.made

    def text(self, number: int) -> str | None:
        """The template as one line, None if it has been forgotten."""
        template = self.known.get(number)
        return None if template is None else template.text

    def near(self, number: int) -> int:
        """The template of the reference that a new one almost fits, else -1."""
        template = self.known.get(number)
        return -1 if template is None else template.near

    # -- the tree ---------------------------------------------------------------------------------------------------

    def _place(self, signature: int, messages: Tokens, i: int) -> int:
        """The template of one message that the signatures do not know."""
        known = self._by_signature.get(signature, -1)  # an earlier message of the same block may have brought it
        if known >= 0:
            return known
        part = slice(messages.first[i], messages.first[i + 1])
        raw = messages.words(i)
        words = [ANY if digit else word for word, digit in zip(raw, messages.digits[part].tolist(), strict=True)]
        leaf = self._leaf(words)
        number = self._best(leaf, words, raw)
        self._remember(signature, number)
        return number

    def _leaf(self, words: list[bytes]) -> list[int]:
        """The numbers of templates of that length and those first words."""
        path: tuple[Any, ...] = (len(words),)
        for word in words[: self.leading]:
            children = self._first_words.setdefault(path, set())
            if word not in children and word is not ANY:
                if len(children) < MOST_CHILDREN:
                    children.add(word)
                else:
                    word = b""  # where the others go
            path = (*path, word)
        return self._leaves.setdefault(path, [])

    def _best(self, leaf: list[int], words: list[bytes], raw: list[bytes]) -> int:
        """The most similar template of the leaf, made to fit; a new one where none is similar enough."""
        best, rank = -1, (-1, -1)
        for number in leaf:
            template = self.known[number].words
            mine = (sum(map(eq, template, words)), template.count(None))
            if self.frozen is not None and mine[0] + mine[1] == len(words):
                return number  # fits as it stands
            if mine > rank:
                best, rank = number, mine
        near = -1
        if best >= 0 and rank[0] >= self.similarity * len(words):
            if self.frozen is None or best >= self.frozen:
                self._widen(self.known[best], words, raw)
                return best
            near = best
        return self._new(leaf, words, raw, near)

    def _new(self, leaf: list[int], words: list[bytes], raw: list[bytes], near: int) -> int:
        number = self.made
        self.made += 1
        self.known[number] = Template(list(words), [shape(word) for word in raw], near)
        leaf.append(number)
        if len(self.known) > self.most:
            self._shed()
        return number

    @staticmethod
    def _widen(template: Template, words: list[bytes], raw: list[bytes]) -> None:
        for k, word in enumerate(words):
            if template.words[k] != word:
                template.words[k], template.shapes[k] = None, ANY
            elif word is ANY and template.shapes[k] != ANY and shape(raw[k]) != template.shapes[k]:
                template.shapes[k] = ANY

    def _shed(self) -> None:
        """Forget the templates not seen for longest, those of a reference last."""
        order = sorted(self.known, key=lambda number: self.frozen is not None and number < self.frozen)
        gone = set(order[: max(1, int(SHED * self.most))])
        for number in gone:
            del self.known[number]
        self._leaves = {
            path: kept for path, leaf in self._leaves.items() if (kept := [n for n in leaf if n not in gone])
        }
        self._first_words = {}
        for path in self._leaves:
            for depth in range(1, len(path)):
                self._first_words.setdefault(path[:depth], set()).update({path[depth]} - {ANY, b""})
        self._by_signature = {s: n for s, n in self._by_signature.items() if n not in gone}

    def _remember(self, signature: int, number: int) -> None:
        if len(self._by_signature) >= MOST_SIGNATURES:  # forget the older half
            kept = list(self._by_signature.items())[MOST_SIGNATURES // 2 :]
            self._by_signature = dict(kept)
        self._by_signature[signature] = number

    # -- saving -----------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything as numbers and text."""
        signatures = np.array(list(self._by_signature), dtype=np.uint64)
        return {
            "settings": [self.similarity, self.leading, self.most],
            "made": self.made,
            "frozen": self.frozen,
            "numbers": list(self.known),
            "near": [template.near for template in self.known.values()],
            "words": [[None if w is None else _text(w) for w in t.words] for t in self.known.values()],
            "shapes": [[_text(w) for w in t.shapes] for t in self.known.values()],
            "paths": [[path[0], *map(_text, path[1:])] for path in self._leaves],
            "leaves": list(self._leaves.values()),
            "signatures": signatures,
            "of_signatures": np.array(list(self._by_signature.values()), dtype=np.int64),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TemplateTree:
        """The tree that `state` described."""
        tree = cls(*state["settings"])
        tree.made, tree.frozen = state["made"], state["frozen"]
        for number, words, shapes, near in zip(
            state["numbers"], state["words"], state["shapes"], state["near"], strict=True
        ):
            kept = [None if word is None else _bytes(word) for word in words]
            tree.known[number] = Template(kept, [_bytes(word) for word in shapes], near)
        for path, leaf in zip(state["paths"], state["leaves"], strict=True):
            key = (path[0], *map(_bytes, path[1:]))
            tree._leaves[key] = list(leaf)
            for depth in range(1, len(key)):
                tree._first_words.setdefault(key[:depth], set()).update({key[depth]} - {ANY, b""})
        pairs = zip(state["signatures"].tolist(), state["of_signatures"].tolist(), strict=True)
        tree._by_signature = dict(pairs)
        return tree


def shape(word: bytes) -> bytes:
    """A word with its numbers, addresses and identifiers replaced by <*>."""
    return _SHAPE.sub(ANY, word)


def decoded(raw: bytes) -> str:
    """UTF-8, or Western where it is not: a log may hold both."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _text(word: bytes) -> str:
    return word.decode("latin-1")  # one letter for each byte, whatever it means


def _bytes(word: str) -> bytes:
    return word.encode("latin-1")
