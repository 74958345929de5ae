"""Overlapping patches with a network of its own at each place, blended without seams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from cleanplate.frames import FrameSize
from cleanplate.nn.conv import pad_to

PatchSide: TypeAlias = Literal[16, 32, 64, 128, 256]
"""Side of a patch in pixels: a power of two, so that it can be halved down to 4 pixels."""
Codes: TypeAlias = Literal["shared", "per_patch"]
"""One code for the whole frame, or one for each patch."""

_SMALLEST_PATCH = 16
_LARGEST_PATCH = 256
_SMALLEST_MAP = 4
_SHARE_OF_SIDE: dict[Codes, float] = {"shared": 1 / 4, "per_patch": 1 / 2}
"""A patch with a code of its own must be larger than what moves, or it draws that instead."""
_WIDEST = 4
"""Channels grow with depth up to this multiple of the first stage's."""
_LEAK = 0.2


def patch_side_for(size: FrameSize, codes: Codes) -> int:
    """Power of two, 16 to 256, nearest to a quarter of the frame's shorter side.

    To one half where each patch has a code of its own.
    """
    side: int = 2 ** round(math.log2(min(size) * _SHARE_OF_SIDE[codes]))
    return min(max(side, _SMALLEST_PATCH), _LARGEST_PATCH)


class PatchGrid(nn.Module):
    """Cuts maps of one size into square patches and blends patches back into maps.

    Neighbours overlap by a share of their side. Each patch counts with a weight that rises from 0
    at its edge like a squared sine, and the weights of all patches add up to 1 at every pixel.
    With an overlap of one half this is the mean over four tilings, each shifted by half a patch
    (Garcia-Gonzalez et al. 2019), but weighted, so that no tiling shows its edges.

    Patches travel as `(B, P * C, p, p)`: the channels of a patch lie side by side, which is what
    a grouped convolution needs to have weights of its own for each of the P places.

    Attributes:
        side: Side p of a patch in pixels.
        stride: Pixels from one patch to the next.
        rows: Patches along the height.
        columns: Patches along the width.
    """

    weights: Tensor

    def __init__(self, size: FrameSize, *, side: int, overlap: float) -> None:
        super().__init__()
        self._size = size
        self.side = side
        self.stride = side - round(side * overlap)
        self.rows, self.columns = (
            1 + max(0, math.ceil((length - side) / self.stride)) for length in size
        )
        self._padded = FrameSize(
            side + (self.rows - 1) * self.stride, side + (self.columns - 1) * self.stride
        )
        window = patch_window(side, side - self.stride)
        one_each = window.flatten().expand(1, self.count, -1).transpose(1, 2)
        total = functional.fold(one_each, self._padded, side, stride=self.stride)
        # At the frame's edge there is no neighbour to fade into: the patch counts in full.
        self.register_buffer("weights", window / self.cut(total)[0, :, None], persistent=False)

    @property
    def count(self) -> int:
        """Number P of patches."""
        return self.rows * self.columns

    def cut(self, maps: Tensor) -> Tensor:
        """Patches `(B, P * C, p, p)` of maps `(B, C, H, W)`, extended by their own edge."""
        padded = pad_to(maps, self._padded)
        tiles = padded.unfold(2, self.side, self.stride).unfold(3, self.side, self.stride)
        return tiles.permute(0, 2, 3, 1, 4, 5).reshape(len(maps), -1, self.side, self.side)

    def blend(self, patches: Tensor) -> Tensor:
        """Maps `(B, C, H, W)` from patches `(B, P * C, p, p)`."""
        weighted = patches.unflatten(1, (self.count, -1)) * self.weights
        columns = weighted.flatten(2).transpose(1, 2)
        maps = functional.fold(columns, self._padded, self.side, stride=self.stride)
        return maps[..., : self._size.height, : self._size.width]


def patch_window(side: int, overlap: int) -> Tensor:
    """Weight of each pixel of a patch, `(p, p)`: 1 in its middle, falling over `overlap` pixels."""
    place = torch.arange(side) + 0.5
    to_edge = torch.minimum(place, side - place)
    rise = (to_edge / max(overlap, 1)).clamp(max=1) if overlap else torch.ones(side)
    line = torch.sin(math.pi / 2 * rise).square()
    return line[:, None] * line


class PatchEncoder(nn.Module):
    """Patches to codes; every place has weights of its own."""

    def __init__(self, grid: PatchGrid, *, width: int, codes: Codes, latent_dim: int) -> None:
        super().__init__()
        count, stages = grid.count, _stage_channels(grid.side, width)
        inputs = (3, *stages[:-1])
        self.stages = nn.ModuleList(
            nn.Conv2d(count * before, count * after, 4, stride=2, padding=1, groups=count)
            for before, after in zip(inputs, stages, strict=True)
        )
        groups = count if codes == "per_patch" else 1
        self.to_codes = nn.Conv2d(
            count * stages[-1], groups * latent_dim, _SMALLEST_MAP, groups=groups
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Codes `(B, L, 1, 1)` of patches `(B, P * 3, p, p)`; L counts all of a frame's numbers."""
        return self.to_codes(self.features(patches)[-1])

    def features(self, patches: Tensor) -> list[Tensor]:
        """Maps of each stage, `(B, P * C, p / 2, p / 2)` first, each half as large as the last."""
        maps = []
        for stage in self.stages:
            patches = functional.leaky_relu(stage(patches), _LEAK)
            maps.append(patches)
        return maps


class PatchDecoder(nn.Module):
    """Codes to patches; every place has weights of its own.

    It runs the stages of `PatchEncoder` backwards. Its last layer draws four pixels at once (Shi
    et al. 2016, arXiv:1609.05158): at the full size of a patch a layer would cost four times more.
    """

    def __init__(self, grid: PatchGrid, *, width: int, codes: Codes, latent_dim: int) -> None:
        super().__init__()
        self._count, stages = grid.count, _stage_channels(grid.side, width)[::-1]
        groups = self._count if codes == "per_patch" else 1
        self._first_map = (self._count * stages[0], _SMALLEST_MAP, _SMALLEST_MAP)
        self.from_codes = nn.Conv2d(
            groups * latent_dim, math.prod(self._first_map), 1, groups=groups
        )
        self.stages = nn.ModuleList(
            self._layer(before, after) for before, after in pairwise(stages)
        )
        self.to_image = self._layer(stages[-1], 4 * 3)

    def forward(self, codes: Tensor, skips: Sequence[Tensor] = ()) -> Tensor:
        """Patches `(B, P * 3, p, p)`, unbounded, of codes `(B, L, 1, 1)`.

        Args:
            codes: As the encoder gives them.
            skips: Maps to add to what each stage draws, the smallest map first; none: nothing.
        """
        maps = self.from_codes(codes).view(-1, *self._first_map)
        maps = functional.leaky_relu(maps, _LEAK)
        for number, stage in enumerate(self.stages):
            maps = functional.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = functional.leaky_relu(stage(maps), _LEAK)
            maps = maps + skips[number] if skips else maps
        return functional.pixel_shuffle(self.to_image(maps), 2)

    def _layer(self, before: int, after: int) -> nn.Conv2d:
        count = self._count
        # The edge goes on as it is: zeros around every patch would draw it a frame.
        return nn.Conv2d(
            count * before, count * after, 3, padding=1, groups=count, padding_mode="replicate"
        )


def _stage_channels(side: int, width: int) -> tuple[int, ...]:
    depth = round(math.log2(side / _SMALLEST_MAP))
    return tuple(width * min(2**stage, _WIDEST) for stage in range(depth))
