"""The segmenter: the same object for files, live streams and benchmarks."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.cleanup import Cleanup, remove_small
from cleanplate.segmentation.difference import is_grey, residual
from cleanplate.segmentation.evidence import Evidence, Verdict
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.rims import Rims
from cleanplate.segmentation.shadow_model import ShadowModel, ShadowSamples
from cleanplate.segmentation.shadows import shadow_samples


class Cut(NamedTuple):
    """What a frame is cut into.

    Attributes:
        mask: Foreground, `(H, W)`, uint8, 0 or 255.
        background: What it was compared with, in the light of the frame, `(H, W, 3)`.
        shadows: Cast shadows, like the mask; None: nobody asked for them.
    """

    mask: Mask
    background: Picture
    shadows: Mask | None = None


class Segmenter:
    """Masks of the frames of one scene; holds no memory of the frames it has seen.

    Args:
        noise: Noise of each pixel, `(H, W)`, uint8, grey levels summed over RGB.
        plan: Of the masks, for their size.
        shadow: What the scene's shadows look like; None: not known.
    """

    def __init__(
        self, noise: Mask, plan: SegmentationPlan, shadow: ShadowModel | None = None
    ) -> None:
        own = shadow if plan.uses_own_shadows else None
        self._plan = plan
        self._threshold = plan.thresholds(noise)
        self._faint_threshold = plan.faint_thresholds(noise)
        self._cleanup = Cleanup(plan)
        self._evidence = Evidence(plan, own)
        self._rims = Rims(
            plan, threshold=self._threshold, shadow=own if plan.single_pixels_in_shadow else None
        )
        self._light = Light(self._threshold) if plan.follows_light else None

    def segment(self, picture: Picture, background: Picture) -> Mask:
        """Foreground of one frame, `(H, W)`, uint8, 0 or 255.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        return self.cut(picture, background).mask

    def cut(self, picture: Picture, background: Picture) -> Cut:
        """Foreground of one frame, and its shadows where they get a label.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        background, difference = self._compared(picture, background)
        mask: Mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        faint: Mask | None = None
        if self._faint_threshold is not None:
            faint = cv2.compare(difference, self._faint_threshold, cv2.CMP_GT)
        # A gap between two vehicles in which the plain road shows is none in a vehicle.
        differs = cv2.compare(difference, self._plan.differs, cv2.CMP_GT)
        everything = mask.copy() if self._plan.labels_shadows else None
        dropped: Mask | None = None
        if self._plan.tells_shadows:
            verdict = self._evidence.judge(mask, faint, picture, background)
            if verdict is not None:
                _drop(mask, faint, verdict)
                dropped = verdict.shadows
        if everything is not None and dropped is None:
            dropped = np.zeros_like(mask)
        decide = partial(
            self._rims.decide, raw=mask, picture=picture, background=background, shadows=dropped
        )
        cleaned = self._cleanup.apply(mask, faint, differs, decide)
        if everything is None or dropped is None:
            return Cut(cleaned, background)
        # The test leaves a rim of each shadow; a majority would take thin ones out.
        rims = cv2.dilate(dropped, np.ones((3, 3), np.uint8))
        shadows = cv2.subtract(cv2.bitwise_and(rims, everything), cleaned)
        return Cut(cleaned, background, remove_small(shadows, self._plan.min_area))

    def shadow_samples(
        self, picture: Picture, background: Picture, before: Picture | None = None
    ) -> ShadowSamples:
        """What one frame says of the scene's shadows, for `learn_shadow_model`.

        Args:
            picture: The frame.
            background: Of it.
            before: The frame that was asked before it. What stands still since then is left out: a
                grey van that waits for a minute would outnumber all shadows.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        background, difference = self._compared(picture, background)
        mask: Mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        evidence = Evidence(self._plan.for_shadow_samples(), None)
        verdict = evidence.judge(mask, None, picture, background)
        shadows = np.zeros_like(mask) if verdict is None else verdict.shadows
        if is_grey(picture, background):
            shadows[:] = 0  # without colours all shadows are alike, and all that is dark like them
        if before is not None:
            moved = cv2.compare(self._difference(picture, before), self._threshold, cv2.CMP_GT)
            mask, shadows = (cv2.bitwise_and(each, moved) for each in (mask, shadows))
        return shadow_samples(picture, background, shadows, cv2.countNonZero(mask))

    def _compared(self, picture: Picture, background: Picture) -> tuple[Picture, Mask]:
        """The background in the frame's light, and what is compared with the threshold."""
        self._require_size(picture, "frame")
        self._require_size(background, "background")
        difference = self._difference(picture, background)
        if self._light is not None and not self._light.is_unchanged(difference):
            lit = self._light.follow(picture, background)
            if lit is not background:
                return lit, self._difference(picture, lit)
        return background, difference

    def _difference(self, picture: Picture, background: Picture) -> Mask:
        difference = residual(picture, background)
        if self._plan.blur_sigma > 0:
            kernel = (self._plan.blur_side, self._plan.blur_side)
            blurred = cv2.GaussianBlur(difference, kernel, self._plan.blur_sigma)
            difference = np.asarray(blurred, np.uint8)
        return difference

    def _require_size(self, picture: Picture, name: str) -> None:
        if picture.shape[:2] != self._plan.size:
            got = FrameSize(*picture.shape[:2])
            raise FrameSizeError(
                f"{name} of {got} for a scene of {self._plan.size}; give it in the scene's size"
            )


def _drop(mask: Mask, faint: Mask | None, verdict: Verdict) -> None:
    """Takes the background in another light out of a mask, and of what is faint."""
    cv2.subtract(mask, verdict.shadows, dst=mask)
    cv2.subtract(mask, verdict.lit, dst=mask)
    if faint is not None:  # what is clearly foreground is faint foreground too
        cv2.max(cv2.subtract(faint, verdict.possible), mask, dst=faint)
