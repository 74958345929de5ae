"""Sizes of pictures and masks on any device, as OpenCV changes them."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from cleanplate.frames import FrameSize

_NEGLIGIBLE = 1e-3
"""Share of a pixel below which OpenCV leaves it out of a mean."""
_HALF = 0.5 - 1e-4
_KEPT = 16
"""Pairs of lengths whose weights are kept: those of 1920x1080 take 12 ms in Python, and 100 kB."""


def block_means(pictures: Tensor, step: int) -> Tensor:
    """Means over squares of so many pixels, `(B, C, H // step, W // step)`, uint8."""
    if step == 1:
        return pictures
    means = functional.avg_pool2d(pictures.float(), step)
    # OpenCV rounds halves up where it adds four pixels, and to even numbers elsewhere.
    return (means.add_(0.5).floor_() if step == 2 else means.round_()).to(torch.uint8)


def reduced(pictures: Tensor, size: FrameSize) -> Tensor:
    """Pictures `(B, C, H, W)`, uint8, in a size that is not larger, by area."""
    height, width = pictures.shape[-2:]
    if (height, width) == size:
        return pictures
    step = height // size.height
    if (height, width) == (step * size.height, step * size.width):
        return block_means(pictures, step)
    means = _means_along(pictures.float(), size.width, -1)
    return _means_along(means, size.height, -2).round_().to(torch.uint8)


def enlarged_masks(masks: Tensor, size: FrameSize) -> Tensor:
    """Masks `(B, h, w)`, uint8, 0 or 255, in another size, with smooth outlines."""
    if tuple(masks.shape[-2:]) == size:
        return masks
    smooth = functional.interpolate(
        (masks[:, None] > 0).float(), tuple(size), mode="bilinear", align_corners=False
    )
    return (smooth[:, 0] > _HALF).to(torch.uint8).mul_(255)


def _means_along(values: Tensor, length: int, dim: int) -> Tensor:
    """Means over the stretches that each of so many pixels covers along one dimension."""
    places, weights = _shares(values.shape[dim], length, values.device)
    shape = (-1, *(1,) * (-1 - dim))
    total: Tensor | None = None
    for place, weight in zip(places, weights, strict=True):
        part = values.index_select(dim, place)
        part *= weight.view(shape)
        total = part if total is None else total.add_(part)
    assert total is not None
    return total


@lru_cache(maxsize=_KEPT)
def _shares(before: int, after: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which pixels each new one covers, and the share of each in it, `(N, after)` both."""
    ratio = before / after
    rows = []
    for place in range(after):
        first, last = place * ratio, min((place + 1) * ratio, before)
        covered = [
            (at, min(at + 1, last) - max(at, first))
            for at in range(math.floor(first), math.ceil(last))
        ]
        kept = [(at, share) for at, share in covered if share > _NEGLIGIBLE]
        total = sum(share for _, share in kept)
        rows.append([(at, share / total) for at, share in kept])
    most = max(map(len, rows))
    padded = [row + [(row[-1][0], 0.0)] * (most - len(row)) for row in rows]
    places = torch.tensor([[at for at, _ in row] for row in padded], device=device)
    weights = torch.tensor([[share for _, share in row] for row in padded], device=device)
    return places.T.contiguous(), weights.T.contiguous()
