"""Pictures of a folder or of a pattern as a recording."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cleanplate.errors import SourceError
from cleanplate.pixels.picture_header import JPEG_START
from cleanplate.video.decoding import (
    MOST_BYTES,
    Decoded,
    decode,
    read_content,
    refuse_hidden_pages,
)
from cleanplate.video.orientation import UPRIGHT, alike, commonest, exif_orientation
from cleanplate.video.pictures.chunks import pictures_in
from cleanplate.video.pictures.numbering import NumberedImage, number_images
from cleanplate.video.pictures.stills import Stills
from cleanplate.video.source import Tally

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)
"""Endings of the files taken for pictures, in any case."""

_FINGERPRINTED_PICTURES = 64
_HASHED_BLOCK = 1 << 20
_CLEARLY = 0.2
"""By how much a correlation is higher that is not so by chance."""
_EXIF_BYTES = 1 << 17
"""In which the EXIF of a JPEG lies."""


class ImageSequence(Stills):
    """Pictures in the order of their names; see `Stills` and `number_images`.

    A fixed camera does not turn: all pictures are turned by the EXIF orientation of most of them,
    as a phone that hangs over a road finds another way up now and then. Only where the pixels of
    another orientation are turned too, they are turned as they ask.

    Args:
        paths: Picture files in any order, at least one.
        name: What messages call them.

    Raises:
        SourceError: Two pictures have one number, or their names tell no order; one of several
            holds more than one picture, or none can be decoded.
        FrameSizeError: They are too small.
    """

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self._images, self._order_note = number_images(paths)
        spread = _spread(self._images) if len(self._images) > 1 else []
        orientations = [_orientation(image.path) for image in spread]
        self._orientation = commonest(orientations)
        self._is_alone = not spread
        self._turned_apart = {
            each
            for each in set(orientations) - {self._orientation}
            if self._shows_turned(
                spread[orientations.index(each)].path,
                spread[orientations.index(self._orientation)].path,
            )
        }
        super().__init__(name, [image.number for image in self._images])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the last pass, or the running one, a sentence each."""
        return (*super().notes, *([self._order_note] if self._order_note else []))

    @property
    def files(self) -> Sequence[Path]:
        """The pictures."""
        return [image.path for image in self._images]

    def fingerprint(self) -> str:
        """SHA-256 of all file names and sizes and the contents of up to 64 spread pictures."""
        digest = hashlib.sha256()
        images = self._images[slice(*self.span)]
        try:
            for image in images:
                digest.update(f"{image.path.name}\0{image.path.stat().st_size}\0".encode())
            for image in _spread(images):
                with image.path.open("rb") as file:
                    blocks = iter(partial(file.read, _HASHED_BLOCK), b"")
                    # What is longer than a picture can be is not read.
                    for block in itertools.islice(blocks, MOST_BYTES // _HASHED_BLOCK):
                        digest.update(block)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return digest.hexdigest()

    def _read(self, position: int) -> Decoded | None:
        path = self._images[position].path
        content = read_content(path)
        if content is None:
            return None
        refuse_hidden_pages(content, str(path))
        if (count := pictures_in(content)) > 1:
            raise SourceError(
                f"{path} has {count} pictures; give it by itself to read them as one recording, or "
                "files of one picture each"
            )
        keeps_own = self._is_alone or (
            self._turned_apart and exif_orientation(content) in self._turned_apart
        )
        return decode(content, str(path), None if keeps_own else self._orientation)

    def _shows_turned(self, other: Path, usual: Path) -> bool:
        """Whether a picture shows the scene only when it is turned as it asks itself."""
        contents = [read_content(path) for path in (other, usual)]
        if contents[0] is None or contents[1] is None:
            return False
        seen = decode(contents[1], str(usual))
        by_itself = decode(contents[0], str(other))
        as_most = decode(contents[0], str(other), self._orientation)
        if seen is None or by_itself is None or as_most is None:
            return False
        own, most = (alike(each.values, seen.values) for each in (by_itself, as_most))
        return own > most + _CLEARLY

    def _look_at(self, decoded: Decoded, tally: Tally) -> None:
        if self._is_alone or decoded.orientation == self._orientation:
            return
        if decoded.orientation in self._turned_apart:
            tally.turned_apart += 1
        else:
            tally.turned += 1


def _spread(images: Sequence[NumberedImage]) -> list[NumberedImage]:
    """Up to 64 of them at even distances."""
    count = min(len(images), _FINGERPRINTED_PICTURES)
    places = np.linspace(0, len(images) - 1, count).round().astype(int)
    return [images[place] for place in places]


def _orientation(path: Path) -> int:
    try:
        if path.stat().st_size > MOST_BYTES:
            return UPRIGHT
        with path.open("rb") as file:
            content = file.read(_EXIF_BYTES)
            if not content.startswith(JPEG_START):
                content += file.read()
    except OSError:
        return UPRIGHT
    return exif_orientation(content)
