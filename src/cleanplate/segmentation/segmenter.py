"""The segmenter: the same object for files, live streams and benchmarks."""

from __future__ import annotations

from typing import NamedTuple

import cv2

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.cut import compared, cut, difference
from cleanplate.segmentation.evidence import judge
from cleanplate.segmentation.opencv import ArrayOps
from cleanplate.segmentation.opencv.shadows import shadow_samples
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.shadow_model import ShadowModel, ShadowSamples


class Cut(NamedTuple):
    """What a frame is cut into.

    Attributes:
        mask: Foreground, `(H, W)`, uint8, 0 or 255.
        background: What it was compared with, in the light of the frame, `(H, W, 3)`.
        shadows: Cast shadows, like the mask; None: not asked for.
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
        self._plan = plan
        self._ops = ArrayOps(plan, noise, shadow)
        self._sampling = plan.for_shadow_samples()
        self._sampling_ops = ArrayOps(self._sampling, noise, None)

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
        self._require_size(picture, background)
        return Cut(*cut(self._plan, self._ops, picture, background))

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
        self._require_size(picture, background)
        plan, ops = self._sampling, self._sampling_ops
        seen = compared(plan, ops, picture, background)
        mask = ops.above(seen.difference, ops.threshold)
        verdict = judge(plan, ops, seen, mask, mask)
        # Without colours all shadows are alike, and all that is dark like them.
        shadows = verdict.shadows & seen.coloured
        if before is not None:
            coloured = ops.coloured(picture, before)
            moved = ops.above(difference(plan, ops, picture, before, coloured), ops.threshold)
            mask, shadows = mask & moved, shadows & moved
        count = cv2.countNonZero(mask)
        return shadow_samples(picture, seen.background, shadows, verdict.shown, count)

    def _require_size(self, picture: Picture, background: Picture) -> None:
        for seen, name in ((picture, "frame"), (background, "background")):
            if seen.shape[:2] != self._plan.size:
                got = FrameSize(*seen.shape[:2])
                raise FrameSizeError(
                    f"{name} of {got} for a scene of {self._plan.size}; give it in the scene's size"
                )
