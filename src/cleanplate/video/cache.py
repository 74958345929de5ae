"""Frames of one recording that can be read in any order: on disk, or given in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import cv2
import numpy as np

from cleanplate.frames import FrameSize, Picture, durations
from cleanplate.video.ahead import read_ahead
from cleanplate.video.array_file import ArrayFile
from cleanplate.video.pacing import Pace, SamplePlace
from cleanplate.video.source import VideoSource

OnFrame: TypeAlias = Callable[[int, int | None], None]
"""Called with the progress: frames met so far, and how many are promised, None where unknown."""
Align: TypeAlias = Callable[[Picture], Picture | None]
"""Gives a frame as a camera that never moved would have seen it; None where that is unknown."""

_CHANNELS = 3
_SMALLEST_CAPACITY = 2  # to keep every second frame, there must be two


class ArrayStack:
    """Frames in memory as a `FrameStack`.

    Attributes:
        pictures: `(N, H, W, 3)`, uint8, RGB.
    """

    def __init__(self, pictures: Picture) -> None:
        assert pictures.ndim == 4 and pictures.shape[3] == _CHANNELS  # noqa: PT018
        assert pictures.dtype == np.uint8
        self.pictures = pictures

    @property
    def size(self) -> FrameSize:
        """Size of every frame."""
        return FrameSize(self.pictures.shape[1], self.pictures.shape[2])

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, positions: Sequence[int]) -> Picture:
        """Whole frames, `(N, H, W, 3)`, uint8, RGB, a copy."""
        return self.read_rows(positions, 0, self.size.height)

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        """Rows `top` to `bottom` (not included), `(N, bottom - top, W, 3)`, uint8, a copy."""
        _check_request(positions, top, bottom, self)
        return self.pictures[np.asarray(positions, dtype=np.intp), top:bottom]


class FrameCache:
    """Frames spread over the time of a whole recording, in one raw file, as a `FrameStack`.

    Reading takes memory for the result only, whatever the size of the file, and may be done by
    several threads. Made by `fill`; `close`, or the end of a `with` block, removes the file.

    Attributes:
        numbers: Frame numbers of the kept frames, ascending.
        indices: Their positions in the recording.
        times: Their times in seconds from the first frame of the recording.
        durations: Time that each stood for when the recording had been read, in seconds.
        frames_read: Frames that the recording had, kept or not, damaged ones left out.
        first_time: Time of the first kept frame.
        last_time: Time of the last frame of the recording, kept or not.
    """

    def __init__(
        self,
        file: ArrayFile,
        kept: Sequence[_Kept],
        recording: _Extent,
        places: Sequence[int] | None = None,
    ) -> None:
        self._file = file
        self._places = range(len(kept)) if places is None else places
        self.numbers = tuple(entry.number for entry in kept)
        self.indices = tuple(entry.index for entry in kept)
        self.times = tuple(entry.time for entry in kept)
        self.durations = durations(self.times)
        self.frames_read = recording.frames
        self.first_time = self.times[0]
        self.last_time = recording.last_time
        self._align: Align | None = None

    @classmethod
    def fill(
        cls,
        source: VideoSource,
        folder: Path,
        *,
        size: FrameSize,
        max_frames: int = 2000,
        max_bytes: int = 2_000_000_000,
        on_frame: OnFrame | None = None,
    ) -> FrameCache:
        """Reads a recording once and keeps frames at even distances in time over all of it.

        All frames, or the first of every stretch of time, whose length starts from the promised
        number of frames. When a limit leaves no room for the next frame, two stretches become one,
        and the second of their frames is dropped. With an even frame rate this is every n-th frame.
        A promise of at least twice the frames that came, or a rate that rises, would leave too few;
        then the recording is read again.

        Args:
            source: The recording.
            folder: Where the file goes, which has no name there; made if it is missing.
            size: Size of the kept frames; others are scaled by area.
            max_frames: Limit of the kept frames; two are kept in any case.
            max_bytes: Limit of the file.
            on_frame: Called for each frame that is looked at closely, and once at the end.

        Raises:
            SourceError: Nothing of the recording can be read, or its frames change in size.
            OutputError: The disk is full or the folder is not writable; nothing is left behind.
        """
        capacity = min(max_frames, max_bytes // (size.pixels * _CHANNELS))
        file = ArrayFile(folder, (*size, _CHANNELS), np.uint8)
        try:
            filling = _Filling(file, max(capacity, _SMALLEST_CAPACITY), source.frame_count_hint)
            filling.read(source, on_frame)
            if filling.is_too_sparse():
                filling = filling.restarted()
                filling.read(source, on_frame)
        except BaseException:
            file.remove()
            raise
        return cls(file, filling.kept, _Extent(source.frames_passed, source.last_time))

    @property
    def size(self) -> FrameSize:
        """Size of every frame."""
        return FrameSize(*self._file.shape[:2])

    @property
    def nbytes(self) -> int:
        """Size of the file."""
        return self._file.nbytes

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, positions: Sequence[int]) -> Picture:
        """Whole frames, `(N, H, W, 3)`, uint8, RGB, in the order of the positions (from 0)."""
        return self.read_rows(positions, 0, self.size.height)

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        """Rows `top` to `bottom` (not included) of frames, `(N, bottom - top, W, 3)`, uint8."""
        _check_request(positions, top, bottom, self)
        shape = (len(positions), bottom - top, self.size.width, _CHANNELS)
        pictures = np.empty(shape, np.uint8)
        for place, position in enumerate(positions):
            self._file.read_into(pictures[place], self._places[position], top)
        return pictures

    def align(self, align: Align, on_frame: Callable[[int, int], object]) -> None:
        """Replaces all frames by aligned ones; those that cannot be aligned are dropped.

        Raises:
            OutputError: The disk is full.
        """
        kept: list[int] = []
        for position in range(len(self)):
            aligned = align(self.read([position])[0])
            on_frame(position + 1, len(self))
            if aligned is not None:
                self._file.write(aligned, len(kept))
                kept.append(position)
        self._file.truncate(len(kept))
        self._note(kept)
        before = self._align
        self._align = align if before is None else partial(_one_by_one, before, align)

    def keep(self, positions: Sequence[int]) -> None:
        """Drops all frames but some, by their positions, ascending."""
        kept = list(positions)
        self._file.keep([self._places[position] for position in kept])
        self._note(kept)

    def _note(self, kept: Sequence[int]) -> None:
        """Takes down which frames are left, one after the other in the file."""
        self.numbers, self.indices = (
            tuple(values[position] for position in kept) for values in (self.numbers, self.indices)
        )
        self.times = tuple(self.times[position] for position in kept)
        self.durations = tuple(self.durations[position] for position in kept)
        self._places = range(len(kept))

    def prepared(self, picture: Picture) -> Picture:
        """A frame of the recording as it would be kept: scaled, and aligned where that is known."""
        picture = _scaled(picture, self.size)
        aligned = None if self._align is None else self._align(picture)
        return picture if aligned is None else aligned

    def only(self, positions: Sequence[int]) -> FrameCache:
        """Some of the frames as a stack of their own, in the same file; not to be closed."""
        kept = [_Kept(self.numbers[p], self.indices[p], self.times[p]) for p in positions]
        recording = _Extent(self.frames_read, self.last_time)
        part = FrameCache(self._file, kept, recording, [self._places[p] for p in positions])
        part.durations = tuple(self.durations[position] for position in positions)
        part._align = self._align
        return part

    def close(self) -> None:
        """Removes the file, and the folder if it was made for it and is empty."""
        self._file.remove()

    def __enter__(self) -> FrameCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True)
class _Kept:
    number: int
    index: int
    time: float


@dataclass(frozen=True)
class _Extent:
    frames: int
    last_time: float


@dataclass
class _Filling:
    """One pass into the file.

    Attributes:
        file: Where the pictures go.
        capacity: Most frames kept, at least 2.
        expected: Frames that the recording is believed to have.
    """

    file: ArrayFile
    capacity: int
    expected: int | None

    def __post_init__(self) -> None:
        self.kept: list[_Kept] = []
        self._kept_places: list[SamplePlace] = []
        self._pace = Pace()
        stride = math.ceil((self.expected or 0) / self.capacity)
        self.stretch = float(stride) if stride > 1 else 0.0
        self.positions = 0
        self._frames = 0

    def read(self, source: VideoSource, on_frame: OnFrame | None) -> None:
        """Passes over the recording and keeps the first frame of every stretch."""
        report = on_frame or _no_report
        frames = read_ahead(source.frames(wanted=self._is_wanted))
        try:
            for frame in frames:
                place = self._pace.recall(frame.index)
                self._make_room(place)
                # The stretches may have grown since it was asked for.
                if place.begins_stretch(self.stretch):
                    picture = _scaled(frame.picture, FrameSize(*self.file.shape[:2]))
                    self.file.write(picture, len(self.kept))
                    self.kept.append(_Kept(frame.number, frame.index, frame.time))
                    self._kept_places.append(place)
                report(frame.index + 1, source.frame_count_hint)
        finally:
            frames.close()
        self._frames = source.frames_passed
        self.positions = self._frames + source.problems.damaged
        report(self.positions, source.frame_count_hint)

    def is_too_sparse(self) -> bool:
        """Whether stretches of half the length, or less, would have done."""
        if self._pace.is_even:
            return 2 * math.ceil(self.positions / self.capacity) <= self.stretch
        return 2 * len(self.kept) <= min(self.capacity, self._frames)

    def restarted(self) -> _Filling:
        """A fresh filling of the same file that knows what this one found out."""
        self.file.truncate(0)
        expected = self.positions if self._pace.is_even else None
        return _Filling(self.file, self.capacity, expected)

    def _is_wanted(self, index: int, time: float) -> bool:
        place = self._pace.meet(time)
        is_wanted = place.begins_stretch(self.stretch)
        if is_wanted:
            self._pace.note(index, place)
        return is_wanted

    def _make_room(self, place: SamplePlace) -> None:
        while len(self.kept) >= self.capacity and place.begins_stretch(self.stretch):
            self.stretch = 2 * (self.stretch or place.least_gap)
            survivors = [
                position
                for position, kept in enumerate(self._kept_places)
                if kept.begins_stretch(self.stretch)
            ]
            self.file.keep(survivors)
            self.kept = [self.kept[position] for position in survivors]
            self._kept_places = [self._kept_places[position] for position in survivors]


def _one_by_one(first: Align, second: Align, picture: Picture) -> Picture | None:
    aligned = first(picture)
    return None if aligned is None else second(aligned)


def _scaled(picture: Picture, size: FrameSize) -> Picture:
    if picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _check_request(
    positions: Sequence[int], top: int, bottom: int, stack: ArrayStack | FrameCache
) -> None:
    if any(not 0 <= position < len(stack) for position in positions):
        raise IndexError(f"positions {list(positions)} are not all in 0 to {len(stack) - 1}")
    if not 0 <= top <= bottom <= stack.size.height:
        raise IndexError(f"rows {top} to {bottom} are not in 0 to {stack.size.height}")


def _no_report(frames: int, promised: int | None) -> None:
    """No progress was asked for."""
