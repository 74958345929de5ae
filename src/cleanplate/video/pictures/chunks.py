"""The chunks that PNG and WebP files are made of, and how many pictures these hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from cleanplate.video.pictures import tiff

Bytes: TypeAlias = bytes | memoryview

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WEBP_HEADER = 12
_MOST_CHUNKS = 1_000_000
"""That are looked at: an animation has about two for each frame."""


def is_png(content: Bytes) -> bool:
    """Whether a file begins as PNG does."""
    return bytes(content[: len(PNG_SIGNATURE)]) == PNG_SIGNATURE


def is_webp(content: Bytes) -> bool:
    """Whether a file begins as WebP does."""
    return bytes(content[:4]) == b"RIFF" and bytes(content[8:_WEBP_HEADER]) == b"WEBP"


def of_png(content: Bytes) -> Iterator[tuple[bytes, int]]:
    """Name of each chunk, and where its content begins."""
    at = len(PNG_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        name = bytes(content[at + 4 : at + 8])
        if not name.isalpha():  # the end, or what is none of it
            return
        yield name, at + 8
        at += 12 + int.from_bytes(content[at : at + 4], "big")


def of_webp(content: Bytes) -> Iterator[tuple[bytes, int]]:
    """Name of each chunk, and where its content begins."""
    at = _WEBP_HEADER
    for _ in range(_MOST_CHUNKS):
        name = bytes(content[at : at + 4])
        if not name.strip(b" ").isalnum() or at + 8 > len(content):
            return
        yield name, at + 8
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + length + length % 2


def pictures_in(content: Bytes) -> int:
    """How many pictures a file holds: pages of TIFF, frames of an animated PNG or WebP, else 1."""
    if is_png(content):
        for name, start in of_png(content):
            if name == b"acTL":
                return int.from_bytes(content[start : start + 4], "big")
            if name == b"IDAT":
                return 1
    elif is_webp(content):
        return max(1, sum(name == b"ANMF" for name, _ in of_webp(content)))
    elif tiff.Header.of(content) is not None:
        return max(1, len(tiff.pages(content)))
    return 1
