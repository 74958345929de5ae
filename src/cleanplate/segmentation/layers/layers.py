"""The layers of each frame, and a background that is corrected on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from cleanplate.segmentation.difference import corrected
from cleanplate.segmentation.layers.covers import Covers
from cleanplate.segmentation.layers.ghosts import is_ghost
from cleanplate.segmentation.layers.labels import MOVING, SETTLED, SHADOW, WAITING
from cleanplate.segmentation.layers.settled_places import SettledPlaces
from cleanplate.segmentation.layers.stationary_map import StationaryMap
from cleanplate.segmentation.layers.stationary_object import StationaryObject
from cleanplate.segmentation.layers.tracked_object import Observation
from cleanplate.segmentation.layers.tracker import StationaryObjectTracker
from cleanplate.segmentation.opencv.ops import median_filter
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.segmenter import Cut, Segmenter
from cleanplate.segmentation.shadow_model import ShadowModel

_PATIENCE = 2.0
"""Time for which an object may be hidden, in seconds."""
PACE = 0.099
"""Time between two updates of the stationary foreground, in seconds: every third frame of 25.

An object that waits for seconds is not missed, and most frames cost no more than their mask.
"""
_GHOST_SECONDS, _GHOST_UPDATES = 0.47, 5
"""Time for which an object at rest has to be called a ghost in every update, at least two; so many
updates are enough in any case."""
_TESTED_SECONDS = 2.9
"""Time for which an object at rest is tested; one that grows seems a ghost for a while."""


@dataclass(frozen=True, eq=False)
class LayeredFrame:
    """What the layers say of one frame.

    Attributes:
        mask: Foreground that has not settled, `(h, w)`, 0 or 255.
        labels: Layer of each pixel, `(h, w)`, values of `Label`.
        background: The background in the light of the frame, corrected where it showed a ghost,
            and with what has settled, `(h, w, 3)`.
        objects: The objects at rest.
    """

    mask: Mask
    labels: NDArray[np.uint8]
    background: Picture
    objects: tuple[StationaryObject, ...]


@dataclass
class _Tested:
    """Since when an object is tested; since when it was called a ghost each time, and how often."""

    began: float
    ghost_since: float | None = None
    updates: int = 0


class Layers:
    """Follows one stream of frames, in their order; a fresh one starts from nothing.

    Args:
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB.
        plan: Of the masks, and what waiting and settling mean.
        others: Noise in the other states of the scene.
        shadow: Statistics of the shadows of its main state; None: not known.
        pace: Time between two updates of the stationary foreground, in seconds; 0: none.
    """

    def __init__(
        self,
        noise: Mask,
        plan: SegmentationPlan,
        others: Sequence[Mask] = (),
        *,
        shadow: ShadowModel | None = None,
        pace: float = PACE,
    ) -> None:
        self._segmenters = [
            Segmenter(noise, plan, shadow),
            *(Segmenter(each, plan) for each in others),
        ]
        self._plan = plan
        self._stationary = StationaryMap(noise, plan.wait_seconds, plan.still_side)
        self._tracker = StationaryObjectTracker(
            plan.size,
            min_area=plan.least_object,
            gap=plan.closing_diameter,
            wait=plan.wait_seconds,
            patience=_PATIENCE,
            settle=plan.settle_seconds,
        )
        self._covers = Covers(plan.closing_diameter)
        self._pace = pace
        self._at_rest = np.zeros(plan.size, np.bool_)
        self._due = -math.inf
        self._tested: dict[int, _Tested] = {}
        self._corrections: dict[int, NDArray[np.int16]] = {}
        self._settled: dict[int, SettledPlaces] = {}
        self._corrected_ghosts = 0

    @property
    def correction(self) -> NDArray[np.int16]:
        """What has been added to the background of the main state, `(h, w, 3)`, grey levels."""
        return self._corrections.get(0, np.zeros((*self._plan.size, 3), np.int16))

    @property
    def corrections(self) -> Mapping[int, NDArray[np.int16]]:
        """The same for every state in which something was corrected."""
        return self._corrections

    @property
    def corrected_ghosts(self) -> int:
        """How many ghosts have been corrected."""
        return self._corrected_ghosts

    def take_over(self, other: Layers) -> None:
        """Becomes what another object, which followed the stream in its place, has become."""
        vars(self).update(vars(other))

    def cut(self, picture: Picture, background: Picture, state: int = 0) -> Cut:
        """What a frame is cut into where nothing was corrected; whatever came before it."""
        return self._segmenters[state].cut(picture, background)

    def update(
        self,
        time: float,
        picture: Picture,
        background: Picture,
        state: int = 0,
        cut: Cut | None = None,
    ) -> LayeredFrame:
        """Layers of the next frame.

        Args:
            time: Of the frame, in seconds; never less than that of the frame before.
            picture: `(h, w, 3)`, uint8, RGB.
            background: What the scene says its background is, `(h, w, 3)`.
            state: State of the scene; 0: the main one.
            cut: What `cut` made of the frame, if it was called before; else it is cut here.
        """
        segmenter = self._segmenters[state]
        if cut is None or state in self._corrections:
            cut = segmenter.cut(picture, self._corrected(background, state))
        if time >= self._due:
            self._due = time + self._pace
            self._find_stationary(time, picture, cut)
            self._settle(time, cut.mask, state)
            if self._plan.corrects_ghosts and self._correct_ghosts(time, cut, picture, state):
                cut = segmenter.cut(picture, self._corrected(background, state))
        labels = self._labels(cut.mask, self._at_rest & (cut.mask > 0))
        if cut.shadows is not None:
            labels[cut.shadows > 0] = SHADOW
        shown = cut.background
        if settled := self._settled.get(state):
            other = segmenter.cut(picture, settled.shown_in(self._corrected(background, state)))
            places = settled.everywhere
            labels[places & (labels > SHADOW) & (other.mask == 0)] = SETTLED
            shown = np.where(places[..., None], other.background, shown)
        mask = cv2.compare(labels, SHADOW, cv2.CMP_GT)
        return LayeredFrame(mask, labels, shown, self._tracker.objects)

    def _find_stationary(self, time: float, picture: Picture, cut: Cut) -> None:
        still = self._stationary.update(time, picture, cut.background, cut.mask)
        self._at_rest = still & (cut.mask > 0)
        if self._at_rest.any():
            # A pixel in a mask may show the background: closed gaps, a passing look-alike.
            self._at_rest &= self._stationary.differs()
        observation = Observation(time, picture, cut.mask, self._at_rest, self._stationary.since)
        left = self._tracker.update(observation)
        if left.any():
            self._stationary.empty(time, left)
        self._at_rest &= self._tracker.taken
        self._covers.update(observation, self._tracker.tracked, self._tracker.owner)

    def _corrected(self, background: Picture, state: int) -> Picture:
        return (
            corrected(background, self._corrections[state])
            if state in self._corrections
            else background
        )

    def _labels(self, mask: Mask, rests: NDArray[np.bool_]) -> NDArray[np.uint8]:
        labels = np.bitwise_and(mask, np.uint8(MOVING))
        if rests.any():
            resting = rests.view(np.uint8) * np.uint8(255)
            smooth = (median_filter(resting, self._plan.median_side) & mask) > 0
            labels[smooth] = WAITING
        for places in self._covers.closed(mask):
            labels[places] = WAITING
        return labels

    def _settle(self, time: float, mask: Mask, state: int) -> None:
        """Takes up what has stood for long enough, and forgets what has left."""
        for mark in self._tracker.settled:
            settled = self._settled.setdefault(
                state, SettledPlaces(self._plan.size, self._plan.wait_seconds)
            )
            if mark not in settled:
                place = self._around(self._tracker.region(mark), mask)
                change = np.rint(self._stationary.appearance[place]).astype(np.int16)
                settled.add(mark, place, change)
        if state in self._settled:
            self._settled[state].update(time, mask)

    def _around(self, region: Mask, mask: Mask) -> NDArray[np.bool_]:
        """A region with the background next to it, where its rim is."""
        square = np.ones((self._plan.correction_side, self._plan.correction_side), np.uint8)
        return (cv2.dilate(region, square) > 0) & ((mask == 0) | (region > 0))

    def _correct_ghosts(self, time: float, cut: Cut, picture: Picture, state: int) -> bool:
        """Takes up ghosts into the background of a state; whether there was one."""
        corrected_before = self._corrected_ghosts
        marks = self._tracker.marks
        self._tested = {mark: self._tested.get(mark, _Tested(time)) for mark in marks}
        for mark, tested in self._tested.items():
            if time - tested.began > _TESTED_SECONDS and tested.ghost_since is None:
                continue
            region = self._tracker.region(mark)
            if not is_ghost(region, cut.mask, picture, cut.background, self._plan.ghost_side):
                tested.ghost_since, tested.updates = None, 0
                continue
            if tested.ghost_since is None:
                tested.ghost_since = time
            tested.updates += 1
            if tested.updates >= _GHOST_UPDATES or time - tested.ghost_since >= _GHOST_SECONDS:
                self._correct(mark, region, cut.mask, state)
        return self._corrected_ghosts > corrected_before

    def _correct(self, mark: int, region: Mask, mask: Mask, state: int) -> None:
        place = self._around(region, mask)
        change = np.rint(self._stationary.appearance[place]).astype(np.int16)
        correction = self._corrections.setdefault(state, np.zeros((*self._plan.size, 3), np.int16))
        correction[place] += change
        self._stationary.rebase(place, change)
        self._tracker.forget(mark)
        self._corrected_ghosts += 1
