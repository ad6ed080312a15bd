"""Saved models: what is written comes back, and hostile or broken files end in one sentence."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import unusual
from unusual import InputError, ModelFileError
from unusual.store import ARRAYS, CARD, load, save, written_whole


@pytest.fixture
def model(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "m.unusual"
    unusual.make("Mahalanobis").fit(rng.normal(size=(60, 3))).save(path)
    return path


def rewritten(path: Path, change) -> Path:
    """The same zip with its members changed by `change(members)`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def edited_card(path: Path, edit) -> Path:
    def change(members: dict[str, bytes]) -> None:
        card = json.loads(members[CARD])
        edit(card)
        members[CARD] = json.dumps(card).encode()

    return rewritten(path, change)


def test_the_card_tells_what_is_inside(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        assert sorted(archive.namelist()) == [ARRAYS, CARD]
        card = json.loads(archive.read(CARD))
    assert card["format"] == 2
    assert card["library"] == unusual.__version__
    assert card["model"]["$detector"] == "Mahalanobis"
    assert card["model"]["parameters"] == {"alarm_rate": 0.01, "shrinkage": 1e-6}
    assert card["fingerprint"].startswith("60x3-")


def assert_refused(path: Path, word: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        load(path)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_truncated_and_other_files(model: Path, tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.unusual", "no file")
    whole = model.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        model.write_bytes(whole[:size])
        assert_refused(model, "no intact model file")
    model.write_bytes(pickle.dumps({"a": 1}))
    assert_refused(model, "no intact model file")


def test_flipped_bytes_are_noticed(model: Path) -> None:
    whole = bytearray(model.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    model.write_bytes(bytes(whole))
    assert_refused(model, "no intact model file")


def test_members_with_tricky_names_are_refused(model: Path) -> None:
    assert_refused(rewritten(model, lambda m: m.update({"../../evil.py": b"x"})), "other things")


def test_a_pickle_inside_is_refused(model: Path) -> None:
    assert_refused(rewritten(model, lambda m: m.update({ARRAYS: pickle.dumps(np.arange(3))})), "no intact model file")


def test_compressed_members_are_refused(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(model, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content + b" " * 1_000_000)
    assert_refused(model, "declares sizes")


def test_another_format_number_is_refused(model: Path) -> None:
    assert_refused(edited_card(model, lambda card: card.update(format=99)), "format 99")


@pytest.mark.parametrize("name", ["os.system", "subprocess.Popen", "Nothing", "make", ""])
def test_classes_outside_the_catalogue_are_refused(model: Path, name: str) -> None:
    assert_refused(edited_card(model, lambda card: card["model"].update({"$detector": name})), "catalogue")


def test_values_outside_the_closed_list_are_refused(model: Path) -> None:
    def edit(card: dict) -> None:
        card["model"]["state"]["calibration_"]["$value"] = "Path"

    assert_refused(edited_card(model, edit), "'Path'")


@pytest.mark.parametrize("name", ["fit", "__class__", "_score", "anomaly_score", "threshold_"])
def test_state_cannot_replace_methods(model: Path, name: str) -> None:
    assert_refused(
        edited_card(model, lambda card: card["model"]["state"].update({name: 1})), "names that no detector has"
    )


def test_arrays_that_are_not_there_are_refused(model: Path) -> None:
    def edit(card: dict) -> None:
        card["model"]["state"]["factor_"] = {"$array": "elsewhere"}

    assert_refused(edited_card(model, edit), "does not describe a model")


def test_lying_sizes_in_the_arrays_are_refused(model: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        size = int.from_bytes(members[ARRAYS][:8], "little")
        members[ARRAYS] = (size + 2**40).to_bytes(8, "little") + members[ARRAYS][8:]

    assert_refused(rewritten(model, change), "no intact model file")


def test_awkward_values_survive(tmp_path: Path, rng: np.random.Generator) -> None:
    detector = unusual.make("Mahalanobis").fit(rng.normal(size=(20, 2)))
    detector.extra_ = {
        "inf": -np.inf,
        "nan": np.nan,
        "tuple": (1, (2.5, "x")),
        "texts": np.array(["a", None, "ü"], dtype=object),
        "empty": np.zeros((0, 3), dtype=np.float32),
        "flags": np.array([True, False]),
        "none": None,
        "nested": unusual.make("Mahalanobis").fit(rng.normal(size=(20, 2))),
    }
    save(detector, tmp_path / "m.unusual")
    extra = load(tmp_path / "m.unusual").extra_
    assert extra["inf"] == -np.inf
    assert np.isnan(extra["nan"])
    assert extra["tuple"] == (1, (2.5, "x"))
    assert extra["texts"].tolist() == ["a", None, "ü"]
    assert extra["empty"].shape == (0, 3)
    assert extra["empty"].dtype == np.float32
    assert extra["flags"].tolist() == [True, False]
    assert extra["none"] is None
    assert_array_equal(extra["nested"].moments_.mean, detector.extra_["nested"].moments_.mean)


def test_what_is_no_data_is_not_saved(tmp_path: Path, rng: np.random.Generator) -> None:
    detector = unusual.make("Mahalanobis").fit(rng.normal(size=(20, 2)))
    detector.extra_ = lambda: 1
    with pytest.raises(InputError, match="cannot be saved"):
        save(detector, tmp_path / "m.unusual")
    assert list(tmp_path.iterdir()) == []


def write_half(target: Path, error: BaseException) -> None:
    with written_whole(target) as stream:
        stream.write(b"half")
        raise error


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(InputError, match=r"No space left.*nothing was left behind"):
        write_half(target, OSError(28, "No space left on device"))
    with pytest.raises(KeyboardInterrupt):
        write_half(target, KeyboardInterrupt())
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_writing_where_one_cannot(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"), written_whole(tmp_path / "no" / "such" / "file"):
        pass
    with pytest.raises(InputError, match="is a folder"), written_whole(tmp_path):
        pass
