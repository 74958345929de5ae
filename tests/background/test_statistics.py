"""Plates from statistics: exact against slow references, right on painted scenes, bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate.background import PLATES, bands, spread_positions, statistics, still_plate
from cleanplate.errors import SettingsError, SourceError, UnknownNameError, UsageError
from cleanplate.frames import FrameSize, Picture

STATISTICS = [how for how in PLATES if how != "candidates"]


class ArrayStack:
    """Frames held in one array, which notes what was read."""

    def __init__(self, frames: Picture) -> None:
        self.frames = frames
        self.frames.setflags(write=False)
        self.bands: list[tuple[int, int]] = []
        self.read_positions: set[int] = set()

    @property
    def size(self) -> FrameSize:
        return FrameSize(self.frames.shape[1], self.frames.shape[2])

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, positions: Sequence[int]) -> Picture:
        self.read_positions.update(positions)
        return self.frames[np.asarray(positions)]

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        self.bands.append((top, bottom))
        self.read_positions.update(positions)
        return self.frames[np.asarray(positions), top:bottom]


class GeneratedStack:
    """A recording too large to hold: each frame is made when it is read."""

    def __init__(self, length: int, size: FrameSize) -> None:
        self.length = length
        self.size = size

    def __len__(self) -> int:
        return self.length

    def read(self, positions: Sequence[int]) -> Picture:
        return self.read_rows(positions, 0, self.size.height)

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        rows = np.empty((len(positions), bottom - top, self.size.width, 3), np.uint8)
        for row, position in zip(rows, positions, strict=True):
            row[:] = (position * 37) % 256
        return rows


def slow_mode(values: NDArray[np.uint8]) -> int:
    scores = [
        sum(max(0, 5 - abs(level - int(value))) for value in values)  # a triangle of 9
        for level in range(256)
    ]
    return scores.index(max(scores))


def half_up(value: float) -> int:
    return int(np.floor(value + 0.5))


def slow_low_motion(frames: Picture, positions: Sequence[int], row: int, column: int) -> list[int]:
    pixel = frames[:, row, column].astype(int)
    motions = []
    for place in positions:
        neighbours = [near for near in (place - 1, place + 1) if 0 <= near < len(frames)]
        moves = [int(np.abs(pixel[place] - pixel[near]).sum()) for near in neighbours]
        motions.append(min(moves, default=0))
    limit = sorted(motions)[int(np.ceil(0.25 * len(positions))) - 1]
    chosen = [pixel[place] for place, motion in zip(positions, motions, strict=True)]
    chosen = [value for value, motion in zip(chosen, motions, strict=True) if motion <= limit]
    return [half_up(float(np.median([value[c] for value in chosen]))) for c in range(3)]


def slow_plate(how: str, frames: Picture, positions: Sequence[int]) -> Picture:
    size = frames.shape[1:]
    plate = np.empty(size, np.uint8)
    for row, column, channel in np.ndindex(*size):
        values = np.sort(frames[np.asarray(positions), row, column, channel])
        cut = len(values) // 4
        match how:
            case "mean":
                plate[row, column, channel] = half_up(float(values.mean(dtype=np.float64)))
            case "trimmed_mean":
                kept = values[cut : len(values) - cut]
                plate[row, column, channel] = half_up(float(kept.mean(dtype=np.float64)))
            case "median":
                plate[row, column, channel] = half_up(float(np.median(values)))
            case "mode":
                plate[row, column, channel] = slow_mode(values)
            case "low_motion":
                plate[row, column] = slow_low_motion(frames, positions, row, column)
    return plate


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def noisy_frames(random: np.random.Generator, count: int, height: int, width: int) -> Picture:
    """Half of the values anywhere, half in a narrow cluster, so that ties happen."""
    anywhere = random.integers(0, 256, (count, height, width, 3))
    cluster = random.integers(98, 103, (count, height, width, 3))
    return np.where(random.random(anywhere.shape) < 0.5, anywhere, cluster).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("how", STATISTICS)
def test_plates_agree_with_a_slow_reference(
    how: str, count: int, random: np.random.Generator
) -> None:
    frames = noisy_frames(random, count, 5, 7)
    positions = range(count)
    assert (PLATES[how](ArrayStack(frames), positions) == slow_plate(how, frames, positions)).all()


@pytest.mark.parametrize("how", STATISTICS)
def test_plates_read_only_some_positions_and_their_neighbours(
    how: str, random: np.random.Generator
) -> None:
    stack = ArrayStack(noisy_frames(random, 20, 4, 4))
    positions = [0, 5, 11, 19]
    plate = PLATES[how](stack, positions)
    assert (plate == slow_plate(how, stack.frames, positions)).all()
    expected = {0, 5, 11, 19}
    if how == "low_motion":
        expected |= {1, 4, 6, 10, 12, 18}
    assert stack.read_positions == expected


@pytest.mark.parametrize("how", PLATES)
def test_a_tiny_budget_changes_nothing(
    how: str, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = noisy_frames(random, 9, 11, 6)
    whole = PLATES[how](ArrayStack(frames), range(9))
    stack = ArrayStack(frames)
    monkeypatch.setattr(bands, "BUDGET", 3 * 6 * 3 * (9 * 2 + 16))  # three rows for a median
    assert (PLATES[how](stack, range(9)) == whole).all()
    if how == "median":
        assert stack.bands == [(0, 3), (3, 6), (6, 9), (9, 11)]
    monkeypatch.setattr(bands, "BUDGET", 1)
    assert (PLATES[how](ArrayStack(frames), range(9)) == whole).all()


@pytest.mark.parametrize("how", PLATES)
def test_one_frame_is_its_own_plate(how: str, random: np.random.Generator) -> None:
    frames = random.integers(0, 256, (1, 6, 5, 3), dtype=np.uint8)
    plate = still_plate(how, ArrayStack(frames))
    assert plate.dtype == np.uint8
    assert (plate == frames[0]).all()


@pytest.mark.parametrize("how", ["mean", "median", "trimmed_mean", "low_motion"])
@pytest.mark.parametrize(("first", "second", "middle"), [(10, 20, 15), (10, 11, 11), (0, 255, 128)])
def test_the_middle_of_two_frames_is_rounded_half_up(
    how: str, first: int, second: int, middle: int
) -> None:
    frames = np.empty((2, 4, 4, 3), np.uint8)
    frames[0], frames[1] = second, first
    assert (still_plate(how, ArrayStack(frames)) == middle).all()


def test_the_mean_of_many_bright_frames_does_not_overflow() -> None:
    frames = np.full((600, 2, 2, 3), 255, np.uint8)
    frames[:2] = 0
    assert (still_plate("mean", ArrayStack(frames), max_frames=600) == 254).all()


def test_the_mode_of_equals_is_the_darkest() -> None:
    frames = np.full((4, 2, 2, 3), 200, np.uint8)
    frames[::2] = 50
    assert (still_plate("mode", ArrayStack(frames)) == 50).all()


def test_the_mode_is_the_densest_cluster_not_the_luckiest_value() -> None:
    values = [100, 101, 102, 103, 104, 102, 200, 200, 200]
    frames = np.empty((9, 2, 2, 3), np.uint8)
    frames[:] = np.array(values)[:, None, None, None]
    assert (still_plate("mode", ArrayStack(frames)) == 102).all()


@pytest.mark.parametrize("value", [0, 255])
def test_the_mode_reaches_the_ends_of_the_scale(value: int) -> None:
    frames = np.full((5, 2, 2, 3), value, np.uint8)
    frames[0] = 128
    assert (still_plate("mode", ArrayStack(frames)) == value).all()


def ramp() -> Picture:
    """A static scene: a ramp of another slope in each channel."""
    rows, columns = np.mgrid[0:32, 0:32]
    return np.stack((3 * rows + 40, 3 * columns + 40, rows + columns + 60), axis=-1).astype(
        np.uint8
    )


def test_a_moving_square_leaves_the_robust_plates() -> None:
    frames = np.stack([ramp()] * 40)
    for index, frame in enumerate(frames):
        left = index % 25
        frame[10:18, left : left + 8] = (250, 20, 20)
    for how in ("median", "mode", "low_motion"):
        assert (still_plate(how, ArrayStack(frames)) == ramp()).all(), how
    assert (still_plate("mean", ArrayStack(frames)) != ramp()).any()


def spot_of_a_busy_scene(random: np.random.Generator) -> Picture:
    """Background is free in 40 % of the frames; in the others something else each time."""
    frames = np.stack([ramp()] * 100)
    colours = random.integers(150, 256, (100, 1, 1, 3))
    busy = np.arange(100) % 5 < 3
    frames[busy, 8:24, 8:24] = colours[busy]
    return frames


@pytest.mark.parametrize("how", ["mode", "low_motion"])
def test_traffic_that_covers_a_spot_most_of_the_time_is_passed_over(
    how: str, random: np.random.Generator
) -> None:
    frames = spot_of_a_busy_scene(random)
    assert (still_plate(how, ArrayStack(frames)) == ramp()).all()
    assert (still_plate("median", ArrayStack(frames)) != ramp()).any()


@pytest.mark.parametrize("how", ["median", "mode", "low_motion"])
def test_what_stands_longer_than_background_shows_stays_in_the_plate(
    how: str, random: np.random.Generator
) -> None:
    frames = np.stack([ramp()] * 100)
    frames[20:80, 8:16, 8:16] = (250, 20, 20)
    frames[:, 24:, :] = random.integers(150, 256, (100, 1, 1, 3))
    plate = still_plate(how, ArrayStack(frames))
    assert (plate[8:16, 8:16] == (250, 20, 20)).all()
    assert (plate[:8] == ramp()[:8]).all()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.49])
def test_the_trimmed_share_goes_from_the_mean_to_nearly_the_median(
    share: float, random: np.random.Generator
) -> None:
    frames = noisy_frames(random, 9, 4, 4)
    cut = int(share * 9)
    kept = np.sort(frames, axis=0)[cut : 9 - cut].astype(np.float64)
    expected = np.floor(kept.mean(axis=0) + 0.5)
    assert (statistics.trimmed_mean(ArrayStack(frames), range(9), share=share) == expected).all()


def test_low_motion_of_all_samples_is_the_median(random: np.random.Generator) -> None:
    stack = ArrayStack(noisy_frames(random, 8, 4, 4))
    plate = statistics.low_motion(stack, range(8), share=1.0)
    assert (plate == statistics.median(stack, range(8))).all()


@pytest.mark.parametrize("share", [-0.1, 0.5, float("nan")])
def test_a_trimmed_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(SettingsError, match=r"give 0 to below 0\.5"):
        statistics.trimmed_mean(GeneratedStack(4, FrameSize(16, 16)), [0, 1], share=share)


@pytest.mark.parametrize("share", [0.0, 1.1, float("nan")])
def test_a_low_motion_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(SettingsError, match="at most 1"):
        statistics.low_motion(GeneratedStack(4, FrameSize(16, 16)), [0, 1], share=share)


@pytest.mark.parametrize("how", PLATES)
def test_no_positions_are_refused(how: str) -> None:
    with pytest.raises(UsageError, match="give at least one"):
        PLATES[how](GeneratedStack(4, FrameSize(16, 16)), [])


def test_a_recording_without_frames_is_refused() -> None:
    with pytest.raises(SourceError, match="no frames"):
        still_plate("median", GeneratedStack(0, FrameSize(16, 16)))


def test_an_unknown_plate_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown plate 'medain'.*did you mean 'median'"):
        still_plate("medain", GeneratedStack(4, FrameSize(16, 16)))


def test_positions_are_spread_evenly_over_the_recording() -> None:
    assert spread_positions(5, 200) == [0, 1, 2, 3, 4]
    assert spread_positions(10, 5) == [1, 3, 5, 7, 9]
    assert spread_positions(1700, 1) == [850]
    assert spread_positions(0, 5) == []
    positions = spread_positions(1700, 200)
    assert len(positions) == 200
    assert set(np.diff(positions)) == {8, 9}
    assert (positions[0], positions[-1]) == (4, 1695)


def test_less_than_one_frame_is_refused() -> None:
    with pytest.raises(SettingsError, match="max_frames 0"):
        still_plate("mean", GeneratedStack(4, FrameSize(16, 16)), max_frames=0)


@pytest.mark.parametrize("how", STATISTICS)
def test_memory_is_bounded_however_large_the_recording(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "BUDGET", 8 * 2**20)
    stack = GeneratedStack(500, FrameSize(120, 320))  # 58 MB of samples
    tracemalloc.start()
    try:
        plate = still_plate(how, stack, max_frames=500)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert plate.shape == (120, 320, 3)
    # The histograms of the mode come on top: 12 MB, whatever the recording.
    assert peak < (22 if how == "mode" else 10) * 2**20
