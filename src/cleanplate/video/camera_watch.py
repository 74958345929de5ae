"""A watch over the camera: it says when the view is no longer that of the plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cleanplate.frames import Picture
from cleanplate.video.registration import Motion, Registrar

_SECONDS_DISPLACED = 2.0
"""Time for which the view has to lie elsewhere, in seconds."""
_SECONDS_LOST = 10.0
"""Time for which nothing of the view may be found: a lorry may stand in front of all of it."""
SECONDS_BETWEEN_LOOKS = 0.4
_LEAST_LOOKS = 4
LEAST_REACH = 0.01
"""Motion that no still camera has, as a share of the frame's longer side."""
_SHAKES = 2.0
"""How many times farther than while learning a shaken camera has to have gone."""


@dataclass(frozen=True)
class CameraMove:
    """A camera that was moved.

    Attributes:
        number: Number of the first frame of the new view.
        time: Of that frame, in seconds.
        reach: How far the view has gone, in pixels of the frame; None: out of sight.
    """

    number: int
    time: float
    reach: float | None

    def __str__(self) -> str:
        what = (
            f"the picture lies {self.reach:.0f} pixels beside the scene"
            if self.reach is not None
            else "hardly anything of the scene is found in the picture"
        )
        return f"the camera was moved at frame {self.number} ({self.time:.1f} s): {what}"


class CameraWatch:
    """Looks at a frame now and then, in the order of time.

    Args:
        plate: The empty scene, `(h, w, 3)`, uint8, RGB, in the working size.
        reach: How far the camera's shaking went while learning, in pixels of the working size.
        enlargement: Of the frames over the working size, for what is said.
        others: The empty scene in its other states, at night under a lamp for example.

    Attributes:
        moved: When the camera was moved first; None: it was not.
    """

    def __init__(
        self,
        plate: Picture,
        *,
        reach: float = 0.0,
        enlargement: float = 1.0,
        others: Sequence[Picture] = (),
    ) -> None:
        self._registrars = [Registrar(state, "translation") for state in (plate, *others)]
        self._limit = _SHAKES * reach + LEAST_REACH * max(plate.shape[:2])
        self._enlargement = enlargement
        self._looked_at: float | None = None
        self._doubt: _Doubt | None = None
        self.moved: CameraMove | None = None

    def is_due(self, time: float) -> bool:
        """Whether a frame of that time is to be looked at."""
        if self.moved is not None or not self._registrars[0].is_able:
            return False
        return self._looked_at is None or time - self._looked_at >= SECONDS_BETWEEN_LOOKS

    def look(self, number: int, time: float, picture: Picture) -> None:
        """Looks at a frame.

        Args:
            number: Of the frame.
            time: Of the frame, in seconds.
            picture: The frame as it was taken, in the working size.
        """
        if not self.is_due(time):
            return
        self._looked_at = time
        motion = self._locate(picture)
        if not motion.is_found and not any(each.is_clear(picture) for each in self._registrars):
            return  # in the dark or in fog the view cannot be told
        if motion.is_found and motion.reach <= self._limit:
            self._doubt = None
            return
        if self._doubt is None:
            self._doubt = _Doubt(number, time)
        self._doubt.take_in(time, motion)
        if self._doubt.is_certain(time):
            reach = self._doubt.reach
            far = None if reach is None else reach * self._enlargement
            self.moved = CameraMove(self._doubt.number, self._doubt.time, far)

    def _locate(self, picture: Picture) -> Motion:
        """The motion over the first state of the scene in which it is found."""
        first = self._registrars[0].locate(picture)
        if first.is_found:
            return first
        others = (each.locate(picture) for each in self._registrars[1:])
        return next((motion for motion in others if motion.is_found), first)


@dataclass
class _Doubt:
    """Frames without the view where it should be, one after the other.

    Attributes:
        number: Of the first one.
        time: Of the first one.
    """

    number: int
    time: float

    def __post_init__(self) -> None:
        self.looks = 0
        self.displaced = 0
        self.displaced_since: float | None = None
        self.reach: float | None = None

    def take_in(self, time: float, motion: Motion) -> None:
        """One more of them."""
        self.looks += 1
        if not motion.is_found:
            self.displaced, self.displaced_since, self.reach = 0, None, None
            return
        self.displaced += 1
        self.reach = motion.reach
        if self.displaced_since is None:
            self.displaced_since = time

    def is_certain(self, time: float) -> bool:
        """Whether it has lasted."""
        if self.displaced_since is not None and self.displaced >= _LEAST_LOOKS:
            return time - self.displaced_since >= _SECONDS_DISPLACED
        return self.looks >= _LEAST_LOOKS and time - self.time >= _SECONDS_LOST
