"""Frames kept on disk: spread, bounds, reading, and a disk that fills up."""

from __future__ import annotations

import errno
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_samples import COUNT, KINDS, SIZE, make_source_path, paint, write_movie

from cleanplate.errors import OutputError, SourceError
from cleanplate.frames import Frame, FrameSize, FrameStack
from cleanplate.video import ArrayStack, FrameCache, VideoSource, open_source
from cleanplate.video.source import Tally, Wanted


class PaintedSource(VideoSource):
    """Frames whose every value is their index modulo 251."""

    def __init__(self, count: int, *, promised: int | None, size: FrameSize = SIZE) -> None:
        super().__init__("painted", size, frame_rate=None, frame_count_hint=promised)
        self.count = count
        self.passes = 0
        self.damaged: Callable[[int], bool] = lambda _: False

    def fingerprint(self) -> str:
        return "0" * 64

    def _pass(self, wanted: Wanted | None, tally: Tally) -> Iterator[Frame]:
        self.passes += 1
        for index in range(self.count):
            if self.damaged(index):
                tally.damaged += 1
                continue
            tally.meet(index / 25)
            if wanted is None or wanted(index, index / 25):
                picture = np.full((*self.size, 3), index % 251, np.uint8)
                yield Frame(index, index + 1, index / 25, picture)


