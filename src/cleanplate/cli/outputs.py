"""Outputs of commands: nothing is overwritten unasked."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from cleanplate.errors import OutputError, UsageError
from cleanplate.frames import Picture
from cleanplate.video import VideoSource
from cleanplate.writing import remove_leftovers, write_whole


def require_free_file(path: Path, *, overwrite: bool, suffixes: tuple[str, ...] = ()) -> None:
    """Checks, before any work, that a file can be written there.

    Raises:
        OutputError: Something is in the way, or the folder cannot be made.
        UsageError: The file's name has another ending than those allowed.
    """
    if suffixes:
        require_suffix(path, suffixes)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} is in the way; give another --out, or --overwrite to replace it")
    make_folder(path.parent)
    remove_leftovers(path.parent)


def require_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    """Checks the ending of a file's name.

    Raises:
        UsageError: It is none of those allowed.
    """
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} should end in {' or '.join(suffixes)}")


def require_apart(recording: VideoSource, path: Path) -> None:
    """Checks that an output is none of the recording's files, and no folder that holds one.

    Raises:
        UsageError: It is.
    """
    place = Path(os.path.realpath(path))
    for file in recording.files:
        own = Path(os.path.realpath(file))
        if own.is_relative_to(place):
            what = "is part of" if own == place else "holds"
            raise UsageError(f"{path} {what} the recording; give another place")


def require_free_folder(path: Path) -> None:
    """Checks, before any work, that a folder can be made there.

    Raises:
        OutputError: Something is in the way.
    """
    if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path} is in the way; give another folder")


def write_picture(path: Path, picture: Picture) -> None:
    """Writes an RGB picture in the format of the file's ending, whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    _, encoded = cv2.imencode(path.suffix, picture[..., ::-1])
    write_whole(path, encoded.tobytes(), "the picture")


def make_folder(folder: Path) -> None:
    """Makes a folder where it is missing.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
