"""Places where something has stood for so long that it is background too, and how they look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.difference import corrected

_EMPTY = 0.6
"""Share of the pixels of a place that show the empty scene when what stood there has left."""


@dataclass
class _Place:
    """Where one thing stands, and since when the place is seen empty; None: it is not."""

    pixels: tuple[NDArray[np.intp], ...]
    empty_since: float | None = None


class SettledPlaces:
    """The settled things of one state of a scene.

    Such a place has two backgrounds: the empty scene, and what has settled there. A pixel that
    shows either is background, so that nothing is left in a mask while the thing drives off.

    Args:
        size: Of the frames.
        memory: Time for which a place is seen empty before what stood there is forgotten, seconds.
    """

    def __init__(self, size: FrameSize, memory: float) -> None:
        self._owner = np.zeros(size, np.int32)
        self._change = np.zeros((*size, 3), np.int16)
        self._places: dict[int, _Place] = {}
        self._memory = memory

    def __bool__(self) -> bool:
        return bool(self._places)

    def __contains__(self, mark: int) -> bool:
        return mark in self._places

    @property
    def everywhere(self) -> NDArray[np.bool_]:
        """All of the places, `(h, w)`."""
        return self._owner > 0

    def add(self, mark: int, place: NDArray[np.bool_], change: NDArray[np.int16]) -> None:
        """Takes in one thing.

        Args:
            mark: Its own number, above 0.
            place: Where it is seen, `(h, w)`.
            change: What its colours differ from the background by there, `(N, 3)`, grey levels.
        """
        self._owner[place] = mark
        self._change[place] = change
        self._places[mark] = _Place(np.nonzero(place))

    def shown_in(self, background: Picture) -> Picture:
        """A background with all that has settled in it, `(h, w, 3)`."""
        return corrected(background, self._change)

    def update(self, time: float, mask: Mask) -> None:
        """Forgets what has left.

        Args:
            time: Of the frame, in seconds.
            mask: What differs from the empty scene, `(h, w)`, 0 or 255.
        """
        for mark, place in list(self._places.items()):
            own = self._owner[place.pixels] == mark
            if own.any() and (mask[place.pixels][own] == 0).mean() < _EMPTY:
                place.empty_since = None
                continue
            if place.empty_since is None:
                place.empty_since = time
            if not own.any() or time - place.empty_since >= self._memory:
                gone = tuple(axis[own] for axis in place.pixels)
                self._owner[gone] = 0
                self._change[gone] = 0
                del self._places[mark]
