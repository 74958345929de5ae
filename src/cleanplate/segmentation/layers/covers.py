"""What waiting objects cover though it looks like the scene: windscreens, roofs, grey sides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask
from cleanplate.segmentation.layers.outlines import filled
from cleanplate.segmentation.layers.tracked_object import Observation, TrackedObject, grown

_PACE = 1.0
"""Time after which it is looked again what an object covers, in seconds."""
_ARRIVAL = 3.0
"""Time before an object stands in which its parts may come to rest, in seconds."""
_CHANGED = 0.5
"""Share of a hole that has shown something else since the object came."""
_KNOWN = 0.8
"""Share of a hole that lies in holes that are known already, for which it is none of its own."""
_SURROUNDED = 0.9
"""Share of what borders on a hole that lies within the outline of the object."""
_RIM = 0.7
"""Share of the object around a hole that is foreground while it is there."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)

Places = tuple[NDArray[np.intp], NDArray[np.intp]]


class _Hole(NamedTuple):
    inside: Places
    rim: Places


class Covers:
    """Holes in waiting objects that are none.

    A hole is closed where an object surrounds it and where the place has looked otherwise since the
    object came: the road between two wheels, or between two vehicles, has the same appearance.

    Args:
        gap: Gaps of this diameter do not open an outline, in pixels.
    """

    def __init__(self, gap: int) -> None:
        self._rim = gap | 1
        self._disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self._rim, self._rim))
        self._holes: dict[int, list[_Hole]] = {}
        self._due: dict[int, float] = {}

    def update(
        self, observation: Observation, tracked: Iterable[TrackedObject], owner: NDArray[np.int32]
    ) -> None:
        """Finds holes in the objects that have come, and forgets all others.

        Args:
            observation: What the frame says.
            tracked: The objects that stand.
            owner: Mark of the object that each pixel belongs to, `(h, w)`.
        """
        arrived = {each.mark: each for each in tracked if each.has_come}
        self._due = {mark: due for mark, due in self._due.items() if mark in arrived}
        self._holes = {mark: holes for mark, holes in self._holes.items() if mark in arrived}
        for mark, each in arrived.items():
            if observation.time >= self._due.get(mark, observation.time):
                self._due[mark] = observation.time + _PACE
                self._learn(mark, self._found(each, owner, observation), owner)

    def _learn(self, mark: int, found: list[_Hole], owner: NDArray[np.int32]) -> None:
        """Adds holes to those that were found before: while others pass, they are not seen."""
        known = np.zeros(owner.shape, np.bool_)
        holes = []
        for hole in (*self._holes.get(mark, ()), *found):
            own = owner[hole.inside]
            is_taken = ((own != 0) & (own != mark)).mean() > 1 - _KNOWN
            if not is_taken and known[hole.inside].mean() < _KNOWN:
                known[hole.inside] = True
                holes.append(hole)
        self._holes[mark] = holes

    def closed(self, mask: Mask) -> Iterable[Places]:
        """Places of the holes of all objects, as far as these are still around them."""
        for holes in self._holes.values():
            for hole in holes:
                if (mask[hole.rim] > 0).mean() >= _RIM:
                    yield hole.inside

    def _found(
        self, each: TrackedObject, owner: NDArray[np.int32], observation: Observation
    ) -> list[_Hole]:
        part = grown(each.object.box, self._rim)
        own, since = owner[part] == each.mark, observation.since[part]
        is_seen = observation.foreground[part] > 0
        margin = self._rim
        padded = np.pad(own.view(np.uint8), margin)
        closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, self._disc)
        outline = filled(closed[margin:-margin, margin:-margin] > 0) > 0
        empty = (outline & (owner[part] == 0)) | (own & ~is_seen)
        count, labels = cv2.connectedComponents(empty.view(np.uint8), connectivity=4)
        changed = (since >= each.object.first_seen - _ARRIVAL) & (since > each.start) | own
        sizes = np.bincount(labels.reshape(-1), minlength=count)
        changes = np.bincount(labels[changed], minlength=count) >= _CHANGED * sizes
        holes = []
        for hole in np.flatnonzero(changes[1:]) + 1:
            inside = (labels == hole).view(np.uint8)
            beside = cv2.dilate(inside, _NEIGHBOURS) > inside
            if outline[beside].mean() < _SURROUNDED:
                continue
            rim = (cv2.dilate(inside, self._disc) > 0) & own & is_seen
            if rim.any():
                holes.append(_Hole(_places(inside > 0, part), _places(rim, part)))
        return holes


def _places(where: NDArray[np.bool_], part: tuple[slice, slice]) -> Places:
    rows, columns = np.nonzero(where)
    return rows + part[0].start, columns + part[1].start
