"""What the two processes tell each other; pictures go through memory that both of them see."""

from __future__ import annotations

import mmap
import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.layers import Layers, StationaryObject
from cleanplate.segmentation.segmenter import Cut

_COUNT_BYTES = 8


class Ready(NamedTuple):
    """Asks for an answer, None, and no more."""


class Begin(NamedTuple):
    """A stream begins; answered with None once the memory is open.

    Attributes:
        size: Of its pictures.
        room: How many frames it has room for.
        layers: Those that follow the stream.
    """

    size: FrameSize
    room: int
    layers: Layers


class Known(NamedTuple):
    """A frame was cut already: its mask lies where its mask will.

    Attributes:
        is_changed: Whether a background in other light lies in the memory too.
        has_shadows: Whether its shadows lie where its labels will.
    """

    is_changed: bool
    has_shadows: bool


class Job(NamedTuple):
    """One frame, whose picture and background lie in the memory; answered with `Found`.

    Attributes:
        place: Where in the memory.
        time: Of the frame, in seconds.
        state: Of the scene.
        known: What lies there too; None: nothing.
    """

    place: int
    time: float
    state: int
    known: Known | None = None


class Found(NamedTuple):
    """Mask and labels of a frame lie in the memory.

    Attributes:
        is_changed: Whether a background in other light, or mended, lies there too.
        is_mended: Whether it is mended: what somebody else makes of such frames is of no use.
        objects: Who is at rest.
    """

    is_changed: bool
    is_mended: bool
    objects: tuple[StationaryObject, ...]


class End(NamedTuple):
    """The stream ends; answered with its layers."""


class Room:
    """Memory for some frames, in a file without a name that two processes have mapped.

    Attributes:
        pictures: `(N, h, w, 3)`, uint8, as all of them.
        backgrounds: What the scene says, `(N, h, w, 3)`.
        changed: What the frame was compared with, where it is something else, `(N, h, w, 3)`.
        masks: `(N, h, w)`.
        labels: `(N, h, w)`.
        answered: How many messages about frames have been answered, `(1,)`: who asks need not wait
            to know that there is an answer.
    """

    def __init__(self, file: int, size: FrameSize, count: int) -> None:
        coloured, plain = (count, *size, 3), (count, *size)
        shapes = (coloured, coloured, coloured, plain, plain)
        needed = _COUNT_BYTES + sum(int(np.prod(shape)) for shape in shapes)
        if os.fstat(file).st_size < needed:  # it never shrinks: somebody may have mapped all of it
            os.truncate(file, needed)
        self._memory = np.frombuffer(mmap.mmap(file, needed), np.uint8)
        self.answered = self._memory[:_COUNT_BYTES].view(np.int64)
        self.answered[:] = 0
        parts: list[NDArray[np.uint8]] = []
        first = _COUNT_BYTES
        for shape in shapes:
            last = first + int(np.prod(shape))
            parts.append(self._memory[first:last].reshape(shape))
            first = last
        self.pictures: Picture = parts[0]
        self.backgrounds: Picture = parts[1]
        self.changed: Picture = parts[2]
        self.masks: Mask = parts[3]
        self.labels: Mask = parts[4]

    def put(
        self, place: int, mask: Mask, labels: Mask | None, background: Picture, given: Picture
    ) -> bool:
        """Lays down what was made of a frame; whether with another background than the given."""
        self.masks[place] = mask
        if labels is not None:
            self.labels[place] = labels
        is_changed = background is not given
        if is_changed:
            self.changed[place] = background
        return is_changed

    def put_cut(self, place: int, cut: Cut, given: Picture) -> Known:
        """Lays down what a frame was cut into."""
        is_changed = self.put(place, cut.mask, cut.shadows, cut.background, given)
        return Known(is_changed, cut.shadows is not None)

    def cut_at(self, place: int, known: Known, background: Picture) -> Cut:
        """What was laid down, as a part of this memory."""
        background = self.changed[place] if known.is_changed else background
        shadows = self.labels[place] if known.has_shadows else None
        return Cut(self.masks[place], background, shadows)
