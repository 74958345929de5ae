"""Media of strangers: small files that say they are enormous, files that pretend to be long."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.video import open_source
from cleanplate.video.given import GivenStills


def picture(suffix: str) -> bytes:
    shape = (24, 32) if suffix == ".pgm" else (24, 32, 3)
    return cv2.imencode(suffix, np.full(shape, 90, np.uint8))[1].tobytes()


def enormous(suffix: str) -> bytes:
    """A picture whose header says 30,000 by 30,000 pixels."""
    content = picture(suffix)
    match suffix:
        case ".png":
            header = struct.pack(">II", 30_000, 30_000) + content[24:29]
            checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
            return content[:16] + header + checksum + content[33:]
        case ".jpg":
            at = content.index(b"\xff\xc0") + 5
            return content[:at] + struct.pack(">HH", 30_000, 30_000) + content[at + 4 :]
        case ".bmp":
            return content[:18] + struct.pack("<ii", 30_000, -30_000) + content[26:]
        case _:
            return content.replace(b"32 24", b"30000 30000")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".ppm", ".pgm"])
def test_a_small_picture_that_says_it_is_enormous_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"in1{suffix}").write_bytes(enormous(suffix))
    with pytest.raises(FrameSizeError, match="30000x30000"):
        open_source(tmp_path)


def test_an_enormous_page_of_tiff_is_refused(tmp_path: Path) -> None:
    content = picture(".tiff")
    for tag in (256, 257):
        at = content.index(struct.pack("<HH", tag, 3))
        content = content[:at] + struct.pack("<HHII", tag, 4, 1, 30_000) + content[at + 12 :]
    (tmp_path / "in1.tiff").write_bytes(content)
    with pytest.raises(FrameSizeError, match="30000x30000"):
        open_source(tmp_path)


def test_an_enormous_animation_is_refused(tmp_path: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((24, 32, 3), value, np.uint8) for value in (0, 90, 200)]
    animation.durations = [40, 40, 40]
    cv2.imwriteanimation(str(tmp_path / "moving.png"), animation)
    content = (tmp_path / "moving.png").read_bytes()
    header = struct.pack(">II", 30_000, 30_000) + content[24:29]
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "moving.png").write_bytes(content[:16] + header + checksum + content[33:])
    with pytest.raises(SourceError):
        open_source(tmp_path / "moving.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".ppm", ".webp", ".tiff"])
def test_a_picture_that_pretends_to_be_long_is_damaged(tmp_path: Path, suffix: str) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"in{number}{suffix}").write_bytes(picture(suffix))
    with (tmp_path / f"in2{suffix}").open("r+b") as file:
        file.truncate(1 << 40)
    recording = open_source(tmp_path)
    assert [frame.number for frame in recording.frames()] == [1, 3]
    assert recording.problems.damaged == 1
    if suffix == ".png":  # it takes a second
        assert len(recording.fingerprint()) == 64


def test_a_picture_of_another_format_than_those_that_are_read_is_damaged(tmp_path: Path) -> None:
    content = cv2.imencode(".gif", np.zeros((24, 32, 3), np.uint8))[1].tobytes()
    (tmp_path / "in1.png").write_bytes(content)
    with pytest.raises(SourceError, match="no readable frame"):
        open_source(tmp_path)


def test_frames_of_a_program_that_are_enormous_are_refused() -> None:
    frame = np.broadcast_to(np.uint8(0), (9000, 9000, 3))
    with pytest.raises(FrameSizeError, match="9000x9000"):
        GivenStills([frame, frame])
