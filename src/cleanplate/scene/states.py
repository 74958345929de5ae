"""States of a scene, such as day and infrared: found while learning, picked while segmenting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.errors import SceneFileError
from cleanplate.frames import Extras, FrameSize, FrameStack, Mask, Modality, Picture
from cleanplate.modalities import ModalityReader
from cleanplate.scene.detail import detail, lacks_detail, looked_at
from cleanplate.scene.estimators import BackgroundEstimator, MendedEstimator
from cleanplate.scene_reading import TensorKind
from cleanplate.segmentation.difference import mended
from cleanplate.segmentation.light import Light

_COMPARED_PIXELS = 1600
"""Pixels of the pictures on which states are compared, about."""
_SAMPLED = 80
_LEADERS = 8
"""Frames of which the one that most others are like leads a state."""
_LIKE = 0.5
"""Share of the picture that agrees, light explained, in frames of one state."""
_LEAST_SHARE = 0.05
_LEAST_FRAMES = 20
_MOST_LIKENESS = 0.2
"""Share of the picture up to which the plates of two states may agree; visitors change less."""
_LEAST_EDGES = 0.35
"""Correlation of the edges of two plates of one scene; where leaves hide it there is hardly any."""
_CERTAIN = 0.7
"""Share of the picture that agrees with one plate so that no other can be nearer."""
_GREY = 6.0
"""Saturation of a picture without colour, in grey levels between its channels."""
_MAIN = "state_main_plate"
_PLATE, _NOISE = "state_{}_plate", "state_{}_noise"


@dataclass(frozen=True, eq=False)
class State:
    """Another state of the scene than the main one.

    Attributes:
        plate: `(h, w, 3)`, uint8, RGB, working size.
        noise: `(h, w)`, uint8, grey levels.
    """

    plate: Picture
    noise: Mask


class StatesEstimator:
    """The method's background in the main state, a still plate in every other.

    Which state a frame is in is told from that frame alone, by the plate that it is most like.

    Attributes:
        main: The method's own estimator.
        main_plate: Plate of the main state, `(h, w, 3)`, by which it is recognised.
        others: The other states; state 1 is the first of them.
        threshold: By which plates and pictures are compared, `SegmentationPlan.compared_threshold`.
    """

    def __init__(
        self,
        main: BackgroundEstimator,
        main_plate: Picture,
        others: Sequence[State],
        threshold: int,
    ) -> None:
        self.main = main
        self.main_plate = main_plate
        self.others = tuple(others)
        self.threshold = threshold
        self._plates = Likeness([main_plate, *(state.plate for state in others)], threshold)

    def pick(self, pictures: Picture) -> list[int]:
        """State of each picture, of the scene's size or `compared_size` of it; 0: the main one."""
        return [self._plates.nearest(picture) for picture in pictures]

    def estimate(self, pictures: Picture, extras: Extras | None = None) -> Picture:
        """Background of each picture, `(B, h, w, 3)`, uint8, RGB."""
        return self.estimate_in(self.pick(pictures), pictures, extras)

    def estimate_in(
        self, picked: Sequence[int], pictures: Picture, extras: Extras | None = None
    ) -> Picture:
        """Background of each picture in a state that is known."""
        backgrounds = self.main.estimate(pictures, extras)
        if any(picked):
            backgrounds = np.array(backgrounds)
            for place, state in enumerate(picked):
                if state:
                    backgrounds[place] = self.others[state - 1].plate
        return backgrounds

    def readers(self) -> dict[Modality, ModalityReader]:
        """Those of the method."""
        return self.main.readers()

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Those of the method, and plates and noise of the states."""
        found = {**self.main.tensors(), _MAIN: self.main_plate}
        for number, state in enumerate(self.others, start=1):
            found[_PLATE.format(number)] = state.plate
            found[_NOISE.format(number)] = state.noise
        return found

    def mended(self, repairs: Mapping[int, NDArray[np.int16]]) -> StatesEstimator:
        """A copy with repairs of some of its states."""
        main = MendedEstimator.of(self.main, repairs[0]) if 0 in repairs else self.main
        others = [
            replace(state, plate=mended(state.plate, repairs[number]))
            if number in repairs
            else state
            for number, state in enumerate(self.others, start=1)
        ]
        return StatesEstimator(main, self.main_plate, others, self.threshold)


class Likeness:
    """Tells which of several plates a picture is most like; holds no memory."""

    def __init__(self, plates: Sequence[Picture], threshold: int) -> None:
        self._plates = [_reduced(plate) for plate in plates]
        self._light = Light(np.full(self._plates[0].shape[:2], threshold, np.uint8))

    def nearest(self, picture: Picture) -> int:
        """Position of the plate that most of the picture agrees with; the first where none is."""
        shown, found = _reduced(picture), []
        for plate in self._plates:
            found.append(self._light.likeness(shown, plate))
            if found[-1] >= _CERTAIN:
                break
        return int(np.argmax(found))


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
    if len(frames) < 2 * _LEAST_FRAMES:
        return everything
    sampled = spread_positions(len(frames), _SAMPLED)
    small = [_reduced(frames.read([position])[0]) for position in sampled]
    light = Light(np.full(small[0].shape[:2], threshold, np.uint8))
    least = max(_LEAST_SHARE, _LEAST_FRAMES / len(frames)) * len(small)
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
    nearest = Likeness(kept or shown[:1], threshold)
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
        are = [_shows_nothing(look, self._scene) for look in looks]
        self.are_any = least <= sum(are) < len(are)
        self.are = are if self.are_any else [False] * len(are)

    def has(self, picture: Picture) -> bool:
        """Whether a frame is one of them."""
        return self.are_any and _shows_nothing(looked_at(picture), self._scene)


def _shows_nothing(picture: Picture, scene: Picture) -> bool:
    if not lacks_detail(picture, scene):
        return False
    # In the dark, a scene has its own edges still.
    return _edge_correlation(_reduced(picture), _reduced(scene)) < _LEAST_EDGES


def _names(plates: Sequence[Picture]) -> list[str]:
    """What a person would call the states, by their plates: `day` and `infrared`, or numbers."""
    empty = [_shows_nothing(plate, plates[0]) for plate in plates]
    grey = [
        float(np.ptp(_reduced(plate), axis=2).mean()) < _GREY
        for plate, is_empty in zip(plates, empty, strict=True)
        if not is_empty
    ]
    names = [f"state {number}" for number in range(1, max(1, len(grey)) + 1)]
    if len(grey) == 2 and grey[0] != grey[1]:
        names = ["infrared" if is_grey else "day" for is_grey in grey]
    screens = ["no picture", *(f"no picture {number}" for number in range(2, len(plates)))]
    known, others = iter(names), iter(screens)
    return [next(others) if is_empty else next(known) for is_empty in empty] or names


def with_states(
    main: BackgroundEstimator, main_plate: Picture, others: Sequence[State], threshold: int
) -> BackgroundEstimator:
    """The method's estimator with the other states of the scene, or alone where it has none."""
    return StatesEstimator(main, main_plate, others, threshold) if others else main


