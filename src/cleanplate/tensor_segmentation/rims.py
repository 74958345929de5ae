"""The rims of masks on tensors, decided again by single pixels as in `cleanplate.segmentation`."""

from __future__ import annotations

import torch
from torch import Tensor

from cleanplate.segmentation.difference import GREY_GAIN
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.rims import (
    LEAST_SHADE,
    MOST_SHADE,
    NO_SHADOW_LEVELS,
    SHADOW_LEVELS,
)
from cleanplate.tensor_segmentation.difference import is_grey
from cleanplate.tensor_segmentation.filters import (
    dilated,
    disc_reaches,
    eroded,
    majority,
    packed,
    unpacked,
)

_MAJORITY = 3


class TensorRims:
    """Decides about the pixels along the outlines of masks.

    Args:
        plan: Of the masks.
    """

    def __init__(self, plan: SegmentationPlan) -> None:
        self._depth = plan.rim_depth
        self._inside = disc_reaches(2 * plan.rim_depth + 1)
        self._outside = disc_reaches(2 * plan.rim_reach + 1)
        self._empty = plan.empty

    def decide(
        self,
        masks: tuple[Tensor, Tensor],
        seen: tuple[Tensor, Tensor],
        thresholds: Tensor,
        losses: Tensor,
    ) -> Tensor:
        """Masks with their rims decided again, `(B, h, w)`, bool.

        Args:
            masks: After the clean-up and before it, `(B, h, w)`, bool.
            seen: Frames and backgrounds, `(B, 3, h, w)`, uint8.
            thresholds: Difference that counts, with the noise of each pixel, `(B, h, w)` or, one
                for all, `(h, w)`.
            losses: What shadows do to red, green and blue, `(B, 3)`; 0: no pixel is taken for one.
        """
        mask, raw = masks
        if self._depth == 0:
            return mask
        planes = packed(mask)
        core_planes = eroded(planes, self._inside)
        rim_planes = dilated(planes, self._outside) & ~core_planes
        core, rim = (unpacked(each, len(mask)) for each in (core_planes, rim_planes))
        # Little is rim: the colours of the rest are not looked at.
        place = rim.nonzero(as_tuple=True)
        frame, row, column = place
        scene = seen[1][frame, :, row, column].float()
        change = seen[0][frame, :, row, column] - scene
        gains = torch.where(is_grey(*seen), GREY_GAIN, 1.0)
        difference = (gains[frame] * change.abs().sum(1)).clamp_(max=255)
        off = _off_shadow(change, scene, losses[frame])
        limit = thresholds[row, column] if thresholds.ndim == 2 else thresholds[place]
        is_clear = (difference > limit) & (off >= NO_SHADOW_LEVELS)
        inside = mask[place]
        differs = torch.where(inside, difference >= self._empty, is_clear & raw[place])
        single, is_sure = core.clone(), core.clone()
        single[place] = differs & (off >= SHADOW_LEVELS)
        is_sure[place] = inside & is_clear
        return is_sure | (rim & majority(single, _MAJORITY))


def _off_shadow(change: Tensor, scene: Tensor, losses: Tensor) -> Tensor:
    """How far pixels `(N, 3)` are from the background in shadow; infinite without one, `(N,)`."""
    whole = scene * losses
    share = (change * whole).sum(1) / whole.square().sum(1).clamp_(min=1)
    off = (change - share.clamp_(LEAST_SHADE, MOST_SHADE)[:, None] * whole).abs().sum(1)
    return off.where(losses.any(1), torch.inf)
