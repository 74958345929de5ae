"""Going down and up by whole factors: maps at 1, 1/2, 1/4, … of a size, odd sizes included."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from cleanplate.frames import FrameSize


def size_at(size: FrameSize, factor: int) -> FrameSize:
    """Size of maps reduced by a whole factor; a part of a cell counts as a cell."""
    return FrameSize(math.ceil(size.height / factor), math.ceil(size.width / factor))


def reduce_by(maps: Tensor, factor: int) -> Tensor:
    """Means over cells of `factor` x `factor` values, `(B, C, ceil(H/f), ceil(W/f))`.

    Range is kept, and so is the mean where the factor divides the sides. Otherwise the last row
    and column are means of the values that there are.
    """
    if factor == 1:
        return maps
    return functional.avg_pool2d(maps, factor, ceil_mode=True, count_include_pad=False)


def enlarge_by(maps: Tensor, factor: int, size: tuple[int, ...]) -> Tensor:
    """Maps `(B, C, h, w)` that `reduce_by` could have given in their size before, bilinear.

    The inverse of its geometry: what the last cells have too much is cut off.
    """
    if factor == 1:
        return maps
    height, width = size
    enlarged = functional.interpolate(
        maps, scale_factor=float(factor), mode="bilinear", align_corners=False
    )
    return enlarged[..., :height, :width]
