"""Saving and loading fitted models: a zip of `card.json` and `arrays.safetensors`, numbers and text only.

Loading looks classes up in the catalogue and in the closed list of value types below. Nothing in the file names code,
and sizes, names and the format number are checked before anything is built.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from sklearn.base import BaseEstimator

from unusual.errors import InputError, ModelFileError

FORMAT = 2
CARD, ARRAYS = "card.json", "arrays.safetensors"
LARGEST_CARD = 64 * 2**20
VALUES = {
    "Bins": "unusual.parts.bins",
    "Calibration": "unusual.parts.conformal",
    "Ellipsoid": "unusual.parts.ellipsoid",
    "Moments": "unusual.parts.gaussian",
    "NameTails": "unusual.parts.value_tails",
    "Neighbours": "unusual.parts.neighbours",
    "NumberTails": "unusual.parts.value_tails",
    "Standardizer": "unusual.parts.scaling",
    "Tails": "unusual.parts.tails",
    "TemplateTree": "unusual.parts.templates",
    "UpperTail": "unusual.parts.upper_tail",
    "LogModel": "unusual._log_model",
    "SeriesModel": "unusual._series_model",
    "TableModel": "unusual._model",
    "TableEncoder": "unusual.data.encoder",
    "Dependence": "unusual.parts.dependence",
    "Margins": "unusual.parts.margins",
    "Projection": "unusual.parts.projection",
    "Spread": "unusual.parts.spread",
    "SPOT": "unusual.decide.spot",
    "DSPOT": "unusual.decide.spot",
    "CutForest": "unusual.kernels.cut_forest",
    "Stream": "unusual.stream",
}
ALLOWED = (
    "float64",
    "float32",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
)


def save(model: Any, path: str | Path) -> None:
    """Write a fitted detector, or a model of a scan, to `path`.

    Raises
    ------
    InputError
        If the model holds something that is neither number, text, array nor a known value, or the folder is missing.
    """
    import unusual

    arrays: dict[str, np.ndarray] = {}
    card = {
        "format": FORMAT,
        "library": unusual.__version__,
        "numpy": np.__version__,
        "fingerprint": getattr(model, "data_fingerprint_", None),
        "model": _pack(model, arrays, "model"),
    }
    from safetensors.numpy import save as pack_arrays

    with written_whole(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(CARD, json.dumps(card, allow_nan=False, indent=1, ensure_ascii=False))
        archive.writestr(ARRAYS, pack_arrays(arrays))


class written_whole:
    """A binary stream that appears at `path` only when all of it is written; nothing is left behind otherwise."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> IO[bytes]:
        if self.path.is_dir():
            raise InputError(f"{self.path} is a folder; give the name of a file to write")
        try:
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror}; choose another folder") from error
        self.partial = Path(name)
        os.close(handle)
        self.stream = self.partial.open("wb")  # opened by name, so that the stream knows it
        return self.stream

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            self.stream.close()
            if kind is None:
                mask = os.umask(0)
                os.umask(mask)
                self.partial.chmod(0o666 & ~mask)  # mkstemp makes files private
                self.partial.replace(self.path)
        except OSError as failure:
            error = failure
        finally:
            self.partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {self.path}: {error.strerror}; nothing was left behind") from error


