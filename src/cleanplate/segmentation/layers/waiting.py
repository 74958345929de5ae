"""Objects that wait: who stands where, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask

_ONE_STOP = 2.0
"""Neighbouring pixels that came to rest within this time are one object, in seconds."""
_LEAST_VISIBLE = 0.3
"""Share of an object that has to be seen for it to be there."""


@dataclass(frozen=True)
class WaitingObject:
    """One object that stands still.

    Attributes:
        number: From 1, in the order in which objects were found.
        first_seen: Time at which it came to rest, seconds.
        last_seen: Time at which it was last seen at rest, seconds.
        box: Left, top, width and height, in pixels.
        pixels: Its size.
        settled: Whether it has stood long enough to be part of the scene.
    """

    number: int
    first_seen: float
    last_seen: float
    box: tuple[int, int, int, int]
    pixels: int
    settled: bool = False

    @property
    def dwell(self) -> float:
        """For how long it has stood, in seconds."""
        return self.last_seen - self.first_seen

    def at(self, left: int, top: int) -> WaitingObject:
        """The same object at another place."""
        return replace(self, box=(left, top, *self.box[2:]))

    def enlarged(self, across: float, down: float) -> WaitingObject:
        """The same object in a picture that is larger by these factors."""
        left, top, width, height = self.box
        box = (round(left * across), round(top * down), round(width * across), round(height * down))
        return replace(self, box=box, pixels=round(self.pixels * across * down))


class Waiting:
    """Follows objects at rest from frame to frame.

    Touching vehicles that stopped at different times are different objects; one that is hidden for
    less than `patience` seconds, or whose look comes back unchanged, goes on.
    """

    def __init__(
        self, size: FrameSize, *, min_area: int, patience: float, settle: float | None
    ) -> None:
        self._owner = np.zeros(size, np.int32)
        self._objects: dict[int, WaitingObject] = {}
        self._found = 0
        self._min_area = min_area
        self._least_new = max(1, min_area // 4)  # fewer pixels are not worth a search
        self._patience = patience
        self._settle = settle

    @property
    def owner(self) -> NDArray[np.int32]:
        """Number of the object that each pixel belongs to, `(h, w)`; 0: none."""
        return self._owner

    @property
    def objects(self) -> tuple[WaitingObject, ...]:
        """Those that are there, by number."""
        return tuple(self._objects.values())

    def update(
        self,
        time: float,
        at_rest: NDArray[np.bool_],
        vacated: NDArray[np.bool_],
        since: NDArray[np.float64],
    ) -> None:
        """Takes in the next frame.

        Args:
            time: Seconds.
            at_rest: Foreground that is still, `(h, w)`.
            vacated: What has been seen to be empty again, `(h, w)`.
            since: Time at which each pixel came to rest, `(h, w)`, seconds.
        """
        self._release(at_rest, vacated, since)
        self._take_in(time, at_rest, since)
        self._look_after(time, at_rest, since)

    def forget(self, number: int) -> None:
        """Lets an object go."""
        self._owner[self._owner == number] = 0
        del self._objects[number]

    def _release(
        self, at_rest: NDArray[np.bool_], vacated: NDArray[np.bool_], since: NDArray[np.float64]
    ) -> None:
        """Pixels that show something else for good leave their object."""
        if not self._objects:
            return
        came, last = np.zeros(self._found + 1), np.zeros(self._found + 1)
        for number, found in self._objects.items():
            came[number], last[number] = found.first_seen, found.last_seen
        owned = np.nonzero(self._owner)
        owner, began = self._owner[owned], since[owned]
        # A gap in the mask is no departure: what is empty must have begun after the object.
        has_left = vacated[owned] & (began > came[owner] + _ONE_STOP)
        # Whoever came to rest after the owner was last seen is somebody else.
        has_left |= at_rest[owned] & (began > last[owner])
        self._owner[owned] = np.where(has_left, 0, owner)

    def _take_in(self, time: float, at_rest: NDArray[np.bool_], since: NDArray[np.float64]) -> None:
        new = (at_rest & (self._owner == 0)).view(np.uint8)
        if cv2.countNonZero(new) < self._least_new:
            return
        count, components, statistics, _ = cv2.connectedComponentsWithStats(new, connectivity=8)
        for component in range(1, count):
            left, top, width, height, area = statistics[component]
            part = np.s_[max(0, top - 1) : top + height + 1, max(0, left - 1) : left + width + 1]
            pixels = components[part] == component
            began = float(np.median(since[part][pixels]))
            number = self._neighbour(part, pixels, began, is_small=area < self._min_area)
            if number is None and area >= self._min_area:
                self._found += 1
                number = self._found
                box = (int(left), int(top), int(width), int(height))
                self._objects[number] = WaitingObject(number, began, time, box, int(area))
            if number is not None:
                self._owner[part][pixels] = number

    def _neighbour(
        self, part: tuple[slice, slice], pixels: NDArray[np.bool_], began: float, *, is_small: bool
    ) -> int | None:
        """The touching object that these pixels belong to."""
        around = cv2.dilate(pixels.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        touched = np.bincount(self._owner[part][around])
        for number in np.argsort(-touched):
            if number == 0 or not touched[number]:
                continue
            if is_small or abs(self._objects[int(number)].first_seen - began) <= _ONE_STOP:
                return int(number)
        return None

    def _look_after(
        self, time: float, at_rest: NDArray[np.bool_], since: NDArray[np.float64]
    ) -> None:
        for number, found in list(self._objects.items()):
            whole = (self._owner == number).view(np.uint8)
            size = cv2.countNonZero(whole)
            visible = cv2.countNonZero(cv2.bitwise_and(whole, at_rest.view(np.uint8)))
            if size >= self._min_area // 2 and visible >= max(1, _LEAST_VISIBLE * size):
                left, top, width, height = cv2.boundingRect(whole)
                came = float(np.median(since[(whole > 0) & at_rest]))
                if not 0 < came - found.first_seen <= _ONE_STOP:
                    came = found.first_seen  # else its uniform parts had seemed to stand earlier
                stays = self._settle is not None and time - came >= self._settle
                self._objects[number] = replace(
                    found,
                    first_seen=came,
                    last_seen=time,
                    box=(left, top, width, height),
                    pixels=size,
                    settled=found.settled or stays,
                )
            elif size == 0 or time - found.last_seen > self._patience:
                self.forget(number)


def mask_of(owner: NDArray[np.int32], number: int) -> Mask:
    """Pixels of an object, 255 or 0."""
    return (owner == number).view(np.uint8) * np.uint8(255)