@pytest.fixture(params=["cache", "array"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameStack]:
    """The painted frames, once on disk and once in memory."""
    source = open_source(make_source_path("folder", tmp_path))
    if request.param == "array":
        yield ArrayStack(np.stack([frame.picture for frame in source.frames()]))
        return
    with FrameCache.fill(source, tmp_path / "work", size=SIZE) as cache:
        yield cache


def test_a_stack_reads_frames_in_any_order(stack: FrameStack) -> None:
    assert stack.size == SIZE
    assert len(stack) == COUNT
    pictures = stack.read([5, 0, 5, 11])
    assert pictures.shape == (4, *SIZE, 3)
    assert pictures.dtype == np.uint8
    for picture, index in zip(pictures, (5, 0, 5, 11), strict=True):
        assert (picture == paint(index)).all()


def test_a_stack_reads_rows_of_frames(stack: FrameStack) -> None:
    rows = stack.read_rows([3, 1], 7, 12)
    assert rows.shape == (2, 5, SIZE.width, 3)
    assert (rows == np.stack([paint(3), paint(1)])[:, 7:12]).all()
    assert stack.read_rows([2], 4, 4).shape == (1, 0, SIZE.width, 3)


def test_what_a_stack_gives_may_be_written_to(stack: FrameStack) -> None:
    stack.read([0])[...] = 0
    assert (stack.read([0])[0] == paint(0)).all()


def test_a_stack_refuses_what_it_does_not_have(stack: FrameStack) -> None:
    with pytest.raises(IndexError, match=r"positions \[12\] are not all in 0 to 11"):
        stack.read([COUNT])
    with pytest.raises(IndexError, match="rows 3 to 25 are not in 0 to 24"):
        stack.read_rows([0], 3, 25)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_recording_is_kept_whole(kind: str, tmp_path: Path) -> None:
    source = open_source(make_source_path(kind, tmp_path))
    with FrameCache.fill(source, tmp_path / "work", size=SIZE) as cache:
        frames = list(source.frames())
        assert cache.indices == tuple(range(COUNT))
        assert cache.numbers == tuple(range(1, COUNT + 1))
        assert cache.times == tuple(frame.time for frame in frames)
        assert (cache.read(range(COUNT)) == np.stack([frame.picture for frame in frames])).all()


@pytest.mark.parametrize("promised", [None, 1, 100, 997, 5000, 100_000])
def test_kept_frames_are_spread_evenly_whatever_was_promised(
    tmp_path: Path, promised: int | None
) -> None:
    source = PaintedSource(997, promised=promised)
    with FrameCache.fill(source, tmp_path, size=SIZE, max_frames=40) as cache:
        assert 20 <= len(cache) <= 40
        assert len(set(np.diff(cache.indices))) == 1
        assert cache.indices[0] == 0
        assert cache.indices[-1] > 997 - 2 * 997 / len(cache)
        assert cache.frames_read == 997
        assert (cache.first_time, cache.last_time) == (0.0, 996 / 25)
        values = cache.read(range(len(cache)))[:, 0, 0, 0]
        assert values.tolist() == [index % 251 for index in cache.indices]
        assert cache.nbytes == len(cache) * SIZE.pixels * 3
    assert source.passes == (1 if promised in (None, 1, 100, 997) else 2)


def test_the_limit_of_bytes_bounds_the_file(tmp_path: Path) -> None:
    source = PaintedSource(300, promised=None)
    limit = 10 * SIZE.pixels * 3 + 5
    with FrameCache.fill(source, tmp_path, size=SIZE, max_bytes=limit) as cache:
        assert 5 <= len(cache) <= 10
        assert cache.nbytes <= limit


def test_two_frames_are_kept_under_any_limit(tmp_path: Path) -> None:
    source = PaintedSource(300, promised=None)
    with FrameCache.fill(source, tmp_path, size=SIZE, max_frames=1, max_bytes=1) as cache:
        assert len(cache) == 2


def test_damaged_frames_do_not_break_the_bound(tmp_path: Path) -> None:
    source = PaintedSource(400, promised=None)
    source.damaged = lambda index: index % 2 == 1 or index in (0, 64)
    with FrameCache.fill(source, tmp_path, size=SIZE, max_frames=16) as cache:
        assert 6 <= len(cache) <= 16
        assert cache.frames_read == 198


def test_frames_are_scaled_by_area(tmp_path: Path) -> None:
    source = open_source(make_source_path("folder", tmp_path))
    with FrameCache.fill(source, tmp_path / "work", size=FrameSize(12, 16)) as cache:
        expected = cv2.resize(paint(4), (16, 12), interpolation=cv2.INTER_AREA)
        assert (cache.read([4])[0] == expected).all()


def test_progress_is_told_up_to_the_last_frame(tmp_path: Path) -> None:
    source = PaintedSource(100, promised=100)
    told: list[tuple[int, int | None]] = []
    fill = FrameCache.fill(
        source, tmp_path, size=SIZE, max_frames=10, on_frame=lambda *news: told.append(news)
    )
    fill.close()
    assert [frames for frames, _ in told] == sorted(frames for frames, _ in told)
    assert told[-1] == (100, 100)


def test_filling_and_reading_take_little_memory(tmp_path: Path) -> None:
    size = FrameSize(120, 160)
    one = size.pixels * 3
    source = PaintedSource(400, promised=None, size=size)
    tracemalloc.start()
    try:
        with FrameCache.fill(source, tmp_path, size=size, max_frames=150) as cache:
            for start in range(0, size.height, 12):
                rows = cache.read_rows(range(len(cache)), start, start + 12)
                assert rows.shape[0] == len(cache)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * one  # the rows of the whole cache are 15, the frames read ahead about 10


def test_closing_removes_the_file_and_the_folder_it_made(tmp_path: Path) -> None:
    source = PaintedSource(5, promised=5)
    cache = FrameCache.fill(source, tmp_path / "work", size=SIZE)
    assert list(tmp_path.rglob("*")) == [tmp_path / "work"], "it has no name that could be left"
    cache.close()
    cache.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    with FrameCache.fill(PaintedSource(5, promised=5), tmp_path, size=SIZE):
        pass
    assert tmp_path.is_dir()


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def write(file: object, picture: object, start: int) -> None:
        written.append(start)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cleanplate.video.array_file.ArrayFile._write_bytes", write)
    with pytest.raises(OutputError, match="the disk is full: the frame cache could not be written"):
        FrameCache.fill(PaintedSource(20, promised=20), tmp_path / "work", size=SIZE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"the frame cache could not be written to .*file"):
        FrameCache.fill(PaintedSource(5, promised=5), tmp_path / "file" / "work", size=SIZE)


def test_an_interrupted_filling_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(frames: int, promised: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FrameCache.fill(
            PaintedSource(5, promised=5), tmp_path / "work", size=SIZE, on_frame=interrupt
        )
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "clip.avi", [paint(0), paint(1)])
    source = open_source(path)
    path.unlink()
    with pytest.raises(SourceError, match="cannot be opened"):
        FrameCache.fill(source, tmp_path / "work", size=SIZE)
    assert list(tmp_path.iterdir()) == []
