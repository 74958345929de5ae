"""How a picture is to be turned: the orientation that EXIF notes in its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.video.pictures import chunks
from cleanplate.video.pictures.tiff import ORIENTATION, directories

UPRIGHT = 1

_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
_OPPOSITE = {6: 8, 8: 6}  # each of the others undoes itself
_COMPARED = (48, 48)
_EXIF = b"Exif\0\0"
_JPEG_APP1 = 0xE1
_JPEG_SCAN = 0xDA


def exif_orientation(content: bytes) -> int:
    """The orientation that a picture's file asks for, 1 to 8; 1 (upright) where it says nothing."""
    for start in _exif_blocks(content):
        for directory in directories(content, start):
            value = directory.fields.get(ORIENTATION, UPRIGHT)
            return value if value in range(1, 9) else UPRIGHT
    return UPRIGHT


def commonest(orientations: Iterable[int]) -> int:
    """The orientation of most pictures; where several lead, the one that came first."""
    counted = Counter(orientations).most_common(1)
    return counted[0][0] if counted else UPRIGHT


def turned(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """A stored picture `(H, W, …)` as its orientation wants it seen."""
    match orientation:
        case 3 | 6 | 8:
            return np.asarray(cv2.rotate(values, _TURNS[orientation]))
        case 2:
            return np.asarray(cv2.flip(values, 1))
        case 4:
            return np.asarray(cv2.flip(values, 0))
        case 5:
            return np.asarray(cv2.transpose(values))
        case 7:
            return np.asarray(cv2.rotate(cv2.transpose(values), cv2.ROTATE_180))
        case _:
            return values


def turned_back(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The picture as it was stored, of one that was turned as its orientation wants it."""
    return turned(values, _OPPOSITE.get(orientation, orientation))


def alike(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Correlation of two pictures, brought to one small size; -1 where their shapes differ."""
    if one.shape[:2] != other.shape[:2]:
        return -1.0
    small = []
    for picture in (one, other):
        values = np.nan_to_num(np.asarray(picture, np.float64), posinf=0.0, neginf=0.0)
        grey = values if values.ndim == 2 else values.mean(axis=2)
        reduced = np.asarray(cv2.resize(grey, _COMPARED, interpolation=cv2.INTER_AREA))
        small.append(reduced - reduced.mean())
    spread = float(np.linalg.norm(small[0]) * np.linalg.norm(small[1]))
    return float((small[0] * small[1]).sum()) / spread if spread > 0 else 0.0


def _exif_blocks(content: bytes) -> Iterator[int]:
    """Where the TIFF structure begins that holds the EXIF fields."""
    if content.startswith(b"\xff\xd8"):
        found = _in_jpeg(content)
    elif chunks.is_png(content):
        found = (start for name, start in chunks.of_png(content) if name == b"eXIf")
    elif chunks.is_webp(content):
        found = (start for name, start in chunks.of_webp(content) if name == b"EXIF")
    else:
        found = iter([0])
    for start in found:  # some writers put JPEG's prefix into every format
        yield start + (len(_EXIF) if content.startswith(_EXIF, start) else 0)


def _in_jpeg(content: bytes) -> Iterator[int]:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != _JPEG_SCAN:
        if content[at + 1] == 0xFF:  # a fill byte
            at += 1
            continue
        if content[at + 1] == _JPEG_APP1 and content.startswith(_EXIF, at + 4):
            yield at + 4
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
