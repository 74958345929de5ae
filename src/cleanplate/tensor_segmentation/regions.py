"""Pixels and connected regions of masks of many frames, on tensors of any device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class TensorPixels:
    """The pixels of masks `(B, h, w)`."""

    def __init__(self, where: Tensor) -> None:
        self._shape = where.shape
        self._places = where.flatten().nonzero().squeeze(1)

    def at(self, values: Tensor) -> Tensor:
        return values.expand(self._shape).flatten()[self._places]

    are_in = at

    def colours(self, pictures: Tensor) -> tuple[Tensor, ...]:
        channels = pictures.transpose(0, 1).flatten(1)
        return channels[:, self._places].float().unbind()

    def mask(self, chosen: Tensor) -> Tensor:
        filled = chosen.new_zeros(self._shape.numel())
        filled[self._places] = chosen
        return filled.view(self._shape)


class TensorRegions(TensorPixels):
    """The 8-connected regions of masks, or of their parts in and out of others."""

    def __init__(self, mask: Tensor, divided_by: Tensor | None = None) -> None:
        super().__init__(mask)
        self._labels = region_labels(mask, self._places)
        self._owners, self._most = self._labels, len(self._places)
        if divided_by is not None:
            self._owners, self._most = 2 * self._labels + self.at(divided_by), 2 * self._most

    def total(self, values: Tensor) -> Tensor:
        sums = values.new_zeros(self._most, dtype=torch.double)
        return sums.scatter_add_(0, self._owners, values.double())

    def covered(self, chosen: Tensor) -> Tensor:
        return self.mask(chosen[self._labels])


def region_labels(mask: Tensor, places: Tensor) -> Tensor:
    """8-connected region of each pixel of masks, `(N,)`: position of one of its pixels among them.

    Args:
        mask: `(B, H, W)`, bool.
        places: Of its pixels, `(N,)`, counted through all masks.

    After FastSV of Zhang, Azad and Hu (SIAM PP 2020): every pixel points to another of its region,
    the trees of neighbours are hooked together and flattened, until nothing moves; about log2 of
    the longest way through a region rounds. What is not in the mask, most of it, costs next to
    nothing.
    """
    neighbours = _neighbours(mask, torch.arange(len(places), device=mask.device))
    parents = _ends_of_runs(places, mask.shape[2])
    while True:
        grandparents = parents[parents]
        seen = grandparents[neighbours].amax(0)
        hooked = parents.scatter_reduce(0, parents, seen, "amax")
        hooked = torch.maximum(torch.maximum(hooked, seen), grandparents)
        if torch.equal(hooked, parents):
            return parents
        parents = hooked


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
