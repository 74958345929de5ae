"""Masks and overlays: whole files or none."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_samples import SIZE, paint

from cleanplate.errors import OutputError
from cleanplate.frames import FrameSize, Mask
from cleanplate.video import MaskWriter, OverlayWriter, draw_overlay, existing_masks, open_source


def square_mask(size: FrameSize = SIZE) -> Mask:
    mask = np.zeros(size, np.uint8)
    mask[8:16, 4:14] = 255
    return mask


def write_many(writer: MaskWriter) -> None:
    for number in range(200):
        writer.write(number, square_mask())
    writer.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_masks_come_back_as_they_were_written(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    masks = {number: generator.choice([0, 255], SIZE).astype(np.uint8) for number in range(40)}
    with MaskWriter(tmp_path / "masks") as writer:
        for number, mask in masks.items():
            writer.write(number, mask)
    for number, mask in masks.items():
        read = cv2.imread(str(tmp_path / f"masks/bin{number:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert read.dtype == np.uint8
        assert read.shape == SIZE
        assert (read == mask).all()
    assert existing_masks(tmp_path / "masks") == set(masks)
    assert len(names(tmp_path / "masks")) == 40


def test_long_numbers_get_long_names(tmp_path: Path) -> None:
    with MaskWriter(tmp_path) as writer:
        writer.write(12_345_678, square_mask())
    assert names(tmp_path) == ["bin12345678.png"]
    assert existing_masks(tmp_path) == {12_345_678}


def test_an_array_may_be_used_again_after_write(tmp_path: Path) -> None:
    mask = square_mask()
    with MaskWriter(tmp_path) as writer:
        for number in range(30):
            mask[0, 0] = 255 if number % 2 else 0
            writer.write(number, mask)
    for number in range(30):
        read = cv2.imread(str(tmp_path / f"bin{number:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert read[0, 0] == (255 if number % 2 else 0)


def test_only_masks_are_counted_as_masks(tmp_path: Path) -> None:
    for name in ("bin1.png", ".bin000001.png.partial", "bin000002.png", "xbin000003.png"):
        (tmp_path / name).touch()
    assert existing_masks(tmp_path) == {2}
    assert existing_masks(tmp_path / "nothing") == set()


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".cleanplate-0123456789ab.partial").write_bytes(b"half")
    with MaskWriter(tmp_path) as writer:
        writer.write(2, square_mask())
    assert names(tmp_path) == ["bin000002.png"]


def test_a_mask_appears_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    replace = Path.replace

    def watched(source: Path, target: Path) -> Path:
        whole = cv2.imdecode(np.fromfile(source, np.uint8), cv2.IMREAD_UNCHANGED) is not None
        seen.append(whole and source.parent == target.parent and not target.exists())
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", watched)
    with MaskWriter(tmp_path) as writer:
        writer.write(1, square_mask())
    assert seen == [True]
    assert names(tmp_path) == ["bin000001.png"]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_by_the_writer(tmp_path: Path) -> None:
    writer = MaskWriter(tmp_path)
    writer.write(1, square_mask())
    with pytest.raises(OutputError, match="the disk is full: the masks could not be written"):
        write_many(writer)
    with pytest.raises(OutputError, match="the disk is full"):
        writer.close()
    assert names(tmp_path) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "mask-writer"]


@pytest.mark.usefixtures("full_disk")
def test_an_error_of_the_caller_is_not_hidden_by_one_of_the_writer(tmp_path: Path) -> None:
    with pytest.raises(KeyError), MaskWriter(tmp_path) as writer:  # noqa: PT012
        writer.write(1, square_mask())
        raise KeyError


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"the masks could not be written to .*file"):
        MaskWriter(tmp_path / "file")


@pytest.mark.parametrize("size", [SIZE, FrameSize(25, 33)])
def test_an_overlay_is_a_video_of_every_frame(
    tmp_path: Path, size: FrameSize, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "overlay.webm"
    with OverlayWriter(path, size, Fraction(25)) as writer:
        for index in range(6):
            writer.write(paint(index, size), square_mask(size))
        assert not path.exists()
    assert names(path.parent) == ["overlay.webm"]
    assert capfd.readouterr().err == ""
    source = open_source(path)
    assert source.size == (24 + size.height % 2 * 2, 32 + size.width % 2 * 2)
    frames = list(source.frames())
    assert len(frames) == 6
    expected = draw_overlay(paint(5, size), square_mask(size)).astype(int)
    shown = frames[5].picture[: size.height, : size.width]
    assert np.abs(shown - expected).mean() < 20


def test_an_overlay_scales_larger_frames(tmp_path: Path) -> None:
    path = tmp_path / "overlay.webm"
    large = FrameSize(48, 64)
    with OverlayWriter(path, SIZE, Fraction(25)) as writer:
        writer.write(paint(0, large), square_mask(large))
    assert open_source(path).size == SIZE


def test_the_overlay_changes_the_foreground_and_its_outline_only() -> None:
    drawn = draw_overlay(paint(0), square_mask())
    assert (drawn[square_mask() == 0] == paint(0)[square_mask() == 0]).all()
    assert (drawn[8, 4:14] == (255, 255, 0)).all()
    assert (drawn[10:14, 6:12] != paint(0)[10:14, 6:12]).any(axis=2).all()
    assert (draw_overlay(paint(0), np.zeros(SIZE, np.uint8)) == paint(0)).all()


def test_an_overlay_without_frames_is_no_file(tmp_path: Path) -> None:
    OverlayWriter(tmp_path / "overlay.webm", SIZE, Fraction(25)).close()
    assert names(tmp_path) == []


def test_an_overlay_left_by_an_error_is_removed(tmp_path: Path) -> None:
    with (  # noqa: PT012
        pytest.raises(KeyError),
        OverlayWriter(tmp_path / "overlay.webm", SIZE, Fraction(25)) as writer,
    ):
        writer.write(paint(0), square_mask())
        raise KeyError
    assert names(tmp_path) == []


def test_an_overlay_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="the overlay could not be written to"):
        OverlayWriter(tmp_path / "file" / "overlay.webm", SIZE, Fraction(25))


def test_an_overlay_stops_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())
    writer = OverlayWriter(tmp_path / "overlay.webm", SIZE, Fraction(25))
    with pytest.raises(OutputError, match="the disk is full: the overlay could not be written"):
        writer.write(paint(0), square_mask())
    assert names(tmp_path) == []


class Usage:
    """A disk with nothing free."""

    free = 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the file size")
def test_an_overlay_that_was_not_written_to_its_end_is_told(tmp_path: Path) -> None:
    script = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from cleanplate.errors import OutputError
from cleanplate.frames import FrameSize
from cleanplate.video import OverlayWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
generator = np.random.default_rng(0)
writer = OverlayWriter(Path(sys.argv[1]), FrameSize(96, 128), Fraction(25))
for _ in range(60):
    picture = generator.integers(0, 255, (96, 128, 3), dtype=np.uint8)
    writer.write(picture, np.zeros((96, 128), np.uint8))
try:
    writer.close()
except OutputError as error:
    sys.exit(str(error))
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "overlay.webm")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "could not be written to its end; the disk may be full" in run.stderr
    assert names(tmp_path) == []
