"""Video files that are cut off, damaged or of a varying frame rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_samples import paint, write_movie, write_picture

from cleanplate.errors import SourceError
from cleanplate.frames import FrameSize, Picture
from cleanplate.video import SourceProblems, open_source

COUNT = 40


def noisy(count: int = COUNT) -> list[Picture]:
    """Frames with enough noise that each takes its share of the file."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 30, (count, 24, 32, 3), dtype=np.uint8)
    return [paint(index) + noise[index] for index in range(count)]


def overwrite_middle(path: Path, *, with_noise: bool) -> None:
    content = bytearray(path.read_bytes())
    start, length = len(content) // 2, len(content) // 10
    filling = np.random.default_rng(1).bytes(length) if with_noise else bytes(length)
    content[start : start + length] = filling
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", [".avi", ".webm", ".mkv"])
def test_a_movie_cut_off_is_read_to_its_end(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_movie(tmp_path / f"clip{suffix}", noisy())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    capfd.readouterr()
    source = open_source(path)
    frames = list(source.frames())
    assert 10 < len(frames) < 30
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))
    assert source.problems == SourceProblems(damaged=0, missing=COUNT - len(frames))
    assert capfd.readouterr().err == ""


def test_an_mp4_cut_off_before_its_index_is_refused(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.mp4", noisy())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match="or it was cut off before its index was written"):
        open_source(path)


@pytest.mark.parametrize("with_noise", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".mkv"])
def test_damage_in_the_middle_is_survived_and_counted(
    tmp_path: Path, suffix: str, with_noise: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_movie(tmp_path / f"clip{suffix}", noisy())
    overwrite_middle(path, with_noise=with_noise)
    capfd.readouterr()
    source = open_source(path)
    frames = list(source.frames())
    lost = sum(source.problems)
    assert lost > 0
    assert len(frames) == COUNT - lost >= COUNT // 2
    times = np.array([frame.time for frame in frames])
    assert (np.diff(times) > 0).all()
    assert (np.diff([frame.number for frame in frames]) > 0).all()
    assert capfd.readouterr().err == ""


def test_a_damaged_frame_of_an_mp4_keeps_its_number(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.mp4", noisy())
    overwrite_middle(path, with_noise=False)
    source = open_source(path)
    frames = list(source.frames())
    assert source.problems.damaged > 0
    assert frames[-1].number == COUNT
    assert frames[-1].time == pytest.approx((COUNT - 1) / 25)


def test_the_frame_rate_sets_the_times(tmp_path: Path) -> None:
    source = open_source(write_movie(tmp_path / "clip.mp4", noisy(5), rate=12.5))
    assert source.frame_rate == Fraction(25, 2)
    times = [frame.time for frame in source.frames()]
    assert times == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_times_of_a_varying_frame_rate_are_those_of_the_file(tmp_path: Path, suffix: str) -> None:
    milliseconds = [0, 40, 80, 200, 240, 280, 700, 740, 1500, 1540, 1580, 2000]
    path = tmp_path / f"clip{suffix}"
    write_timed(path, milliseconds)
    source = open_source(path)
    frames = list(source.frames())
    assert [frame.time for frame in frames] == pytest.approx(np.array(milliseconds) / 1000)
    assert source.problems == SourceProblems(0, 0)


def write_timed(path: Path, milliseconds: list[int]) -> None:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(milliseconds):
            frame = av.VideoFrame.from_ndarray(paint(index), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_movie_that_changes_its_size_is_scaled_to_the_first_one(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuvj420p"
        for index in range(6):
            size = FrameSize(24, 32) if index < 3 else FrameSize(48, 64)
            coder = av.CodecContext.create("mjpeg", "w")
            coder.width, coder.height, coder.pix_fmt = size.width, size.height, "yuvj420p"
            coder.time_base = Fraction(1, 25)
            # The square of the large frame 20 stands where that of the small frame 10 does.
            picture = paint(4 * index if index >= 3 else index, size)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for packet in coder.encode(frame.reformat(format="yuvj420p")) + coder.encode():
                packet.pts = packet.dts = index
                packet.time_base, packet.stream = Fraction(1, 25), stream
                container.mux(packet)
    source = open_source(path)
    frames = list(source.frames())
    assert [frame.size for frame in frames] == [source.size] * 6
    assert np.abs(frames[5].picture.astype(int) - paint(10)).mean() < 20


def test_a_movie_with_no_readable_frame_is_refused(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.mp4", noisy())
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"has no readable frame|cannot be opened as a video"):
        open_source(path)


def test_a_movie_that_goes_away_is_an_error(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.avi", noisy(4))
    source = open_source(path)
    path.unlink()
    with pytest.raises(SourceError, match="cannot be opened"):
        list(source.frames())
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        source.fingerprint()


def test_a_colon_in_the_name_is_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_movie(tmp_path / "clip.avi", noisy(4)).rename(tmp_path / "http:clip.avi")
    monkeypatch.chdir(tmp_path)
    assert len(list(open_source("http:clip.avi").frames())) == 4


def test_a_picture_is_not_opened_as_a_movie(tmp_path: Path) -> None:
    source = open_source(write_picture(tmp_path / "in7.png", paint(0)))
    assert [frame.number for frame in source.frames()] == [7]
