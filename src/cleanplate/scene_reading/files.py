"""The parts of a scene's folder as bytes: regular files inside it, of limited size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cleanplate.errors import SceneFileError
from cleanplate.scene_file import (
    CONFIG,
    COVERAGE,
    METRICS,
    MODEL,
    NOISE,
    PLATE,
    PROVENANCE,
    SAMPLES_INDEX,
)
from cleanplate.untrusted import MOST_YAML, UntrustedError, open_regular

_MEBIBYTE = 1 << 20
_MOST_BYTES = {
    CONFIG: MOST_YAML,
    PROVENANCE: _MEBIBYTE,
    COVERAGE: _MEBIBYTE,
    METRICS: 32 * _MEBIBYTE,
    PLATE: 256 * _MEBIBYTE,
    NOISE: 64 * _MEBIBYTE,
    MODEL: 4096 * _MEBIBYTE,
    SAMPLES_INDEX: _MEBIBYTE,
}
_MOST_BYTES_OF_OTHERS = 16 * _MEBIBYTE
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


def damaged(folder: Path, name: str, reason: str) -> SceneFileError:
    """The error for a part of a scene that is not as it has to be."""
    return SceneFileError(f"{name} of the scene {folder} is damaged: {reason}")


def open_part(folder: Path, name: str) -> BinaryIO:
    """A part of a scene, opened for reading.

    Raises:
        SceneFileError: It is missing, no regular file in the folder, or too large.
    """
    most = _MOST_BYTES.get(Path(name).name, _MOST_BYTES_OF_OTHERS)
    try:
        return open_regular(folder / name, most, inside=folder)
    except UntrustedError as error:
        raise SceneFileError(f"{name} of the scene {folder} {error}") from error
    except (OSError, ValueError) as error:
        raise SceneFileError(f"{name} of the scene {folder} cannot be read") from error


def read_part(folder: Path, name: str) -> bytes:
    """Content of a part of a scene.

    Raises:
        SceneFileError: It is missing, no regular file in the folder, or too large.
    """
    try:
        with open_part(folder, name) as file:
            content: bytes = file.read(_MOST_BYTES.get(Path(name).name, _MOST_BYTES_OF_OTHERS))
    except OSError as error:
        raise SceneFileError(f"{name} of the scene {folder} cannot be read") from error
    return content


def read_summed(folder: Path, name: str, config: Mapping[str, Any]) -> bytes:
    """Content of a part whose checksum the settings of the scene hold.

    Raises:
        SceneFileError: It is missing, too large, a pickle, or another than was written.
    """
    content = read_part(folder, name)
    if holds_pickle(content):
        raise SceneFileError(f"{name} of the scene {folder} holds a pickle, which is never loaded")
    sums = config.get("sha256")
    expected = sums.get(name) if isinstance(sums, dict) else None
    if hashlib.sha256(content).hexdigest() != expected:
        raise damaged(folder, name, f"it is not what {CONFIG} describes")
    return content


def holds_pickle(content: bytes) -> bool:
    """Whether bytes begin like a pickle or like an archive of one."""
    # A tensor file may begin alike: the length of its header, then the header's "{".
    return content.startswith(_PICKLE_STARTS) and content[8:9] != b"{"
