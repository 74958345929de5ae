"""Where a scene sways: leaves and reeds, whose foreground comes and goes without going anywhere.

A pixel of a swaying tree leaves its background about once a second, for as long as a vehicle needs
to pass; the share of time, the number of visits and their length are those of a busy lane. What
tells them apart is how far the foreground travels, and whether it stays: foreground pixels are
followed by optical flow for a second and a half. A branch comes back within some pixels; a vehicle
drives on; a queue or a person at rest is still there at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_over_time
from cleanplate.frames import FloatMap, FrameSize, Mask
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene_model import BackgroundEstimator
from cleanplate.segmentation import SegmentationPlan, Segmenter, ShadowModel
from cleanplate.video import in_batches

_BATCH = 8
_PIXELS = 320 * 240
"""About so many pixels are looked at, and lengths here are in them."""
_LEAST_SECONDS = 8.0
"""A shorter recording says nothing of what sways: a person who walks is near for as long."""
_MOMENTS, _LEAST_MOMENTS = 24, 10
"""Moments from which foreground is followed, and fewest of them with frames close enough."""
_BURST_SECONDS, _SHORTEST_BURST = 1.5, 0.5
"""How long it is followed."""
_STEP_SECONDS = (0.06, 0.11)
"""Time between two frames of a burst: less tells nothing new, more loses fast vehicles."""
_POINTS = 6000
"""Most pixels that are followed from one moment."""
_LEAST_DETAIL = 5.0
"""Contrast in the direction of least contrast, in grey levels a pixel, that flow needs to follow a
pixel: the even side of a lorry seems to stand until the lorry ends."""
_NEAR = 31
"""Side of the square in which there is foreground nearly always where a tree is."""
_ALWAYS, _MOSTLY = 0.85, 0.7
"""Share of the moments with foreground that near: in the middle of what sways, and around it."""
_REACH = 12.0
"""Distance within which a branch stays; lanes and pavements have medians of 16 and more."""
_SEEN_SECONDS = 0.12
"""What is foreground for less than that is noise, or was lost: it is no evidence of anything."""
_VOTES_SIDE, _LEAST_VOTES = 15, 8
"""Side of the square in which pixels vote, and fewest votes."""
_SURE, _LIKELY = 0.5, 0.35
"""Share of the votes for swaying, in the middle of what sways and around it."""
_CORE_SIDE, _LEAST_CORE = 21, 0.04
"""Side of the square that what sways is as large as everywhere, and the least share of the picture
that it takes: distant traffic, which hardly travels in pixels, covers less."""
_ISLAND_SIDE, _LEAST_ISLAND, _LARGEST_ISLAND = 15, 0.005, 0.1
"""The same, and the most that it takes, where foreground is never seen to come from elsewhere, nor
to go there: a flag, a fan, a screen."""
_RARELY, _OF_ISLAND = 0.02, 0.5
"""Share of the frames in which there is foreground at least in all of an island, and how much of it
has to sway."""
_MARGIN = 9
"""Side of the square by which what sways is widened: at its edge it sways less often."""
_QUANTILE = 0.8
"""Share of the frames in which what sways is below the threshold by its own noise."""


class _Frames:
    """Frames of a recording, in a size of their own, with their foreground.

    Attributes:
        size: In which they are looked at.
        looked: How many have been looked at.
        active: In how many of them each pixel was foreground, `(h, w)`.
    """

    def __init__(
        self, inputs: LearningFrames, estimator: BackgroundEstimator, segmenter: Segmenter
    ) -> None:
        self._inputs, self._estimator, self._segmenter = inputs, estimator, segmenter
        whole = inputs.frames.size
        scale = (_PIXELS / whole.pixels) ** 0.5
        self.size = FrameSize(*(max(1, round(side * scale)) for side in whole))
        self.looked, self.active = 0, np.zeros(self.size, np.int32)

    def at(self, positions: Sequence[int]) -> Iterator[tuple[Mask, NDArray[np.bool_]]]:
        """Grey levels and foreground of frames, `(h, w)` each, one after the other."""
        for some in in_batches(positions, _BATCH):
            pictures, extras = self._inputs.read(some)
            backgrounds = self._estimator.estimate(pictures, extras)
            for picture, background in zip(pictures, backgrounds, strict=True):
                mask = self._segmenter.segment(picture, background)
                grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
                shown = self._resized(mask) > 127
                self.looked += 1
                self.active += shown
                yield self._resized(grey), shown

    def _resized(self, values: Mask) -> Mask:
        return np.asarray(cv2.resize(values, self.size[::-1], interpolation=cv2.INTER_AREA))


def find_swaying(
    inputs: LearningFrames,
    estimator: BackgroundEstimator,
    plan: SegmentationPlan,
    noise: Mask,
    shadow: ShadowModel | None,
) -> NDArray[np.bool_] | None:
    """Where the scene sways, `(h, w)`; nowhere in most scenes, and that is found out at once.

    None where it cannot be told: the recording is too short, or its frames are too far apart.

    Args:
        inputs: What was learned from.
        estimator: Of the backgrounds.
        plan: Of the masks.
        noise: Of each pixel, `(h, w)`, as if nothing swayed.
        shadow: What the scene's shadows look like; None: not known.
    """
    size, times = inputs.frames.size, inputs.frames.times
    nowhere = np.zeros(size, np.bool_)
    if times[-1] - times[0] < _LEAST_SECONDS:
        return None
    frames = _Frames(inputs, estimator, Segmenter(noise, plan, shadow))
    moments = spread_over_time(times, _MOMENTS)
    presence = _presence([mask for _, mask in frames.at(moments)])
    if (presence >= _ALWAYS).mean() < _LEAST_ISLAND:
        return nowhere
    bursts = [burst for at in moments if (burst := _burst(times, at))]
    if len(bursts) < _LEAST_MOMENTS:
        return None
    votes = np.zeros((3, *frames.size), np.float32)
    for burst in bursts:
        votes += _votes(frames, burst, [times[at] for at in burst], presence >= _MOSTLY)
    near = (cv2.boxFilter(v, -1, (_VOTES_SIDE,) * 2, normalize=False) for v in votes)
    ends, ends_far, goes_on = near
    found = _zone(presence, ends, ends_far + goes_on)
    active = (frames.active / frames.looked).astype(np.float32)
    found |= _islands(presence, ends + ends_far, goes_on, active)
    if not found.any():
        return nowhere
    wide = cv2.dilate(found.view(np.uint8), np.ones((_MARGIN, _MARGIN), np.uint8))
    return cv2.resize(wide, size[::-1], interpolation=cv2.INTER_NEAREST) > 0


def raised(
    noise: Mask, swaying: NDArray[np.bool_], residuals: Mask, plan: SegmentationPlan
) -> Mask:
    """Noise of each pixel, `(h, w)`, uint8: high enough for what sways to stay below the threshold.

    Args:
        noise: As if nothing swayed, `(h, w)`.
        swaying: Where the scene sways, `(h, w)`.
        residuals: Of frames spread over the recording, `(N, h, w)`.
        plan: Of the masks.
    """
    if not swaying.any() or plan.noise_factor <= 0:
        return noise
    rows, columns = np.nonzero(swaying)
    usual = np.quantile(residuals[:, rows, columns], _QUANTILE, axis=0)
    needed = np.zeros(noise.shape, np.float32)
    needed[rows, columns] = np.ceil((usual - plan.threshold) / plan.noise_factor)
    # Next to a leaf there is a leaf in the next moment.
    needed = cv2.dilate(needed, np.ones((3, 3), np.uint8))
    return np.where(swaying, np.maximum(noise, np.clip(needed, 0, 255)), noise).astype(np.uint8)


def _presence(masks: Sequence[NDArray[np.bool_]]) -> FloatMap:
    """Share of moments in which there is foreground near each pixel."""
    square = np.ones((_NEAR, _NEAR), np.uint8)
    near = [cv2.dilate(mask.view(np.uint8), square) for mask in masks]
    return np.mean(near, axis=0, dtype=np.float32)


def _burst(times: Sequence[float], start: int) -> list[int]:
    """Positions of frames that follow one another closely enough; empty: there are too few."""
    least, most = _STEP_SECONDS
    burst = [start]
    for at in range(start + 1, len(times)):
        gap = times[at] - times[burst[-1]]
        if gap > most or times[at] - times[start] > _BURST_SECONDS:
            break
        if gap >= least:
            burst.append(at)
    return burst if times[burst[-1]] - times[start] >= _SHORTEST_BURST else []


def _votes(
    frames: _Frames, burst: Sequence[int], times: Sequence[float], asked: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """How many pixels of foreground end before the burst does, by where they began, `(3, h, w)`.

    Those that end within reach of where they began, those that end farther away, and those that
    are there at the end or have left the picture. The first speak for swaying.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    shown = frames.at(burst)
    before, mask = next(shown)
    height, width = mask.shape
    votes = np.zeros((3, height, width), np.float32)
    begun = np.argwhere(mask & asked & _has_detail(before))
    begun = begun[:: max(1, -(-len(begun) // _POINTS))]
    places = begun.astype(np.float32)
    far, seen = np.zeros(len(begun), np.float32), np.zeros(len(begun))
    alive = np.ones(len(begun), np.bool_)
    for (grey, mask), time in zip(shown, times[1:], strict=False):
        if not alive.any():
            break
        motion = flow.calc(before, grey, None)[..., ::-1]
        before = grey
        row, column = _pixels(places, mask.shape)
        places += np.where(alive[:, None], motion[row, column], 0)
        is_out = ((places < -0.5) | (places > np.array(mask.shape) - 0.5)).any(axis=1)
        far[alive & is_out] = np.inf  # it has driven on
        row, column = _pixels(places, mask.shape)
        alive &= ~is_out & mask[row, column]
        moved = np.linalg.norm(places - begun, axis=1)
        far = np.where(alive, np.maximum(far, moved), far)
        seen[alive] = time - times[0]
    ends = ~alive & (seen >= _SEEN_SECONDS)
    kinds = (
        ends & (far < _REACH),
        ends & (far >= _REACH) & (far < np.inf),
        alive | (far == np.inf),
    )
    for vote, chosen in zip(votes, kinds, strict=True):
        np.add.at(vote, tuple(begun[chosen].T), 1)
    return votes


def _has_detail(grey: Mask) -> NDArray[np.bool_]:
    """Where there is contrast in all directions, as among leaves (Shi and Tomasi, CVPR 1994)."""
    across, down = (
        cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1))
    )
    xx, yy, xy = (cv2.blur(each, (5, 5)) for each in (across**2, down**2, across * down))
    least = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.asarray(least >= _LEAST_DETAIL**2, np.bool_)


def _pixels(places: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
    rounded = np.rint(places).astype(np.intp)
    return tuple(np.clip(rounded[:, axis], 0, shape[axis] - 1) for axis in (0, 1))


def _zone(presence: FloatMap, sways: FloatMap, stays: FloatMap) -> NDArray[np.bool_]:
    """Connected places around a middle in which nearly all of the evidence is for swaying."""
    core, wide = _core(presence, sways, stays, _CORE_SIDE)
    count, labels = cv2.connectedComponents(wide, connectivity=8)
    middles = np.bincount(labels[core > 0], minlength=count)
    return (middles >= _LEAST_CORE * core.size)[labels] & (wide > 0)


def _islands(
    presence: FloatMap, ends: FloatMap, goes_on: FloatMap, active: FloatMap
) -> NDArray[np.bool_]:
    """Smaller places from which no foreground goes elsewhere, and in which it ends all the same.

    What runs along a flag are its folds: it ends far from where it began, and is no object either.
    """
    core, wide = _core(presence, ends, goes_on, _ISLAND_SIDE)
    busy = (active >= _RARELY).view(np.uint8)
    busy |= core
    count, labels = cv2.connectedComponents(busy, connectivity=8)
    middles, sizes, swaying = (
        np.bincount(labels[mask > 0], minlength=count) for mask in (core, busy, wide & busy)
    )
    is_island = (middles >= _LEAST_ISLAND * core.size) & (sizes <= _LARGEST_ISLAND * core.size)
    is_island &= swaying >= _OF_ISLAND * sizes
    return is_island[labels] & (busy > 0)


def _core(presence: FloatMap, sways: FloatMap, stays: FloatMap, side: int) -> tuple[Mask, Mask]:
    """Where nearly all of the evidence is for swaying, over a square everywhere, and around it."""
    known = sways + stays >= _LEAST_VOTES
    share = sways / np.maximum(sways + stays, 1)
    sure = (known & (presence >= _ALWAYS) & (share >= _SURE)).view(np.uint8)
    core = cv2.morphologyEx(sure, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return core, core | (known & (presence >= _MOSTLY) & (share >= _LIKELY)).view(np.uint8)
