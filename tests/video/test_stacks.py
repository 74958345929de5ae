"""Many pictures in one file: stacks of TIFF, animated PNG and WebP."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from video_samples import COUNT, SIZE, paint, write_picture

from cleanplate.errors import SourceError
from cleanplate.frames import Picture
from cleanplate.video import SourceProblems, open_source

PICTURES = [paint(index) for index in range(COUNT)]


def save_animation(path: Path, pictures: list[Picture], seconds: float = 0.1) -> Path:
    first, *others = [Image.fromarray(picture) for picture in pictures]
    first.save(
        path, save_all=True, append_images=others, duration=round(1000 * seconds), lossless=True
    )
    return path


def make_stack(kind: str, folder: Path) -> Path:
    """A file of a kind with the painted pictures."""
    path = folder / f"stack.{kind.split('-', maxsplit=1)[0]}"
    if kind == "tif":
        assert cv2.imwritemulti(str(path), [picture[..., ::-1] for picture in PICTURES])
    elif kind.startswith("tif-"):
        how = {"big": {"bigtiff": True}, "swapped": {"byteorder": ">"}}
        how["packed"] = {"compression": "zlib"}
        tifffile.imwrite(path, np.stack(PICTURES), photometric="rgb", **how[kind.split("-")[1]])
    else:
        save_animation(path, PICTURES)
    return path


KINDS = ["tif", "tif-big", "tif-swapped", "tif-packed", "png", "webp"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_is_a_recording(tmp_path: Path, kind: str) -> None:
    source = open_source(make_stack(kind, tmp_path))
    assert (source.size, source.frame_count_hint) == (SIZE, COUNT)
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert [frame.number for frame in frames] == list(range(1, COUNT + 1))
    step = 0.04 if kind.startswith("tif") else 0.1
    assert [frame.time for frame in frames] == pytest.approx(step * np.arange(COUNT))
    assert all((frame.picture == paint(frame.index)).all() for frame in frames)
    assert (source.problems, source.notes) == (SourceProblems(0, 0), ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_keeps_numbers_and_times(tmp_path: Path, kind: str) -> None:
    whole = open_source(make_stack(kind, tmp_path))
    part = whole.part(4, 7)
    expected = [(frame.number, frame.time) for frame in whole.frames()][3:6]
    assert [(frame.number, frame.time) for frame in part.frames()] == expected
    assert part.fingerprint() != whole.fingerprint()
    wanted = [frame.number for frame in whole.frames(lambda index, _: index % 5 == 0)]
    assert wanted == [1, 6, 11]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_with_one_stack_is_that_stack(tmp_path: Path, kind: str) -> None:
    make_stack(kind, tmp_path)
    assert len(list(open_source(tmp_path).frames())) == COUNT


@pytest.mark.parametrize("kind", ["tif", "png", "webp"])
def test_several_stacks_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    content = make_stack(kind, tmp_path).read_bytes()
    (tmp_path / f"other.{kind}").write_bytes(content)
    with pytest.raises(
        SourceError, match=rf"other\.{kind} has {COUNT} pictures; give it by itself"
    ):
        open_source(tmp_path)


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_pages_of_other_types_have_one_range(tmp_path: Path, kind: str) -> None:
    counts = [7000 + 5 * picture[..., 0].astype(np.float32) for picture in PICTURES]
    tifffile.imwrite(tmp_path / "stack.tif", np.stack(counts).astype(kind))
    source = open_source(tmp_path / "stack.tif")
    pictures = [frame.picture for frame in source.frames()]
    assert source.range_origin == "found"
    assert np.ptp(pictures[0]) > 180
    assert all((picture[0] == pictures[0][0]).all() for picture in pictures)


def test_pages_without_a_directory_are_refused(tmp_path: Path) -> None:
    values = np.stack([picture[..., 0] for picture in PICTURES])
    tifffile.imwrite(tmp_path / "big.tif", values, imagej=True, truncate=True)
    with pytest.raises(
        SourceError, match=rf"big\.tif has {COUNT - 1} more pictures behind its only"
    ):
        open_source(tmp_path / "big.tif")
    tifffile.imwrite(tmp_path / "big.tif", values, imagej=True)
    assert len(list(open_source(tmp_path).frames())) == COUNT
    tifffile.imwrite(tmp_path / "big.tif", values[0], imagej=True)
    assert len(list(open_source(tmp_path).frames())) == 1


def test_thumbnails_and_previews_are_no_frames(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "in1.tif") as file:
        file.write(paint(0), photometric="rgb")
        file.write(paint(0)[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(paint(0), photometric="rgb", subfiletype=1)
        file.write(paint(0)[:20], photometric="rgb")
    write_picture(tmp_path / "in2.png", paint(1))
    assert [frame.number for frame in open_source(tmp_path).frames()] == [1, 2]
    assert [frame.number for frame in open_source(tmp_path / "in1.tif").frames()] == [1]


def test_times_of_an_animation_are_those_of_its_file(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(picture) for picture in PICTURES[:4]]
    path = tmp_path / "slow.png"
    first.save(path, save_all=True, append_images=others, duration=[100, 400, 0, 100])
    times = [frame.time for frame in open_source(path).frames()]
    assert times == pytest.approx([0, 0.1, 0.5, 0.54])


def test_the_still_of_an_animation_is_no_frame(tmp_path: Path) -> None:
    still, *others = [Image.fromarray(picture) for picture in PICTURES[:4]]
    path = tmp_path / "still.png"
    still.save(path, save_all=True, append_images=others, duration=100, default_image=True)
    frames = list(open_source(path).frames())
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert (frames[0].picture == paint(1)).all()


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("kept", [0.1, 0.6, 0.95])
def test_an_animation_that_was_cut_off_is_told(tmp_path: Path, kind: str, kept: float) -> None:
    path = make_stack(kind, tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    try:
        source = open_source(path)
    except SourceError:
        return
    frames = list(source.frames())
    assert len(frames) + source.problems.damaged == source.frame_count_hint
    assert all((frame.picture == paint(frame.index)).all() for frame in frames)


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_a_tiff_stack_that_was_cut_off_is_told(tmp_path: Path, kept: float) -> None:
    path = make_stack("tif", tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    try:
        source = open_source(path)
    except SourceError:
        return
    frames = list(source.frames())
    assert len(frames) < COUNT
    assert source.problems.damaged or "breaks off" in source.notes[-1]
    assert all((frame.picture == paint(frame.index)).all() for frame in frames)
