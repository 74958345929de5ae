"""Many pictures in one file as a recording: pages of a TIFF, frames of an animated picture."""

from __future__ import annotations

import hashlib
import math
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import Frame, FrameSize, Picture
from cleanplate.pixels.picture_header import stated_size
from cleanplate.video.decoding import Decoded, decode_page, refuse_enormous
from cleanplate.video.orientation import UPRIGHT
from cleanplate.video.pictures.chunks import is_png, pictures_in
from cleanplate.video.pictures.images import ImageSequence
from cleanplate.video.pictures.stills import Stills
from cleanplate.video.pictures.tiff import Header, directories, pages
from cleanplate.video.source import (
    DEFAULT_FRAME_RATE,
    Tally,
    VideoSource,
    Wanted,
    no_readable_frame,
)

if TYPE_CHECKING:
    from PIL import Image

_HASHED_BLOCK = 1 << 20
_HEADER_BYTES = 32
_SHORTEST, _LONGEST = 0.001, 3600.0
"""Seconds that a frame of an animated picture may be shown for."""


def open_pictures(paths: Sequence[Path], name: str) -> VideoSource:
    """Pictures as a recording: files of one picture each, or one file of many.

    Args:
        paths: Picture files in any order, at least one.
        name: What messages call them.

    Raises:
        SourceError: Two pictures have one number, one of several files holds more than one
            picture, or none can be decoded.
        FrameSizeError: They are too small.
    """
    if len(paths) > 1:
        return ImageSequence(paths, name)
    with _mapped(paths[0], name) as content:
        frames = pictures_in(content)
        is_tiff = Header.of(content) is not None
    if frames < 2:
        return ImageSequence(paths, name)
    return TiffStack(paths[0], name) if is_tiff else Animation(paths[0], name)


class _OneFile(VideoSource):
    """What is read from one file alone."""

    _path: Path

    @property
    def files(self) -> Sequence[Path]:
        """The file."""
        return [self._path]

    def fingerprint(self) -> str:
        """SHA-256 of the content of the file."""
        try:
            with self._path.open("rb") as file:
                digest = hashlib.sha256(f"{self.span.first}:{self.span.end}\0".encode())
                while block := file.read(_HASHED_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return digest.hexdigest()


class TiffStack(Stills, _OneFile):
    """Pages of a TIFF file, numbered from 1; see `Stills`. Thumbnails and previews are left out.

    Args:
        path: An existing file.
        name: What messages call it.

    Raises:
        SourceError: It cannot be read, or none of its pages can be decoded.
        FrameSizeError: They are too small.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with _mapped(path, name) as content:
            header = Header.of(content)
            assert header is not None
            self._header = header
            self._pages = pages(content)
            self._is_cut = all(page.next_offset != 0 for page in directories(content))
        super().__init__(name, range(1, len(self._pages) + 1))

    @property
    def notes(self) -> tuple[str, ...]:
        """See `VideoSource.notes`."""
        if not self._is_cut:
            return super().notes
        lost = f"its list of pages breaks off after page {len(self._pages)}: the file was cut off"
        return (*super().notes, lost)

    def _read(self, position: int) -> Decoded | None:
        page = self._pages[position]
        try:
            # Of a copy of the file that exists only where it is written to, this page is the first.
            content = np.memmap(self._path, np.uint8, "c")
        except (OSError, ValueError):
            return None
        start, end = self._header.first_at, self._header.first_at + self._header.offset_bytes
        if len(content) < end:
            return None
        content[start:end] = np.frombuffer(struct.pack(self._header.offset, page.offset), np.uint8)
        values = decode_page(content, page, f"page {position + 1} of {self.name}")
        return None if values is None else Decoded(values, UPRIGHT)


class Animation(_OneFile):
    """Frames of an animated PNG or WebP, numbered from 1, at the times that the file gives them.

    Args:
        path: An existing file.
        name: What messages call it.

    Raises:
        SourceError: It cannot be read, or has no readable frame.
        FrameSizeError: Its frames are too small.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with _opened(path, name) as image:
            size = FrameSize(image.height, image.width)
            # The picture for programs that show no animation may be none of its frames.
            self._first = int(getattr(image, "default_image", False))
            count = getattr(image, "n_frames", 1) - self._first
            if _shown(image, self._first) is None:
                raise no_readable_frame(name)
            step = _seconds(image)
        rate = Fraction(1 / step).limit_denominator(1001)
        super().__init__(name, size, frame_rate=rate, frame_count_hint=count)

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        time = 0.0
        with _opened(self._path, self.name) as image:
            count = getattr(image, "n_frames", 1) - self._first
            for place in range(count if self.span.end is None else min(count, self.span.end)):
                # One after the other, wanted or not: each is painted over the one before.
                picture = _shown(image, self._first + place)
                if picture is None:  # and so is all that would be painted over it
                    tally.damaged += count - place
                    return
                index = place - self.span.first
                if index >= 0:
                    tally.meet(time)
                    if wanted is None or wanted(index, time):
                        yield Frame(index, place + 1, time, picture)
                time += _seconds(image)


@contextmanager
def _mapped(path: Path, name: str) -> Iterator[memoryview]:
    """The bytes of a file, read as they are asked for; none of an empty one."""
    try:
        size = path.stat().st_size
        content = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror}") from error
    yield content.data


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Image.Image]:
    from PIL import Image

    try:
        with path.open("rb") as file:
            refuse_enormous(_stated_size(file.read(_HEADER_BYTES)), name)
        with warnings.catch_warnings():  # of damage we tell ourselves
            warnings.simplefilter("ignore")
            image = Image.open(path, formats=("PNG", "WEBP"))
    except FrameSizeError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise no_readable_frame(name) from error
    with image:
        yield image


def _stated_size(start: bytes) -> FrameSize | None:
    """Size that the beginning of an animation states; it may have been cut off later."""
    if is_png(start) and len(start) == _HEADER_BYTES:
        return FrameSize(*struct.unpack_from(">II", start, 16)[::-1])
    return stated_size(start)


def _shown(image: Image.Image, place: int) -> Picture | None:
    """A frame as it is seen, transparency dropped; None where it is damaged."""
    try:
        image.seek(place)
        return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error):
        return None


def _seconds(image: Image.Image) -> float:
    """For how long the frame is shown that was loaded last."""
    seconds = float(image.info.get("duration", 0)) / 1000
    is_known = math.isfinite(seconds) and _SHORTEST <= seconds <= _LONGEST
    return seconds if is_known else float(1 / DEFAULT_FRAME_RATE)
