"""All initial plates by name, and the frames of a recording that they are made from."""

from __future__ import annotations

from collections.abc import Mapping

from cleanplate.background.candidates import candidate_plate
from cleanplate.background.statistics import (
    PlateStatistic,
    low_motion,
    mean,
    median,
    mode,
    trimmed_mean,
)
from cleanplate.errors import SettingsError, SourceError, UnknownNameError
from cleanplate.frames import FrameStack, Picture

CANDIDATES = "candidates"
PLATES: Mapping[str, PlateStatistic] = {
    "mean": mean,
    "median": median,
    "trimmed_mean": trimmed_mean,
    "mode": mode,
    "low_motion": low_motion,
    CANDIDATES: candidate_plate,
}
"""Ways to make a plate by the name that users give."""


def still_plate(how: str, stack: FrameStack, *, max_frames: int = 200) -> Picture:
    """Still plate of a recording from frames spread evenly over it, `(H, W, 3)`.

    Args:
        how: One of `PLATES`.
        stack: The frames of the recording.
        max_frames: Read at most so many frames.

    Raises:
        UnknownNameError: If there is no plate of that name.
        SourceError: If the recording has no frames.
        SettingsError: If not even one frame may be read.
    """
    if how not in PLATES:
        raise UnknownNameError("plate", how, PLATES)
    if len(stack) == 0:
        raise SourceError("the recording has no frames to make a plate from; give at least one")
    return PLATES[how](stack, spread_positions(len(stack), max_frames))


def spread_positions(length: int, max_frames: int) -> list[int]:
    """Positions spread evenly over a recording, ascending: all of them, or `max_frames`.

    Each stands in the middle of its part of the recording.

    Raises:
        SettingsError: If `max_frames` is below 1.
    """
    if max_frames < 1:
        raise SettingsError(f"max_frames {max_frames} is too few; give at least 1")
    count = min(length, max_frames)
    return [(2 * part + 1) * length // (2 * count) for part in range(count)]
