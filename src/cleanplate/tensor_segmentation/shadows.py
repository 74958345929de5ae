"""Background in another light on tensors: the tests of `cleanplate.segmentation.shadows`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from cleanplate.segmentation.plan import ShadowLimits
from cleanplate.segmentation.shadows import (
    LEAST_DARKENING,
    LOG_OFFSET,
    LOOSE_COLOUR,
    LOOSE_SPREAD,
    RELIT_LIGHT,
    SMALL_WINDOW,
    WINDOW,
)

_AT_ONCE = 2**20
"""Pixels whose windows are looked at in one go: a few hundred MB."""


class TensorShadows(NamedTuple):
    """Where frames may be their background in another light, `(B, H, W)`, bool and float32.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own.
        possible: The same with looser limits.
        darker: What light may do at all, taken away.
        brighter: Likewise, added.
        texture: What single pixels of the background differ from those around them by.
        change: The same of frame over background.
    """

    likely: Tensor
    possible: Tensor
    darker: Tensor
    brighter: Tensor
    texture: Tensor
    change: Tensor


def find_shadows(
    pictures: Tensor,
    backgrounds: Tensor,
    limits: ShadowLimits,
    considered: Tensor,
    whitening: Tensor | None = None,
) -> TensorShadows:
    """Where frames may be their background in another light.

    Args:
        pictures: `(B, 3, H, W)`, uint8.
        backgrounds: Likewise.
        limits: What a shadow may be.
        considered: `(B, H, W)`, bool: asked is only there, which spares the most of a frame.
        whitening: `(B, 3, 4)`, of the scene's own shadows, in deviations that are allowed; None:
            they are not known.
    """
    masks = [torch.zeros_like(considered) for _ in range(4)]
    maps = [torch.zeros(considered.shape, device=considered.device) for _ in range(2)]
    for some in considered.nonzero().split(_AT_ONCE):
        place = some.unbind(1)
        seen = _judged((pictures, backgrounds), place, limits, whitening)
        for whole, found in zip((*masks, *maps), seen, strict=True):
            whole[place] = found
    return TensorShadows(*masks, *maps)


class _Darkening(NamedTuple):
    """What frames do to their backgrounds at some places, as in `cleanplate.segmentation`."""

    light: Tensor
    variance: Tensor
    strangeness: Tensor

    def shadows(self, limits: ShadowLimits) -> tuple[Tensor, Tensor]:
        darker = (self.light > limits.darkest) & (self.light < -LEAST_DARKENING)
        most = limits.variance
        return (
            darker & (self.variance < most) & (self.strangeness < 1),
            darker & (self.variance < LOOSE_SPREAD**2 * most) & (self.strangeness < LOOSE_COLOUR),
        )

    def relit(self, limits: ShadowLimits) -> tuple[Tensor, Tensor]:
        even = self.variance < limits.variance
        darker = (self.light >= RELIT_LIGHT[0]) & (self.light <= -LEAST_DARKENING)
        brighter = (self.light >= LEAST_DARKENING) & (self.light <= RELIT_LIGHT[1])
        return even & darker, even & brighter


def _judged(
    seen: tuple[Tensor, Tensor],
    place: tuple[Tensor, ...],
    limits: ShadowLimits,
    whitening: Tensor | None,
) -> TensorShadows:
    """The same at some places, `(N,)` each."""
    small, _ = _ratios(seen, place, SMALL_WINDOW)
    smooth = small.mean(1)
    mean = smooth.mean(1)
    colour = (smooth - mean[:, None]).abs().sum(1)
    near = _Darkening(mean, _variance(small.mean(2), mean), colour)
    wide, own = (each.mean(2) for each in _ratios(seen, place, WINDOW))
    around = wide.mean(1)
    if whitening is None:
        strange = colour / limits.colour
        judged = _Darkening(around, _variance(wide, around), strange)
    else:
        judged = near._replace(strangeness=_distance(smooth, whitening[place[0]]))
    middle = wide.shape[1] // 2
    return TensorShadows(
        *judged.shadows(limits),
        *near.relit(limits),
        own[:, middle] - own.mean(1),
        wide[:, middle] - around,
    )


def _variance(values: Tensor, mean: Tensor) -> Tensor:
    return values.square().mean(1) - mean.square()


def _distance(smooth: Tensor, whitening: Tensor) -> Tensor:
    """Distance of `(N, 3)` from the scene's own shadows, `(N,)`."""
    # Written out: a product of matrices would be rounded to fewer digits on some devices.
    away = (whitening[:, :, :3] * smooth[:, None]).sum(2) + whitening[:, :, 3]
    return away.square().sum(1).sqrt()


def _ratios(
    seen: tuple[Tensor, Tensor], place: tuple[Tensor, ...], window: int
) -> tuple[Tensor, Tensor]:
    """Logarithms in the squares around places, `(N, window^2, 3)` each.

    Returns:
        Those of frames over backgrounds, and of the backgrounds.
    """
    frame, *at = place
    steps = torch.arange(window, device=frame.device) - window // 2
    rows, columns = (
        _mirrored(where[:, None] + steps, side)
        for where, side in zip(at, seen[0].shape[2:], strict=True)
    )
    square = (frame[:, None, None], slice(None), rows[:, :, None], columns[:, None, :])
    picture, background = (each[square].flatten(1, 2).float() + LOG_OFFSET for each in seen)
    background.log_()
    return picture.log_() - background, background


def _mirrored(places: Tensor, side: int) -> Tensor:
    """Places beyond the edges, mirrored into the picture."""
    inside = places.abs()
    return side - 1 - (side - 1 - inside).abs()
