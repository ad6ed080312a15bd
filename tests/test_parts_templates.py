"""Templates of log messages: words, signatures, the tree, and what it promises about numbers."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unusual.errors import InputError
from unusual.evaluate.grouping import grouping_accuracy
from unusual.parts.slots import Slots, numbers, varying
from unusual.parts.templates import ANY, TemplateTree
from unusual.parts.tokens import Tokens

PEER = {
    "hdfs": 0.9975,
    "bgl": 0.9685,
    "apache": 1.0,
    "openssh": 0.718,
    "zookeeper": 0.9665,
    "linux": 0.684,
    "spark": 0.922,
}


def labelled(folder: Path, name: str) -> tuple[list[bytes], list[str]]:
    """Messages and true templates of one of the labelled samples."""
    lines = (folder / "events" / f"{name}_2k.log").read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    with (folder / "events" / f"{name}_2k.labels.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    cut = [lines[int(row["line"])].decode("utf-8", "replace")[max(0, int(row["content_start"])) :] for row in rows]
    return [message.encode() for message in cut], [row["template_id"] for row in rows]


@pytest.mark.parametrize("name", PEER)
def test_lines_are_grouped_at_least_as_well_as_by_the_standard_tool(name: str, real_data: Path) -> None:
    messages, true = labelled(real_data, name)
    assert grouping_accuracy(true, TemplateTree().number_lines(messages)) >= PEER[name] - 1e-9


def split(line: bytes) -> list[bytes]:
    return re.findall(rb"[^\x00-\x20]+", line)


@given(
    st.lists(st.binary(max_size=60).filter(lambda raw: b"\n" not in raw and b"\r" not in raw), min_size=1, max_size=8)
)
def test_words_are_those_of_split(lines: list[bytes]) -> None:
    tokens = Tokens.of_lines(lines)
    assert [tokens.words(i) for i in range(len(lines))] == [split(line) for line in lines]
    words = [word for line in lines for word in split(line)]
    assert tokens.digits.tolist() == [any(48 <= letter < 58 for letter in word) for word in words]


@given(st.lists(st.text("ab7 .-", max_size=30), min_size=2, max_size=12))
def test_signatures_are_equal_exactly_where_plain_words_are(lines: list[str]) -> None:
    plain = [tuple("#" if any(c.isdigit() for c in word) else word for word in line.split()) for line in lines]
    signatures = Tokens.of_lines([line.encode() for line in lines]).signatures()
    for i in range(len(lines)):
        for j in range(i):
            assert (signatures[i] == signatures[j]) == (plain[i] == plain[j])


def test_a_message_may_begin_inside_a_word() -> None:
    text = b"sshd[7]:failed for bob\nx"
    tokens = Tokens.of(text, np.array([8]), np.array([22]))
    assert tokens.words(0) == [b"failed", b"for", b"bob"]


def test_numbers_in_words() -> None:
    words = {"12": 12, "-3": -3, "size=67108864,": 67108864, "3.25ms": 3.25, "blk_-77": -77, "a-5": 5, "10.0.0.1": None,
             "1-2": None, "x": None, "0.5.": 0.5, "(id=-9)": -9, "12345678901234567890": None}  # fmt: skip
    found = numbers(Tokens.of_lines([" ".join(words).encode()]))
    for word, got, wanted in zip(words, found, words.values(), strict=True):
        assert np.isnan(got) if wanted is None else got == pytest.approx(wanted), word


def test_slots_hold_what_varies() -> None:
    lines = [b"mail of bob sent 5 files", b"mail of eve sent 7 files"]
    tree, tokens = TemplateTree(), Tokens.of_lines(lines)
    number = tree.number(tokens)
    slots = Slots.of(tokens, varying(tokens, number, {0: tree.known[0].free()}))
    assert tree.text(0) == "mail of <*> sent <*> files"
    assert slots.place.tolist() == [2, 4, 2, 4]
    assert slots.number[[1, 3]].tolist() == [5, 7]
    assert slots.name[0] != slots.name[2]
    both = Slots.joined([slots.take(np.array([1])), slots])
    assert both.owner().tolist() == [0, 0, 1, 1, 2, 2]
    assert both.name[:2].tolist() == slots.name[2:].tolist()


def test_templates_read_well() -> None:
    tree = TemplateTree()
    tree.number_lines(
        ["Received blk_-123 of size 9 from /10.0.0.1:50010", "Received blk_77 of size 1234 from /10.1.2.3:50010"]
    )
    assert tree.text(0) == "Received blk_<*> of size <*> from /<*>"


def test_a_frozen_tree_keeps_its_templates_and_marks_new_ones() -> None:
    tree = TemplateTree()
    old = tree.number_lines(
        ["disk 1 mounted", "disk 2 mounted", "login of bob was accepted", "login of eve was accepted"]
    )
    tree.freeze()
    texts = [tree.text(n) for n in range(tree.made)]
    new = tree.number_lines(
        ["disk 3 mounted", "disk 9 failed", "disk 8 failed", "login of mallory was accepted", "boom"]
    )
    assert new[0] == old[0]
    assert new[1] == new[2] >= tree.frozen
    assert tree.near(new[1]) == old[0]
    assert new[3] == old[2]
    assert tree.near(new[4]) == -1
    assert [tree.text(n) for n in range(tree.frozen)] == texts


def test_numbers_do_not_depend_on_how_lines_are_cut_into_blocks(real_data: Path) -> None:
    messages, _ = labelled(real_data, "bgl")
    whole = TemplateTree().number_lines(messages)
    tree = TemplateTree()
    parts = [tree.number_lines(messages[i : i + 77]) for i in range(0, len(messages), 77)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_restored_tree_goes_on_as_the_saved_one(real_data: Path) -> None:
    messages, _ = labelled(real_data, "linux")
    tree = TemplateTree()
    tree.number_lines(messages[:1000])
    again = TemplateTree.from_state(tree.state())
    np.testing.assert_array_equal(again.number_lines(messages[1000:]), tree.number_lines(messages[1000:]))
    assert [again.text(n) for n in again.known] == [tree.text(n) for n in tree.known]


def test_memory_is_bounded_and_numbers_are_never_given_twice() -> None:
    tree = TemplateTree(most=50)
    letters = "abcdefghijklmnopqrstuvwxyz"
    numbers = [int(tree.number_lines([f"{a}{b} only once"])[0]) for a in letters for b in letters]
    assert len(tree.known) <= 50
    assert len(set(numbers)) == len(numbers)
    assert tree.text(0) is None
    assert len(tree._by_signature) <= 50
    before = tree.made
    tree.number_lines(["zz only once"])
    assert tree.made == before


def test_a_word_that_reads_like_a_parameter_is_let_be() -> None:
    tree = TemplateTree()
    assert tree.number_lines([ANY + b" twice", b"9 twice"]).tolist() == [0, 0]


@pytest.mark.parametrize("parameters", [{"similarity": 0}, {"leading": -1}, {"most": 3}])
def test_bad_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(InputError, match="templates"):
        TemplateTree(**parameters)


def test_grouping_accuracy_by_hand() -> None:
    assert grouping_accuracy(list("aabbc"), [1, 1, 2, 3, 4]) == pytest.approx(3 / 5)
    assert grouping_accuracy(list("aabbc"), [1, 1, 1, 1, 4]) == pytest.approx(1 / 5)
    with pytest.raises(InputError, match="one of each per line"):
        grouping_accuracy([1, 2], [1])
