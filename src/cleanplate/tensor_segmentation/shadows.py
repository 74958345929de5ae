"""Cast shadows on tensors: the tests of `cleanplate.segmentation.shadows`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.segmentation.shadows import (
    LEAST_DARKENING,
    LOG_OFFSET,
    LOOSE_COLOUR,
    LOOSE_SPREAD,
    SMALL_WINDOW,
    WINDOW,
)

_AT_ONCE = 2**20
"""Pixels whose windows are looked at in one go: a few hundred MB."""


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
    considered: Tensor,
    whitening: Tensor | None = None,
) -> TensorShadows:
    """Where frames may be their background in shadow.

    Args:
        pictures: `(B, 3, H, W)`, uint8.
        backgrounds: Likewise.
        settings: Those of the masks.
        considered: `(B, H, W)`, bool: asked is only there, which spares the most of a frame.
        whitening: `(B, 3, 4)`, of the scene's own shadows, in deviations that are allowed; None:
            they are not known.
    """
    likely, possible = torch.zeros_like(considered), torch.zeros_like(considered)
    for some in considered.nonzero().split(_AT_ONCE):
        place = some.unbind(1)
        seen = _darkening((pictures, backgrounds), place, settings, whitening)
        likely[place], possible[place] = seen
    return TensorShadows(likely, possible)


def _darkening(
    seen: tuple[Tensor, Tensor],
    place: tuple[Tensor, ...],
    settings: SegmentationSettings,
    whitening: Tensor | None,
) -> TensorShadows:
    """The same at some places, `(N,)` each."""
    small = _ratios(seen, place, SMALL_WINDOW)
    smooth = small.mean(1)
    grey = smooth.mean(1)
    if whitening is None:
        light = _ratios(seen, place, WINDOW).mean(2)
        mean = light.mean(1)
        strangeness = (smooth - grey[:, None]).abs().sum(1) / max(settings.shadow_colour, 1e-9)
    else:
        light, mean = small.mean(2), grey
        strangeness = _distance(smooth, whitening[place[0]])
    variance = light.square().mean(1) - mean.square()
    darker = (mean > math.log(settings.shadow_darkest)) & (mean < -LEAST_DARKENING)
    spread = settings.shadow_spread**2
    return TensorShadows(
        darker & (variance < spread) & (strangeness < 1),
        darker & (variance < LOOSE_SPREAD**2 * spread) & (strangeness < LOOSE_COLOUR),
    )


def _distance(smooth: Tensor, whitening: Tensor) -> Tensor:
    """Distance of `(N, 3)` from the scene's own shadows, `(N,)`."""
    # Written out: a product of matrices would be rounded to fewer digits on some devices.
    away = (whitening[:, :, :3] * smooth[:, None]).sum(2) + whitening[:, :, 3]
    return away.square().sum(1).sqrt()


def _ratios(seen: tuple[Tensor, Tensor], place: tuple[Tensor, ...], window: int) -> Tensor:
    """Logarithms of frames over backgrounds in the squares around places, `(N, window^2, 3)`."""
    frame, *at = place
    steps = torch.arange(window, device=frame.device) - window // 2
    rows, columns = (
        _mirrored(where[:, None] + steps, side)
        for where, side in zip(at, seen[0].shape[2:], strict=True)
    )
    square = (frame[:, None, None], slice(None), rows[:, :, None], columns[:, None, :])
    picture, background = (each[square].flatten(1, 2).float() + LOG_OFFSET for each in seen)
    return picture.log_() - background.log_()


def _mirrored(places: Tensor, side: int) -> Tensor:
    """Places beyond the edges, mirrored into the picture."""
    inside = places.abs()
    return side - 1 - (side - 1 - inside).abs()
