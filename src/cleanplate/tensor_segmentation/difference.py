"""What frames differ from their backgrounds by, on tensors of any device."""

from __future__ import annotations

import torch
from torch import Tensor

from cleanplate.segmentation.difference import GREY_LEVELS, GREY_STEP, IN_GREY, MOST_COLOURED


def residual(pictures: Tensor, backgrounds: Tensor) -> Tensor:
    """Absolute difference of `(B, 3, h, w)` summed over RGB, `(B, h, w)`, uint8, held at 255.

    Frames without colours count more, as in `segmentation.difference.residual`.
    """
    apart = (pictures.to(torch.int16) - backgrounds).abs_()
    difference = apart.sum(1, dtype=torch.int16).clamp_(max=255)
    counts = torch.from_numpy(IN_GREY).to(difference.device)[difference.int()]
    grey = is_grey(pictures, backgrounds)[:, None, None]
    return torch.where(grey, counts, difference.to(torch.uint8))


def is_grey(pictures: Tensor, backgrounds: Tensor) -> Tensor:
    """Whether frames and their backgrounds have no colours, `(B,)`, bool."""
    grey = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
    for each in (pictures, backgrounds):
        red, green, blue = each[:, :, ::GREY_STEP, ::GREY_STEP].to(torch.int16).unbind(1)
        apart = torch.maximum((red - green).abs(), (blue - green).abs()).flatten(1)
        grey &= (apart > GREY_LEVELS).sum(1) <= MOST_COLOURED * apart.shape[1]
    return grey
