"""Encoder and decoder for every size of frame."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cleanplate.frames import FrameSize
from cleanplate.nn.conv import (
    ConvDecoder,
    ConvEncoder,
    depth_for,
    init_weights,
    pad_to,
    padded_size,
    stage_channels,
)

SIZES = [
    *(FrameSize(8, 8), FrameSize(16, 16), FrameSize(37, 53), FrameSize(53, 37)),
    *(FrameSize(64, 64), FrameSize(48, 80), FrameSize(17, 130), FrameSize(120, 160)),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_frame_is_halved_until_its_shorter_side_is_about_4_pixels(size: FrameSize) -> None:
    shorter = min(padded_size(size)) / 2 ** depth_for(size)
    assert depth_for(size) >= 1
    assert 4 <= shorter <= 8


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_padded_size_is_the_smallest_that_can_be_halved(size: FrameSize) -> None:
    step = 2 ** depth_for(size)
    for side, padded in zip(size, padded_size(size), strict=True):
        assert padded % step == 0
        assert 0 <= padded - side < step


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("batch", [1, 3])
def test_codes_and_maps_fit_every_frame(size: FrameSize, batch: int) -> None:
    frames = torch.rand(batch, 3, *size)
    codes = ConvEncoder(size, width=4, latent_dim=5)(frames)
    assert codes.shape == (batch, 5)
    maps = ConvDecoder(size, width=4, latent_dim=5, channels=2)(codes)
    assert maps.shape == (batch, 2, *size)
    assert torch.isfinite(maps).all()


@pytest.mark.parametrize("width", [4, 7, 9, 12, 17, 20])
def test_every_width_can_be_built(width: int) -> None:
    size = FrameSize(24, 32)
    codes = ConvEncoder(size, width=width, latent_dim=2)(torch.rand(1, 3, *size))
    assert ConvDecoder(size, width=width, latent_dim=2)(codes).shape == (1, 3, *size)


def test_channels_double_up_to_eight_times_the_first() -> None:
    assert stage_channels(16, 6) == (16, 32, 64, 128, 128, 128)


def test_a_frame_is_extended_by_its_own_edge_to_the_right_and_below() -> None:
    frames = torch.rand(2, 3, 5, 6)
    padded = pad_to(frames, FrameSize(8, 8))
    assert torch.equal(padded[..., :5, :6], frames)
    assert torch.equal(padded[..., :5, 7], frames[..., 5])
    assert torch.equal(padded[..., 7, :6], frames[..., 4, :])
    assert pad_to(frames, FrameSize(5, 6)) is frames


def test_frames_of_a_batch_do_not_touch_each_other() -> None:
    size = FrameSize(24, 32)
    encoder, decoder = (
        kind(size, width=8, latent_dim=3).train() for kind in (ConvEncoder, ConvDecoder)
    )
    frames = torch.rand(4, 3, *size)
    together = decoder(encoder(frames))
    alone = torch.cat([decoder(encoder(frame[None])) for frame in frames])
    assert torch.allclose(together, alone, atol=1e-5)


def test_codes_grow_with_the_light_of_a_whole_frame() -> None:
    encoder = ConvEncoder(FrameSize(64, 96), width=8, latent_dim=4)
    frame = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        codes = torch.cat([encoder(light * frame) for light in (1.0, 2.0, 4.0)])
    # A stage that takes the mean or the strength of a map out would give the same codes.
    assert torch.allclose(codes[1:], torch.stack([2 * codes[0], 4 * codes[0]]), rtol=1e-3)
    assert codes[0].abs().max() > 0.01


def test_radfords_start_is_for_convolutions_alone() -> None:
    layers = nn.Sequential(nn.Conv2d(16, 64, 5), nn.GroupNorm(1, 64), nn.Linear(64, 64))
    linear = layers[2].weight.detach().clone()
    layers.apply(init_weights)
    weight = layers[0].weight.detach()
    assert float(weight.std()) == pytest.approx(0.02, rel=0.05)
    assert float(weight.mean()) == pytest.approx(0, abs=1e-3)
    assert torch.equal(layers[1].weight, torch.ones(64))
    assert torch.equal(layers[2].weight, linear)
