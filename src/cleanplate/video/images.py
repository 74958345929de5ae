"""Pictures of a folder or of a pattern as a recording."""

from __future__ import annotations

import hashlib
import itertools
import re
import zlib
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SourceError
from cleanplate.frames import Frame, Picture
from cleanplate.video.source import (
    DEFAULT_FRAME_RATE,
    Tally,
    VideoSource,
    Wanted,
    no_readable_frame,
)

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)
"""Endings of the files taken for pictures, in any case."""

DECODING_THREADS = 2
_DECODED_AHEAD = 6
_LEAST_FOR_THREADS = 640 * 480
"""Pixels of a picture below which threads cost more than they save."""
_FINGERPRINTED_PICTURES = 64

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
_JPEG_SCAN = 0xDA
_JPEG_MARKERS_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


class NumberedImage(NamedTuple):
    """A picture file and the number that its frame gets."""

    number: int
    path: Path


class ImageSequence(VideoSource):
    """Pictures in the order of their numbers; large ones are decoded by two threads ahead.

    The frame number is the last run of digits in the file name. If any name has none, all are
    numbered by their position from 1 in natural order (2 before 10). Times assume
    `DEFAULT_FRAME_RATE`. A damaged picture is left out and counted.

    Args:
        paths: Picture files in any order, at least one.
        name: What messages call them.

    Raises:
        SourceError: Two pictures have one number, or none of them can be decoded.
        FrameSizeError: They are too small.
    """

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self._images = number_images(paths)
        decoded = (read_picture(image.path) for image in self._images)
        first = next((picture for picture in decoded if picture is not None), None)
        if first is None:
            raise no_readable_frame(name)
        size = Frame(0, 0, 0.0, first).size
        super().__init__(name, size, frame_rate=None, frame_count_hint=len(self._images))

    def _index_of(self, number: int) -> int:
        index = bisect_left(self._images, number, key=lambda image: image.number)
        return max(0, index - self.span.first)

    def fingerprint(self) -> str:
        """SHA-256 of all file names and sizes and the contents of up to 64 spread pictures."""
        digest = hashlib.sha256()
        images = self._images[slice(*self.span)]
        try:
            for image in images:
                digest.update(f"{image.path.name}\0{image.path.stat().st_size}\0".encode())
            count = min(len(images), _FINGERPRINTED_PICTURES)
            for position in np.linspace(0, len(images) - 1, count).round().astype(int):
                digest.update(images[position].path.read_bytes())
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return digest.hexdigest()

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        # A large picture waits in this queue while the threads decode it; one not wanted holds a
        # place without work, so that the order stays that of the files.
        waiting: deque[tuple[int, Callable[[], Picture | None] | None]] = deque()
        is_large = self.size.pixels >= _LEAST_FOR_THREADS
        pool = ThreadPoolExecutor(DECODING_THREADS, thread_name_prefix="decode")
        try:
            for index, image in enumerate(self._images[slice(*self.span)]):
                read: Callable[[], Picture | None] | None = None
                if wanted is None or wanted(index, self._time(index)):
                    read = partial(read_picture, image.path)
                    if is_large:
                        read = pool.submit(read).result
                waiting.append((index, read))
                if len(waiting) > (_DECODED_AHEAD if is_large else 0):
                    yield from self._finish(*waiting.popleft(), tally)
            while waiting:
                yield from self._finish(*waiting.popleft(), tally)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self, index: int, read: Callable[[], Picture | None] | None, tally: Tally
    ) -> Iterator[Frame]:
        time = self._time(index)
        if read is None:
            tally.meet(time)
        elif (picture := read()) is None:
            tally.damaged += 1
        else:
            tally.meet(time)
            yield Frame(index, self._images[self.span.first + index].number, time, picture)

    def _time(self, index: int) -> float:
        return float((self.span.first + index) / DEFAULT_FRAME_RATE)


def number_images(paths: Sequence[Path]) -> list[NumberedImage]:
    """The pictures with their numbers, ascending.

    Raises:
        SourceError: Two pictures have the same number; the message names both.
    """
    ordered = sorted(paths, key=_natural_key)
    digits = [re.findall(r"[0-9]+", path.stem) for path in ordered]
    if not all(digits):
        return [NumberedImage(position, path) for position, path in enumerate(ordered, start=1)]
    numbers = [int(runs[-1]) for runs in digits]
    images = [NumberedImage(*pair) for pair in zip(numbers, ordered, strict=True)]
    images.sort(key=lambda image: image.number)
    for before, after in itertools.pairwise(images):
        if before.number == after.number:
            raise SourceError(
                f"{before.path} and {after.path} both have the frame number {after.number}, which "
                f"is the last run of digits in the name; rename one or give a narrower pattern"
            )
    return images


def read_picture(path: Path) -> Picture | None:
    """The picture of a file, `(H, W, 3)`, uint8, RGB; None where it is damaged.

    Grey is repeated to three channels, transparency dropped, 16 bits divided by 257. A JPEG is
    turned as its EXIF orientation says. Wrong bytes inside a JPEG that still decodes are not
    noticed.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if not _is_complete(content):
        return None
    is_jpeg = content.startswith(_JPEG_START)
    flags = cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    return None if decoded is None else _to_rgb(decoded)


def _to_rgb(decoded: NDArray[Any]) -> Picture | None:
    if decoded.dtype == np.uint16:
        decoded = cv2.convertScaleAbs(decoded, alpha=1 / 257)
    if decoded.dtype != np.uint8:
        return None
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2RGB))
    match decoded.shape[2]:
        case 3:
            return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB))
        case 4:
            return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGB))
        case _:  # grey, perhaps with transparency
            grey = np.ascontiguousarray(decoded[:, :, 0])
            return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))


def _is_complete(content: bytes) -> bool:
    # Older decoders fill the rest of a truncated picture with grey and say so on stderr only.
    if content.startswith(_JPEG_START):
        return _is_complete_jpeg(content)
    if content.startswith(_PNG_SIGNATURE):
        return _is_complete_png(content)
    return bool(content)


def _is_complete_jpeg(content: bytes) -> bool:
    # The end marker counts only after the start of the scan: an EXIF thumbnail has its own.
    position = len(_JPEG_START)
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == _JPEG_SCAN:
            return content.find(b"\xff\xd9", position) != -1
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _JPEG_MARKERS_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return False


def _is_complete_png(content: bytes) -> bool:
    # Checked here because libpng writes about a wrong checksum to stderr before it gives up.
    view = memoryview(content)
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(content):
        length = int.from_bytes(view[position : position + 4], "big")
        end = position + 12 + length
        checksum = int.from_bytes(view[end - 4 : end], "big")
        if end > len(content) or zlib.crc32(view[position + 4 : end - 4]) != checksum:
            return False
        if content.startswith(b"IEND", position + 4):
            return True
        position = end
    return False


def _natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    runs = re.split(r"([0-9]+)", path.name.casefold())
    return [(1, int(run), "") if run.isdecimal() else (0, 0, run) for run in runs], str(path)
