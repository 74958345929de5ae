"""Tracks stationary objects: where they stand, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.layers.arrivals import Arrivals
from cleanplate.segmentation.layers.outlines import density, edges_in, parts_of
from cleanplate.segmentation.layers.stationary_object import StationaryObject
from cleanplate.segmentation.layers.tracked_object import (
    Observation,
    Part,
    TrackedObject,
    box_of,
    grown,
    part_of,
    union,
)

_ONE_STOP = 2.0
"""Neighbouring pixels that came to rest within this time are one object, in seconds."""
_SURE = 1.0
"""Time for which an object has not grown when it is reported, in seconds."""
_GROWTH = 0.02
"""Share of its size by which an object has grown."""
_LONGEST_GROWTH = 4.0
"""Time after which an object is reported in any case, in seconds."""
_LATE = 75
"""Percentile of the times at which the edges of an object came to rest that is the object's: where
all of it looks alike, pixels seem to stand before it does."""
_LEAST_VISIBLE = 0.2
"""Share of an object's edges that have to be seen for it to be there."""
_STILL_THERE = 0.6
"""The same, of what is seen of it usually: people on motorbikes stand, and turn their heads."""
_USUALLY = 2.0
"""Time over which it is measured what is seen usually, in seconds."""
_MOST_MOVING = 0.5
"""Share of what surrounds an object that may move when all of it has come to rest."""
_LEAST_DENSE = 0.25
"""Share of its convex outline that an object fills; leaves and lights at rest are scattered."""
_INSIDE = 0.7
"""Share of a part that lies within the outline of an object, for which it belongs to it."""
_MOST_OF_IT = 0.3
"""Size of a part of an object that may change while it stands, as a share of it."""
_EMPTY = 0.6
"""Share of an object's pixels that show the background when it has left."""
_HIDDEN = 5.0
"""Time for which an object may be hidden by others, in seconds."""


