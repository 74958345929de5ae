"""Background in another light on tensors: the tests of `cleanplate.segmentation.shadows`."""

from __future__ import annotations

import torch
from torch import Tensor

from cleanplate.segmentation.plan import ShadowLimits
from cleanplate.segmentation.shadows import (
    CLIPPED,
    LOG_OFFSET,
    SMALL_WINDOW,
    WINDOW,
    Change,
    Clipped,
    ShadowTests,
    tested,
)

_AT_ONCE = 2**20
"""Pixels whose windows are looked at in one go: a few hundred MB."""


def shadow_tests(
    pictures: Tensor,
    backgrounds: Tensor,
    considered: Tensor,
    limits: ShadowLimits,
    whitening: Tensor | None,
) -> ShadowTests:
    """What single pixels with their neighbours say of the light, where it is considered.

    Args:
        pictures: `(B, 3, H, W)`, uint8.
        backgrounds: Likewise.
        considered: `(B, H, W)`, bool: asked is only there, which spares the most of a frame.
        limits: What a shadow may be.
        whitening: `(B, 3, 4)`, of the `ShadowModel` of each frame's scene, in deviations that are
            allowed; NaN where it is not known; None: for no frame.
    """
    masks = [torch.zeros_like(considered) for _ in range(5)]
    maps = [torch.zeros(considered.shape, device=considered.device) for _ in range(2)]
    for some in considered.nonzero().split(_AT_ONCE):
        place = some.unbind(1)
        seen = _tested((pictures, backgrounds), place, limits, whitening)
        for whole, found in zip((*masks, *maps), seen, strict=True):
            whole[place] = found
    return ShadowTests._make((*masks, *maps))


def _tested(
    seen: tuple[Tensor, Tensor],
    place: tuple[Tensor, ...],
    limits: ShadowLimits,
    whitening: Tensor | None,
) -> tuple[Tensor, ...]:
    """The same at some places, `(N,)` each."""
    small, _ = _ratios(seen, place, SMALL_WINDOW)
    smooth = small.mean(1)
    mean = smooth.mean(1)
    colour = (smooth - mean[:, None]).abs().sum(1) / limits.colour
    near = Change(mean, _variance(small.mean(2), mean), colour)
    wide, plate = (each.mean(2) for each in _ratios(seen, place, WINDOW))
    around = wide.mean(1)
    change = Change(around, _variance(wide, around), colour)
    if whitening is not None:
        learned = near._replace(strangeness=_distance(smooth, whitening[place[0]]))
        pairs, is_general = zip(change, learned, strict=True), learned.strangeness.isnan()
        change = Change(*(torch.where(is_general, *pair) for pair in pairs))
    frame, *at = place
    values = (each[frame, :, at[0], at[1]] for each in seen)
    clipped = Clipped(*((each >= CLIPPED).any(1) for each in values))
    middle = wide.shape[1] // 2
    texture = plate[:, middle] - plate.mean(1), wide[:, middle] - around
    return *tested(change, near, limits, clipped), *texture


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
