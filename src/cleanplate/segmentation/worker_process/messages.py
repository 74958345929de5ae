"""Messages between main and worker process; pictures go through memory that both map."""

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
        capacity: How many frames the memory holds.
        layers: Those that follow the stream.
    """

    size: FrameSize
    capacity: int
    layers: Layers


class KnownCut(NamedTuple):
    """A frame was cut already: its mask lies where its mask will.

    Attributes:
        is_changed: Whether a background in other light lies in the memory too.
        has_shadows: Whether its shadows lie where its labels will.
    """

    is_changed: bool
    has_shadows: bool


class FrameTask(NamedTuple):
    """One frame, whose picture and background lie in the memory; answered with `WorkerResult`.

    Attributes:
        place: Where in the memory.
        time: Of the frame, in seconds.
        state: Of the scene.
        known: What lies there too; None: nothing.
    """

    place: int
    time: float
    state: int
    known: KnownCut | None = None


class WorkerResult(NamedTuple):
    """Mask and labels of a frame lie in the memory.

    Attributes:
        is_changed: Whether a background in other light, or corrected, lies there too.
        is_corrected: Whether it has a ghost correction: such frames are cut in the worker alone.
        objects: The objects at rest.
    """

    is_changed: bool
    is_corrected: bool
    objects: tuple[StationaryObject, ...]


class End(NamedTuple):
    """The stream ends; answered with its layers."""


class SharedFrameBuffer:
    """Memory for some frames, in a file without a name that two processes have mapped.

    Attributes:
        pictures: `(N, h, w, 3)`, uint8, as all of them.
        backgrounds: What the scene says, `(N, h, w, 3)`.
        changed: What the frame was compared with, where it is something else, `(N, h, w, 3)`.
        masks: `(N, h, w)`.
        labels: `(N, h, w)`.
        answered: How many messages about frames have been answered, `(1,)`: that there is an answer
            is known without waiting for it.
    """

    def __init__(self, file: int, size: FrameSize, count: int) -> None:
        coloured, plain = (count, *size, 3), (count, *size)
        shapes = (coloured, coloured, coloured, plain, plain)
        needed = _COUNT_BYTES + sum(int(np.prod(shape)) for shape in shapes)
        if os.fstat(file).st_size < needed:  # it never shrinks: all of it may be mapped
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

    def put_cut(self, place: int, cut: Cut, given: Picture) -> KnownCut:
        """Lays down what a frame was cut into."""
        is_changed = self.put(place, cut.mask, cut.shadows, cut.background, given)
        return KnownCut(is_changed, cut.shadows is not None)

    def cut_at(self, place: int, known: KnownCut, background: Picture) -> Cut:
        """What was laid down, as a part of this memory."""
        background = self.changed[place] if known.is_changed else background
        shadows = self.labels[place] if known.has_shadows else None
        return Cut(self.masks[place], background, shadows)
