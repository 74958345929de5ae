"""Any recording by its path: video files, a folder of pictures, or a pattern of either."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

import cv2

from cleanplate.errors import SourceError
from cleanplate.video.movies.movie import Movie
from cleanplate.video.movies.parts import MovieParts
from cleanplate.video.pictures.images import IMAGE_SUFFIXES
from cleanplate.video.pictures.numbering import in_order_of_names
from cleanplate.video.pictures.stacks import open_pictures
from cleanplate.video.source import VideoSource

VIDEO_SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".dav", ".divx", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mxf"}
    | {".mpeg", ".mpg", ".m2v", ".m2ts", ".mts", ".ts", ".vob", ".ogv", ".webm", ".wmv", ".y4m"}
    | {".264", ".265", ".h264", ".h265", ".hevc", ".ivf", ".mjpeg", ".mjpg", ".nut"}
)
"""Endings of the files taken for videos in a folder or a pattern, in any case."""

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):/")
_COUNTER = re.compile(r"%0?[0-9]*d")
_CREDENTIALS = re.compile(r"(?<=:/)(/?)[^/@]*@")


def open_source(source: str | Path) -> VideoSource:
    """The recording behind a path.

    Silences the messages that OpenCV and FFmpeg write to stderr, for the whole process, unless the
    environment variables `OPENCV_LOG_LEVEL` and `OPENCV_FFMPEG_LOGLEVEL` ask for them.

    Args:
        source: A video file, a folder with pictures (subfolders and hidden files are left out), a
            pattern of pictures such as `input/*.jpg` (`**` for subfolders too), a pattern of the
            videos into which one recording was cut, or one picture.

    Raises:
        SourceError: There is nothing, nothing readable, or names that tell no order.
        FrameSizeError: The frames are too small, or those of two parts differ.
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
    _refuse_what_is_no_path(name)
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
        content = list(folder.iterdir())
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    if images := _with_suffix(content, IMAGE_SUFFIXES):
        return open_pictures(images, name)
    if videos := _with_suffix(content, VIDEO_SUFFIXES):
        suffixes = sorted({video.suffix for video in videos})
        raise SourceError(
            f"the folder {name} has no pictures but videos ({len(videos)}); give one of them, or, "
            f"where they are parts of one recording, the pattern '{folder / ('*' + suffixes[0])}'"
        )
    raise SourceError(f"the folder {name} has no pictures; {_allowed()}")


def _open_pattern(pattern: str) -> VideoSource:
    # Path.glob takes no absolute pattern.
    matches = [Path(match) for match in glob.glob(_literal(pattern), recursive=True)]  # noqa: PTH207
    if not matches:
        raise SourceError(
            f"the pattern {pattern} matches nothing; give one that matches pictures or videos"
        )
    if images := _with_suffix(matches, IMAGE_SUFFIXES):
        return open_pictures(images, pattern)
    if videos := _with_suffix(matches, VIDEO_SUFFIXES):
        movies = [Movie(path, str(path)) for path in in_order_of_names(videos)]
        return MovieParts(movies, pattern) if len(movies) > 1 else movies[0]
    raise SourceError(f"the pattern {pattern} matches no pictures; {_allowed()}")


def _literal(pattern: str) -> str:
    """The pattern with its folders taken by their names, as far as there are such."""
    folder, rest = _existing(pattern)
    return str(Path(glob.escape(str(folder)), rest))


def _existing(name: str) -> tuple[Path, Path]:
    """The folders that are there, at the beginning of a path, and the rest of it."""
    parts = Path(name).parts
    for count in range(len(parts) - 1, 0, -1):
        if Path(*parts[:count]).is_dir():
            return Path(*parts[:count]), Path(*parts[count:])
    return Path(), Path(name)


def _refuse_what_is_no_path(name: str) -> None:
    """Says what to give in place of what other programs read, and this one does not."""
    if (address := _ADDRESS.match(name)) is not None:
        if address[1].lower() == "file":
            path = re.sub(r"^file:/+(localhost/)?", "/", name, flags=re.IGNORECASE)
            raise SourceError(f"{name} is an address; give the path of the file itself, as {path}")
        shown = _CREDENTIALS.sub(r"\1...@", name)
        raise SourceError(
            f"{shown} is an address, and cameras and network streams are not opened; record it "
            f"first, as with `ffmpeg -i ADDRESS -c copy -t 600 clip.mkv`, and give the file"
        )
    if name.startswith("~"):
        raise SourceError(
            f"{name} does not exist: ~ stands for a home folder only where the shell reads it, "
            f"outside of quotes; give {_expanded(name)}"
        )
    folder, rest = _existing(name)
    if _COUNTER.search(str(rest)):
        raise SourceError(
            f"{name} does not exist, and counters as in ffmpeg are not read; give the folder, or "
            f"the pattern '{folder / _COUNTER.sub('*', str(rest))}' in quotes"
        )


def _expanded(name: str) -> str:
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return "the whole path"


def _with_suffix(paths: Sequence[Path], suffixes: frozenset[str]) -> list[Path]:
    named = [path for path in paths if path.suffix.lower() in suffixes]
    return [path for path in named if not path.name.startswith(".") and path.is_file()]


def _allowed() -> str:
    return "allowed are " + ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
