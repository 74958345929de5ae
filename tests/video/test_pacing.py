"""Frames kept of a recording go by its time: bursts, gaps and several rates; even ones by count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from video_samples import SIZE, paint, write_folder, write_movie

from cleanplate.frames import Frame, durations
from cleanplate.video import FrameCache, VideoSource, open_source
from cleanplate.video.movies import movie
from cleanplate.video.pacing import Pace
from cleanplate.video.pictures.images import read_content
from cleanplate.video.source import Tally, Wanted

PICTURE = np.zeros((*SIZE, 3), np.uint8)
MOST = 40


class TimedSource(VideoSource):
    """Black frames at given times.

    Attributes:
        passes: Passes so far.
        decoded: Frames given out so far.
    """

    def __init__(self, times: Sequence[float], promised: int | None) -> None:
        super().__init__("timed", SIZE, frame_rate=None, frame_count_hint=promised)
        self.times = np.asarray(times).tolist()
        self.passes = self.decoded = 0

    def fingerprint(self) -> str:
        return "0" * 64

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        self.passes += 1
        for index, time in enumerate(self.times):
            tally.meet(time)
            if wanted is None or wanted(index, time):
                self.decoded += 1
                yield Frame(index, index + 1, time, PICTURE)


def kept(source: VideoSource, folder: Path, most: int = MOST) -> NDArray[np.intp]:
    with FrameCache.fill(source, folder, size=SIZE, max_frames=most) as cache:
        return np.array(cache.indices)


def every_nth(count: int, promised: int | None, most: int) -> list[int]:
    """What was kept before time played a part: a distance in frames that doubles."""
    stride = max(1, math.ceil((promised or 0) / most))
    while True:
        indices: list[int] = []
        begun_with = stride
        for index in range(count):
            while len(indices) >= most and index % stride == 0:
                stride *= 2
                indices = [i for i in indices if i % stride == 0]
            if index % stride == 0:
                indices.append(index)
        if begun_with <= 1 or 2 * math.ceil(count / most) > stride:
            return indices
        stride = max(1, math.ceil(count / most))


RATES = {
    "25": lambda n: np.arange(n) / 25,
    "29.97, in milliseconds": lambda n: np.round(np.arange(n) / 29.97, 3),
    "240, in milliseconds": lambda n: np.round(np.arange(n) / 240, 3),
    "a frame a minute": lambda n: np.arange(n) * 60.0,
}


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [3, 40, 41, 399, 997])
def test_of_an_even_recording_every_nth_frame_is_kept_as_ever(
    rate: str, count: int, tmp_path: Path
) -> None:
    for promised in (None, 1, count, count + 7, 3 * count, 100 * count):
        source = TimedSource(RATES[rate](count), promised)
        assert kept(source, tmp_path).tolist() == every_nth(count, promised, MOST)


def test_lost_frames_do_not_shift_those_that_are_kept(tmp_path: Path) -> None:
    """Of the frames of an even recording that are left, the same are kept."""
    left = np.delete(np.arange(997), np.arange(3, 997, 50))
    whole = every_nth(997, 997, MOST)
    found = left[kept(TimedSource(left / 25, 997), tmp_path)]
    assert len(set(found) & set(whole)) > 0.9 * len(whole)


def day_with_a_burst() -> NDArray[np.float64]:
    """A frame a minute for half a day, and in one minute 3,000."""
    day = np.arange(720) * 60.0
    return np.sort(np.concatenate([day, 20_001 + np.arange(3000) * 0.02]))


@pytest.mark.parametrize("promised", [None, 3720, 100_000])
def test_a_burst_counts_as_the_minute_that_it_takes(promised: int | None, tmp_path: Path) -> None:
    times = day_with_a_burst()
    source = TimedSource(times, promised)
    chosen = times[kept(source, tmp_path)]
    assert MOST / 2 <= len(chosen) <= MOST
    assert ((chosen > 20_000) & (chosen < 20_062)).sum() <= 2  # by count it would be four of five
    assert np.diff(chosen).max() < 3 * times[-1] / len(chosen)
    assert source.passes <= 2


def test_hours_at_different_rates_have_equal_parts(tmp_path: Path) -> None:
    lengths = (36_00, 108_00, 9_00)  # at 1, 3 and 0.25 frames a second
    gaps = np.repeat([1.0, 1 / 3, 4.0], lengths)
    times = np.concatenate([[0.0], np.cumsum(gaps)[:-1]])
    source = TimedSource(times, len(times))
    chosen = times[kept(source, tmp_path, 300)]
    assert 150 <= len(chosen) <= 300
    counts = np.histogram(chosen, bins=3, range=(0, 3 * 3600))[0]
    assert counts.max() - counts.min() <= 2


def test_an_hour_and_three_weeks_keep_the_same_frames(tmp_path: Path) -> None:
    times = day_with_a_burst() + 0.25 * np.arange(3720)
    hour = kept(TimedSource(times / times[-1] * 3600, None), tmp_path)
    weeks = kept(TimedSource(times / times[-1] * 21 * 86_400, None), tmp_path)
    assert hour.tolist() == weeks.tolist()


def test_a_short_recording_is_kept_whole_whatever_its_times(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(0).choice([0.001, 0.04, 900.0], MOST))
    assert kept(TimedSource(times, None), tmp_path).tolist() == list(range(MOST))


@pytest.mark.parametrize("seed", range(6))
def test_any_times_leave_at_least_half_of_the_room_filled(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    gaps = random.choice([0.01, 0.04, 1.0, 300.0, 40_000.0], 900, p=[0.3, 0.4, 0.2, 0.08, 0.02])
    for promised in (None, 900, 5000):
        source = TimedSource(np.cumsum(gaps), promised)
        indices = kept(source, tmp_path)
        assert MOST / 2 <= len(indices) <= MOST
        assert (np.diff(indices) > 0).all()
        assert source.passes <= 2
        again = TimedSource(np.cumsum(gaps), promised)
        assert kept(again, tmp_path).tolist() == indices.tolist(), "whatever the threads do"


def test_of_pictures_in_a_folder_only_those_kept_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(write_folder(tmp_path / "in", 48))
    decoded: list[Path] = []

    def read(path: Path) -> object:
        decoded.append(path)
        return read_content(path)

    monkeypatch.setattr("cleanplate.video.pictures.images.read_content", read)
    assert len(kept(source, tmp_path / "work", 12)) == len(decoded) == 12


def test_of_a_movie_only_frames_that_are_kept_become_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(write_movie(tmp_path / "clip.avi", [paint(i) for i in range(48)]))
    converted: list[object] = []

    def retrieve(capture: cv2.VideoCapture) -> object:
        converted.append(capture)
        return original(capture)

    original = movie._retrieve
    monkeypatch.setattr(movie, "_retrieve", retrieve)
    assert len(kept(source, tmp_path / "work", 12)) == len(converted) == 12


def test_of_a_burst_hardly_more_is_decoded_than_kept(tmp_path: Path) -> None:
    """Frames are asked for some eight ahead; beyond that, none is decoded and dropped unseen."""
    times = day_with_a_burst()
    source = TimedSource(times, None)
    with FrameCache.fill(source, tmp_path, size=SIZE, max_frames=MOST) as cache:
        assert cache.frames_read == len(times)
    # Each doubling drops half of what is kept: 40 at first, then at most 20 more for each.
    doublings = math.ceil(math.log2(len(times)))
    assert source.decoded <= MOST + doublings * (MOST // 2 + 12)


def test_places_are_whole_numbers_where_gaps_are_whole_steps() -> None:
    pace = Pace()
    times = [0, 0.033, 0.067, 0.1, 0.2, 0.233, 0.2335, 0.267]
    assert [pace.meet(time).at for time in times[:6]] == [0, 1, 2, 3, 6, 7]
    assert not pace.is_even
    assert pace.meet(times[6]).at == pytest.approx(7 + 0.0005 / 0.033)


def test_a_frame_stands_for_the_time_up_to_the_middle_of_its_gaps() -> None:
    assert durations([0.0, 1.0, 2.0, 5.0]) == (1.0, 1.0, 2.0, 3.0)
    assert durations([7.0]) == (1.0,)


def test_frames_keep_their_durations_when_others_are_dropped(tmp_path: Path) -> None:
    source = TimedSource([0.0, 1.0, 2.0, 5.0, 5.5], None)
    with FrameCache.fill(source, tmp_path, size=SIZE) as cache:
        assert cache.durations == (1.0, 1.0, 2.0, 1.75, 0.5)
        assert cache.only([0, 3]).durations == (1.0, 1.75)
        lost = iter([False, True, False, False, True])
        cache.align(lambda picture: None if next(lost) else picture, lambda *_: None)
        assert cache.durations == (1.0, 2.0, 1.75)
