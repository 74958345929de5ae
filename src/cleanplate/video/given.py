"""Frames that a program gives: checked, and brought into the form of those that are read."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import UsageError
from cleanplate.frames import Frame
from cleanplate.video.clock import Clock
from cleanplate.video.decoding import Decoded, Values
from cleanplate.video.orientation import UPRIGHT
from cleanplate.video.pictures.stills import Stills, in_three_channels
from cleanplate.video.source import DEFAULT_FRAME_RATE
from cleanplate.video.value_range import ValueRange, fitting_range

GivenFrame: TypeAlias = Frame | NDArray[Any]
"""A frame, or its picture alone: `(H, W)`, or `(H, W, C)` with grey, RGB or RGBA."""

_CHANNELS = (1, 3, 4)
_HASHED_PICTURES = 64


class ReadFrames(Iterator[Frame]):
    """Frames that come from an open recording, which has checked them and read their values."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames

    def __next__(self) -> Frame:
        return next(self._frames)


class GivenStills(Stills):
    """Frames in memory as a recording.

    Pictures without a number and a time are numbered from 1 and timed as pictures of a folder are.
    Times are taken as those of a file: one that is wrong follows the one before.

    Args:
        frames: All of them, or one array with the frames along its first axis.

    Raises:
        UsageError: There are none, something among them is no picture, or numbers do not ascend.
        FrameSizeError: They are too small.
    """

    def __init__(self, frames: Sequence[GivenFrame] | NDArray[Any]) -> None:
        if len(frames) == 0:
            raise UsageError("no frames are given; give at least two")
        parts = list(_timed(frames))
        for before, after in itertools.pairwise(parts):
            if after.number <= before.number:
                raise UsageError(
                    f"frame {after.number} comes after {before.number}; numbers must ascend"
                )
        self._values = [part.values for part in parts]
        self._times = [part.time for part in parts]
        self._has_times = any(isinstance(frame, Frame) for frame in frames)
        super().__init__("the given frames", [part.number for part in parts])

    def fingerprint(self) -> str:
        """SHA-256 of the numbers, times and types of all and of up to 64 spread pictures."""
        part = slice(*self.span)
        values = self._values[part]
        known = (self._numbers[part], self._times[part], [each.shape for each in values])
        digest = hashlib.sha256(f"{known}{self.dtype}".encode())
        count = min(len(values), _HASHED_PICTURES)
        for place in np.linspace(0, len(values) - 1, count).round().astype(int):
            digest.update(np.ascontiguousarray(values[place]).tobytes())
        return digest.hexdigest()

    @property
    def has_times(self) -> bool:
        """Whether the frames were given with times."""
        return self._has_times

    def _read(self, position: int) -> Decoded:
        return Decoded(self._values[position], UPRIGHT)

    def _time(self, index: int) -> float:
        return self._times[self.span.first + index]


def given_frames(
    items: Iterable[object], value_range: ValueRange | None, *, waits: bool = True
) -> Iterator[Frame]:
    """Frames that come one by one, in the form of those that are read from files.

    Args:
        items: Frames, or their pictures alone; see `GivenStills` for numbers and times.
        value_range: Of the scene; None: pictures of 8 bits are grey levels.
        waits: Some frames are held back where times leap, until the next ones tell what is right;
            else each comes before the next one is asked for, and a leap ahead is a gap.

    Raises:
        UsageError: One is no frame.
        SourceError: No range is known for its values, or it has other ones than the scene.
    """
    for part in _timed(items, waits=waits):
        fitting = fitting_range(value_range, part.values.dtype, f"frame {part.number}")
        levels = part.values if fitting is None else fitting.to_grey_levels(part.values)
        picture = np.ascontiguousarray(in_three_channels(levels))
        yield Frame(part.index, part.number, part.time, picture)


@dataclass(frozen=True)
class _Part:
    """What a frame was given as; a picture alone has no time of its own."""

    index: int
    number: int
    time: float
    values: Values


def _timed(items: Iterable[object], *, waits: bool = True) -> Iterator[_Part]:
    """The frames with times that ascend, as those of a file do; wrong ones move no other."""
    clock: Clock[_Part] = Clock(float(1 / DEFAULT_FRAME_RATE))
    begin: float | None = None
    for place, item in enumerate(items):
        part, time = _part(place, item)
        if begin is None:
            begin = time if time is not None and math.isfinite(time) else 0.0
        placed = clock.place(part, place, time)
        for timed in placed if waits else itertools.chain(placed, clock.decide()):
            yield replace(timed.item, time=begin + timed.time)
    for timed in clock.finish():
        yield replace(timed.item, time=(begin or 0.0) + timed.time)


def _part(place: int, item: object) -> tuple[_Part, float | None]:
    """Something that was given as a frame, and its time; None: it has none."""
    if not isinstance(item, Frame):
        number = place + 1
        return _Part(place, number, 0.0, _values(item, f"frame {number}")), None
    for what, value in (("number", item.number), ("index", item.index)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise UsageError(f"the {what} of a frame is {value!r:.40}; give a whole number")
    return (
        _Part(item.index, item.number, 0.0, _values(item.picture, f"frame {item.number}")),
        _seconds(item),
    )


def _seconds(item: Frame) -> float:
    time = item.time
    if isinstance(time, int | float | np.integer | np.floating) and not isinstance(time, bool):
        try:
            return float(time)
        except OverflowError:  # a whole number beyond all that floating point can hold
            return math.inf
    raise UsageError(f"the time of frame {item.number} is {time!r:.40}; give seconds")


def _values(picture: object, name: str) -> Values:
    """The picture as an array of real numbers, `(H, W)` or `(H, W, 3)`."""
    if picture is None:
        raise UsageError(f"{name} is None; leave out frames that could not be read")
    if not hasattr(picture, "__array__"):
        raise UsageError(
            f"{name} is of type {type(picture).__name__}; give a Frame or an array of its pixels"
        )
    try:
        values = np.asarray(picture)
    except (TypeError, ValueError, RuntimeError) as error:  # as of a tensor on another device
        raise UsageError(f"{name} cannot be read as an array: {error}") from error
    if values.dtype.kind not in "uifb":
        raise UsageError(f"{name} has values of type {values.dtype}; give real numbers")
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in _CHANNELS):
        raise UsageError(
            f"{name} has the shape {values.shape}; give (height, width) or (height, width, 3)"
        )
    if values.size == 0:
        raise UsageError(f"{name} is empty; give a picture")
    if values.dtype.kind == "b":
        values = values.astype(np.uint8) * np.uint8(255)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.ndim == 3:
        return values[:, :, 0] if values.shape[2] == 1 else values[:, :, :3]
    return values


def open_given(source: object) -> GivenStills:
    """The recording of frames in memory, which can be read again.

    Raises:
        UsageError: What is given is neither a sequence nor an array of frames.
    """
    if isinstance(source, np.ndarray) and source.ndim in (3, 4):
        return GivenStills(source)
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return GivenStills(source)
    if isinstance(source, Iterable) and not isinstance(source, np.ndarray | bytes | str):
        raise UsageError(
            "a scene is learned from frames that can be read again; give them in a list, or a "
            "video file, a folder or a pattern of pictures"
        )
    raise UsageError(
        f"a recording cannot be of type {type(source).__name__}; give the path of a video file, a "
        "folder or a pattern of pictures, an open recording, or frames in a list"
    )
