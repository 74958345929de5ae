"""Outputs of commands: nothing is overwritten unasked."""

from __future__ import annotations

import contextlib
from pathlib import Path

import cv2

from cleanplate.errors import OutputError, UsageError
from cleanplate.frames import Picture


def require_free_file(path: Path, *, overwrite: bool, suffixes: tuple[str, ...] = ()) -> None:
    """Checks, before any work, that a file can be written there.

    Raises:
        OutputError: Something is in the way, or the folder cannot be made.
        UsageError: The file's name has another ending than those allowed.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} should end in {' or '.join(suffixes)}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is in the way; give another --out, or --overwrite to replace it")
    make_folder(path.parent)


def require_free_folder(path: Path) -> None:
    """Checks, before any work, that a folder can be made there.

    Raises:
        OutputError: Something is in the way.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path} is in the way; give another folder")


def write_picture(path: Path, picture: Picture) -> None:
    """Writes an RGB picture in the format of the file's ending, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    _, encoded = cv2.imencode(path.suffix, picture[..., ::-1])
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(encoded.tobytes())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Makes a folder where it is missing.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