def _pack(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    """`value` as JSON, its arrays set aside under the path at which they stand."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"$float": str(float(value))}
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays, where)
    if isinstance(value, list | tuple):
        items = [_pack(item, arrays, f"{where}.{i}") for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, dict):
        if not all(isinstance(key, str) and not key.startswith("$") for key in value):
            raise InputError(f"{where} has keys that are no plain text; it cannot be saved")
        return {key: _pack(item, arrays, f"{where}.{key}") for key, item in value.items()}
    return _pack_object(value, arrays, where)


def _pack_array(value: np.ndarray, arrays: dict[str, np.ndarray], where: str) -> Any:
    if value.dtype.kind == "U" or (value.dtype == object and all(isinstance(v, str | None) for v in value.ravel())):
        return {"$texts": value.tolist()}
    if value.dtype.name not in ALLOWED:
        raise InputError(f"{where} is an array of {value.dtype}; it cannot be saved")
    arrays[where] = np.ascontiguousarray(value).reshape(value.shape)
    return {"$array": where}


def _pack_object(value: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    from unusual.catalogue import cards

    name = type(value).__name__
    if name in VALUES and type(value).__module__ == VALUES[name]:
        state = value.state() if hasattr(value, "state") else {f.name: getattr(value, f.name) for f in fields(value)}
        return {"$value": name, "state": _pack(state, arrays, where)}
    if isinstance(value, BaseEstimator) and name in cards():
        parameters = value.get_params(deep=False)
        state = {k: v for k, v in vars(value).items() if _is_state(k)}  # what starts with _ is rebuilt on demand
        return {
            "$detector": name,
            "parameters": _pack(parameters, arrays, f"{where}.parameters"),
            "state": _pack(state, arrays, where),
        }
    raise InputError(f"{where} is a {name}; it cannot be saved")


def load(path: str | Path) -> Any:
    """Read a model that `save` wrote.

    Raises
    ------
    ModelFileError
        If the file is missing, broken, hostile, or of a format this version does not know.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            card, raw = _members(archive, path)
        from safetensors.numpy import load as unpack_arrays

        arrays = unpack_arrays(raw)
        model = card["model"]
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}; save one with: unusual fit DATA --save {path.name}") from None
    except ModelFileError:
        raise
    except Exception as error:  # any failure to parse means the same to the user
        raise ModelFileError(f"{path} is no intact model file ({error}); save the model again") from error
    try:
        return _build(model, arrays)
    except ModelFileError as error:
        raise ModelFileError(f"{path} is not accepted: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path} does not describe a model ({error}); save the model again") from error


def _members(archive: zipfile.ZipFile, path: Path) -> tuple[dict[str, Any], bytes]:
    """The parsed card and the bytes of the arrays, once names, sizes and the format number are found in order."""
    infos = {info.filename: info for info in archive.infolist()}
    if sorted(infos) != sorted((CARD, ARRAYS)) or len(archive.infolist()) != 2:
        raise ModelFileError(f"{path} holds other things than a saved model; only files written by unusual are opened")
    if any(i.compress_type != zipfile.ZIP_STORED or i.file_size != i.compress_size for i in infos.values()):
        raise ModelFileError(f"{path} declares sizes that do not fit it; it was not written by unusual")
    if infos[CARD].file_size > LARGEST_CARD or sum(i.file_size for i in infos.values()) > path.stat().st_size:
        raise ModelFileError(f"{path} declares more than it holds; it was not written by unusual")
    card = json.loads(archive.read(CARD))
    number = card.get("format") if isinstance(card, dict) else None
    if number != FORMAT:
        raise ModelFileError(
            f"{path} has format {number!r}, this version of unusual reads format {FORMAT}; "
            "fit the model again, or use the version that wrote it"
        )
    return card, archive.read(ARRAYS)


def _build(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value that `_pack` described."""
    if isinstance(node, list):
        return [_build(item, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    builders: dict[str, Callable[[dict[str, Any]], Any]] = {
        "$float": lambda n: {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[n["$float"]],
        "$tuple": lambda n: tuple(_build(item, arrays) for item in n["$tuple"]),
        "$array": lambda n: arrays[n["$array"]],
        "$texts": lambda n: np.array(n["$texts"], dtype=object),
        "$value": lambda n: _build_value(n, arrays),
        "$detector": lambda n: _build_detector(n, arrays),
    }
    for key, builder in builders.items():
        if key in node:
            return builder(node)
    return {key: _build(item, arrays) for key, item in node.items()}


def _build_value(node: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    name = node["$value"]
    if name not in VALUES:
        raise ModelFileError(f"it holds a {name!r}, which this version does not know")
    kind: Any = getattr(importlib.import_module(VALUES[name]), name)
    state = _build(node["state"], arrays)
    if hasattr(kind, "from_state"):
        return kind.from_state(state)
    if set(state) != {f.name for f in fields(kind)}:
        raise ModelFileError(f"its {name!r} has other fields than this version knows")
    return kind(**state)


def _build_detector(node: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    from unusual.catalogue import cards, find

    name = node["$detector"]
    if name not in cards():
        raise ModelFileError(f"its method {name!r} is not in the catalogue of this version")
    method = find(name)
    if not (isinstance(method, type) and issubclass(method, BaseEstimator)):
        raise ModelFileError(f"its method {name!r} is no detector")
    detector = method(**_build(node["parameters"], arrays))
    state = _build(node["state"], arrays)
    if any(not _is_state(key) or hasattr(method, key) for key in state):
        raise ModelFileError(f"the state of its {name!r} has names that no detector has")
    vars(detector).update(state)
    return detector


def _is_state(key: str) -> bool:
    return key.isidentifier() and key.endswith("_") and not key.startswith("_")
