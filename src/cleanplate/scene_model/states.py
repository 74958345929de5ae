"""Which state of a scene a picture shows, and what the states are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Picture
from cleanplate.scene_model.detail import lacks_detail
from cleanplate.scene_model.model import SceneModel
from cleanplate.segmentation.light import Light

_COMPARED_PIXELS = 1600
"""Pixels of the pictures on which states are compared, about."""
LEAST_EDGES = 0.35
"""Correlation of the edges of two plates of one scene; where leaves hide it there is hardly any."""
_CERTAIN = 0.7
"""Share of the picture that agrees with one plate so that no other can be nearer."""
_GREY = 6.0
"""Saturation of a picture without colour, in grey levels between its channels."""


class StatePicker:
    """Tells which of several plates a picture is most like; holds no memory.

    Args:
        plates: One for each state, `(h, w, 3)`, uint8, RGB.
        threshold: Difference summed over RGB that counts, 1 to 255.
    """

    def __init__(self, plates: Sequence[Picture], threshold: int) -> None:
        self._plates = [comparable(plate) for plate in plates]
        self._light = Light(np.full(self._plates[0].shape[:2], threshold, np.uint8))

    @classmethod
    def of(cls, model: SceneModel) -> StatePicker:
        """For the states of a scene."""
        plates = [state.plate for state in model.states]
        return cls(plates, model.plan.compared_threshold)

    def pick(self, pictures: Picture) -> list[int]:
        """State of each picture, of the plates' size or `compared_size` of it; 0: the main one."""
        if len(self._plates) == 1:
            return [0] * len(pictures)
        return [self.nearest(picture) for picture in pictures]

    def nearest(self, picture: Picture) -> int:
        """Position of the plate that most of the picture agrees with; the first where none is."""
        shown, found = comparable(picture), []
        for plate in self._plates:
            found.append(self._light.likeness(shown, plate))
            if found[-1] >= _CERTAIN:
                break
        return int(np.argmax(found))


def shows_nothing(picture: Picture, scene: Picture) -> bool:
    """Whether a picture shows no scene: a black lead-in, a screen without signal."""
    if not lacks_detail(picture, scene):
        return False
    # In the dark, a scene has its own edges still.
    return edge_correlation(comparable(picture), comparable(scene)) < LEAST_EDGES


def state_names(plates: Sequence[Picture]) -> list[str]:
    """What a person would call the states, by their plates: `day` and `infrared`, or numbers."""
    empty = [shows_nothing(plate, plates[0]) for plate in plates]
    grey = [
        float(np.ptp(comparable(plate), axis=2).mean()) < _GREY
        for plate, is_empty in zip(plates, empty, strict=True)
        if not is_empty
    ]
    names = [f"state {number}" for number in range(1, max(1, len(grey)) + 1)]
    if len(grey) == 2 and grey[0] != grey[1]:
        names = ["infrared" if is_grey else "day" for is_grey in grey]
    screens = ["no picture", *(f"no picture {number}" for number in range(2, len(plates)))]
    known, others = iter(names), iter(screens)
    return [next(others) if is_empty else next(known) for is_empty in empty] or names


def in_words(shares: Mapping[str, float]) -> str:
    """As in `2 states: day (71 %), infrared (29 %)`."""
    parts = ", ".join(f"{name} ({100 * share:.0f} %)" for name, share in shares.items())
    return f"{len(shares)} states: {parts}"


def compared_size(size: FrameSize) -> FrameSize:
    """Size in which pictures of another are compared with the plates of states."""
    step = max(1, int((size.pixels / _COMPARED_PIXELS) ** 0.5))
    return FrameSize(max(1, size.height // step), max(1, size.width // step))


def comparable(picture: Picture) -> Picture:
    """A picture in the size in which states are compared."""
    small = compared_size(FrameSize(*picture.shape[:2]))
    return np.asarray(cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def edge_correlation(plate: Picture, other: Picture) -> float:
    """Correlation of the logarithms of the gradients, -1 to 1; 0 where one has none."""
    one, two = _edges(plate).ravel(), _edges(other).ravel()
    return float(np.corrcoef(one, two)[0, 1]) if one.std() * two.std() > 0 else 0.0


def _edges(picture: Picture) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(values, -1, 1, 0), cv2.Sobel(values, -1, 0, 1))
    return np.log1p(gradient.max(axis=2))
