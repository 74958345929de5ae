"""Size of a picture that is not decoded yet: a small file may say that it is enormous."""

from __future__ import annotations

import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from cleanplate.frames import FrameSize

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"
_JPEG_SCAN = 0xDA
_SCAN_START = b"\xff\xda"
_MOST_SCANS, _MOST_SEGMENTS, _MOST_CHUNKS = 100, 1 << 16, 1 << 18
"""Of a picture; one of 67 million pixels has some 24,000 chunks."""
_JPEG_END = b"\xff\xd9"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
_BMP_HEADER, _OLD_BMP = 26, 12
_WEBP_HEADER = 30
_PNM = re.compile(rb"P[1-6]\s(?:\s|#[^\n]*\n)*([0-9]{1,9})\s(?:\s|#[^\n]*\n)*([0-9]{1,9})\s")
_PNM_HEADER = 1 << 12
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


class PictureHeader(NamedTuple):
    """What a picture says of itself.

    Attributes:
        size: In pixels.
        channels: Number of values of a pixel.
        bits: Of each value.
    """

    size: FrameSize
    channels: int
    bits: int


def png_header(content: bytes) -> PictureHeader | None:
    """Header of a PNG that is whole, its checksums right; None for anything else.

    The decoder writes about a wrong checksum to stderr before it gives up: they are checked here.
    """
    if not content.startswith(PNG_SIGNATURE):
        return None
    chunks = _png_chunks(content)
    first, fields = next(chunks, (b"", b""))
    ends = deque((kind for kind, _ in chunks), maxlen=1) == deque([b"IEND"])
    if first != b"IHDR" or not ends or len(fields) != 13 or fields[9] not in _PNG_CHANNELS:
        return None
    width, height = (int.from_bytes(fields[at : at + 4], "big") for at in (0, 4))
    return PictureHeader(FrameSize(height, width), _PNG_CHANNELS[fields[9]], fields[8])


def jpeg_header(content: bytes) -> PictureHeader | None:
    """Header of a JPEG that has a scan and an end; None for anything else."""
    if not content.startswith(JPEG_START):
        return None
    header: PictureHeader | None = None
    # An EXIF thumbnail is a JPEG in a segment of this one: only segments of the file itself count.
    position = len(JPEG_START)
    for _ in range(_MOST_SEGMENTS):
        if position + 4 > len(content) or content[position] != 0xFF:
            break
        marker = content[position + 1]
        if marker == _JPEG_SCAN:
            is_whole = content.find(_JPEG_END, position) != -1
            # Each scan goes over the whole picture, however few bytes it has.
            return header if is_whole and content.count(_SCAN_START) <= _MOST_SCANS else None
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            position += 2
        else:
            fields = content[position + 4 : position + 10]
            if marker in _JPEG_FRAMES and (header is not None or len(fields) < 6):
                return None
            if marker in _JPEG_FRAMES:
                height, width = (int.from_bytes(fields[at : at + 2], "big") for at in (1, 3))
                header = PictureHeader(FrameSize(height, width), fields[5], fields[0])
            position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return None


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk up to the last one, or up to the first damaged one."""
    view = memoryview(content)
    position = len(PNG_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if position + 12 > len(content):
            return
        end = position + 12 + int.from_bytes(view[position : position + 4], "big")
        checksum = int.from_bytes(view[end - 4 : end], "big")
        if end > len(content) or zlib.crc32(view[position + 4 : end - 4]) != checksum:
            return
        kind = bytes(view[position + 4 : position + 8])
        yield kind, bytes(view[position + 8 : min(end - 4, position + 21)])
        if kind == b"IEND":
            return
        position = end


def stated_size(content: bytes) -> FrameSize | None:
    """Size that a JPEG, PNG, BMP, WebP or PNM file states; None for anything else."""
    if content.startswith((JPEG_START, PNG_SIGNATURE)):
        header = jpeg_header(content) or png_header(content)
        return None if header is None else header.size
    if content.startswith(b"BM") and len(content) >= _BMP_HEADER:
        is_old = int.from_bytes(content[14:18], "little") == _OLD_BMP
        width, height = struct.unpack_from("<HH" if is_old else "<ii", content, 18)
        return FrameSize(abs(height), abs(width))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP" and len(content) >= _WEBP_HEADER:
        return _webp_size(content)
    match = _PNM.match(content[:_PNM_HEADER])
    return FrameSize(int(match[2]), int(match[1])) if match else None


def _webp_size(content: bytes) -> FrameSize:
    if content[12:16] == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
    elif content[12:16] == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    return FrameSize(height, width)
