"""One range for a recording whose values are not grey levels: found, given, told, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from video_samples import write_movie, write_picture

from cleanplate.errors import SourceError, UsageError
from cleanplate.video import open_source
from cleanplate.video.value_range import FoundRange, ValueRange, find_range, used_levels

SHAPE = (48, 64)


def thermal(
    count: int = 12, *, warm: float = 450, kind: str = "uint16", scale: float = 1
) -> list[np.ndarray]:
    """Counts of a camera, 7,300 to 8,300, with something warm that crosses."""
    generator = np.random.default_rng(5)
    still = np.linspace(7300, 8300, SHAPE[1])[None] + np.zeros(SHAPE)
    frames = []
    for index in range(count):
        frame = still + generator.normal(0, 8, SHAPE)
        frame[10:18, 4 * index : 4 * index + 10] += warm
        frames.append((frame * scale).astype(kind))
    return frames


def save(folder: Path, frames: Sequence[np.ndarray], suffix: str = "png") -> Path:
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        assert cv2.imwrite(str(folder / f"t{number:04d}.{suffix}"), frame)
    return folder


def check_contrast(found: FoundRange, values: Sequence[float]) -> None:
    """That values stay apart by much of what a mask's threshold asks for."""
    levels = found.range.to_grey_levels(np.asarray(values))
    assert np.diff(levels.astype(int)).min() > 15


class TestFinding:
    @pytest.mark.parametrize("kind", ["uint16", "int16", "float32", "float64", "int32"])
    def test_what_is_used_fills_the_grey_levels(self, kind: str) -> None:
        found = find_range(thermal(kind=kind))
        assert not found.is_natural
        check_contrast(found, [7000, 7300, 7800, 8300, 8700])

    def test_degrees_and_other_units_of_floating_point_are_taken_as_they_are(self) -> None:
        kelvin = find_range(thermal(kind="float32", scale=0.04))
        celsius = find_range([frame - 273.15 for frame in thermal(kind="float32", scale=0.04)])
        assert celsius.range.low == pytest.approx(kelvin.range.low - 273.15, abs=0.1)
        assert celsius.range.high == pytest.approx(kelvin.range.high - 273.15, abs=0.1)

    @pytest.mark.parametrize("bad", [0, 65535])
    def test_dead_pixels_and_a_frame_without_data_count_for_nothing(self, bad: int) -> None:
        clean = find_range(thermal(24))
        frames = thermal(24)
        for frame in frames:
            frame[::9, ::11] = bad
        frames[3][:] = bad
        found = find_range(frames)
        assert found.range == pytest.approx(clean.range, rel=0.02)

    def test_a_border_without_data_counts_for_nothing(self) -> None:
        frames = thermal()
        clean = find_range(frames)
        for frame in frames:
            frame[:, :8] = 0
        assert find_range(frames).range.low > clean.range.low - 200

    def test_no_numbers_count_for_nothing(self) -> None:
        frames = thermal(kind="float32")
        clean = find_range(frames)
        for frame in frames:
            frame[:, :8] = np.nan
            frame[0, 10] = np.inf
            frame[1, 10] = -np.inf
            frame[40:, 60:] = -9999
        found = find_range(frames)
        assert found.range == pytest.approx(clean.range, rel=0.05)
        assert (found.range.to_grey_levels(frames[0])[:, :8] == 0).all()

    @pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
    def test_bits_in_16_that_are_used_are_all_taken(self, bits: int) -> None:
        top = 2**bits - 1
        frames = [np.linspace(0, 0.9 * top, 3072).reshape(SHAPE).astype(np.uint16)] * 3
        assert find_range(frames).range == (0, top)

    def test_floating_point_from_0_to_1_is_taken_so(self) -> None:
        frames = [np.linspace(0.1, 0.8, 3072).reshape(SHAPE).astype(np.float32)] * 3
        assert find_range(frames).range == (0, 1)

    @pytest.mark.parametrize("kind", ["float32", "float64"])
    def test_the_largest_numbers_are_no_failure(self, kind: str) -> None:
        frame = thermal(1, kind=kind)[0]
        frame[::3] = np.finfo(kind).max
        frame[1::3] = np.finfo(kind).min
        frame[2, :8] = np.frombuffer(b"\x01\0\x80\x7f" * 16, kind)[:8]  # signalling, if 32 bits
        found = find_range([frame, frame])
        assert found.range.to_grey_levels(frame).shape == SHAPE

    def test_noise_alone_does_not_fill_the_range(self) -> None:
        generator = np.random.default_rng(1)
        frames = [generator.normal(5000, 3, SHAPE).astype(np.uint16) for _ in range(8)]
        levels = np.stack([find_range(frames).range.to_grey_levels(frame) for frame in frames])
        assert levels.std() < 12

    @pytest.mark.parametrize("value", [0, 7, 65535])
    def test_one_value_everywhere_is_no_failure(self, value: int) -> None:
        found = find_range([np.full(SHAPE, value, np.uint16)] * 3)
        assert found.range.low < value < found.range.high
        floating = find_range([np.full(SHAPE, np.nan, np.float32)])
        assert floating.range.low < floating.range.high


