"""What frames spread over a recording say of a background: its noise, shadows and ghosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.learning.sampling import Appearance, SampledBackgrounds
from cleanplate.learning.swaying import find_swaying
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene_model import BackgroundEstimator, StillPlate
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.segmentation.layers import StationaryObject
from cleanplate.segmentation.plan import CALM_NOISE


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is measured of a background once it has been learned.

    Attributes:
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB.
        shadow: What cast shadows look like; None: hardly any were met.
        appearance: What the frames and their backgrounds look like.
        standing: What stood before the background, boxes in its pixels.
        correction: What is added to the backgrounds, `(h, w, 3)`, int16, since they showed things
            that had left; None: they showed none.
        ghosts: How many of these things there were.
        swaying_share: Share of the picture that sways, 0 to 1; None: not measured.
    """

    noise: Mask
    shadow: ShadowModel | None
    appearance: Appearance
    standing: tuple[StationaryObject, ...] = ()
    correction: NDArray[np.int16] | None = None
    ghosts: int = 0
    swaying_share: float | None = None


def calibrate(
    inputs: LearningFrames,
    estimator: BackgroundEstimator,
    plan: SegmentationPlan,
    *,
    seen_share: FloatMap | None,
    count: int,
    sways: bool,
    on_frames: Callable[[int, int], None],
) -> Calibration:
    """Noise and shadows of a background, measured again without the ghosts in it.

    Args:
        inputs: What was learned from.
        estimator: Of the backgrounds.
        plan: Of the masks.
        seen_share: `(h, w)`, 0 to 1, the share of the frames that show the scene; None: not known.
        count: Most frames that are looked at.
        sways: Look for what sways; else nothing does.
        on_frames: Told how many of them are done, and how many there are.
    """
    backgrounds = SampledBackgrounds(inputs, estimator, count, on_frames, plan=plan)
    noise = backgrounds.noise(seen_share)
    shadow = backgrounds.shadow(noise)
    swaying = find_swaying(inputs, estimator, plan, noise, shadow) if sways else None
    share = None if swaying is None else float(swaying.mean())
    if share:
        noise = backgrounds.noise(seen_share, swaying)
    layers, standing = backgrounds.follow(noise, shadow)
    if not layers.corrected_ghosts:
        found = backgrounds.appearance
        return Calibration(noise, shadow, found, standing, swaying_share=share)
    shown_share = backgrounds.correct(layers.correction)
    seen_share = shown_share if seen_share is None else seen_share
    noise, shadow = backgrounds.noise(seen_share, swaying), backgrounds.shadow(noise)
    return Calibration(
        noise,
        shadow,
        backgrounds.appearance,
        backgrounds.follow(noise, shadow).standing,
        layers.correction,
        layers.corrected_ghosts,
        share,
    )


def find_rippling(
    inputs: LearningFrames,
    plate: Picture,
    plan: SegmentationPlan,
    seen_share: FloatMap | None,
    count: int,
) -> NDArray[np.bool_]:
    """Where a still plate is hardly ever what frames show, as on water, `(h, w)`.

    Args:
        inputs: What is learned from.
        plate: `(h, w, 3)`.
        plan: Of the masks.
        seen_share: As for `calibrate`.
        count: Most frames that are looked at.
    """
    backgrounds = SampledBackgrounds(inputs, StillPlate(plate), count, lambda *_: None, plan=plan)
    return backgrounds.noise(seen_share) > CALM_NOISE
