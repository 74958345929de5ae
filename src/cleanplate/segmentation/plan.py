"""All numbers of the way from a difference to a mask, for frames of one size.

Everything else of the segmentation reads this plan; only the plan reads settings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from cleanplate.frames import FloatMap, FrameSize, Mask
from cleanplate.segmentation.settings import SegmentationSettings

REFERENCE_PIXELS = 320 * 240
"""Number of pixels of the frame for which lengths are given."""
CASTER_SIDE = 3
"""Of the least square that what casts a shadow fills, in pixels."""
_CAST_REACH = 8
"""How far from a shadow what casts it may be, in pixels of a frame of 320x240; what encloses it is
looked for as far."""
_OUTSIDE = 1 / 3
"""How far outside the outline pixels are asked, as a share of how far inside."""
_EMPTY = 0.4
"""Share of the least difference that counts, below which a pixel of the mask is background."""
_DIFFERS = 0.5
"""Share of the threshold from which on a frame differs at all: where less does, a gap between two
vehicles is none in a vehicle."""
_STRONG, STRONG_COUNTS = 2, 2
"""Difference, in thresholds, from which a pixel is strong evidence, and how often it then counts
beside itself: a bird of 3x3 pixels is smaller than the noise of leaves, and far clearer."""
_ALONE_SIDE = 25
"""Side of the square, in pixels of 320x240, in which a small object is alone: beside larger ones
there are pieces of them, and of their reflections."""
_GHOST_SIDE, _CORRECTION_SIDE, _STILL_SIDE = 7, 5, 3
"""Sides of squares in pixels of 320x240: over which the two sides of an outline are compared, by
which a corrected region grows, and over which a pixel's appearance is averaged."""
CALM_NOISE, _ROUGH_FACTOR = 20.0, 2 / 3
"""Noise above which a pixel sways or ripples, and share of `noise_factor` by which the low
threshold grows from there on: what differs there by little more is no part of an object. No single
pixel is strong evidence there."""
_SOME_NOISE = 4
"""Noise of the pictures on which states are compared, summed over RGB, in grey levels."""
_LEAST_ALLOWED = 1e-9
"""Limits are divided by; a limit of 0 is so much."""
_SAMPLED_COLOUR = 1.0
"""Change of colour (log units, sum over RGB) up to which a scene's own shadows are looked for: in
hard sun they are lit by the blue sky alone."""


@dataclass(frozen=True)
class ShadowLimits:
    """What a change of the light may be to be a shadow.

    Attributes:
        darkest: Least logarithm of the share of light that is left.
        variance: Most variance of that logarithm in a window.
        colour: Most change of the colour, log units, sum over RGB.
        deviations: Most distance from the scene's own shadows, in standard deviations.
    """

    darkest: float
    variance: float
    colour: float
    deviations: float