class TestRange:
    def test_values_beyond_are_cut_off(self) -> None:
        values = ValueRange(100, 200).to_grey_levels(np.array([-5, 100, 140, 200, 900], np.int32))
        assert values.tolist() == [0, 0, 102, 255, 255]

    def test_all_of_16_bits_are_divided_by_257(self) -> None:
        values = np.arange(65536, dtype=np.uint16)
        levels = ValueRange(0, 65535).to_grey_levels(values)
        assert (levels == cv2.convertScaleAbs(values, alpha=1 / 257).reshape(-1)).all()

    @pytest.mark.parametrize(
        ("low", "high"), [(2, 1), (1, 1), (np.nan, 1), (0, np.inf), (-np.inf, 0)]
    )
    def test_what_is_no_range_is_refused(self, low: float, high: float) -> None:
        with pytest.raises(UsageError, match="is no range of values"):
            ValueRange.checked(low, high)

    def test_levels_of_nothing_are_none(self) -> None:
        assert used_levels(np.zeros(256, np.int64)) is None


class TestRecording:
    @pytest.mark.parametrize("suffix", ["png", "tiff"])
    def test_one_range_holds_for_all_frames_and_is_told(self, tmp_path: Path, suffix: str) -> None:
        source = open_source(save(tmp_path, thermal(), suffix))
        pictures = [frame.picture for frame in source.frames()]
        assert source.range_origin == "found"
        assert np.std([picture[30].mean() for picture in pictures]) < 2
        assert pictures[0][12, 5, 0] - int(pictures[1][12, 0, 0]) > 50
        (note,) = source.notes
        assert "less than a tenth of 0 to 65535, which they could be" in note
        assert "--range LOW HIGH" in note

    def test_a_part_has_the_range_of_the_whole(self, tmp_path: Path) -> None:
        frames = [*thermal(6), *[frame + np.uint16(900) for frame in thermal(6)]]
        source = open_source(save(tmp_path, frames))
        assert source.part(1, 4).value_range == source.value_range

    def test_a_given_range_is_used(self, tmp_path: Path) -> None:
        source = open_source(save(tmp_path, thermal())).in_range(ValueRange(7000, 9000))
        first = next(iter(source.frames())).picture
        assert (source.value_range, source.range_origin) == ((7000, 9000), "given")
        assert first[30, 0, 0] == pytest.approx(300 / 2000 * 255, abs=4)

    def test_a_given_range_that_is_hardly_used_is_told(self, tmp_path: Path) -> None:
        source = open_source(save(tmp_path, thermal())).in_range(ValueRange(0, 65535))
        list(source.frames())
        (note,) = source.notes
        assert "use less than a tenth of the range 0 to 65535" in note

    def test_a_range_that_most_values_are_beyond_is_told(self, tmp_path: Path) -> None:
        source = open_source(save(tmp_path, thermal())).in_range(ValueRange(7000, 7800))
        list(source.frames())
        (note,) = source.notes
        assert "of its values lie beyond the range 7000 to 7800" in note

    @pytest.mark.parametrize("ends", [5, (1,), (1, 2, 3), ("a", 2), (0, 10**400), None])
    def test_what_is_no_pair_of_numbers_is_refused(self, ends: object) -> None:
        with pytest.raises(UsageError, match="a range of values cannot be"):
            ValueRange.given(ends)

    def test_8_bits_without_contrast_are_told_and_can_be_spread(self, tmp_path: Path) -> None:
        for number in range(1, 4):
            grey = np.tile(np.arange(100, 116).repeat(8).astype(np.uint8)[::2], (48, 1))
            write_picture(tmp_path / f"in{number}.png", grey)
        source = open_source(tmp_path)
        list(source.frames())
        (note,) = source.notes
        assert "only the grey levels 100 to 114" in note
        assert "--range 98 116" in note
        spread = source.in_range(ValueRange(98, 117))
        (first, *_) = [frame.picture for frame in spread.frames()]
        assert np.ptp(first) > 180
        assert spread.notes == ()

    def test_a_range_of_other_values_is_refused(self, tmp_path: Path) -> None:
        write_picture(tmp_path / "in1.png", np.full((*SHAPE, 3), 80, np.uint8))
        source = open_source(tmp_path)
        with pytest.raises(SourceError, match=r"grey levels of 8 bits, but the range is 7000 to"):
            source.in_range(ValueRange(7000, 9000))
        assert source.in_range(ValueRange(0, 65535)).value_range is None

    def test_floating_point_has_no_range_of_its_type(self, tmp_path: Path) -> None:
        source = open_source(save(tmp_path, thermal(kind="float32"), "tiff"))
        with pytest.raises(SourceError, match="float32 values, for which no range is known"):
            source.in_range(None)


