"""Directories of a TIFF file: where its pages begin and what their fields say."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

WIDTH, HEIGHT = 256, 257
BITS_PER_SAMPLE = 258
ORIENTATION = 274
SAMPLES_PER_PIXEL = 277
PLANAR_CONFIGURATION = 284
SAMPLE_FORMAT = 339
_NEW_SUBFILE_TYPE = 254
_IMAGE_DESCRIPTION = 270
_TEXT = 2
_LONGEST_DESCRIPTION = 1024
_IMAGEJ_IMAGES = re.compile(rb"ImageJ=.*?\bimages=([0-9]{1,9})\b", re.DOTALL)
_IMAGE_WIDTH = 256
_IMAGE_LENGTH = 257

_REDUCED_OR_MASK = 0b101
_MOST_FIELDS = 4096
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


Bytes: TypeAlias = bytes | memoryview


class Directory(NamedTuple):
    """One page.

    Attributes:
        offset: Where it stands in the file.
        fields: Its fields of whole numbers by tag, the first value of each; of the description,
            where it stands.
        next_offset: Where the next one stands; 0: it is the last; None: the file ends before that.
    """

    offset: int
    fields: dict[int, int]
    next_offset: int | None

    @property
    def is_page(self) -> bool:
        """Whether it is a picture of its own and no thumbnail or mask of another."""
        return not self.fields.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK

    @property
    def size(self) -> tuple[int, int]:
        """Length and width of the picture."""
        return self.fields.get(_IMAGE_LENGTH, 0), self.fields.get(_IMAGE_WIDTH, 0)


class Header(NamedTuple):
    """Byte order and kind of a file.

    Attributes:
        order: `<` or `>`, as in `struct`.
        is_big: Whether offsets have 8 bytes (BigTIFF).
    """

    order: str
    is_big: bool

    @classmethod
    def of(cls, content: Bytes, start: int = 0) -> Header | None:
        """The header of a file, or of the block at `start`; None where it is no TIFF."""
        kinds = {
            b"II*\0": cls("<", is_big=False),
            b"MM\0*": cls(">", is_big=False),
            b"II+\0": cls("<", is_big=True),
            b"MM\0+": cls(">", is_big=True),
        }
        return kinds.get(bytes(content[start : start + 4]))

    @property
    def first_at(self) -> int:
        """Where the offset of the first directory stands."""
        return 8 if self.is_big else 4

    @property
    def offset(self) -> str:
        """Format of an offset."""
        return f"{self.order}{'Q' if self.is_big else 'I'}"

    @property
    def offset_bytes(self) -> int:
        """Bytes of an offset."""
        return struct.calcsize(self.offset)


def directories(content: Bytes, start: int = 0) -> Iterator[Directory]:
    """The directories of a TIFF file in their order, as far as they can be read.

    Args:
        content: The file.
        start: Where the TIFF begins in it, as inside a block of EXIF.
    """
    header = Header.of(content, start)
    if header is None:
        return
    met: set[int] = set()
    try:
        (offset,) = struct.unpack_from(header.offset, content, start + header.first_at)
        room = len(content)
        while offset and offset not in met and room > 0:
            met.add(offset)
            fields, next_at = _fields(content, header, start + offset)
            room -= next_at - start - offset  # a file has no more of them than fit into it
            following = _offset(content, header, next_at)
            yield Directory(offset, fields, following)
            offset = following
    except (struct.error, OverflowError):
        return


def pages(content: Bytes) -> list[Directory]:
    """The pictures of a file that are frames of one recording: all of the size of the first.

    Thumbnails and masks are none, and previews are smaller.
    """
    found = [directory for directory in directories(content) if directory.is_page]
    return [page for page in found if page.size == found[0].size]


def pages_without_directory(content: Bytes) -> int:
    """Pictures that lie behind the only page of a file, as ImageJ writes them beyond 4 GB."""
    found = pages(content)
    if len(found) != 1 or (place := found[0].fields.get(_IMAGE_DESCRIPTION)) is None:
        return 0
    match = _IMAGEJ_IMAGES.match(bytes(content[place : place + _LONGEST_DESCRIPTION]))
    return 0 if match is None else int(match[1]) - 1


def _offset(content: Bytes, header: Header, at: int) -> int | None:
    """An offset that stands at a place; None behind the end of the file."""
    try:
        (offset,) = struct.unpack_from(header.offset, content, at)
    except (struct.error, OverflowError):
        return None
    return int(offset) if offset < len(content) else None


def _fields(content: Bytes, header: Header, at: int) -> tuple[dict[int, int], int]:
    """Fields of the directory at a place, and where the offset of the next one stands."""
    order, is_big = header
    (count,) = struct.unpack_from(f"{order}{'Q' if is_big else 'H'}", content, at)
    if count > _MOST_FIELDS:
        raise struct.error("no directory has so many fields")
    at += 8 if is_big else 2
    step, wide = (20, 8) if is_big else (12, 4)
    fields: dict[int, int] = {}
    for _ in range(count):
        tag, kind, values = struct.unpack_from(f"{order}HH{'Q' if is_big else 'I'}", content, at)
        if tag == _IMAGE_DESCRIPTION and kind == _TEXT:
            fields[tag] = at + step - wide
            if values > wide:
                (fields[tag],) = struct.unpack_from(header.offset, content, at + step - wide)
        if kind in _INTEGERS and values:
            code = f"{order}{_INTEGERS[kind]}"
            place = at + step - wide
            if values * struct.calcsize(code) > wide:
                (place,) = struct.unpack_from(header.offset, content, place)
            (fields[tag],) = struct.unpack_from(code, content, place)
        at += step
    return fields, at
