"""What frames spread over a recording say of a background: its noise, shadows and ghosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_over_time, spread_positions, still_frames
from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.learning.swaying import raised
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene_model import BackgroundEstimator
from cleanplate.segmentation import SegmentationPlan, Segmenter, ShadowModel
from cleanplate.segmentation.difference import corrected, is_grey, residual
from cleanplate.segmentation.layers import Layers, StationaryObject
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.noise import noise_map
from cleanplate.segmentation.shadow_model import ShadowSamples, learn_shadow_model
from cleanplate.settings import SamplingSettings
from cleanplate.video import FrameCache, in_batches

_BATCH = 8
_PLATE_FRAMES = 100


def plate_positions(frames: FrameCache, sampling: SamplingSettings) -> list[int]:
    """Positions of the frames that the initial plate is made of, ascending."""
    weights = None
    if sampling.still_weight < 1 and len(frames) > sampling.plate_frames:
        weights = np.where(still_frames(frames), sampling.still_weight, 1.0)
    return spread_over_time(frames.times, sampling.plate_frames, weights)


def learned_plate(
    estimator: BackgroundEstimator,
    inputs: LearningFrames,
    correction: NDArray[np.int16] | None = None,
) -> Picture:
    """Median over time of the backgrounds of frames spread over a recording."""
    positions = spread_positions(len(inputs), _PLATE_FRAMES)
    backgrounds = [
        estimator.estimate(*inputs.read(chunk)) for chunk in in_batches(positions, _BATCH)
    ]
    if correction is not None:
        backgrounds = [corrected(each, correction) for each in backgrounds]
    return np.rint(np.median(np.concatenate(backgrounds), axis=0)).astype(np.uint8)


class Appearance(NamedTuple):
    """What some frames and their backgrounds look like.

    Attributes:
        grey_share: Share of the frames that have no colours, and whose background has none.
        relit_share: Share of those in whose light the background had to be brought; None: it is
            not brought into any.
    """

    grey_share: float
    relit_share: float | None


class Followed(NamedTuple):
    """What frames and their backgrounds say one after the other.

    Attributes:
        layers: Those that have seen all of them, with what the backgrounds showed wrongly.
        standing: What stood, as it was seen last.
    """

    layers: Layers
    standing: tuple[StationaryObject, ...]


class SampledBackgrounds:
    """Backgrounds of at most `count` frames, estimated once, in the light of their frames.

    Args:
        inputs: What is learned from.
        estimator: Of the backgrounds.
        count: Most frames.
        on_frames: Told how many of them are done, and how many there are.
        plan: Of the masks.

    Attributes:
        appearance: Of the frames and their backgrounds.
    """

    def __init__(
        self,
        inputs: LearningFrames,
        estimator: BackgroundEstimator,
        count: int,
        on_frames: Callable[[int, int], None],
        *,
        plan: SegmentationPlan,
    ) -> None:
        self._plan = plan
        self._frames = inputs.frames
        self._positions = spread_over_time(inputs.frames.times, count)
        self._backgrounds = np.empty((len(self._positions), *inputs.frames.size, 3), np.uint8)
        light, grey, relit = self._light(), 0, 0
        for places in in_batches(range(len(self._positions)), _BATCH):
            on_frames(places[-1] + 1, len(self._positions))
            pictures, extras = inputs.read([self._positions[place] for place in places])
            for place, picture, background in zip(
                places, pictures, estimator.estimate(pictures, extras), strict=True
            ):
                lit = background if light is None else light.follow(picture, background)
                self._backgrounds[place] = lit
                grey += is_grey(picture, background)
                relit += lit is not background
        whole = len(self._positions)
        self.appearance = Appearance(grey / whole, None if light is None else relit / whole)

    def noise(self, seen_share: FloatMap | None, swaying: NDArray[np.bool_] | None = None) -> Mask:
        """Noise of each pixel, `(h, w)`; see `noise_map`, and `raised` where the scene sways."""
        residuals = np.empty(self._backgrounds.shape[:3], np.uint8)
        for place, background in enumerate(self._backgrounds):
            residuals[place] = residual(self._picture(place), background)
        noise = noise_map(residuals, seen_share)
        return noise if swaying is None else raised(noise, swaying, residuals, self._plan)

    def shadow(self, noise: Mask) -> ShadowModel | None:
        """What the scene's cast shadows look like; None where hardly any were met."""
        segmenter = Segmenter(noise, self._plan)
        # Where hardly anything moves, what stands has to do.
        return learn_shadow_model(
            self._shadow_samples(segmenter, only_moving=True)
        ) or learn_shadow_model(self._shadow_samples(segmenter, only_moving=False))

    def follow(self, noise: Mask, shadow: ShadowModel | None) -> Followed:
        """What the backgrounds show wrongly, and what stands before them."""
        layers = Layers(noise, self._plan, shadow=shadow, pace=0)
        standing: dict[int, StationaryObject] = {}
        for place, background in enumerate(self._backgrounds):
            time = self._frames.times[self._positions[place]]
            found = layers.update(time, self._picture(place), background)
            standing |= {each.number: each for each in found.objects}
        return Followed(layers, tuple(standing.values()))

    def correct(self, correction: NDArray[np.int16]) -> FloatMap:
        """Adds to all backgrounds what corrects them; which share of the frames shows them there.

        What stood in a background for most of the recording is its noise without that.

        Args:
            correction: `(h, w, 3)`, grey levels.

        Returns:
            `(h, w)`, 0 to 1; 1 where nothing was corrected.
        """
        self._backgrounds = corrected(self._backgrounds, correction)
        place = correction.any(axis=2)
        threshold = self._plan.thresholds(np.zeros(self._plan.size, np.uint8))[place]
        shown = np.zeros(len(threshold), np.float32)
        for number, background in enumerate(self._backgrounds):
            shown += residual(self._picture(number), background)[place] < threshold
        seen = np.ones(self._plan.size, np.float32)
        seen[place] = shown / len(self._positions)
        return seen

    def _shadow_samples(self, segmenter: Segmenter, *, only_moving: bool) -> list[ShadowSamples]:
        samples, before = [], None
        for place, background in enumerate(self._backgrounds):
            picture = self._picture(place)
            samples.append(segmenter.shadow_samples(picture, background, before))
            before = picture if only_moving else None
        return samples

    def _light(self) -> Light | None:
        """What follows the light before the noise is known, as if there were none."""
        if not self._plan.follows_light:
            return None
        return Light(self._plan.thresholds(np.zeros(self._plan.size, np.uint8)))

    def _picture(self, place: int) -> Picture:
        picture: Picture = self._frames.read([self._positions[place]])[0]
        return picture
