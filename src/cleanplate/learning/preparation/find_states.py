"""States of a scene, such as day and infrared, in the frames that it is learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cleanplate.background import spread_positions
from cleanplate.frames import FrameStack, Picture
from cleanplate.scene_model.detail import detail, looked_at
from cleanplate.scene_model.states import (
    LEAST_EDGES,
    StatePicker,
    comparable,
    edge_correlation,
    shows_nothing,
)
from cleanplate.segmentation.light import Light

_SAMPLED = 80
_LEADERS = 8
"""Frames of which the one that most others are like leads a state."""
_LIKE = 0.5
"""Share of the picture that agrees, light explained, in frames of one state."""
_LEAST_STATE_SHARE = 0.05
_LEAST_FRAMES = 20
LEAST_FOR_STATES = 2 * _LEAST_FRAMES
"""Fewest frames in which states are looked for."""
_MOST_LIKENESS = 0.2
"""Share of the picture up to which the plates of two states may agree; visitors change less."""


def find_states(frames: FrameStack, most: int, threshold: int) -> list[list[int]]:
    """Positions of the frames of each state of the scene, the commonest first.

    A state differs from the others in nearly all of the picture and by more than light, has edges
    where the commonest has them, and at least 5 % and 20 of the frames. With one state alone, all
    frames are its own. What shows nothing of a scene, such as a black lead-in or a screen without
    signal, is a state of its own, and never the first, however long it lasts.

    Args:
        frames: In the working size.
        most: Most states.
        threshold: Difference summed over RGB that counts, `SegmentationPlan.compared_threshold`.
    """
    everything = [list(range(len(frames)))]
    if len(frames) < LEAST_FOR_STATES:
        return everything
    sampled = spread_positions(len(frames), _SAMPLED)
    small = [comparable(frames.read([position])[0]) for position in sampled]
    light = Light(np.full(small[0].shape[:2], threshold, np.uint8))
    least = max(_LEAST_STATE_SHARE, _LEAST_FRAMES / len(frames)) * len(small)
    screens = _Screens(frames, sampled, least)
    shown = [picture for picture, is_empty in zip(small, screens.are, strict=True) if not is_empty]
    kept: list[Picture] = []
    for group in _groups(shown, light, least):
        plate = _middle([shown[place] for place in group])
        is_other = all(_is_another_state(plate, known, light) for known in kept)
        if is_other and len(kept) < max(most, 1):
            kept.append(plate)
    if len(kept) < 2 and not screens.are_any:
        return everything
    nearest = StatePicker(kept or shown[:1], threshold)
    found: list[list[int]] = [[] for _ in (kept or shown[:1])]
    empty: list[int] = []
    for position in range(len(frames)):
        picture = frames.read([position])[0]
        part = empty if screens.has(picture) else found[nearest.nearest(picture)]
        part.append(position)
    main, *others = sorted(found, key=len, reverse=True)
    enough = [part for part in (*others, empty) if len(part) >= _LEAST_FRAMES]
    return [main, *enough][: max(most, 1)]


class _Screens:
    """Which frames show nothing of the scene, such as a black lead-in or a screen without signal.

    Args:
        frames: In the working size.
        sampled: Positions of those that are looked at.
        least: So many of them make it worth while to look at all.

    Attributes:
        are: Of each of those, whether it is one; none are where they are but a few.
        are_any: Whether there are any.
    """

    def __init__(self, frames: FrameStack, sampled: Sequence[int], least: float) -> None:
        looks = [looked_at(frames.read([position])[0]) for position in sampled]
        self._scene = max(looks, key=detail)
        are = [shows_nothing(look, self._scene) for look in looks]
        self.are_any = least <= sum(are) < len(are)
        self.are = are if self.are_any else [False] * len(are)

    def has(self, picture: Picture) -> bool:
        """Whether a frame is one of them."""
        return self.are_any and shows_nothing(looked_at(picture), self._scene)


def _groups(small: Sequence[Picture], light: Light, least: float) -> list[list[int]]:
    """Places of pictures that are like one of them, the largest group first."""
    rest = list(range(len(small)))
    groups: list[list[int]] = []
    while len(rest) >= max(2, least):
        leaders = [rest[place] for place in spread_positions(len(rest), _LEADERS)]
        best: list[int] = []
        for leader in leaders:
            alike = [p for p in rest if light.likeness(small[p], small[leader]) >= _LIKE]
            best = max(best, alike, key=len)
            if len(best) > len(rest) / 2:
                break  # no other group can be larger
        if len(best) < least:
            break
        groups.append(best)
        rest = [place for place in rest if place not in set(best)]
    return groups


def _is_another_state(plate: Picture, known: Picture, light: Light) -> bool:
    alike = max(light.likeness(plate, known), light.likeness(known, plate))
    return alike <= _MOST_LIKENESS and edge_correlation(plate, known) >= LEAST_EDGES


def _middle(pictures: Sequence[Picture]) -> Picture:
    return np.median(np.stack(pictures), axis=0).astype(np.uint8)
