"""What the two processes tell each other; pictures go through memory that both of them see."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.layers import Layers, WaitingObject


class Ready(NamedTuple):
    """Asks for an answer, None, and no more."""


class Begin(NamedTuple):
    """A stream begins; answered with None once the memory is open.

    Attributes:
        path: File of the memory.
        size: Of its pictures.
        room: How many frames it has room for.
        layers: Those that follow the stream.
    """

    path: Path
    size: FrameSize
    room: int
    layers: Layers


class Job(NamedTuple):
    """One frame, whose picture and background lie in the memory; answered with `Found`.

    Attributes:
        place: Where in the memory.
        time: Of the frame, in seconds.
        state: Of the scene.
    """

    place: int
    time: float
    state: int


class Found(NamedTuple):
    """Mask and labels of a frame lie in the memory.

    Attributes:
        is_changed: Whether a background in other light, or mended, lies there too.
        objects: Who is at rest.
    """

    is_changed: bool
    objects: tuple[WaitingObject, ...]


class End(NamedTuple):
    """The stream ends; answered with its layers."""


class Room:
    """Memory for some frames, in a file that two processes have mapped.

    Attributes:
        pictures: `(N, h, w, 3)`, uint8, as all of them.
        backgrounds: What the scene says, `(N, h, w, 3)`.
        changed: What the frame was compared with, where it is something else, `(N, h, w, 3)`.
        masks: `(N, h, w)`.
        labels: `(N, h, w)`.
    """

    def __init__(self, path: Path, size: FrameSize, count: int) -> None:
        coloured, plain = (count, *size, 3), (count, *size)
        shapes = (coloured, coloured, coloured, plain, plain)
        with path.open("r+b") as file:
            file.truncate(sum(int(np.prod(shape)) for shape in shapes))
            self._memory = np.frombuffer(mmap.mmap(file.fileno(), 0), np.uint8)
        parts: list[NDArray[np.uint8]] = []
        first = 0
        for shape in shapes:
            last = first + int(np.prod(shape))
            parts.append(self._memory[first:last].reshape(shape))
            first = last
        self.pictures: Picture = parts[0]
        self.backgrounds: Picture = parts[1]
        self.changed: Picture = parts[2]
        self.masks: Mask = parts[3]
        self.labels: Mask = parts[4]
