"""Connected regions of masks on any device: labels by hooking neighbours' trees together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Regions(NamedTuple):
    """The 8-connected regions of some masks, by the pixels of the masks alone.

    Attributes:
        places: Of these pixels, `(N,)`, counted through all masks.
        labels: Region of each, `(N,)`: position of one of its pixels among the places.
    """

    places: Tensor
    labels: Tensor

    def counted(self, chosen: Tensor) -> Tensor:
        """How many chosen pixels, `(N,)`, 1 or 0, the region of each pixel has."""
        counts = torch.zeros_like(self.labels).scatter_add_(0, self.labels, chosen)
        return counts[self.labels]


def find_regions(mask: Tensor) -> Regions:
    """Regions of masks `(B, H, W)`, bool.

    After FastSV of Zhang, Azad and Hu (SIAM PP 2020): every pixel points to another of its region,
    the trees of neighbours are hooked together and flattened, until nothing moves; about log2 of
    the longest way through a region rounds. What is not in the mask, most of it, costs next to
    nothing.
    """
    places = mask.flatten().nonzero().squeeze(1)
    neighbours = _neighbours(mask, torch.arange(len(places), device=mask.device))
    parents = _ends_of_runs(places, mask.shape[2])
    while True:
        grandparents = parents[parents]
        seen = grandparents[neighbours].amax(0)
        hooked = parents.scatter_reduce(0, parents, seen, "amax")
        hooked = torch.maximum(torch.maximum(hooked, seen), grandparents)
        if torch.equal(hooked, parents):
            return Regions(places, parents)
        parents = hooked


def without_small(mask: Tensor, least: int) -> Tensor:
    """Masks without the regions of fewer pixels."""
    if least <= 1:
        return mask
    regions = find_regions(mask)
    kept = regions.counted(torch.ones_like(regions.labels)) >= least
    return _filled(mask, regions, kept)


def joined(mask: Tensor, faint: Tensor, least_share: float) -> Tensor:
    """Masks and those regions of the faint ones that they cover so much of."""
    regions = find_regions(faint)
    covered = regions.counted(mask.flatten()[regions.places].to(regions.labels.dtype))
    least = (least_share * regions.counted(torch.ones_like(regions.labels))).clamp(min=1)
    return mask | _filled(mask, regions, covered >= least)


def _ends_of_runs(places: Tensor, width: int) -> Tensor:
    """Number of the last pixel of each pixel's run in its row: whole runs begin as one tree."""
    begins = torch.ones_like(places, dtype=torch.bool)
    begins[1:] = (places.diff() > 1) | (places[1:] % width == 0)
    ends = begins.roll(-1).nonzero().squeeze(1)
    return ends[begins.cumsum(0) - 1]


def _neighbours(mask: Tensor, numbers: Tensor) -> Tensor:
    """Number of each pixel of a mask and of its neighbours, `(9, N)`; its own where none is."""
    # A rim keeps neighbours beyond the edge apart from the next row, and from the next mask.
    inside = functional.pad(mask, (1, 1, 1, 1))
    width = inside.shape[2]
    places = inside.flatten().nonzero().squeeze(1)
    numbered = torch.full((inside.numel(),), -1, device=mask.device)
    numbered[places] = numbers
    steps = [down * width + right for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = torch.stack([numbered[places + step] for step in steps])
    return torch.where(found < 0, numbers, found)


def _filled(mask: Tensor, regions: Regions, chosen: Tensor) -> Tensor:
    """A mask of the chosen pixels of regions."""
    filled = torch.zeros_like(mask).flatten()
    filled[regions.places] = chosen
    return filled.view(mask.shape)