class StationaryObjectTracker:
    """Follows objects at rest from update to update.

    Parts that came to rest within two seconds and touch, or that lie within the outline of an
    object, are one; touching vehicles that stopped at other times are others. One that is hidden
    for some seconds goes on.

    Args:
        size: Of the frames.
        min_area: Smaller parts are no objects, in pixels.
        gap: Parts that are not farther apart within the foreground touch, in pixels.
        wait: Seconds after which what stays is at rest.
        patience: Seconds for which an object may not be seen.
        settle: Seconds after which it is part of the scene; None: never.
    """

    def __init__(
        self,
        size: FrameSize,
        *,
        min_area: int,
        gap: int,
        wait: float,
        patience: float,
        settle: float | None,
    ) -> None:
        self._owner = np.zeros(size, np.int32)
        self._taken_at: NDArray[np.float64] = np.full(size, -np.inf)
        """Since when each pixel stood as it was given to an object, or to none for good."""
        self._came: NDArray[np.float64] = np.zeros(size)
        """Since when each pixel of an object has stood, and been foreground."""
        self._tracked: dict[int, TrackedObject] = {}
        self._leaving: list[int] = []
        self._found = 0
        self._reported = 0
        self._start = -np.inf
        self._before = -np.inf
        self._arrivals = Arrivals(size, wait)
        self._min_area = min_area
        self._least_new = max(1, min_area // 4)  # fewer pixels are not worth a search
        self._wait = wait
        self._near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap | 1, gap | 1))
        self._patience = patience
        self._settle = settle

    @property
    def objects(self) -> tuple[StationaryObject, ...]:
        """Those that are there, by number."""
        reported = (each.object for each in self._tracked.values() if each.is_reported)
        return tuple(sorted(reported, key=lambda each: each.number))

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Which pixels belong to an object that has come, `(h, w)`."""
        taken = self._owner > 0
        for tracked in self._tracked.values():
            if not tracked.has_come:
                part = part_of(tracked.object.box)
                taken[part] &= self._owner[part] != tracked.mark
        return taken

    @property
    def owner(self) -> NDArray[np.int32]:
        """Mark of the object that each pixel belongs to, `(h, w)`; 0: none."""
        return self._owner

    @property
    def tracked(self) -> Iterable[TrackedObject]:
        """Every object that stands."""
        return self._tracked.values()

    @property
    def marks(self) -> tuple[int, ...]:
        """One for each thing that stands, whether it is reported or not."""
        return tuple(self._tracked)

    @property
    def settled(self) -> tuple[int, ...]:
        """The marks of those that have settled."""
        return tuple(each.mark for each in self._tracked.values() if each.object.settled)

    def region(self, mark: int) -> Mask:
        """Pixels of an object, 255 or 0, `(h, w)`."""
        return (self._owner == mark).view(np.uint8) * np.uint8(255)

    def update(self, observation: Observation) -> NDArray[np.bool_]:
        """Takes in the next observation; which places objects have been seen to leave, `(h, w)`."""
        if np.isinf(self._start):
            self._start = observation.time
        for mark in self._leaving:
            self.forget(mark)
        self._leaving.clear()
        self._arrivals.add(observation.time, observation.foreground)
        self._take_in(observation)
        left = np.zeros(self._owner.shape, np.bool_)
        for mark in list(self._tracked):
            if mark in self._tracked:
                self._look_after(mark, observation, left)
        self._before = observation.time
        return left

    def forget(self, mark: int) -> None:
        """Lets an object go."""
        tracked = self._tracked.pop(mark)
        part = part_of(tracked.object.box)
        self._owner[part][self._owner[part] == mark] = 0

    def _take_in(self, observation: Observation) -> None:
        new = (observation.at_rest & (observation.since > self._taken_at)).view(np.uint8)
        if cv2.countNonZero(new) < self._least_new:
            return
        joined = cv2.bitwise_or(
            cv2.bitwise_and(cv2.dilate(new, self._near), observation.foreground), new
        )
        count, components, statistics, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        rim = self._near.shape[0]
        for component in range(1, count):
            left, top, width, height, _ = (int(value) for value in statistics[component])
            part = grown((left, top, width, height), rim)
            pixels = (components[part] == component) & (new[part] > 0)
            if pixels.any():
                self._give(observation, part, pixels)

    def _give(self, observation: Observation, part: Part, pixels: NDArray[np.bool_]) -> None:
        """Gives pixels that came to rest to an object, an old or a new one, or to none."""
        since = observation.since[part][pixels]
        area = len(since)
        touched = self._touched(part, pixels)
        if area < self._min_area and not touched:
            return
        covered = self._arrivals.covered_since(part, pixels)
        if covered > observation.time - self._wait:
            return  # what has looked the same for longer was no foreground
        began = max(_came(observation, part, pixels), covered)
        mark = self._owner_of(part, pixels, began, touched)
        if mark is None:
            self._found += 1
            mark = self._found
            found = StationaryObject(0, began, observation.time, box_of(part, pixels), area)
            self._tracked[mark] = TrackedObject(
                mark, observation.time, observation.time, self._start, found
            )
        self._owner[part][pixels] = mark
        self._taken_at[part][pixels] = since
        self._came[part][pixels] = np.maximum(since, covered)
        tracked = self._tracked[mark]
        tracked.has_come |= area >= self._min_area and self._arrivals.has_come(part, pixels, began)
        if area >= _GROWTH * tracked.object.pixels:
            tracked.grew = observation.time
            tracked.is_measured = False
        box = union(tracked.object.box, box_of(part, pixels))
        tracked.object = replace(tracked.object, box=box)

    def _touched(self, part: Part, pixels: NDArray[np.bool_]) -> list[int]:
        """Objects that some pixels touch, the one that they touch most first."""
        around = cv2.dilate(pixels.view(np.uint8), self._near) > 0
        marks, counts = np.unique(self._owner[part][around], return_counts=True)
        return [int(mark) for mark in marks[np.argsort(-counts)] if mark]

    def _owner_of(
        self, part: Part, pixels: NDArray[np.bool_], began: float, touched: list[int]
    ) -> int | None:
        """The object that pixels belong to; None: to none of those that are known."""
        area = np.count_nonzero(pixels)
        close = []
        for mark in touched:
            known = self._tracked[mark].object
            at_once = abs(known.first_seen - began) <= _ONE_STOP
            if (at_once or area < _MOST_OF_IT * known.pixels) and self._is_inside(
                mark, part, pixels
            ):
                return mark
            is_little = area < _MOST_OF_IT * known.pixels
            if at_once and (is_little or not self._tracked[mark].is_reported):
                close.append(mark)
        if close:
            return self._merged(close)
        return touched[0] if touched and area < self._min_area else None

    def _is_inside(self, mark: int, part: Part, pixels: NDArray[np.bool_]) -> bool:
        """Whether most of some pixels lie within the outline of an object."""
        own = part_of(self._tracked[mark].object.box)
        points = cv2.findNonZero((self._owner[own] == mark).view(np.uint8))
        if points is None:
            return False
        outline = np.zeros(pixels.shape, np.uint8)
        corner = np.array([own[1].start - part[1].start, own[0].start - part[0].start], np.int32)
        cv2.fillConvexPoly(outline, cv2.convexHull(points) + corner, 1)
        return bool(outline[pixels].mean() >= _INSIDE)

    def _merged(self, marks: list[int]) -> int:
        """Makes one object of several, as far as they are not reported."""
        first = min(marks, key=lambda mark: (not self._tracked[mark].is_reported, mark))
        for mark in marks:
            tracked = self._tracked[mark]
            if mark == first or tracked.is_reported:
                continue
            part = part_of(tracked.object.box)
            self._owner[part][self._owner[part] == mark] = first
            kept = self._tracked[first]
            kept.is_measured = False
            kept.has_come |= tracked.has_come
            kept.object = replace(kept.object, box=union(kept.object.box, tracked.object.box))
            del self._tracked[mark]
        return first

    def _look_after(self, mark: int, observation: Observation, left: NDArray[np.bool_]) -> None:
        tracked = self._tracked[mark]
        part = part_of(tracked.object.box)
        own = self._owner[part] == mark
        size = int(np.count_nonzero(own))
        is_small = size < max(1, self._min_area // 2)
        if not tracked.is_measured and not tracked.is_reported:
            self._measure(tracked, observation.picture)
        visible = 0.0 if is_small else self._visible(tracked, observation)
        is_there = visible >= max(_LEAST_VISIBLE, _STILL_THERE * tracked.usual)
        if visible >= _LEAST_VISIBLE:
            share = min(1.0, (observation.time - self._before) / _USUALLY)
            tracked.usual += share * (visible - tracked.usual)
        if is_there:
            known = tracked.object
            stays = self._settle is not None and observation.time - known.first_seen >= self._settle
            tracked.object = replace(
                known,
                last_seen=observation.time,
                box=box_of(part, own),
                pixels=size,
                settled=known.settled or stays,
            )
        elif is_small or self._has_gone(tracked, observation, part, own):
            if np.count_nonzero(own & (observation.foreground[part] == 0)) >= _EMPTY * size:
                left[part] |= own
            self._let_go(tracked)
            return
        if not tracked.is_reported and self._is_whole(tracked, observation):
            self._split(tracked, observation)

    def _is_whole(self, tracked: TrackedObject, observation: Observation) -> bool:
        """Whether an object does not grow any more, and has been seen whole, apart from what moves.

        A patch that shines where others drive past stands within what moves.
        """
        if not tracked.has_come:
            return False
        part = grown(tracked.object.box, self._near.shape[0])
        own = (self._owner[part] == tracked.mark).view(np.uint8)
        beside = (cv2.dilate(own, self._near) > 0) & (own == 0)
        moves = beside & (observation.foreground[part] > 0) & ~observation.at_rest[part]
        share = float(moves[beside].mean()) if beside.any() else 0.0
        if not tracked.is_apart and share <= _MOST_MOVING:
            tracked.is_apart = density(own) >= _LEAST_DENSE
        if not tracked.is_apart:
            return False
        if observation.time - tracked.found >= _LONGEST_GROWTH:
            return True
        return observation.time - tracked.grew >= _SURE and share <= _MOST_MOVING

    def _measure(self, tracked: TrackedObject, picture: Picture) -> None:
        """Finds the edges of an object that has grown, and when they came to rest."""
        part = part_of(tracked.object.box)
        own = self._owner[part] == tracked.mark
        if not own.any():
            return
        edges = edges_in(own, picture[part])
        came = float(np.percentile(self._came[part][edges], _LATE))
        rows, columns = np.nonzero(edges)
        tracked.edges = (rows + part[0].start, columns + part[1].start)
        tracked.is_measured = True
        tracked.object = replace(tracked.object, first_seen=came, began_before=came <= self._start)

    def _visible(self, tracked: TrackedObject, observation: Observation) -> float:
        """Share of an object's edges, of those that are still its own, that are seen at rest."""
        edges = tracked.edges
        own = self._owner[edges] == tracked.mark
        shows = (
            own & observation.at_rest[edges] & (observation.since[edges] <= self._taken_at[edges])
        )
        return float(shows[own].mean()) if own.any() else 0.0

    def _split(self, tracked: TrackedObject, observation: Observation) -> None:
        """Reports an object with all of its parts, or of several that only touch."""
        tracked = self._tracked[self._merged([tracked.mark, *self._others_of(tracked)])]
        part = part_of(tracked.object.box)
        first, *others = parts_of(self._owner[part] == tracked.mark, self._min_area)
        for other in others:
            self._found += 1
            box = box_of(part, other)
            found = replace(tracked.object, box=box, pixels=int(np.count_nonzero(other)))
            new = replace(tracked, mark=self._found, object=found)
            self._tracked[new.mark] = new
            self._owner[part][other] = new.mark
            self._measure(new, observation.picture)
            self._report(new)
        box = box_of(part, first)
        tracked.object = replace(tracked.object, box=box, pixels=int(np.count_nonzero(first)))
        self._measure(tracked, observation.picture)
        self._report(tracked)

    def _others_of(self, tracked: TrackedObject) -> list[int]:
        """Objects that are not reported, and that may be parts of this one."""
        part = grown(tracked.object.box, self._near.shape[0])
        own = (self._owner[part] == tracked.mark).view(np.uint8)
        marks = np.unique(self._owner[part][cv2.dilate(own, self._near) > 0])
        others = (self._tracked[int(mark)] for mark in marks if mark not in (0, tracked.mark))
        came = tracked.object.first_seen
        return [
            other.mark
            for other in others
            if not other.is_reported and abs(other.object.first_seen - came) <= _ONE_STOP
        ]

    def _has_gone(
        self, tracked: TrackedObject, observation: Observation, part: Part, own: NDArray[np.bool_]
    ) -> bool:
        unseen = observation.time - tracked.object.last_seen
        if unseen <= self._patience:
            return False
        empty = np.count_nonzero(own & (observation.foreground[part] == 0))
        return bool(unseen > _HIDDEN or empty >= _EMPTY * np.count_nonzero(own))

    def _let_go(self, tracked: TrackedObject) -> None:
        """Forgets an object, at once or after it has been reported."""
        if not tracked.is_reported and tracked.is_apart:
            self._report(tracked)
            if tracked.is_reported:
                self._leaving.append(tracked.mark)
                return
        self.forget(tracked.mark)

    def _report(self, tracked: TrackedObject) -> None:
        if tracked.is_reported or not tracked.has_come or tracked.object.dwell < self._wait:
            return
        self._reported += 1
        tracked.is_reported = True
        tracked.object = replace(tracked.object, number=self._reported)


def _came(observation: Observation, part: Part, pixels: NDArray[np.bool_]) -> float:
    """Time at which the edges of some pixels came to rest."""
    edges = edges_in(pixels, observation.picture[part])
    return float(np.percentile(observation.since[part][edges], _LATE))
