"""Blur, median filter and closing of maps `(B, H, W)`, pixel by pixel as OpenCV does them.

All of it is arithmetic of whole numbers, so that every device gives the same.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from cleanplate.segmentation.ops import Shape
from cleanplate.tensor_tools.windows import window_sums

_BITS = 8
_FRACTION = 256
"""OpenCV's weights of a blur of bytes are multiples of one of so many."""


@lru_cache
def gaussian_weights(side: int, sigma: float) -> tuple[int, ...]:
    """Weights of a Gaussian window of an odd side, whole numbers whose sum is 256.

    What rounding takes from one weight is added to the next, the rest to the one in the middle.
    """
    half = side // 2
    exact = [math.exp(-((place - half) ** 2) / (2 * sigma**2)) for place in range(side)]
    total, carried, outer = sum(exact), 0.0, []
    for weight in exact[:half]:
        wanted = weight / total * _FRACTION + carried
        outer.append(round(wanted))
        carried = wanted - outer[-1]
    return (*outer, _FRACTION - 2 * sum(outer), *outer[::-1])


def blurred(values: Tensor, weights: tuple[int, ...]) -> Tensor:
    """Bytes `(B, H, W)` under a window of `gaussian_weights`; edges are mirrored."""
    half = len(weights) // 2
    # Every sum stays below 2^24, up to which float32 holds whole numbers.
    sums = functional.pad(values.float(), (half, half, half, half), mode="reflect")
    for dim in (2, 1):
        sums = _weighted(sums, weights, dim)
    return sums.add_(_FRACTION**2 / 2).div_(_FRACTION**2).floor_().to(torch.uint8)


def _weighted(values: Tensor, weights: tuple[int, ...], dim: int) -> Tensor:
    """Sums of neighbours along one dimension under symmetric weights."""
    half = len(weights) // 2
    if values.is_cuda and len(values) > 1:
        # A convolution of as many channels as there are frames, by torch's own kernel: cuDNN's is
        # slower (measured on an H200), and may round.
        shape = (1, 1, 1, len(weights)) if dim == 2 else (1, 1, len(weights), 1)
        kernel = values.new_tensor(weights).view(shape).expand(len(values), -1, -1, -1)
        with torch.backends.cudnn.flags(enabled=False):
            return functional.conv2d(values[None], kernel.contiguous(), groups=len(values))[0]
    length = values.shape[dim] - 2 * half
    sums = values.narrow(dim, half, length) * weights[half]
    for place, weight in enumerate(weights[:half]):
        pair = values.narrow(dim, place, length) + values.narrow(dim, 2 * half - place, length)
        sums.add_(pair, alpha=weight)
    return sums


def counts(mask: Tensor, side: int, border: str = "constant") -> Tensor:
    """How many pixels of a mask `(B, H, W)`, bool, are in the square around each pixel."""
    half = side // 2
    sums = functional.pad(mask.float(), (half, half, half, half), mode=border)
    for dim in (2, 1):
        sums = window_sums(sums, side, dim)
    return sums


def median_filter(mask: Tensor, side: int) -> Tensor:
    """Each pixel of a mask `(B, H, W)`, bool, as most of the square around it; edges go on."""
    if side <= 1:
        return mask
    return counts(mask, side, "replicate") > side * side / 2


def closed(mask: Tensor, shape: Shape) -> Tensor:
    """Mask `(B, H, W)`, bool, with the gaps closed that a structuring element does not fit into."""
    return unpacked(_eroded(_dilated(packed(mask), shape), shape), len(mask))


def dilated(mask: Tensor, shape: Shape) -> Tensor:
    """Mask `(B, H, W)`, bool, grown by a structuring element, widest in its middle row."""
    return unpacked(_dilated(packed(mask), shape), len(mask))


def eroded(mask: Tensor, shape: Shape) -> Tensor:
    """Mask shrunk by one; what is beyond the edge does not eat it away."""
    return unpacked(_eroded(packed(mask), shape), len(mask))


def packed(mask: Tensor) -> Tensor:
    """Masks `(B, H, W)`, bool, as the bits of bytes `(ceil(B / 8), H, W)`, uint8.

    One operation on a byte is then one on the masks of eight frames (measured on an H200: a disc
    takes a sixth of the time).
    """
    planes = mask.new_zeros((math.ceil(len(mask) / _BITS), *mask.shape[1:]), dtype=torch.uint8)
    for bit in range(_BITS):
        part = mask[bit::_BITS].to(torch.uint8)
        planes[: len(part)] |= part << bit
    return planes


def unpacked(planes: Tensor, count: int) -> Tensor:
    """The first masks, so many, of what `packed` has made."""
    bits = torch.arange(_BITS, dtype=torch.uint8, device=planes.device)[:, None, None]
    return ((planes[:, None] >> bits) & 1).flatten(0, 1)[:count].to(torch.bool)


def _dilated(planes: Tensor, reaches: Shape) -> Tensor:
    radius, (height, width) = len(reaches) // 2, planes.shape[1:]
    padded = functional.pad(planes, (reaches[radius], reaches[radius]))
    wide: dict[int, Tensor] = {}
    widened = planes
    for reach in range(reaches[radius] + 1):
        if reach:
            left, right = reaches[radius] - reach, reaches[radius] + reach
            widened = widened | padded.narrow(2, left, width) | padded.narrow(2, right, width)
        wide[reach] = widened
    grown = torch.zeros_like(planes)
    for row, reach in enumerate(reaches, start=-radius):
        rows = height - abs(row)
        if rows > 0:
            part = grown.narrow(1, max(0, -row), rows)
            part |= wide[reach].narrow(1, max(0, row), rows)
    return grown


def _eroded(planes: Tensor, reaches: Shape) -> Tensor:
    return ~_dilated(~planes, reaches)