def describe_states(
    estimator: BackgroundEstimator, parts: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Share of the frames learned from that each state has, by name, the main one first."""
    total = sum(len(part) for part in parts)
    shares = [len(part) / total for part in parts]
    return dict(zip(state_names(estimator), shares, strict=True))


def in_words(shares: Mapping[str, float]) -> str:
    """As in `2 states of the scene: day (71 %), infrared (29 %)`."""
    parts = ", ".join(f"{name} ({100 * share:.0f} %)" for name, share in shares.items())
    return f"{len(shares)} states of the scene: {parts}"


def other_states(estimator: BackgroundEstimator) -> tuple[State, ...]:
    """The states beside the main one."""
    return estimator.others if isinstance(estimator, StatesEstimator) else ()


def state_names(estimator: BackgroundEstimator) -> list[str]:
    """Names of all states, the main one first."""
    plates = [state.plate for state in other_states(estimator)]
    if isinstance(estimator, StatesEstimator):
        plates = [estimator.main_plate, *plates]
    return _names(plates)


def main_of(estimator: BackgroundEstimator) -> BackgroundEstimator:
    """The method's own estimator."""
    return estimator.main if isinstance(estimator, StatesEstimator) else estimator


def pick_and_estimate(
    estimator: BackgroundEstimator, pictures: Picture, extras: Extras
) -> tuple[list[int], Picture]:
    """State and background of each picture."""
    if not isinstance(estimator, StatesEstimator):
        return [0] * len(pictures), estimator.estimate(pictures, extras)
    picked = estimator.pick(pictures)
    return picked, estimator.estimate_in(picked, pictures, extras)


def mended_states(
    estimator: BackgroundEstimator, repairs: Mapping[int, NDArray[np.int16]]
) -> BackgroundEstimator:
    """A copy whose states are mended, each by its own repair."""
    if isinstance(estimator, StatesEstimator):
        return estimator.mended(repairs)
    return MendedEstimator.of(estimator, repairs[0])


def restore_states(
    tensors: Mapping[str, NDArray[Any]], size: FrameSize
) -> tuple[dict[str, NDArray[Any]], tuple[Picture, list[State]] | None]:
    """Tensors of the method alone, and the main plate with the other states, if there are any.

    Raises:
        SceneFileError: A tensor of a state is missing, or of another size.
    """
    method = dict(tensors)
    if _MAIN not in method:
        return method, None
    main = _popped(method, _MAIN, (*size, 3))
    others: list[State] = []
    while (name := _PLATE.format(len(others) + 1)) in method:
        noise = _NOISE.format(len(others) + 1)
        state = State(_popped(method, name, (*size, 3)), _popped(method, noise, tuple(size)))
        others.append(state)
    return method, (main, others)


def expected_of_states(tensors: Mapping[str, TensorKind], size: FrameSize) -> dict[str, TensorKind]:
    """Kinds that the tensors of the states have to have, of as many states as there are."""
    if _MAIN not in tensors:
        return {}
    plate, noise = TensorKind("U8", (*size, 3)), TensorKind("U8", tuple(size))
    expected = {_MAIN: plate}
    number = 1
    while _PLATE.format(number) in tensors:
        expected |= {_PLATE.format(number): plate, _NOISE.format(number): noise}
        number += 1
    return expected


def _popped(
    tensors: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    found = tensors.pop(name, None)
    if found is None or found.shape != shape or found.dtype != np.uint8:
        raise SceneFileError(f"the tensors hold no {name} of {FrameSize(*shape[:2])}")
    return found


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
    return alike <= _MOST_LIKENESS and _edge_correlation(plate, known) >= _LEAST_EDGES


def _edge_correlation(plate: Picture, other: Picture) -> float:
    """Correlation of the logarithms of the gradients, -1 to 1; 0 where one has none."""
    one, two = _edges(plate).ravel(), _edges(other).ravel()
    return float(np.corrcoef(one, two)[0, 1]) if one.std() * two.std() > 0 else 0.0


def _edges(picture: Picture) -> NDArray[np.float32]:
    values = picture.astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(values, -1, 1, 0), cv2.Sobel(values, -1, 0, 1))
    return np.log1p(gradient.max(axis=2))


def _middle(pictures: Sequence[Picture]) -> Picture:
    return np.median(np.stack(pictures), axis=0).astype(np.uint8)


def compared_size(size: FrameSize) -> FrameSize:
    """Size in which pictures of another are compared with the plates of states."""
    step = max(1, int((size.pixels / _COMPARED_PIXELS) ** 0.5))
    return FrameSize(max(1, size.height // step), max(1, size.width // step))


def _reduced(picture: Picture) -> Picture:
    small = compared_size(FrameSize(*picture.shape[:2]))
    return np.asarray(cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA), np.uint8)
