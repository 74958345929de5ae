"""Down and up by whole factors: what is kept of the maps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cleanplate.frames import FrameSize
from cleanplate.nn.scales import enlarge_by, reduce_by, size_at

FACTORS = [1, 2, 4]
SIZES = [FrameSize(16, 24), FrameSize(37, 53), FrameSize(8, 9)]


def random_frames(size: FrameSize) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("factor", FACTORS)
def test_every_cell_is_the_mean_of_the_pixels_under_it(size: FrameSize, factor: int) -> None:
    frames = random_frames(size)
    reduced = reduce_by(frames, factor)
    assert reduced.shape == (2, 3, *size_at(size, factor))
    for row in range(reduced.shape[2]):
        for column in range(reduced.shape[3]):
            rows, columns = (slice(at * factor, (at + 1) * factor) for at in (row, column))
            mean = frames[:, :, rows, columns].mean(dim=(2, 3))
            assert torch.allclose(reduced[:, :, row, column], mean, atol=1e-6)


@pytest.mark.parametrize("factor", FACTORS)
def test_reducing_keeps_range_and_mean(factor: int) -> None:
    frames = 2 * random_frames(SIZES[0]) - 1  # a cast to bytes would wrap what is negative
    reduced = reduce_by(frames, factor)
    assert torch.allclose(reduced.mean(dim=(2, 3)), frames.mean(dim=(2, 3)), atol=1e-6)
    assert frames.min() <= reduced.min() <= reduced.max() <= frames.max()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("value", [0.0, 0.25, 1.0, -1.0])
def test_a_frame_of_one_colour_keeps_it_both_ways(size: FrameSize, value: float) -> None:
    frames = torch.full((1, 3, *size), value)
    reduced = reduce_by(frames, 4)
    assert torch.allclose(reduced, torch.full_like(reduced, value))
    assert torch.allclose(enlarge_by(reduced, 4, size), frames)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("factor", FACTORS)
def test_a_ramp_comes_back_in_its_place(size: FrameSize, factor: int) -> None:
    ramp = torch.arange(size.width, dtype=torch.float32).expand(1, 1, *size)
    again = enlarge_by(reduce_by(ramp, factor), factor, size)
    assert again.shape == ramp.shape
    # Beyond the middle of the first and of the last whole cell a ramp cannot be known.
    inside = (..., slice(factor, size.width - size.width % factor - factor))
    assert torch.allclose(again[inside], ramp[inside], atol=1e-3)


def test_reducing_stays_where_the_frames_are_and_carries_a_gradient() -> None:
    frames = random_frames(SIZES[1]).requires_grad_()
    reduce_by(frames, 2).sum().backward()
    assert frames.grad is not None
    assert (frames.grad > 0).all()
