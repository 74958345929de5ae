"""Frames that a program gives: converted as those of files are, or refused by our error."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cleanplate import Scene, learn
from cleanplate.errors import CleanplateError, FrameSizeError, SourceError, UsageError
from cleanplate.frames import Frame, Picture
from cleanplate.video.given import GivenStills, given_frames
from cleanplate.video.value_range import ValueRange
from scenes import PaintedScene, paint_scene

PICTURE = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)


def only(given: object, value_range: ValueRange | None = None) -> Picture:
    (frame,) = given_frames([given], value_range)
    picture = frame.picture
    assert (picture.dtype, picture.ndim, picture.shape[2]) == (np.uint8, 3, 3)
    assert picture.flags.c_contiguous
    return picture


class TestPictures:
    def test_rgb_stays_as_it_is(self) -> None:
        assert (only(PICTURE) == PICTURE).all()

    def test_views_and_other_orders_in_memory_are_taken(self) -> None:
        assert (only(PICTURE[::-1, ::-1]) == PICTURE[::-1, ::-1]).all()
        assert (only(np.asfortranarray(PICTURE)) == PICTURE).all()

    @pytest.mark.parametrize("grey", [PICTURE[..., 0], PICTURE[..., :1]])
    def test_grey_is_repeated(self, grey: np.ndarray) -> None:
        assert (only(grey) == PICTURE[..., :1]).all()

    def test_transparency_is_dropped(self) -> None:
        alpha = np.full((24, 32, 1), 7, np.uint8)
        assert (only(np.concatenate([PICTURE, alpha], axis=2)) == PICTURE).all()

    def test_true_and_false_are_white_and_black(self) -> None:
        assert set(np.unique(only(PICTURE > 100))) == {0, 255}

    @pytest.mark.parametrize("order", "<>")
    def test_16_bits_are_divided_by_257(self, order: str) -> None:
        deep = (PICTURE.astype(np.uint16) * 257).astype(f"{order}u2")
        assert (only(deep) == PICTURE).all()

    def test_values_are_read_by_the_range_of_the_scene(self) -> None:
        assert (only(PICTURE / 255, ValueRange(0, 1)) == PICTURE).all()
        assert (only(7000 + 2 * PICTURE.astype(np.int64), ValueRange(7000, 7510)) == PICTURE).all()

    @pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int32", "int64"])
    def test_values_without_a_range_are_refused(self, kind: str) -> None:
        with pytest.raises(SourceError, match=f"frame 1 has {kind} values, for which no range is"):
            only(PICTURE.astype(kind))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (None, "frame 1 is None"),
            (Frame(0, 7, 0.0, None), "frame 7 is None"),  # type: ignore[arg-type]
            ("in.png", "frame 1 is of type str"),
            (b"in", "frame 1 is of type bytes"),
            (3, "frame 1 is of type int"),
            (np.zeros((3, 24, 32), np.uint8), r"shape \(3, 24, 32\)"),
            (np.zeros((24, 32, 2), np.uint8), r"shape \(24, 32, 2\)"),
            (np.zeros(24, np.uint8), r"shape \(24,\)"),
            (np.zeros((1, 24, 32, 3), np.uint8), r"shape \(1, 24, 32, 3\)"),
            (np.zeros((0, 32, 3), np.uint8), "frame 1 is empty"),
            (np.zeros((24, 32), np.complex64), "complex64"),
            (np.full((24, 32), None), "object"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, given: object, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            only(given)


class TestTimes:
    def times(self, given: list[float]) -> list[float]:
        frames = [Frame(i, i + 1, time, PICTURE) for i, time in enumerate(given)]
        return [frame.time for frame in given_frames(frames, None)]

    def test_times_that_ascend_stay(self) -> None:
        assert self.times([5.0, 5.5, 6.25, 7.0]) == [5.0, 5.5, 6.25, 7.0]
        assert self.times([60.0 * index for index in range(5)]) == [0, 60, 120, 180, 240]

    @pytest.mark.parametrize("wrong", [0.24, 0.1, -1.0, math.nan, math.inf, -math.inf, 36000.0])
    def test_a_wrong_one_follows_the_one_before_and_moves_no_other(self, wrong: float) -> None:
        right = [0.04 * index for index in range(20)]
        times = self.times([*right[:7], wrong, *right[8:]])
        assert times == pytest.approx(right)

    @pytest.mark.parametrize("constant", [0.0, 7.0, math.nan, math.inf])
    def test_without_times_there_are_25_a_second(self, constant: float) -> None:
        times = np.array(self.times([constant] * 5))
        assert np.diff(times) == pytest.approx([0.04] * 4)
        assert math.isfinite(times[0])

    @pytest.mark.parametrize("time", [None, "soon", 1j, True, [1]])
    def test_what_is_no_time_is_refused(self, time: object) -> None:
        with pytest.raises(UsageError, match="the time of frame 1 is"):
            self.times([time])  # type: ignore[list-item]

    @pytest.mark.parametrize("number", [None, "a", 2.5, True])
    def test_what_is_no_number_is_refused(self, number: int) -> None:
        for frame in (Frame(0, number, 0.0, PICTURE), Frame(number, 1, 0.0, PICTURE)):
            with pytest.raises(UsageError, match=r"of a frame is .*; give a whole number"):
                list(given_frames([frame], None))

    def test_a_gap_is_a_gap(self) -> None:
        right = [*(0.04 * index for index in range(8)), *(9 + 0.04 * index for index in range(12))]
        assert self.times(right) == pytest.approx(right)

    def test_pictures_alone_are_numbered_from_1_at_25_a_second(self) -> None:
        frames = list(given_frames([PICTURE] * 3, None))
        assert [frame.number for frame in frames] == [1, 2, 3]
        assert [frame.time for frame in frames] == pytest.approx([0, 0.04, 0.08])


class TestStills:
    def test_frames_are_a_recording(self) -> None:
        frames = [Frame(9 + i, 5 * i + 1, i / 2, PICTURE + np.uint8(i)) for i in range(6)]
        source = GivenStills(frames)
        read = list(source.frames())
        assert [frame.index for frame in read] == list(range(6))
        assert [frame.number for frame in read] == [1, 6, 11, 16, 21, 26]
        assert [frame.time for frame in read] == [0, 0.5, 1, 1.5, 2, 2.5]
        assert [frame.number for frame in source.part(11, 22).frames()] == [11, 16, 21]
        assert source.part(11).fingerprint() != source.fingerprint()
        assert GivenStills(frames).fingerprint() == source.fingerprint()

    def test_floating_point_has_one_range(self) -> None:
        source = GivenStills([PICTURE / 255, PICTURE / 510])
        assert source.value_range == (0, 1)
        assert (next(iter(source.frames())).picture == PICTURE).all()

    def test_numbers_that_do_not_ascend_are_refused(self) -> None:
        with pytest.raises(UsageError, match="frame 3 comes after 3; numbers must ascend"):
            GivenStills([Frame(0, 3, 0, PICTURE), Frame(1, 3, 1, PICTURE)])

    def test_frames_that_change_in_size_are_refused(self) -> None:
        with pytest.raises(FrameSizeError, match="frame 2 of the given frames is 31x24"):
            list(GivenStills([PICTURE, PICTURE[:, 1:]]).frames())


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    return paint_scene(32, 48, 30)


@pytest.fixture(scope="module")
def scene(painted: PaintedScene) -> Scene:
    return learn(painted.frames, method="median")


class TestScene:
    def test_a_scene_is_learned_from_an_array_or_a_list(
        self, painted: PaintedScene, scene: Scene
    ) -> None:
        assert scene.provenance["input"]["frames"] == 30
        again = learn(list(painted.frames), method="median")
        assert (again.plate == scene.plate).all()

    @pytest.mark.parametrize("scale", [1 / 255, 257.0, 40.0])
    def test_other_values_give_the_same_scene_and_masks(
        self, painted: PaintedScene, scene: Scene, scale: float
    ) -> None:
        kind = np.float32 if scale < 1 else np.uint16
        values = (painted.frames * scale).astype(kind)
        deep = learn(values, method="median")
        assert deep.value_range is not None
        masks = np.stack([result.mask for result in scene.segment(painted.frames)])
        again = np.stack([result.mask for result in deep.segment(iter(values))])
        assert (masks != again).mean() < 0.002
        assert masks.any()

    def test_the_range_is_kept_and_used_again(self, painted: PaintedScene, tmp_path: Path) -> None:
        import cleanplate

        counts = 7000 + 8 * painted.frames[..., 0].astype(np.uint16)
        first = learn(counts, method="median", out=tmp_path / "run", value_range=(6500, 9500))
        loaded = cleanplate.load(tmp_path / "run")
        assert loaded.value_range == first.value_range == (6500, 9500)
        shifted = [result.picture for result in loaded.segment(counts[:2] + np.uint16(300))]
        plain = [result.picture for result in loaded.segment(counts[:2])]
        assert np.median(shifted[0].astype(int) - plain[0]) == pytest.approx(25.5, abs=1)
        other = next(loaded.segment(counts[:1], value_range=(7000, 9040))).picture
        assert (other == painted.frames[0, :, :, :1]).all()

    def test_a_frame_of_another_size_is_refused(self, scene: Scene) -> None:
        with pytest.raises(FrameSizeError, match="frame 1 is 32x24, but the scene"):
            list(scene.segment([PICTURE]))

    @pytest.mark.parametrize("source", [5, None, 1.5, object()])
    def test_what_has_no_frames_is_refused(self, scene: Scene, source: object) -> None:
        with pytest.raises(UsageError, match="a recording cannot be of type"):
            list(scene.segment(source))  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="a recording cannot be of type"):
            learn(source, method="median")  # type: ignore[arg-type]

    def test_frames_that_come_only_once_cannot_be_learned_from(self) -> None:
        def camera() -> Iterator[Picture]:
            yield PICTURE

        with pytest.raises(UsageError, match="give them in a list"):
            learn(camera(), method="median")  # type: ignore[arg-type]

    @pytest.mark.parametrize("frames", [[], [PICTURE], [None, PICTURE], [PICTURE, None]])
    def test_too_few_frames_or_none_are_our_errors(self, frames: list[Picture]) -> None:
        with pytest.raises(CleanplateError):
            learn(frames, method="median")
