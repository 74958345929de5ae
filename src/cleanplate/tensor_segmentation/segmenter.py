"""The segmenter on tensors: many frames at once, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from cleanplate.errors import FrameSizeError
from cleanplate.frames import Mask
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.segmentation.cut import cut
from cleanplate.tensor_segmentation.ops import TensorOps, Views


class TensorSegmenter:
    """Masks of frames of one or several views; holds no memory of the frames it has seen.

    Args:
        noises: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB, of each view; all
            of one size.
        plan: Of the masks; shadows that are to get a label are dropped.
        shadows: What each view's shadows look like; None: not known.
        device: Where the frames are.
    """

    def __init__(
        self,
        noises: Sequence[Mask],
        plan: SegmentationPlan,
        *,
        shadows: Sequence[ShadowModel | None],
        device: torch.device,
    ) -> None:
        self._plan = replace(plan, shadows="drop") if plan.labels_shadows else plan
        self._views = Views(noises, self._plan, shadows, device)

    def segment(
        self, pictures: Tensor, backgrounds: Tensor, views: Sequence[int] | None = None
    ) -> Tensor:
        """Foreground of frames, `(B, h, w)`, uint8, 0 or 255, on their device.

        Args:
            pictures: `(B, 3, h, w)`, uint8, RGB.
            backgrounds: Likewise.
            views: Position of each frame's noise map among those given; None: the first.

        Raises:
            FrameSizeError: The frames or their backgrounds are not of the scene's size.
        """
        self._require_size(pictures, "frames")
        self._require_size(backgrounds, "backgrounds")
        owners = [0] * len(pictures) if views is None else list(views)
        mask, _, _ = cut(self._plan, TensorOps(self._views, owners), pictures, backgrounds)
        return mask.to(torch.uint8).mul_(255)

    def _require_size(self, pictures: Tensor, name: str) -> None:
        if tuple(pictures.shape[1:]) != (3, *self._plan.size):
            got = "x".join(str(side) for side in pictures.shape[1:])
            raise FrameSizeError(
                f"{name} of {got} for a scene of {self._plan.size}; give (B, 3, height, width) in "
                "the scene's working size"
            )
