"""Connected regions of masks on any device: labels by hooking neighbours' trees together."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def region_labels(mask: Tensor) -> Tensor:
    """A number for each 8-connected region of masks `(B, H, W)`, bool: that of one of its pixels.

    Pixels are numbered through all masks, from 0. A pixel that is not in the mask is alone. After
    FastSV of Zhang, Azad and Hu (SIAM PP 2020): every pixel points to another of its region, the
    trees of neighbours are hooked together and flattened, until nothing moves; about log2 of the
    longest way through a region rounds.
    """
    parents = torch.arange(mask.numel(), device=mask.device)
    while True:
        grandparents = parents[parents]
        seen = _largest_around(grandparents.view(mask.shape).where(mask, -1))
        seen = seen.flatten().where(mask.flatten(), parents)
        hooked = parents.scatter_reduce(0, parents, seen, "amax")
        hooked = torch.maximum(torch.maximum(hooked, seen), grandparents)
        if torch.equal(hooked, parents):
            return parents.view(mask.shape)
        parents = hooked


def counted(labels: Tensor, mask: Tensor) -> Tensor:
    """How many pixels of a mask each pixel's region has, `(B, H, W)`."""
    places = labels.flatten()
    counts = torch.zeros_like(places).scatter_add_(0, places, mask.flatten().to(places.dtype))
    return counts[labels]


def without_small(mask: Tensor, least: int) -> Tensor:
    """Masks without the regions of fewer pixels."""
    if least <= 1:
        return mask
    return mask & (counted(region_labels(mask), mask) >= least)


def joined(mask: Tensor, faint: Tensor, least_share: float) -> Tensor:
    """Masks and those regions of the faint ones that they cover so much of."""
    labels = region_labels(faint)
    covered = counted(labels, mask)
    is_joined = covered >= (least_share * counted(labels, faint)).clamp(min=1)
    return mask | (faint & is_joined)


def _largest_around(values: Tensor) -> Tensor:
    """Largest of each 3x3 neighbourhood of `(B, H, W)`, whole numbers from -1."""
    padded = functional.pad(values, (1, 1, 1, 1), value=-1)
    across = torch.maximum(torch.maximum(padded[..., :-2], padded[..., 1:-1]), padded[..., 2:])
    down = torch.maximum(across[:, :-2], across[:, 1:-1])
    return torch.maximum(down, across[:, 2:])
