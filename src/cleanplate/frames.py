"""The values that travel between the layers: numpy only, units written once.

* picture: ``(H, W, 3)``, uint8, RGB.
* mask: ``(H, W)``, uint8, 0 (background) or 255 (foreground).
* frame number: what the user calls a frame, taken from its file name, or its position from 1.
* frame index: position in the stream from 0.
* time: seconds from the first frame; a duration is never given in frames.
* residual, noise, threshold: absolute difference summed over RGB, in grey levels, held at 255.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]
FloatMap: TypeAlias = NDArray[np.float32]

MINIMUM_SIDE = 16
"""Frames with a shorter side are refused, in pixels."""

MOST_PIXELS = 1 << 26
"""Frames with more pixels are refused: 8192x8192, twice what 8K video has."""


class FrameSize(NamedTuple):
    """Size of a picture in pixels."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width


class Modality(StrEnum):
    """What a model may read of a frame."""

    RGB = "rgb"
    FLOW = "flow"
    MASK = "mask"


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a stream.

    Attributes:
        index: Position in the stream, from 0.
        number: The user's number of the frame; unique in the stream, ascending.
        time: Presentation time in seconds from the first frame.
        picture: `(H, W, 3)`, uint8, RGB.
    """

    index: int
    number: int
    time: float
    picture: Picture

    @property
    def size(self) -> FrameSize:
        """Size of the picture."""
        return FrameSize(self.picture.shape[0], self.picture.shape[1])


ExtraModalities: TypeAlias = Mapping[Modality, FloatMap]
"""Modalities beside RGB of some frames, each `(B, C, h, w)`, float32."""


class FrameStack(Protocol):
    """Frames of one recording that can be read in any order, in bounded memory."""

    @property
    def size(self) -> FrameSize:
        """Size of every frame."""
        ...

    def __len__(self) -> int: ...

    def read(self, positions: Sequence[int]) -> Picture:
        """Whole frames, `(N, H, W, 3)`, uint8, RGB, in the order of the positions (from 0)."""
        ...

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        """Rows `top` to `bottom` (not included) of frames, `(N, bottom - top, W, 3)`, uint8."""
        ...


def durations(times: Sequence[float]) -> tuple[float, ...]:
    """Time that each of several frames stands for, in seconds: up to the middle of its gaps."""
    if len(times) < 2:
        return (1.0,) * len(times)
    gaps = np.maximum(np.diff(np.asarray(times, np.float64)), 0)
    around = (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])) / 2
    return tuple(around.tolist())