@dataclass(frozen=True)
class SegmentationPlan:
    """What is done to frames of one size: thresholds, lengths, areas and times.

    Attributes:
        size: Of the frames that are compared.
        threshold: Difference summed over RGB that counts, in grey levels.
        noise_factor: How much of a pixel's own noise is added to it.
        low_noise_factor: The same within regions that differ clearly; None: no such regions.
        blur_sigma: Of the difference's blur, in pixels; 0: none.
        blur_side: Side of its kernel, odd; 0: none.
        median_side: Side of the square of the binary median filter, odd; 0: none.
        closing_diameter: Of gaps that are closed, in pixels, odd; 0: none.
        min_area: Regions of fewer pixels are removed.
        boundary_depth: How far inside the outline single pixels decide, in pixels; 0: not at all.
        shadows: `drop`, `keep` or `label`.
        shadow_limits: Of the shadows.
        uses_own_shadows: Whether what the scene's own shadows do tells shadows.
        follows_light: Whether the background is brought into the light of the frame.
        wait_seconds: Time after which foreground that stays waits.
        settle_seconds: Time after which what waits is part of the scene; None: never.
        corrects_ghosts: Whether the background is corrected where it shows what has left.
    """

    size: FrameSize
    threshold: float
    noise_factor: float
    low_noise_factor: float | None
    blur_sigma: float
    blur_side: int
    median_side: int
    closing_diameter: int
    min_area: int
    boundary_depth: int
    shadows: str
    shadow_limits: ShadowLimits
    uses_own_shadows: bool
    follows_light: bool
    wait_seconds: float
    settle_seconds: float | None
    corrects_ghosts: bool

    @classmethod
    def of(cls, settings: SegmentationSettings, size: FrameSize) -> SegmentationPlan:
        """The plan for frames of one size."""
        scale = _scale(size)
        has_low_threshold = settings.low_noise_factor < settings.noise_factor
        return cls(
            size=size,
            threshold=settings.threshold,
            noise_factor=settings.noise_factor,
            low_noise_factor=settings.low_noise_factor if has_low_threshold else None,
            blur_sigma=settings.blur * scale,
            blur_side=odd_length(4 * settings.blur, scale),
            median_side=odd_length(settings.median_size, scale),
            closing_diameter=odd_length(settings.closing, scale),
            min_area=round(settings.min_area * scale**2),
            boundary_depth=round(settings.boundary_depth * scale),
            shadows=settings.shadows,
            shadow_limits=ShadowLimits(
                darkest=math.log(settings.shadow_darkest),
                variance=settings.shadow_spread**2,
                colour=max(settings.shadow_colour, _LEAST_ALLOWED),
                deviations=max(settings.shadow_deviations, _LEAST_ALLOWED),
            ),
            uses_own_shadows=settings.shadow_test == "learned",
            follows_light=settings.light == "follow",
            wait_seconds=settings.wait_seconds,
            settle_seconds=settings.settled_after,
            corrects_ghosts=settings.correct_ghosts,
        )

    @property
    def differs(self) -> float:
        """Difference from which on a frame differs at all: a gap may be closed there."""
        return _DIFFERS * self.threshold

    @property
    def compared_threshold(self) -> int:
        """Difference that counts where states and their light are compared, 1 to 255."""
        return min(255, max(1, round(self.threshold + self.noise_factor * _SOME_NOISE)))

    @property
    def empty(self) -> float:
        """Difference below which a single pixel of a mask is background."""
        return _EMPTY * self.threshold

    @property
    def boundary_reach(self) -> int:
        """How far outside the outline single pixels are asked, in pixels."""
        return max(1, round(_OUTSIDE * self.boundary_depth))

    @property
    def caster_side(self) -> int:
        """Side of the square in which what casts a shadow has to be, in pixels."""
        # What is eroded away of the caster is added.
        return 2 * (round(_CAST_REACH * _scale(self.size)) + CASTER_SIDE // 2) + 1

    @property
    def alone_side(self) -> int:
        """Side of the square in which an object that the median filter takes out is alone."""
        return odd_length(_ALONE_SIDE, _scale(self.size))

    @property
    def neighbour_side(self) -> int:
        """Side of the square in which what is weak follows clear pixels."""
        return max(3, self.median_side)

    @property
    def reach(self) -> int:
        """How far from what differs anything is looked at or changed, in pixels."""
        outline = max(self.closing_diameter // 2, self.boundary_reach + 1)
        around = max(self.caster_side // 2, self.alone_side // 2)
        return max(around, self.median_side // 2 + outline)

    @property
    def tells_shadows(self) -> bool:
        """Whether shadows are taken out of masks."""
        return self.shadows != "keep"

    @property
    def needs_tracking(self) -> bool:
        """Whether the mask of a frame depends on the frames before it."""
        return self.corrects_ghosts or self.settle_seconds is not None

    @property
    def labels_shadows(self) -> bool:
        """Whether shadows get a label of their own."""
        return self.shadows == "label"

    @property
    def single_pixels_in_shadow(self) -> bool:
        """Whether single pixels of the outline may be the background in the scene's own shadow."""
        limited = self.shadow_limits.deviations > _LEAST_ALLOWED
        return self.tells_shadows and self.uses_own_shadows and limited

    @property
    def ghost_side(self) -> int:
        """Side of the square over which the two sides of an outline are compared, in pixels."""
        return odd_length(_GHOST_SIDE, _scale(self.size))

    @property
    def correction_side(self) -> int:
        """Side of the square by which a corrected region grows, in pixels."""
        return odd_length(_CORRECTION_SIDE, _scale(self.size))

    @property
    def still_side(self) -> int:
        """Side of the square over which a pixel's appearance is averaged, in pixels."""
        return odd_length(_STILL_SIDE, _scale(self.size))

    @property
    def least_object(self) -> int:
        """Pixels of the smallest object that waits."""
        return max(1, self.min_area)

    def thresholds(self, noise: Mask) -> Mask:
        """Difference above which each pixel counts, `(H, W)`, uint8, from its noise."""
        return _raised(self.threshold, self.noise_factor, noise)

    def strong_thresholds(self, noise: Mask) -> Mask:
        """Difference above which a single pixel is strong evidence; 255: no pixel can be."""
        strong = np.minimum(_STRONG * self.thresholds(noise).astype(np.uint16), 255)
        return np.where(noise > CALM_NOISE, 255, strong).astype(np.uint8)

    def low_thresholds(self, noise: Mask) -> Mask | None:
        """The same within regions that differ clearly; None: no such regions."""
        factor = self.low_noise_factor
        if factor is None:
            return None
        rest = np.maximum(noise.astype(np.float32) - CALM_NOISE, 0)
        rough = max(factor, _ROUGH_FACTOR * self.noise_factor)
        low = self.threshold + factor * np.minimum(noise, CALM_NOISE) + rough * rest
        return np.minimum(_rounded(low), self.thresholds(noise))

    def for_shadow_samples(self) -> SegmentationPlan:
        """The plan by which a scene's own shadows are looked for."""
        return replace(self, shadow_limits=replace(self.shadow_limits, colour=_SAMPLED_COLOUR))


def _raised(least: float, noise_factor: float, noise: Mask) -> Mask:
    return _rounded(least + noise_factor * noise.astype(np.float32))


def _rounded(threshold: FloatMap) -> Mask:
    return np.clip(np.rint(threshold), 0, 255).astype(np.uint8)


def _scale(size: FrameSize) -> float:
    """Of lengths, against a frame of 320x240."""
    return math.sqrt(size.pixels / REFERENCE_PIXELS)


def odd_length(length: float, scale: float) -> int:
    """Length for frames of another scale: odd, at least 3, and 0 where it is 0."""
    return 0 if length == 0 else max(3, 2 * round((length * scale - 1) / 2) + 1)
