"""Pictures of a folder or of a pattern as a recording."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cleanplate.errors import SourceError
from cleanplate.picture_header import JPEG_START
from cleanplate.video.chunks import pictures_in
from cleanplate.video.decoding import MOST_BYTES, Decoded, decode, read_content
from cleanplate.video.numbering import NumberedImage, number_images
from cleanplate.video.orientation import UPRIGHT, commonest, exif_orientation
from cleanplate.video.source import Tally
from cleanplate.video.stills import Stills

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)
"""Endings of the files taken for pictures, in any case."""

_FINGERPRINTED_PICTURES = 64
_HASHED_BLOCK = 1 << 20
_EXIF_BYTES = 1 << 17
"""In which the EXIF of a JPEG lies."""


class ImageSequence(Stills):
    """Pictures in the order of their names; see `Stills` and `number_images`.

    A fixed camera does not turn: all pictures are turned by the EXIF orientation of most of them,
    as a phone that hangs over a road finds another way up now and then.

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
        self._orientation = commonest(_orientation(image.path) for image in spread)
        self._is_alone = not spread
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
        if (count := pictures_in(content)) > 1:
            raise SourceError(
                f"{path} has {count} pictures; give it by itself to read them as one recording, or "
                "files of one picture each"
            )
        return decode(content, str(path), None if self._is_alone else self._orientation)

    def _look_at(self, decoded: Decoded, tally: Tally) -> None:
        if not self._is_alone:
            tally.turned += decoded.orientation != self._orientation


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
