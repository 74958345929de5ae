"""Video files that are cut off, damaged or of a varying frame rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from time import process_time

import av
import numpy as np
import pytest
from video_samples import paint, write_movie, write_picture

import cleanplate
from cleanplate.errors import SourceError
from cleanplate.frames import Frame, FrameSize, Picture
from cleanplate.video import SourceProblems, open_source
from cleanplate.video.movies.movie_pictures import PictureMaker

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


def test_a_large_avi_that_is_cut_off_misses_its_end(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pictures = [generator.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(COUNT)]
    path = write_movie(tmp_path / "clip.avi", pictures)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    source = open_source(path)
    count = len(list(source.frames()))
    assert 20 < count < 32
    assert source.problems == SourceProblems(damaged=0, missing=COUNT - count)


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
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(milliseconds):
            frame = av.VideoFrame.from_ndarray(paint(index), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def encoded(
    path: Path,
    pictures: Sequence[Picture],
    codec: str = "mpeg4",
    options: dict[str, str] | None = None,
    pixels: str = "yuv420p",
) -> Iterator[av.Packet]:
    """Packets of a video in their order, to be muxed by `write_packets`."""
    coder = av.CodecContext.create(codec, "w")
    coder.height, coder.width = pictures[0].shape[:2]
    coder.pix_fmt, coder.time_base, coder.framerate = pixels, Fraction(1, 25), Fraction(25)
    coder.options = {"g": "10", "qscale": "2", **(options or {})}
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = index
        yield from coder.encode(frame)
    yield from coder.encode()


def write_video(path: Path, pictures: Sequence[Picture], codec: str, **how: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=how)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def woven(count: int = 12) -> list[Picture]:
    """Frames of an interlaced camera: odd lines a moment later than even ones."""
    size = FrameSize(48, 64)
    pictures = [paint(2 * index, size) for index in range(count)]
    for index, picture in enumerate(pictures):
        picture[1::2] = paint(2 * index + 1, size)[1::2]
    return pictures


@pytest.mark.parametrize(("codec", "suffix"), [("mpeg2video", "mpg"), ("mpeg4", "mp4")])
def test_interlaced_frames_show_both_fields(tmp_path: Path, codec: str, suffix: str) -> None:
    how = {"flags": "+ilme+ildct", "qscale": "1"}
    path = write_video(tmp_path / f"clip.{suffix}", woven(), codec, **how)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    source = open_source(path)
    frames = list(source.frames())
    assert source.frames_interlaced == len(frames)
    for frame, picture in zip(frames, woven(), strict=True):
        assert np.abs(frame.picture.astype(int) - picture).mean() < 12
    again = open_source(path).frames()
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(frames, again, strict=True))


def test_a_scene_learned_from_interlaced_frames_says_so(tmp_path: Path) -> None:
    how = {"flags": "+ilme+ildct", "qscale": "1"}
    interlaced = write_video(tmp_path / "clip.mpg", woven(), "mpeg2video", **how)
    entry = cleanplate.learn(interlaced, method="median").findings["interlaced"]
    assert entry.found == "interlaced: 100 % of the frames are marked so"
    progressive = write_video(tmp_path / "other.mpg", woven(), "mpeg2video", qscale="1")
    names = [entry.name for entry in cleanplate.learn(progressive, method="median").findings]
    assert "interlaced" not in names
    assert "rate" in names


@pytest.mark.parametrize("memory", ["black", "noise", "other"])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv422p10le", "gray12le", "nv12"])
def test_a_build_that_leaves_the_memory_as_it_was_is_found_out(memory: str, pixels: str) -> None:
    size = FrameSize(48, 64)
    stale = {
        "black": np.zeros((*size, 3), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8),
        "other": 255 - paint(3, size),
    }[memory]

    class Careless:
        def reformat(self, _: av.VideoFrame, **how: object) -> av.VideoFrame:
            assert how["format"] == "rgb24"
            return av.VideoFrame.from_ndarray(stale, format="rgb24")

    frame = av.VideoFrame.from_ndarray(paint(3, size), format="rgb24").reformat(format=pixels)
    assert PictureMaker("clip").picture(frame) is not None
    maker = PictureMaker("clip")
    maker._reformatter = Careless()
    with pytest.raises(SourceError, match=r"clip cannot be read by the installed av .* convert"):
        maker.picture(frame)


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_a_frame_of_one_colour_is_no_careless_build(level: int) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
    picture = PictureMaker("clip").picture(frame.reformat(format="yuv420p"))
    assert picture is not None
    assert np.abs(picture.astype(int) - level).max() < 8


@pytest.mark.parametrize("curve", ["arib-std-b67", "smpte2084"])
def test_tags_of_hdr_change_no_picture_and_cost_no_time(tmp_path: Path, curve: str) -> None:
    pictures = [paint(index, FrameSize(240, 320)) for index in range(20)]
    tags = {"color_trc": curve, "color_primaries": "bt2020"}
    plain = open_source(write_video(tmp_path / "plain.mkv", pictures, "ffv1"))
    tagged = open_source(write_video(tmp_path / "tagged.mkv", pictures, "ffv1", **tags))
    with av.open(str(tmp_path / "tagged.mkv")) as container:
        assert next(container.decode(video=0)).color_primaries == 9
    times = []
    for source in (plain, tagged, plain, tagged):
        begin = process_time()
        frames = list(source.frames())
        times.append(process_time() - begin)
    assert times[3] < 1.5 * times[2] + 0.05
    for frame, other in zip(frames, plain.frames(), strict=True):
        assert np.array_equal(frame.picture, other.picture)


def write_clocked(path: Path, seconds: Sequence[float]) -> Path:
    """A video whose frames bear these times."""
    pictures = [paint(index) for index in range(len(seconds))]
    shown = [round(1000 * (time - min(seconds))) for time in seconds]
    is_even = (np.diff(seconds) > 0).all() and max(seconds) < 10
    lag = max(40 * index - time for index, time in enumerate(shown))
    decoded = shown if is_even else [40 * index - max(0, lag) for index in range(len(shown))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        stream.time_base = Fraction(1, 1000)
        for index, packet in enumerate(encoded(path, pictures)):
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts, packet.dts = shown[index], decoded[index]
            container.mux(packet)
    return path


STEPS = np.arange(100) / 25


def shown(path: Path) -> tuple[list[Frame], SourceProblems, tuple[str, ...]]:
    source = open_source(path)
    return list(source.frames()), source.problems, source.notes


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_one_wrong_time_moves_no_other_and_is_named_once(tmp_path: Path, suffix: str) -> None:
    seconds = STEPS.copy()
    seconds[40] += 36_000
    frames, problems, notes = shown(write_clocked(tmp_path / f"clip{suffix}", seconds))
    assert [frame.time for frame in frames] == pytest.approx(STEPS)
    assert problems == SourceProblems(0, 0)
    assert len(notes) == 1
    assert "its clock jumps 10 h ahead at frame 41" in notes[0]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_clock_that_is_wrong_for_two_seconds_moves_no_time(tmp_path: Path, suffix: str) -> None:
    seconds = STEPS.copy()
    seconds[40:90] += 36_000
    frames, problems, notes = shown(write_clocked(tmp_path / f"clip{suffix}", seconds))
    assert [frame.time for frame in frames] == pytest.approx(STEPS)
    assert problems == SourceProblems(0, 0)
    assert ["10 h ahead at frame 41" in note for note in notes] == [True]


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_clock_that_leaps_and_stands_is_left_behind(tmp_path: Path, suffix: str) -> None:
    seconds = STEPS.copy()
    seconds[40:] = 36_000
    frames, problems, notes = shown(write_clocked(tmp_path / f"clip{suffix}", seconds))
    assert [frame.time for frame in frames] == pytest.approx(STEPS)
    assert problems == SourceProblems(0, 0)
    assert ["10 h ahead at frame 41" in note for note in notes] == [True]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_clock_set_back_goes_on_from_the_frame_before(tmp_path: Path, suffix: str) -> None:
    seconds = STEPS.copy()
    seconds[40:] -= 1.5
    frames, problems, notes = shown(write_clocked(tmp_path / f"clip{suffix}", seconds))
    assert [frame.time for frame in frames] == pytest.approx(STEPS)
    assert problems == SourceProblems(0, 0)
    assert ["1.5 s back at frame 41" in note for note in notes] == [True]


@pytest.mark.parametrize("gap", [3.0, 32_400.0])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_a_hole_in_the_times_is_a_gap_and_no_damage(
    tmp_path: Path, suffix: str, gap: float
) -> None:
    seconds = STEPS.copy()
    seconds[40:] += gap
    frames, problems, notes = shown(write_clocked(tmp_path / f"clip{suffix}", seconds))
    assert [frame.time for frame in frames] == pytest.approx(seconds)
    assert problems == SourceProblems(0, 0)
    assert ["nothing was recorded for" in note for note in notes] == [True]
    assert "before frame 41" in notes[0]


@pytest.mark.parametrize(("before", "behind"), [((24, 32), (48, 64)), ((48, 64), (24, 32))])
def test_a_movie_that_changes_its_size_is_scaled_and_the_frame_is_named(
    tmp_path: Path, before: tuple[int, int], behind: tuple[int, int]
) -> None:
    path = tmp_path / "clip.avi"
    sizes = [FrameSize(*before), FrameSize(*behind)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = *before, "yuvj420p"
        for index in range(6):
            size = sizes[index // 3]
            picture = paint(index * size.width // 16, size)
            for packet in encoded(path, [picture], "mjpeg", pixels="yuvj420p"):
                packet.pts = packet.dts = index
                packet.time_base, packet.stream = Fraction(1, 25), stream
                container.mux(packet)
    source = open_source(path)
    frames = list(source.frames())
    assert [frame.size for frame in frames] == [source.size] * 6
    assert source.size == FrameSize(*before)
    square = frames[5].picture[..., 2] > 150
    assert square.any(axis=0).argmax() == pytest.approx(20 * source.size.width / 32, abs=2)
    (note,) = source.notes
    assert note.startswith(f"frame 4 is {sizes[1]}, but the first frame is {sizes[0]}")


def test_of_frames_that_are_passed_over_the_first_of_another_size_is_named(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 24, 32, "yuvj420p"
        for index in range(20):
            picture = paint(index, FrameSize(24, 32) if index < 7 else FrameSize(48, 64))
            for packet in encoded(path, [picture], "mjpeg", pixels="yuvj420p"):
                packet.pts = packet.dts = index
                packet.time_base, packet.stream = Fraction(1, 25), stream
                container.mux(packet)
    source = open_source(path)
    assert len(list(source.frames(lambda index, _: index % 9 == 0))) == 3
    assert source.notes[0].startswith("frame 8 is 64x48")


def test_a_sound_that_goes_on_longer_is_no_missing_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 24, 32, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000)
        for index in range(25):
            frame = av.VideoFrame.from_ndarray(paint(index), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for second in range(4):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), layout="mono")
            silence.sample_rate, silence.pts = 8000, 8000 * second
            container.mux(sound.encode(silence))
        container.mux(sound.encode())
    source = open_source(path)
    assert len(list(source.frames())) == 25
    assert source.problems == SourceProblems(0, 0)


def test_a_stream_cut_at_its_start_says_so(tmp_path: Path) -> None:
    packets = list(encoded(tmp_path, noisy(60), "mpeg2video", {"g": "20"}))
    path = tmp_path / "clip.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for packet in packets:
            packet.stream = stream
            container.mux(packet)
    content = path.read_bytes()
    path.write_bytes(content[len(content) // 8 // 188 * 188 :])
    source = open_source(path)
    frames = list(source.frames())
    assert 35 <= len(frames) <= 45
    assert frames[0].number == 1
    assert source.problems == SourceProblems(0, 0)
    (note,) = source.notes
    assert "its beginning is missing" in note


def lossy(path: Path, share: float) -> Path:
    """A transport stream on its way over a bad network: packets of 188 bytes are lost."""
    content = write_video(path, noisy(200), "mpeg2video", g="20", b="2M").read_bytes()
    packets = [content[start : start + 188] for start in range(0, len(content), 188)]
    is_kept = np.random.default_rng(2).random(len(packets)) >= share
    is_kept[:20] = True
    path.write_bytes(b"".join(p for p, kept in zip(packets, is_kept, strict=True) if kept))
    return path


def test_a_few_packets_lost_leave_every_frame_in_its_place(tmp_path: Path) -> None:
    source = open_source(lossy(tmp_path / "clip.ts", 0.003))
    frames = list(source.frames())
    assert len(frames) >= 197
    assert frames[-1].time == pytest.approx(199 / 25)
    wrong = [
        np.abs(frame.picture.astype(int) - noisy(200)[round(25 * frame.time)]).mean() > 12
        for frame in frames
    ]
    assert sum(wrong) < 20


def test_what_the_decoder_reports_is_counted(tmp_path: Path) -> None:
    path = lossy(tmp_path / "clip.ts", 0.015)
    source = open_source(path)
    shown = len(list(source.frames()))
    with av.open(str(path)) as container:
        reported = sum(frame.is_corrupt for frame in container.decode(video=0))
    assert reported > 0
    assert source.frames_repaired == reported
    assert source.frames_damaged == reported + source.problems.damaged == reported + 200 - shown


@pytest.mark.parametrize("name", ["[1] 100 % größe.mp4", "a %03d.avi", "~.mkv", "x?*.webm"])
def test_a_file_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    path = write_movie(tmp_path / f"clip{Path(name).suffix}", noisy(4)).rename(tmp_path / name)
    assert len(list(open_source(str(path)).frames())) == 4


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
