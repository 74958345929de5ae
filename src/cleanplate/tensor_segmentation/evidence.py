"""What tells another light from an object on tensors, as in `cleanplate.segmentation.evidence`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from cleanplate.segmentation.evidence import (
    CLIPPED,
)
from cleanplate.segmentation.plan import CASTER_SIDE, SegmentationPlan
from cleanplate.segmentation.shadows import WINDOW
from cleanplate.segmentation.texture import Texture
from cleanplate.tensor_segmentation.difference import is_grey
from cleanplate.tensor_segmentation.filters import dilated, eroded, majority, packed, unpacked
from cleanplate.tensor_segmentation.regions import Regions, find_regions
from cleanplate.tensor_segmentation.shadows import TensorShadows
from cleanplate.windows import window_sums


class TensorEvidence:
    """Tells cast shadows and patches of light from objects.

    Args:
        plan: Of the masks.
    """

    def __init__(self, plan: SegmentationPlan) -> None:
        self._square = plan.majority_side
        self._beside = _square(plan.neighbour_side)
        self._window = plan.caster_side

    def without(
        self,
        mask: Tensor,
        faint: Tensor | None,
        seen: tuple[Tensor, Tensor],
        found: TensorShadows,
        is_known: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """What differs clearly, and faintly, without the background in another light.

        Args:
            mask: What differs clearly, `(B, h, w)`, bool.
            faint: That, and what differs too little to be sure of; None: nothing does.
            seen: Frames and backgrounds, `(B, 3, h, w)`, uint8.
            found: What the tests of single pixels say of them.
            is_known: Whether the scene's own shadows are known, `(B,)`, bool.
        """
        likely, brighter = mask & found.likely, mask & found.brighter
        darker = (mask & found.darker) | likely
        relit = darker | brighter
        patches = _Patches.of(majority(relit, self._square) & relit, likely)
        texture = patches.texture(found, seen[0])
        is_cast = self._is_cast(patches, mask, mask & ~likely)
        has_colour = ~is_grey(*seen)[:, None, None].expand_as(mask)
        looks_so = is_cast & ~texture.is_hidden()
        # Where nothing else speaks for it, its texture has to show clearly.
        clearly = patches.of_likely(texture.is_surely_shown())
        shown, cast = (patches.of_likely(each) for each in (texture.is_shown(), looks_so))
        shown = clearly | (shown & has_colour)
        # Single pixels are none of a patch.
        shadows = likely & (shown | ((cast | ~patches.solid) & has_colour))
        # The general test's window leaves a rim that is wide for the clean-up.
        rim = unpacked(dilated(packed(likely & shown), _square(WINDOW)), len(mask))
        shadows |= rim & darker & ~is_known[:, None, None]
        surely = patches.of_rest(texture.is_surely_shown())
        hard = surely & darker & ~likely
        mask = mask & ~shadows & ~hard & ~(surely & brighter)
        if faint is None:
            return mask, None
        possible = found.possible & has_colour & ~self._around(likely & ~shadows)
        possible |= self._around(surely)
        return mask, faint & (mask | ~possible)

    def _is_cast(self, patches: _Patches, mask: Tensor, others: Tensor) -> Tensor:
        """Whether something that is no shadow may cast each patch, and does not enclose it."""
        planes = eroded(packed(majority(others, self._square)), _square(CASTER_SIDE))
        casters, edge = unpacked(planes, len(others)), torch.zeros_like(mask)
        edge[:, [0, -1]] = True
        edge[:, :, [0, -1]] = True
        near, free = (patches.total(self._counted(each)) for each in (casters, ~mask))
        return ((near > 0) | (patches.total(edge) > 0)) & (near <= free)

    def _counted(self, mask: Tensor) -> Tensor:
        """How many pixels of masks are in the window of casters around each pixel."""
        half = self._window // 2
        counts = functional.pad(mask.float(), (half, half, half, half))
        for dim in (2, 1):
            counts = window_sums(counts, self._window, dim)
        return counts

    def _around(self, mask: Tensor) -> Tensor:
        return unpacked(dilated(packed(mask), self._beside), len(mask))


class _Patches(NamedTuple):
    """Connected patches of even change; each has a part that looks like a shadow and a rest.

    Attributes:
        solid: The pixels of all patches, `(B, h, w)`, bool.
        regions: Their regions.
        owners: Of each pixel, `(N,)`: twice the label, and one more in what looks like a shadow.
    """

    solid: Tensor
    regions: Regions
    owners: Tensor

    @classmethod
    def of(cls, solid: Tensor, likely: Tensor) -> _Patches:
        """The 8-connected patches of masks."""
        regions = find_regions(solid)
        owners = 2 * regions.labels + likely.flatten()[regions.places]
        return cls(solid, regions, owners)

    def texture(self, found: TensorShadows, pictures: Tensor) -> Texture:
        """How much of the background's texture each shows where no channel is cut off."""
        usable = (pictures < CLIPPED).all(1).flatten()[self.regions.places]
        own, other = (
            each.flatten()[self.regions.places].double() * usable
            for each in (found.texture, found.change)
        )
        return Texture(
            *(self._sum(each) for each in (usable.double(), own * own, own * other, other * other))
        )

    def total(self, counts: Tensor) -> Tensor:
        """Sum of counts `(B, h, w)` over the pixels of each."""
        return self._sum(counts.flatten()[self.regions.places].double())

    def of_likely(self, chosen: Tensor) -> Tensor:
        """The chosen patches as masks, by what was found of the part that looks like a shadow."""
        return self._mask(chosen[2 * self.regions.labels + 1])

    def of_rest(self, chosen: Tensor) -> Tensor:
        """The same by what was found of the rest."""
        return self._mask(chosen[2 * self.regions.labels])

    def _sum(self, values: Tensor) -> Tensor:
        total = values.new_zeros(2 * len(self.owners))
        return total.scatter_add_(0, self.owners, values)

    def _mask(self, chosen: Tensor) -> Tensor:
        filled = torch.zeros_like(self.solid).flatten()
        filled[self.regions.places] = chosen
        return filled.view(self.solid.shape)


def _square(side: int) -> tuple[int, ...]:
    """A square of an odd side, as `disc_reaches` gives a disc."""
    return (side // 2,) * side
