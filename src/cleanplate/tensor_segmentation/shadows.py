"""Cast shadows on tensors: the tests of `cleanplate.segmentation.shadows`."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.segmentation.shadows import (
    LEAST_DARKENING,
    LOG_OFFSET,
    LOOSE_COLOUR,
    LOOSE_SPREAD,
    SMALL_WINDOW,
    WINDOW,
)
from cleanplate.windows import window_sums


class TensorShadows(NamedTuple):
    """Where frames may be their background in shadow, `(B, H, W)`, bool.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own.
        possible: The same with looser limits.
    """

    likely: Tensor
    possible: Tensor


def find_shadows(
    pictures: Tensor,
    backgrounds: Tensor,
    settings: SegmentationSettings,
    whitening: Tensor | None = None,
) -> TensorShadows:
    """Where frames may be their background in shadow.

    Args:
        pictures: `(B, 3, H, W)`, uint8.
        backgrounds: Likewise.
        settings: Those of the masks.
        whitening: `(B, 3, 4)`, of the scene's own shadows, in deviations that are allowed; None:
            they are not known.
    """
    ratio = (pictures.float() + LOG_OFFSET).log_() - (backgrounds.float() + LOG_OFFSET).log_()
    light, smooth = ratio.mean(1), _averaged(ratio, SMALL_WINDOW)
    grey = smooth.mean(1)
    if whitening is None:
        mean = _averaged(light, WINDOW)
        variance = _averaged(light.square(), WINDOW) - mean.square()
        colour = (smooth - grey[:, None]).abs().sum(1)
        strangeness = colour / max(settings.shadow_colour, 1e-9)
    else:
        mean = grey
        variance = _averaged(light.square(), SMALL_WINDOW) - mean.square()
        strangeness = _distance(smooth, whitening)
    darker = (mean > math.log(settings.shadow_darkest)) & (mean < -LEAST_DARKENING)
    spread = settings.shadow_spread**2
    return TensorShadows(
        darker & (variance < spread) & (strangeness < 1),
        darker & (variance < LOOSE_SPREAD**2 * spread) & (strangeness < LOOSE_COLOUR),
    )


def _distance(smooth: Tensor, whitening: Tensor) -> Tensor:
    """Distance from the scene's own shadows, `(B, H, W)`."""
    # Written out: a product of matrices would be rounded to fewer digits on some devices.
    squared = smooth.new_zeros(1)
    for row in whitening.unbind(1):
        scale = row[:, :3, None, None]
        away = (scale * smooth).sum(1) + row[:, 3, None, None]
        squared = squared + away.square()
    return squared.sqrt()


def _averaged(values: Tensor, window: int) -> Tensor:
    """Average of the square around each pixel of `(B, …, H, W)`; edges are mirrored."""
    half = window // 2
    sums = functional.pad(values, (half, half, half, half), mode="reflect")
    for dim in (-1, -2):
        sums = window_sums(sums, window, dim)
    return sums.div_(window * window)
