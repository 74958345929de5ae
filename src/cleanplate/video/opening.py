"""Any recording by its path: a video file, a folder of pictures, or a pattern of pictures."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import cv2

from cleanplate.errors import SourceError
from cleanplate.video.images import IMAGE_SUFFIXES
from cleanplate.video.movie import Movie
from cleanplate.video.source import VideoSource
from cleanplate.video.stacks import open_pictures


def open_source(source: str | Path) -> VideoSource:
    """The recording behind a path.

    Silences the messages that OpenCV and FFmpeg write to stderr, for the whole process, unless the
    environment variables `OPENCV_LOG_LEVEL` and `OPENCV_FFMPEG_LOGLEVEL` ask for them.

    Args:
        source: A video file, a folder with pictures (subfolders and hidden files are left out), a
            pattern of pictures such as `input/*.jpg` (`**` for subfolders too), or one picture.

    Raises:
        SourceError: There is nothing, nothing readable, or two pictures have one number.
        FrameSizeError: The frames are too small.
    """
    silence_decoders()
    path, name = Path(source), str(source)
    if path.is_dir():
        return _open_folder(path, name)
    if path.is_file():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return open_pictures([path], name)
        return Movie(path, name)
    if path.exists():
        raise SourceError(
            f"{name} is neither a file nor a folder; "
            "give a video file, a folder or a pattern of pictures"
        )
    if glob.has_magic(name):
        return _open_pattern(name)
    raise SourceError(
        f"{name} does not exist; give a video file, a folder or a pattern of pictures"
    )


def silence_decoders() -> None:
    """Keeps OpenCV and FFmpeg from writing to stderr, unless the environment asks for it."""
    # FFmpeg's level is read from the environment when OpenCV first uses FFmpeg; -8 is "quiet".
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def _open_folder(folder: Path, name: str) -> VideoSource:
    try:
        images = [path for path in folder.iterdir() if _is_image(path)]
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    if not images:
        raise SourceError(f"the folder {name} has no pictures; {_allowed()}")
    return open_pictures(images, name)


def _open_pattern(pattern: str) -> VideoSource:
    # Path.glob takes no absolute pattern.
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    if not matches:
        raise SourceError(f"the pattern {pattern} matches nothing; give one that matches pictures")
    images = [path for path in matches if _is_image(path)]
    if not images:
        raise SourceError(f"the pattern {pattern} matches no pictures; {_allowed()}")
    return open_pictures(images, pattern)


def _is_image(path: Path) -> bool:
    is_named_so = path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    return is_named_so and path.is_file()


def _allowed() -> str:
    return "allowed are " + ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
