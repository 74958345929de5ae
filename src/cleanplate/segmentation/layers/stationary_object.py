"""An object that waits, as it is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StationaryObject:
    """One object that stands still.

    Attributes:
        number: From 1, in the order in which objects were found.
        first_seen: Time at which it came to rest, seconds.
        last_seen: Time at which it was last seen at rest, seconds.
        box: Left, top, width and height, in pixels.
        pixels: Its size.
        settled: Whether it has stood long enough to be part of the scene.
        began_before: Whether it stood already in the first frame: it is not known since when.
    """

    number: int
    first_seen: float
    last_seen: float
    box: tuple[int, int, int, int]
    pixels: int
    settled: bool = False
    began_before: bool = False

    @property
    def dwell(self) -> float:
        """For how long it has stood, in seconds; at least, where it began before the recording."""
        return self.last_seen - self.first_seen

    def at(self, left: int, top: int) -> StationaryObject:
        """The same object at another place."""
        return replace(self, box=(left, top, *self.box[2:]))

    def enlarged(self, across: float, down: float) -> StationaryObject:
        """The same object in a picture that is larger by these factors."""
        left, top, width, height = self.box
        box = (round(left * across), round(top * down), round(width * across), round(height * down))
        return replace(self, box=box, pixels=round(self.pixels * across * down))
