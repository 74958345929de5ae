"""Frames that a program gives: checked, and brought into the form of those that are read."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import UsageError
from cleanplate.frames import Frame
from cleanplate.video.decoding import Decoded, Values
from cleanplate.video.orientation import UPRIGHT
from cleanplate.video.source import DEFAULT_FRAME_RATE
from cleanplate.video.stills import Stills, in_three_channels
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
    Times that do not ascend, or are no numbers, follow the one before.

    Args:
        frames: All of them, or one array with the frames along its first axis.

    Raises:
        UsageError: There are none, something among them is no picture, or numbers do not ascend.
        FrameSizeError: They are too small.
    """

    def __init__(self, frames: Sequence[GivenFrame] | NDArray[Any]) -> None:
        if len(frames) == 0:
            raise UsageError("no frames are given; give at least two")
        clock = _Times()
        self._values: list[Values] = []
        self._times: list[float] = []
        numbers: list[int] = []
        for index, item in enumerate(frames):
            number, time, values = _parts(index, item)
            if numbers and number <= numbers[-1]:
                raise UsageError(f"frame {number} comes after {numbers[-1]}; numbers must ascend")
            self._values.append(values)
            self._times.append(clock.time(time))
            numbers.append(number)
        super().__init__("the given frames", numbers)

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

    def _read(self, position: int) -> Decoded:
        return Decoded(self._values[position], UPRIGHT)

    def _time(self, index: int) -> float:
        return self._times[self.span.first + index]


def given_frames(items: Iterable[object], value_range: ValueRange | None) -> Iterator[Frame]:
    """Frames that come one by one, in the form of those that are read from files.

    Args:
        items: Frames, or their pictures alone; see `GivenStills` for numbers and times.
        value_range: Of the scene; None: pictures of 8 bits are grey levels.

    Raises:
        UsageError: One is no frame.
        SourceError: No range is known for its values, or it has other ones than the scene.
    """
    clock = _Times()
    for index, item in enumerate(items):
        number, time, values = _parts(index, item)
        fitting = fitting_range(value_range, values.dtype, f"frame {number}")
        levels = values if fitting is None else fitting.to_grey_levels(values)
        picture = np.ascontiguousarray(in_three_channels(levels))
        frame = item if isinstance(item, Frame) else Frame(index, number, 0.0, picture)
        yield replace(frame, time=clock.time(time), picture=picture)


class _Times:
    """Times as a file's are: one that does not ascend follows the one before."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._step = float(1 / DEFAULT_FRAME_RATE)

    def time(self, given: float | None) -> float:
        """Time of the next frame; None: it has none of its own."""
        last = self._last
        if given is None or not math.isfinite(given) or (last is not None and given <= last):
            given = 0.0 if last is None else last + self._step
        self._last = float(given)
        return self._last


def _parts(index: int, item: object) -> tuple[int, float | None, Values]:
    """Number, time and picture of something that was given as a frame."""
    if isinstance(item, Frame):
        time = item.time
        if isinstance(time, bool) or not isinstance(time, int | float | np.number):
            raise UsageError(f"the time of frame {item.number} is {time!r}; give seconds")
        return item.number, float(time), _values(item.picture, f"frame {item.number}")
    return index + 1, None, _values(item, f"frame {index + 1}")


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
