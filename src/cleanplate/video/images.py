"""Pictures of a folder or of a pattern as a recording."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cleanplate.errors import SourceError
from cleanplate.video.decoding import JPEG_START, Decoded, decode, read_content
from cleanplate.video.orientation import UPRIGHT, commonest, exif_orientation
from cleanplate.video.source import Tally
from cleanplate.video.stills import Stills

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)
"""Endings of the files taken for pictures, in any case."""

_FINGERPRINTED_PICTURES = 64
_EXIF_BYTES = 1 << 17
"""In which the EXIF of a JPEG lies."""


class NumberedImage(NamedTuple):
    """A picture file and the number that its frame gets."""

    number: int
    path: Path


class ImageSequence(Stills):
    """Pictures in the order of their numbers; see `Stills`.

    The frame number is the last run of digits in the file name. If any name has none, all are
    numbered by their position from 1 in natural order (2 before 10).

    A fixed camera does not turn: all pictures are turned by the EXIF orientation of most of them,
    as a phone that hangs over a road finds another way up now and then.

    Args:
        paths: Picture files in any order, at least one.
        name: What messages call them.

    Raises:
        SourceError: Two pictures have one number, one of several holds more than one picture, or
            none can be decoded.
        FrameSizeError: They are too small.
    """

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self._images = number_images(paths)
        spread = _spread(self._images) if len(self._images) > 1 else []
        self._orientation = commonest(_orientation(image.path) for image in spread)
        self._is_alone = not spread
        super().__init__(name, [image.number for image in self._images])

    def fingerprint(self) -> str:
        """SHA-256 of all file names and sizes and the contents of up to 64 spread pictures."""
        digest = hashlib.sha256()
        images = self._images[slice(*self.span)]
        try:
            for image in images:
                digest.update(f"{image.path.name}\0{image.path.stat().st_size}\0".encode())
            for image in _spread(images):
                digest.update(image.path.read_bytes())
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return digest.hexdigest()

    def _read(self, position: int) -> Decoded | None:
        path = self._images[position].path
        content = read_content(path)
        if content is None:
            return None
        return decode(content, str(path), None if self._is_alone else self._orientation)

    def _look_at(self, decoded: Decoded, tally: Tally) -> None:
        if not self._is_alone:
            tally.turned += decoded.orientation != self._orientation


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


def _spread(images: Sequence[NumberedImage]) -> list[NumberedImage]:
    """Up to 64 of them at even distances."""
    count = min(len(images), _FINGERPRINTED_PICTURES)
    places = np.linspace(0, len(images) - 1, count).round().astype(int)
    return [images[place] for place in places]


def _orientation(path: Path) -> int:
    try:
        with path.open("rb") as file:
            content = file.read(_EXIF_BYTES)
            if not content.startswith(JPEG_START):
                content += file.read()
    except OSError:
        return UPRIGHT
    return exif_orientation(content)


def _natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    runs = re.split(r"([0-9]+)", path.name.casefold())
    return [(1, int(run), "") if run.isdecimal() else (0, 0, run) for run in runs], str(path)
