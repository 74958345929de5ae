"""The promises of every kind of source, and what is refused."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_samples import (
    COUNT,
    KINDS,
    SIZE,
    make_source_path,
    paint,
    write_folder,
    write_movie,
    write_picture,
)

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import FrameSize
from cleanplate.video import SourceProblems, VideoSource, open_source


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> VideoSource:
    return open_source(make_source_path(request.param, tmp_path))


def test_a_source_knows_its_size_and_count_before_it_is_read(source: VideoSource) -> None:
    assert source.size == SIZE
    assert source.frame_count_hint == COUNT
    assert source.frame_rate in (Fraction(25), None)


def test_frames_are_contiguous_rgb_numbered_from_1_and_timed_from_0(source: VideoSource) -> None:
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert [frame.number for frame in frames] == list(range(1, COUNT + 1))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(COUNT) / 25)
    for frame in frames:
        assert frame.picture.shape == (*SIZE, 3)
        assert frame.picture.dtype == np.uint8
        assert frame.picture.flags.c_contiguous
        difference = np.abs(frame.picture.astype(int) - paint(frame.index))
        assert difference.mean() < 12  # red and blue are not exchanged
    assert source.problems == SourceProblems(0, 0)
    assert source.frames_passed == COUNT
    assert source.last_time == frames[-1].time


def test_every_pass_starts_afresh(source: VideoSource) -> None:
    running = source.frames()
    next(running)
    assert [frame.index for frame in source.frames()] == list(range(COUNT))
    assert next(running).index == 1


def test_frames_not_wanted_are_passed_over_and_counted(source: VideoSource) -> None:
    every = {frame.index: frame for frame in source.frames()}
    asked: list[int] = []

    def is_wanted(index: int, time: float) -> bool:
        assert time == pytest.approx(index / 25)
        asked.append(index)
        return index % 5 == 2

    frames = list(source.frames(is_wanted))
    assert [frame.index for frame in frames] == [2, 7]
    assert all((frame.picture == every[frame.index].picture).all() for frame in frames)
    assert asked == list(range(COUNT))
    assert source.frames_passed == COUNT
    assert source.last_time == pytest.approx((COUNT - 1) / 25)


def test_a_part_is_a_recording_of_its_own_with_numbers_and_times_of_the_whole(
    source: VideoSource,
) -> None:
    every = list(source.frames())
    part = source.part(4, 10)
    for _ in range(2):
        frames = list(part.frames())
        assert [frame.index for frame in frames] == list(range(6))
        assert [frame.number for frame in frames] == list(range(4, 10))
        assert [frame.time for frame in frames] == [frame.time for frame in every[3:9]]
        for frame, same in zip(frames, every[3:9], strict=True):
            assert (frame.picture == same.picture).all()
        assert part.frames_passed == part.frame_count_hint == 6
        assert part.last_time == every[8].time
        assert part.problems == (0, 0)
    assert source.frames_passed == COUNT, "the whole is not touched"
    assert [frame.number for frame in part.part(6).frames()] == [6, 7, 8, 9]
    assert [frame.number for frame in source.part(11).frames(lambda i, _: i == 1)] == [12]


def test_parts_have_fingerprints_of_their_own(source: VideoSource) -> None:
    prints = [source.fingerprint(), source.part(4).fingerprint(), source.part(4, 9).fingerprint()]
    assert len(set(prints)) == 3
    assert source.part(4, 9).fingerprint() == prints[2]


def test_a_part_without_frames_is_refused(source: VideoSource) -> None:
    with pytest.raises(SourceError, match="no frames from number 13 on"):
        source.part(COUNT + 1)
    with pytest.raises(SourceError, match="no frames from number 5 on"):
        source.part(5, 5)


def test_a_pass_that_wants_nothing_is_no_error(source: VideoSource) -> None:
    assert list(source.frames(lambda *_: False)) == []


def test_a_pass_left_early_leaves_no_thread(source: VideoSource) -> None:
    before = set(threading.enumerate())
    frames = source.frames()
    next(frames)
    del frames
    started = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in started if thread.name.startswith("decode")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_follows_the_content_and_not_the_place(kind: str, tmp_path: Path) -> None:
    path = make_source_path(kind, tmp_path / "a" if kind in ("folder", "glob") else tmp_path)
    first = open_source(path).fingerprint()
    assert first == open_source(path).fingerprint()
    assert len(first) == 64
    changed = Path(path) if Path(path).is_file() else tmp_path / "a/input/in000003.png"
    moved = changed.rename(changed.with_name("moved" + changed.suffix))
    if kind not in ("folder", "glob"):
        assert open_source(moved).fingerprint() == first
    content = bytearray(moved.read_bytes())
    content[-1] ^= 1  # a movie can still be opened
    changed.write_bytes(content)
    moved.unlink()
    assert open_source(path).fingerprint() != first


def test_a_long_file_is_fingerprinted_by_spread_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_movie(tmp_path / "clip.avi", [paint(index) for index in range(COUNT)])
    source = open_source(path)
    monkeypatch.setattr("cleanplate.video.movies.movie._MEBIBYTE", 16)
    first = source.fingerprint()
    for position in (3, path.stat().st_size - 1):  # the ends are always in
        content = bytearray(path.read_bytes())
        content[position] ^= 1
        path.write_bytes(content)
        assert source.fingerprint() != first
        first = source.fingerprint()


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.mp4 does not exist; give a video file"):
        open_source(tmp_path / "nothing.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "avi", "webm"])
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip.{suffix}"
    path.touch()
    with pytest.raises(SourceError, match=rf"clip\.{suffix} is an empty file"):
        open_source(path)


@pytest.mark.parametrize("name", ["clip.mp4", "notes.txt"])
def test_a_text_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("this is not a video\n" * 200)
    with pytest.raises(SourceError, match="is a text file and not a video"):
        open_source(path)


def test_noise_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(SourceError, match="cannot be opened as a video: its format is unknown"):
        open_source(path)
    assert capfd.readouterr().err == ""


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    write_picture(tmp_path / ".hidden.png", paint(0))
    write_picture(tmp_path / "below" / "in1.png", paint(0))
    with pytest.raises(SourceError, match=r"the folder .* has no pictures; allowed are bmp, jpeg"):
        open_source(tmp_path)


def test_a_pattern_without_match_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the pattern .*\*\.jpg matches nothing"):
        open_source(tmp_path / "*.jpg")


def test_a_pattern_that_matches_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(SourceError, match=r"the pattern .*\*\.txt matches no pictures; allowed"):
        open_source(tmp_path / "*.txt")


def test_frames_under_16_pixels_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "in1.png", paint(0, FrameSize(15, 40)))
    with pytest.raises(FrameSizeError, match=r"are 40x15, but a side needs at least 16 pixels"):
        open_source(tmp_path)


def test_a_tiny_movie_is_refused(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.avi", [np.zeros((14, 32, 3), np.uint8)] * 3)
    with pytest.raises(FrameSizeError, match="are 32x14, but a side needs at least 16 pixels"):
        open_source(path)


def test_pictures_of_different_sizes_are_refused_with_the_number(tmp_path: Path) -> None:
    write_folder(tmp_path)
    write_picture(tmp_path / "in000005.png", paint(4, FrameSize(30, 32)))
    source = open_source(tmp_path)
    with pytest.raises(FrameSizeError, match=r"frame 5 of .* is 32x30, but the first .* 32x24"):
        list(source.frames())


def test_a_recording_without_a_readable_picture_is_refused(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"in{number}.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match="has no readable frame"):
        open_source(tmp_path)


@pytest.mark.parametrize("size", [FrameSize(17, 23), FrameSize(31, 101)])
@pytest.mark.parametrize("kind", ["avi", "png"])
def test_odd_sizes_work(tmp_path: Path, size: FrameSize, kind: str) -> None:
    if kind == "avi":
        path = write_movie(tmp_path / "clip.avi", [paint(0, size), paint(1, size)])
    else:
        path = write_picture(tmp_path / "in1.png", paint(0, size)).parent
    source = open_source(path)
    assert next(iter(source.frames())).size == source.size
    if kind == "png":  # FFmpeg rounds an odd size down when it writes
        assert source.size == size


def test_a_picture_of_8k_can_be_read(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "in1.bmp"), np.full((4320, 7680), 7, np.uint8))
    (frame,) = open_source(tmp_path).frames()
    assert frame.picture.shape == (4320, 7680, 3)


def test_frames_decoded_ahead_are_the_same(source: VideoSource) -> None:
    here = list(source.frames())
    ahead = list(source.frames_ahead())
    assert [(f.index, f.number, f.time) for f in ahead] == [
        (f.index, f.number, f.time) for f in here
    ]
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(ahead, here, strict=True))


def test_decoding_ahead_ends_with_its_consumer(source: VideoSource) -> None:
    frames = source.frames_ahead()
    next(frames)
    frames.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
