"""The file of tensors: what it says of itself, and then its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from cleanplate.errors import SceneFileError, shortened
from cleanplate.scene_file import MODEL
from cleanplate.scene_reading.files import damaged, holds_pickle, open_part, read_summed
from cleanplate.untrusted import UntrustedError, parse_json

_MOST_HEADER = 1 << 22
_MOST_TENSORS = 4096
_MOST_SIDES = 8
_ITEM_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}


class TensorKind(NamedTuple):
    """What the header of the file of tensors says of one of them.

    Attributes:
        dtype: Name as in the file, `F32` for example.
        shape: Its shape.
    """

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {'x'.join(map(str, self.shape))}"


def read_kinds(folder: Path) -> dict[str, TensorKind]:
    """Kinds of the tensors, from the header of their file, which has to agree with its size.

    Raises:
        SceneFileError: The file is missing, damaged, or a pickle.
    """
    with open_part(folder, MODEL) as file:
        start = file.read(16)
        if holds_pickle(start):
            raise SceneFileError(
                f"{MODEL} of the scene {folder} holds a pickle, which is never loaded"
            )
        length = int.from_bytes(start[:8], "little")
        if len(start) < 16 or length > _MOST_HEADER:
            raise damaged(folder, MODEL, "it has no header")
        header = start[8:] + file.read(max(0, length - 8))
        data = file.seek(0, 2) - 8 - length
    try:
        kinds = _described(header[:length])
    except UntrustedError as error:
        raise damaged(folder, MODEL, f"its header {error}") from error
    if sum(math.prod(kind.shape) * _ITEM_BYTES[kind.dtype] for kind in kinds.values()) != data:
        raise damaged(folder, MODEL, "its header does not describe what follows it")
    return kinds


def read_tensors(folder: Path, config: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The tensors themselves, all of their numbers finite.

    Raises:
        SceneFileError: Their file is missing, damaged, or a pickle.
    """
    content = read_summed(folder, MODEL, config)
    try:
        tensors: dict[str, NDArray[Any]] = load_tensors(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise damaged(folder, MODEL, shortened(error)) from error
    for name, array in tensors.items():
        # Smallest and largest tell it without another array of that size.
        extremes = (array.min(), array.max()) if array.dtype.kind == "f" and array.size else ()
        if not all(map(np.isfinite, extremes)):
            raise damaged(folder, MODEL, f"{shortened(name)} holds numbers that are not finite")
    return tensors


def _described(header: bytes) -> dict[str, TensorKind]:
    described = parse_json(header, most_values=16 * _MOST_TENSORS)
    if not isinstance(described, dict):
        raise UntrustedError("is no tree")
    described.pop("__metadata__", None)
    return {name: _kind(each) for name, each in described.items()}


def _kind(described: object) -> TensorKind:
    match described:
        case {"dtype": str(dtype), "shape": list(shape)} if (
            dtype in _ITEM_BYTES
            and len(shape) <= _MOST_SIDES
            and all(type(side) is int and side >= 0 for side in shape)
        ):
            return TensorKind(dtype, tuple(shape))
    raise UntrustedError("describes something that is no tensor")