class TestMovie:
    @staticmethod
    def write(path: Path, frames: Sequence[np.ndarray], kind: str) -> Path:
        height, width = SHAPE
        with av.open(str(path), "w") as file:
            stream = file.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, kind
            for values in frames:
                frame = av.VideoFrame(width, height, kind)
                rows = np.zeros((height, frame.planes[0].line_size // 2), np.uint16)
                rows[:, :width] = values
                frame.planes[0].update(rows.tobytes())
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return path

    def test_counts_of_16_bits_have_one_range(self, tmp_path: Path) -> None:
        frames = thermal(40)
        source = open_source(self.write(tmp_path / "t.mkv", frames, "gray16le"))
        pictures = [frame.picture for frame in source.frames()]
        assert source.range_origin == "found"
        assert source.value_range is not None
        expected = source.value_range.to_grey_levels(frames[9])
        assert (pictures[9] == expected[..., None]).all()
        assert pictures[0][12, 5, 0] - int(pictures[1][12, 0, 0]) > 50
        assert "less than a tenth of 0 to 65535" in source.notes[0]
        assert source.part(3, 9).value_range == source.value_range

    def test_parts_of_a_recording_have_one_range(self, tmp_path: Path) -> None:
        parts = [thermal(8), [frame + np.uint16(900) for frame in thermal(8)]]
        for number, part in enumerate(parts, start=1):
            self.write(tmp_path / f"part{number}.mkv", part, "gray16le")
        source = open_source(f"{tmp_path}/part*.mkv")
        pictures = [frame.picture for frame in source.frames()]
        assert source.value_range is not None
        expected = source.value_range.to_grey_levels(parts[1][3])
        assert (pictures[11] == expected[..., None]).all()
        assert np.diff([np.median(pictures[i]).astype(int) for i in (0, 8)]) > 60
        self.write(tmp_path / "part3.mkv", thermal(8), "gray12le")
        with pytest.raises(SourceError, match="has 12-bit grey values, but"):
            open_source(f"{tmp_path}/part*.mkv")

    @pytest.mark.parametrize("bits", [10, 12])
    def test_bits_that_the_file_declares_are_all_taken(self, tmp_path: Path, bits: int) -> None:
        top = 2**bits - 1
        values = np.linspace(0, 0.4 * top, 3072).reshape(SHAPE).astype(np.uint16)
        source = open_source(self.write(tmp_path / "t.mkv", [values] * 3, f"gray{bits}le"))
        assert source.value_range == (0, top)
        assert source.in_range(None).value_range == (0, top)
        picture = next(iter(source.frames())).picture
        assert np.abs(picture[..., 0] - values / top * 255).max() <= 1

    def test_grey_levels_of_a_movie_can_be_spread(self, tmp_path: Path) -> None:
        dark = [np.full((*SHAPE, 3), 16 + index, np.uint8) for index in range(4)]
        source = open_source(write_movie(tmp_path / "t.avi", dark)).in_range(ValueRange(10, 30))
        assert next(iter(source.frames())).picture.mean() > 50
