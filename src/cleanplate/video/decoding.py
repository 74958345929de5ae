"""A picture from the bytes of its file, in the values that the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import MOST_PIXELS, FrameSize
from cleanplate.pixels.picture_header import JPEG_START, stated_size
from cleanplate.untrusted import UntrustedError, read_regular
from cleanplate.video.orientation import exif_orientation, turned, turned_back
from cleanplate.video.pictures import tiff

Values: TypeAlias = NDArray[Any]
"""A picture as it is stored: `(H, W)` or `(H, W, 3)` in RGB, of any type of real numbers."""

MOST_BYTES = 1 << 29
"""Of one picture's file."""
_FLOATING, _COMPLEX = 3, (5, 6)
_SEPARATE_PLANES = 2
_COMPRESSION = 259
_KNOWN_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32946})


class Decoded(NamedTuple):
    """A picture and how it was to be turned.

    Attributes:
        values: Turned as the caller asked for, not as the file does.
        orientation: What the file asks for, 1 to 8.
    """

    values: Values
    orientation: int


def read_content(path: Path) -> bytes | None:
    """The bytes of a picture's file; None where it cannot be read or is not whole."""
    try:
        content = read_regular(path, MOST_BYTES)
    except (OSError, UntrustedError):
        return None
    return content if _is_complete(content) else None


def decode(content: bytes, name: str, orientation: int | None = None) -> Decoded | None:
    """The picture of a whole file; None where it is damaged. Transparency is dropped.

    Wrong bytes inside a JPEG that still decodes are not noticed.

    Args:
        content: The file.
        name: What messages call it.
        orientation: How to turn it, as in EXIF; None: as its file asks for.

    Raises:
        SourceError: It is of a kind that cannot be read.
    """
    refuse_enormous(stated_size(content), name)
    found = exif_orientation(content)
    wanted = found if orientation is None else orientation
    page = next(tiff.directories(content), None)
    stored = _decoded(np.frombuffer(content, np.uint8), page, name)
    if stored is None:
        return None
    if page is None:
        return Decoded(turned(stored, wanted), found)
    # A TIFF comes out turned as its own file wants it.
    return Decoded(stored if wanted == found else turned(turned_back(stored, found), wanted), found)


def decode_page(content: NDArray[np.uint8], page: tiff.Directory, name: str) -> Values | None:
    """The first page of a TIFF file, which `page` describes; None where it is damaged.

    Raises:
        SourceError: It is of a kind that cannot be read.
    """
    return _decoded(content, page, name)


def _decoded(content: NDArray[np.uint8], page: tiff.Directory | None, name: str) -> Values | None:
    if page is not None:
        sides = (page.fields.get(tag, 0) for tag in (tiff.HEIGHT, tiff.WIDTH))
        refuse_enormous(FrameSize(*sides), name)
        _refuse_garbled(page, name)
    is_jpeg = bytes(content[:2]) == JPEG_START
    flags = cv2.IMREAD_COLOR if is_jpeg else cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(content, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        decoded = None
    if decoded is None:
        if page is not None:
            _refuse_unknown(page, name)
        return None
    return _in_rgb(np.asarray(decoded))


def _in_rgb(decoded: NDArray[Any]) -> Values:
    if decoded.ndim == 2:
        return decoded
    if decoded.shape[2] < 3:  # grey, perhaps with transparency
        return np.ascontiguousarray(decoded[:, :, 0])
    if decoded.dtype == np.uint8:
        code = cv2.COLOR_BGR2RGB if decoded.shape[2] == 3 else cv2.COLOR_BGRA2RGB
        return np.asarray(cv2.cvtColor(decoded, code))
    return np.ascontiguousarray(decoded[:, :, 2::-1])


def refuse_enormous(size: FrameSize | None, name: str) -> None:
    """Refuses a picture by the size that it states.

    Raises:
        FrameSizeError: It is too large; None: it states none.
    """
    if size is not None and size.pixels > MOST_PIXELS:
        raise FrameSizeError(
            f"{name} is {size}, and pictures of more than {MOST_PIXELS:,} pixels are not read; "
            "give it reduced"
        )


def _refuse_garbled(page: tiff.Directory, name: str) -> None:
    """Refuses what OpenCV decodes without an error, and wrongly."""
    samples = page.fields.get(tiff.SAMPLES_PER_PIXEL, 1)
    bits = page.fields.get(tiff.BITS_PER_SAMPLE, 1)
    has_planes = page.fields.get(tiff.PLANAR_CONFIGURATION, 1) == _SEPARATE_PLANES
    if samples not in (1, 3, 4):
        raise _not_supported(name, f"{samples} samples a pixel")
    if has_planes and samples > 1 and bits > 8:
        raise _not_supported(name, f"{bits} bits a sample in separate planes")
    if page.fields.get(tiff.SAMPLE_FORMAT) in _COMPLEX:
        raise _not_supported(name, "complex numbers")


def refuse_hidden_pages(content: tiff.Bytes, name: str) -> None:
    """Refuses a file of which only the first picture could be read.

    Raises:
        SourceError: There are more than it has directories of.
    """
    if more := tiff.pages_without_directory(content):
        raise SourceError(
            f"{name} has {more} more pictures behind its only page, as ImageJ writes them beyond "
            "4 GB; save it as several files, or as a series of pictures"
        )


def _refuse_unknown(page: tiff.Directory, name: str) -> None:
    """Tells a kind that OpenCV does not decode from damage."""
    bits = page.fields.get(tiff.BITS_PER_SAMPLE, 1)
    compression = page.fields.get(_COMPRESSION, 1)
    if compression not in _KNOWN_COMPRESSIONS:
        raise _not_supported(name, f"compression {compression}")
    if page.fields.get(tiff.SAMPLE_FORMAT) == _FLOATING and bits not in (32, 64):
        raise _not_supported(name, f"{bits}-bit floating point")


def _not_supported(name: str, what: str) -> SourceError:
    return SourceError(
        f"{name} is a TIFF file with {what}, which is not supported; convert it to grey or RGB of "
        "8 or 16 bits or of 32-bit floating point, not compressed"
    )


def _is_complete(content: bytes) -> bool:
    # Older decoders fill the rest of a truncated picture with grey and say so on stderr only.
    # Decoders of other formats than these are not let at what strangers wrote.
    return stated_size(content) is not None or tiff.Header.of(content) is not None
