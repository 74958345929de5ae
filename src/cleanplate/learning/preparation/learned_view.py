"""A camera that was bumped while it recorded: which of its views is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.frames import FrameStack
from cleanplate.video import FrameCache
from cleanplate.video.camera_watch import LEAST_REACH
from cleanplate.video.registration import Registrar

_SAMPLES = 60
_REFERENCE = 9
"""Last samples whose median the others are registered to."""
_LEAST_SAMPLES = 5
"""A view that fewer samples show is none: the camera is held in hands."""
_MOST_VIEWS = 4
"""A camera with more of them shakes."""
_LEAST_FOUND = 0.5
"""Share of the clear samples whose motion has to be found for any to be believed."""
_AS_LONG = 0.9
"""Of views that differ less in length the last is learned: the camera is there now."""


@dataclass(frozen=True)
class Move:
    """The begin of a new view.

    Attributes:
        number: Number of its first frame.
        time: Of that frame, in seconds.
    """

    number: int
    time: float


@dataclass(frozen=True)
class LearnedView:
    """What of a recording is learned from, where its camera was moved.

    Attributes:
        moves: All moves that were found, in the order of time.
        first: Number of the first frame of the view that is learned.
        last: Number of its last.
    """

    moves: tuple[Move, ...]
    first: int
    last: int

    def as_values(self) -> dict[str, Any]:
        """Plain values for the provenance of a scene."""
        return {**asdict(self), "sentence": str(self)}

    def __str__(self) -> str:
        moves = " and ".join(f"at frame {move.number} ({move.time:.1f} s)" for move in self.moves)
        return (
            f"the camera was moved {moves}: the scene was learned from "
            f"frames {self.first} to {self.last}"
        )


def keep_one_view(frames: FrameCache) -> LearnedView | None:
    """Drops the frames of all views but the longest, or the last of equals; None: there is one.

    A view is a stretch in which the picture stays where it is; from one to the next it jumps by
    more than a still camera ever moves. A camera that shakes, drifts or turns has no such views.

    Args:
        frames: What was kept of the recording.
    """
    if len(frames) < 2 * _LEAST_SAMPLES:
        return None
    watch = _Watch(frames)
    positions = spread_positions(len(frames), _SAMPLES)
    views = watch.views(positions, watch.places(positions))
    if len(views) < 2:
        return None
    begins = [0, *(watch.beginning(*pair) for pair in pairwise(views)), len(frames)]
    spans = list(pairwise(begins))
    lengths = [frames.times[end - 1] - frames.times[first] for first, end in spans]
    chosen = max(n for n, length in enumerate(lengths) if length >= _AS_LONG * max(lengths))
    moves = tuple(Move(frames.numbers[begin], frames.times[begin]) for begin in begins[1:-1])
    frames.keep(range(*spans[chosen]))
    return LearnedView(moves, frames.numbers[0], frames.numbers[-1])


@dataclass(frozen=True, eq=False)
class _View:
    """Samples that lie at one place.

    Attributes:
        first: Position of the first of them.
        last: Of the last.
        place: Right and down, against the reference, in pixels.
    """

    first: int
    last: int
    place: NDArray[np.float64]


class _Watch:
    """Where the frames of a recording lie against its end."""

    def __init__(self, frames: FrameStack) -> None:
        self._frames = frames
        samples = spread_positions(len(frames), _SAMPLES)[-_REFERENCE:]
        reference = np.median(frames.read(samples), axis=0).astype(np.uint8)
        self._registrar = Registrar(reference, "translation")
        self._limit = LEAST_REACH * max(frames.size)

    def places(self, positions: Sequence[int]) -> NDArray[np.float64]:
        """Right and down of each frame, `(N, 2)`; not a number where it is not found."""
        places = np.full((len(positions), 2), np.nan)
        unclear = 0
        for row, position in enumerate(positions):
            picture = self._frames.read([position])[0]
            motion = self._registrar.locate(picture)
            if motion.is_found:
                places[row] = motion.shift
            elif not self._registrar.is_clear(picture):
                unclear += 1
        found = np.count_nonzero(np.isfinite(places[:, 0]))
        if found < max(1.0, _LEAST_FOUND * (len(positions) - unclear)):
            places[:] = np.nan
        return places

    def views(self, positions: Sequence[int], places: NDArray[np.float64]) -> list[_View]:
        """Stretches of samples at one place; none where the camera does not rest in between."""
        known = np.flatnonzero(np.isfinite(places[:, 0]))
        if len(known) < 2 * _LEAST_SAMPLES:
            return []
        steady = _middle_of_three(places[known])
        jumps = np.abs(np.diff(steady, axis=0)).max(axis=1) > self._limit
        groups = np.split(np.arange(len(known)), np.flatnonzero(jumps) + 1)
        views = []
        for group in groups:
            place = np.median(steady[group], axis=0)
            if np.abs(steady[group] - place).max() > self._limit:
                return []
            if len(group) >= _LEAST_SAMPLES:
                view = _View(positions[known[group[0]]], positions[known[group[-1]]], place)
                views.append(view)
        if len(groups) > 2 * _MOST_VIEWS or len(views) > _MOST_VIEWS:
            return []
        apart = [np.abs(b.place - a.place).max() > self._limit for a, b in pairwise(views)]
        return views if all(apart) else []

    def beginning(self, before: _View, after: _View) -> int:
        """Position of the first frame of a view that follows another."""
        for position in range(after.first - 1, before.last, -1):
            motion = self._registrar.locate(self._frames.read([position])[0])
            place = np.array(motion.shift)
            if motion.is_found and np.abs(place - after.place).max() > self._limit / 2:
                return position + 1
        return before.last + 1


def _middle_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each value and its neighbours, so that a single one plays no part."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(np.median(np.stack([padded[:-2], values, padded[2:]]), axis=0), np.float64)
