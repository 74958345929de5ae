"""What a network sees of a frame, and how its output becomes a background."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cleanplate.frames import FrameSize

_GREY = 0.5
_SMALLEST_SIDE = 8
_LIGHT = 0.1
"""Difference that light and weather make, about."""


class WorkingView(nn.Module):
    """Frames reduced to a working size, and maps of that size enlarged to backgrounds.

    In the residual form the network sees what the plate does not explain and its output is added to
    the plate, so that backgrounds are sharp at a cost that a CPU can pay. In the plain form it
    sees the frame and its output is the whole picture.

    Attributes:
        size: Working size.
        is_residual: Which of the two forms.
    """

    plate: Tensor

    def __init__(self, plate: Tensor, size: FrameSize, *, is_residual: bool) -> None:
        super().__init__()
        self.size = size
        self.is_residual = is_residual
        # The plain form knows no plate; it keeps only the middle grey that it counts from.
        start = plate[None] if is_residual else torch.full((1, 3, 1, 1), _GREY)
        self.register_buffer("plate", start)

    def reduce(self, frames: Tensor) -> Tensor:
        """What the network sees of frames `(B, 3, H, W)`: `(B, 3, h, w)`, around 0."""
        # What the plate, or a middle grey, explains already would drown what the code has to carry.
        return self.reduce_maps(frames - self.plate)

    def unexplained(self, frames: Tensor) -> Tensor:
        """What the plate does not explain of frames, `(B, 3, H, W)`, in [-1, 1], not reduced.

        In the residual form it is squashed: what moves differs by ten times as much as the light,
        and a code that begins with it may never find the light.
        """
        differences = frames - self.plate
        return torch.tanh(differences / _LIGHT) if self.is_residual else differences

    def reduce_maps(self, maps: Tensor) -> Tensor:
        """Any maps `(B, C, H, W)` in the working size, by area."""
        if tuple(maps.shape[-2:]) == self.size:
            return maps
        return functional.interpolate(maps, self.size, mode="area")

    def background(self, maps: Tensor, frame_size: tuple[int, ...]) -> Tensor:
        """Backgrounds `(B, 3, H, W)` from a network's unbounded maps `(B, 3, h, w)`."""
        # The few digits that layers may have computed with make steps of a grey level in a picture.
        maps = maps.float()
        if self.is_residual:
            return self.plate + enlarge(maps, frame_size)
        return enlarge(torch.sigmoid(maps), frame_size)


def enlarge(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maps `(B, C, h, w)` in another size `(H, W)`, bilinear."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return functional.interpolate(maps, tuple(size), mode="bilinear", align_corners=False)


def size_within(size: FrameSize, pixels: int) -> FrameSize:
    """Size with the same shape and at most about so many pixels, never above the given one."""
    scale = min(1.0, math.sqrt(pixels / size.pixels))
    height, width = (max(_SMALLEST_SIDE, round(side * scale)) for side in size)
    return FrameSize(height, width)


def start_from_zero(layer: nn.Module) -> None:
    """Sets a last layer to zero, so that the first background of a residual form is the plate."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def scaled_flow(flow: Tensor, scale: float) -> Tensor:
    """Flow in pixels per frame as numbers in [-1, 1], of the same shape.

    Args:
        flow: `(B, 2, H, W)`.
        scale: Motion that reads as tanh(1) = 0.76, as a share of the width.
    """
    return torch.tanh(flow / (scale * flow.shape[-1]))
