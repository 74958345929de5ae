"""What users give as a source: parts of a recording, odd names, and what is no path at all."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_samples import paint, write_folder, write_movie, write_picture

from cleanplate.errors import FrameSizeError, SourceError
from cleanplate.frames import FrameSize
from cleanplate.video import SourceProblems, open_source
from cleanplate.video.cache import FrameCache

PART = 10
NAMES = ("part1.avi", "part2.avi", "part10.avi")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "day"
    folder.mkdir()
    for start, name in enumerate(NAMES):
        pictures = [paint(start * PART + index) for index in range(PART)]
        write_movie(folder / name, pictures)
    return folder


def test_parts_are_one_recording_in_the_order_of_their_names(parts: Path) -> None:
    source = open_source(parts / "part*.avi")
    frames = list(source.frames())
    count = PART * len(NAMES)
    assert [frame.index for frame in frames] == list(range(count))
    assert [frame.number for frame in frames] == list(range(1, count + 1))
    assert [frame.time for frame in frames] == pytest.approx(np.arange(count) / 25)
    assert source.frame_count_hint == source.frames_passed == count
    assert source.last_time == pytest.approx((count - 1) / 25)
    assert source.problems == SourceProblems(0, 0)
    assert source.notes == ()
    for index, frame in enumerate(frames):
        assert np.abs(frame.picture.astype(int) - paint(index)).mean() < 10


def test_of_parts_only_wanted_frames_are_given(parts: Path, tmp_path: Path) -> None:
    source = open_source(parts / "*.avi")
    asked: list[int] = []

    def wanted(index: int, time: float) -> bool:
        assert time == pytest.approx(index / 25)
        asked.append(index)
        return index % 7 == 0

    assert [frame.index for frame in source.frames(wanted)] == [0, 7, 14, 21, 28]
    assert asked == list(range(30))
    with FrameCache.fill(source, tmp_path, size=source.size, max_frames=15) as cache:
        assert cache.frames_read == 30
        assert cache.indices == tuple(range(0, 30, 2))


def test_a_span_over_parts_keeps_its_numbers(parts: Path) -> None:
    span = open_source(parts / "*.avi").part(8, 23)
    frames = list(span.frames())
    assert [frame.number for frame in frames] == list(range(8, 23))
    assert [frame.index for frame in frames] == list(range(15))
    assert span.frames_passed == 15


def test_the_end_of_a_part_that_was_cut_off_is_missing(parts: Path) -> None:
    content = (parts / NAMES[1]).read_bytes()
    (parts / NAMES[1]).write_bytes(content[: len(content) * 8 // 10])
    source = open_source(parts / "*.avi")
    frames = list(source.frames())
    assert source.problems.missing == 30 - len(frames) > 0
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))


def test_parts_have_a_fingerprint_of_their_own(parts: Path) -> None:
    whole = open_source(parts / "*.avi").fingerprint()
    assert whole == open_source(parts / "part*.avi").fingerprint()
    assert whole != open_source(parts / "part1.avi").fingerprint()
    (parts / NAMES[2]).unlink()
    assert whole != open_source(parts / "*.avi").fingerprint()


def test_one_video_that_a_pattern_matches_is_that_video(parts: Path) -> None:
    pattern = open_source(parts / "part2*.avi")
    assert pattern.fingerprint() == open_source(parts / "part2.avi").fingerprint()


def test_parts_of_two_sizes_are_refused(parts: Path) -> None:
    write_movie(parts / NAMES[1], [paint(0, FrameSize(48, 64))] * 3)
    with pytest.raises(
        FrameSizeError, match=r"part2\.avi are 64x48, but those of .*part1\.avi are"
    ):
        open_source(parts / "*.avi")


def test_parts_of_deep_grey_have_one_range(tmp_path: Path) -> None:

    for part, height in enumerate((6000, 9000)):
        with av.open(str(tmp_path / f"part{part}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height, stream.width, stream.pix_fmt = 24, 32, "gray16le"
            picture = 7000 + 4 * paint(0)[..., 0].astype(np.uint16)
            picture[:8] = height
            frame = av.VideoFrame.from_ndarray(picture, format="gray16le")
            for index in range(4):
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    source = open_source(tmp_path / "part*.mkv")
    levels = [int(frame.picture[-1, 0, 0]) for frame in source.frames()]
    assert len(levels) == 8
    assert max(levels) - min(levels) <= 1
    assert source.dtype == np.uint16


def test_videos_whose_names_tell_no_order_are_refused(tmp_path: Path) -> None:
    for name in ("left_1.avi", "right_1.avi"):
        write_movie(tmp_path / name, [paint(0)] * 3)
    with pytest.raises(SourceError, match=r"left_1\.avi and 1 more tell no order"):
        open_source(tmp_path / "*.avi")


def test_a_folder_of_videos_gets_the_pattern_to_give(parts: Path) -> None:
    with pytest.raises(SourceError, match=r"no pictures but videos \(3\).*day/\*\.avi'"):
        open_source(parts)


@pytest.mark.parametrize("name", ["cam[1]", "100 % größe", "a*b", "in %03d", "~", "http:"])
def test_a_folder_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    folder = write_folder(tmp_path / name, 3)
    assert len(list(open_source(str(folder)).frames())) == 3
    assert len(list(open_source(f"{folder}/in*.png").frames())) == 3
    write_movie(folder / "clip.avi", [paint(0)] * 3)
    assert len(list(open_source(f"{folder}/*.avi").frames())) == 3


def test_a_pattern_of_folders_still_is_one(tmp_path: Path) -> None:
    for folder in ("cam1", "cam2"):
        write_picture(tmp_path / folder / f"in{folder[-1]}.png", paint(0))
    assert len(list(open_source(f"{tmp_path}/cam[12]/*.png").frames())) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("frames/in%03d.png", r"counters as in ffmpeg are not read.*'frames/in\*\.png' in quotes"),
        ("in%d.jpg", r"counters as in ffmpeg .*'in\*\.jpg'"),
        ("~/clip.mp4", r"~ stands for a home folder only where the shell reads it.*give /.*clip"),
        ("~nobody here/clip.mp4", r"~ stands for a home folder .*give the whole path"),
        ("file:///data/my clip.mp4", r"give the path of the file itself, as /data/my clip\.mp4"),
        ("FILE://localhost/a.mp4", r"give the path of the file itself, as /a\.mp4"),
        ("rtsp://camera/stream", r"rtsp://camera/stream is an address, and cameras and network"),
        ("https://example.org/a.mp4?x=*", r"is an address, and cameras and network streams"),
        (Path("rtmp://camera/live"), r"is an address, and cameras and network streams"),
    ],
)
def test_what_is_no_path_gets_a_sentence_of_its_own(source: str | Path, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(source)


def test_no_password_is_repeated() -> None:
    with pytest.raises(SourceError, match=r"rtsp://\.\.\.@camera/1 is") as refusal:
        open_source("rtsp://admin:secret@camera/1")
    assert "secret" not in str(refusal.value)
