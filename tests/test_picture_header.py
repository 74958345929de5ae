"""What a picture says of its size, read before it is decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from cleanplate.pixels.picture_header import PictureHeader, jpeg_header, png_header


def png(*, height: int, width: int, fields: bytes | None = None) -> bytes:
    content = cv2.imencode(".png", np.zeros((16, 24, 3), np.uint8))[1].tobytes()
    header = struct.pack(">II", width, height) + (fields or content[24:29])
    return content[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + content[33:]


@pytest.mark.parametrize(
    ("shape", "dtype"), [((16, 24), "u1"), ((16, 24, 3), "u1"), ((16, 24, 4), "u2")]
)
def test_a_png_says_its_size_and_kind(shape: tuple[int, ...], dtype: str) -> None:
    content = cv2.imencode(".png", np.zeros(shape, dtype))[1].tobytes()
    channels = shape[2] if len(shape) > 2 else 1
    assert png_header(content) == PictureHeader((16, 24), channels, 8 * np.dtype(dtype).itemsize)


def test_a_jpeg_says_its_size_and_kind() -> None:
    content = cv2.imencode(".jpg", np.zeros((16, 24, 3), np.uint8))[1].tobytes()
    assert jpeg_header(content) == PictureHeader((16, 24), 3, 8)


def test_a_png_that_claims_to_be_enormous_says_so() -> None:
    header = png_header(png(height=60_000, width=60_000))
    assert header is not None
    assert header.size.pixels == 3_600_000_000


def test_what_is_damaged_or_cut_has_no_header() -> None:
    whole = png(height=16, width=24)
    assert png_header(whole[:-20]) is None
    assert png_header(whole[:30]) is None
    assert png_header(whole[:40] + b"\0" + whole[41:]) is None
    assert png_header(b"") is None
    jpeg = cv2.imencode(".jpg", np.zeros((16, 24, 3), np.uint8))[1].tobytes()
    assert jpeg_header(jpeg[:-2]) is None
    assert jpeg_header(jpeg[:20]) is None


def test_a_picture_of_very_many_parts_is_refused() -> None:
    content = png(height=16, width=24)
    chunk = struct.pack(">I", 0) + b"zzzz" + struct.pack(">I", zlib.crc32(b"zzzz"))
    assert png_header(content[:33] + chunk * 100 + content[33:]) is not None
    assert png_header(content[:33] + chunk * 300_000 + content[33:]) is None
    assert jpeg_header(b"\xff\xd8" + b"\xff" * 1_000_000) is None


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    jpeg = cv2.imencode(".jpg", np.zeros((16, 24, 3), np.uint8))[1].tobytes()
    start = jpeg.index(b"\xff\xda")
    assert jpeg_header(jpeg[:-2] + jpeg[start:-2] * 1000 + jpeg[-2:]) is None
