"""Frames made worse at random, so that a network can learn to mend them.

Every function takes frames `(B, 3, H, W)` in [0, 1], leaves them alone and gives new ones of the
same shape and range. What is random comes from torch's global generators, which a checkpoint keeps.
Noise, masking and salt and pepper: Vincent et al., ICML 2008, and JMLR 11 (2010), section 3.3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_SMALLEST_SHARE = 0.25
"""Smallest patch as a share of the largest."""
_ASPECTS = (0.5, 2.5)
"""Width of a patch by its height: from a person who stands to a car from the side."""
_SHORTEST_SHIFT = 0.15
"""A patch comes from at least so far away, as a share of each side of the frame."""
_HARDEST_EDGE = 1e-3


def add_gaussian_noise(frames: Tensor, deviation: float) -> Tensor:
    """Frames with noise of this standard deviation in each value, cut off at 0 and 1."""
    if deviation == 0:
        return frames
    return (frames + deviation * torch.randn_like(frames)).clamp_(0, 1)


def mask_pixels(frames: Tensor, share: float, *, grain: int = 1) -> Tensor:
    """Frames of which about this share of the pixels is black.

    Args:
        frames: `(B, 3, H, W)`.
        share: 0 to 1.
        grain: Side of the squares that turn black together, in pixels.
    """
    if share == 0:
        return frames
    return frames.masked_fill(_uniform_squares(frames, grain) < share, 0.0)


def add_salt_and_pepper(frames: Tensor, share: float, *, grain: int = 1) -> Tensor:
    """Frames of which about this share of the pixels is black or white, half of them each.

    Args:
        frames: `(B, 3, H, W)`.
        share: 0 to 1.
        grain: Side of the squares that change together, in pixels.
    """
    if share == 0:
        return frames
    chance = _uniform_squares(frames, grain)
    peppered = frames.masked_fill(chance < share / 2, 0.0)
    return peppered.masked_fill(chance > 1 - share / 2, 1.0)


def paste_patches(
    frames: Tensor,
    most: int,
    *,
    size: float = 0.5,
    softness: float = 0.3,
    recolouring: float = 0.5,
) -> Tensor:
    """Frames with patches of other places and, where there are others, of other frames.

    Args:
        frames: `(B, 3, H, W)`; a single frame lends patches to itself.
        most: Patches in a frame; each frame has 0 to this many.
        size: Height of the largest patch as a share of the frame's shorter side, above 0.
        softness: Widest fading of an edge as a share of the patch's radius; 0: hard edges.
        recolouring: How far brightness and contrast of the pasted colours change, 0 to 1.
    """
    if most == 0:
        return frames
    opacity = draw_patches(frames, most, size=size, softness=softness)
    strangers = recolour(take_from_elsewhere(frames), recolouring)
    return torch.lerp(frames, strangers, opacity)


def draw_patches(frames: Tensor, most: int, *, size: float, softness: float) -> Tensor:
    """Opacity of random ellipses and rectangles, `(B, 1, H, W)`, in [0, 1].

    Each frame has 0 to `most` of them, any number as likely as another. See `paste_patches`.
    """
    count, _, height, width = frames.shape
    # The draws are small and made on the CPU: the same patches on every device.
    places = torch.rand(count, most, 2) * torch.tensor([height, width])
    tallest = math.log(size * min(height, width) / 2)
    tall = torch.exp(tallest + torch.rand(count, most) * math.log(_SMALLEST_SHARE))
    wide = tall * torch.empty(count, most).uniform_(*_ASPECTS)
    edge = (torch.rand(count, most) * softness).clamp(min=_HARDEST_EDGE)
    is_ellipse = torch.rand(count, most) < 0.5
    is_there = torch.arange(most) < torch.randint(most + 1, (count, 1))
    shape = torch.stack([places[..., 0], places[..., 1], tall, wide, edge], dim=-1)
    opacity = frames.new_zeros(count, 1, height, width)
    for number in range(most):
        top, left, radius, half_width, fading = (
            shape[:, number].to(frames.device).view(count, 5, 1, 1, 1).unbind(dim=1)
        )
        down = ((_middles(height, frames) - top).abs() / radius).transpose(-2, -1)
        across = (_middles(width, frames) - left).abs() / half_width
        round_one = is_ellipse[:, number].to(frames.device).view(count, 1, 1, 1)
        distance = torch.where(round_one, torch.hypot(down, across), torch.maximum(down, across))
        patch = ((1 - distance) / fading + 0.5).clamp_(0, 1)
        opacity = torch.maximum(opacity, patch * is_there[:, number].to(patch).view(-1, 1, 1, 1))
    return opacity


def take_from_elsewhere(frames: Tensor) -> Tensor:
    """For each place what another place of another frame shows; of the same frame if it is alone.

    All frames of a batch are shifted alike, round the edges; the next call shifts otherwise.
    """
    count, _, height, width = frames.shape
    to_other = int(torch.randint(1, count, ())) if count > 1 else 0
    down, across = (int(torch.randint(*_shifts(side), ())) for side in (height, width))
    return frames.roll((to_other, down, across), dims=(0, 2, 3))


def recolour(frames: Tensor, strength: float) -> Tensor:
    """Frames with a random contrast and brightness for each colour of each, cut off at 0 and 1.

    Args:
        frames: `(B, 3, H, W)`.
        strength: 0 (as they are) to 1 (contrast 0 to 2, brightness up to half the range away).
    """
    if strength == 0:
        return frames
    contrast, brightness = torch.empty(2, len(frames), 3, 1, 1).uniform_(-1, 1).to(frames)
    return (frames * (1 + strength * contrast) + strength / 2 * brightness).clamp_(0, 1)


def _uniform_squares(frames: Tensor, grain: int) -> Tensor:
    """Random values in [0, 1), the same inside each square, `(B, 1, H, W)`."""
    count, _, height, width = frames.shape
    rows, columns = (math.ceil(side / grain) for side in (height, width))
    values = torch.rand(count, 1, rows, columns, device=frames.device)
    values = values.repeat_interleave(grain, dim=2).repeat_interleave(grain, dim=3)
    return values[..., :height, :width]


def _middles(length: int, like: Tensor) -> Tensor:
    return torch.arange(length, dtype=like.dtype, device=like.device) + 0.5


def _shifts(side: int) -> tuple[int, int]:
    shortest = max(1, round(_SHORTEST_SHIFT * side))
    return shortest, side - shortest + 1
