"""Backgrounds drawn from a linear_decoder are those of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.lowrank_ae import LowRankAE, LowRankAESettings
from cleanplate.runtimes.linear_decoder import FastLinearDecoder
from cleanplate.tensor_tools.batch import make_batch, to_pictures


def _model(height: int, width: int) -> LowRankAE:
    torch.manual_seed(3)
    random = np.random.default_rng(4)
    plate = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    model = LowRankAE(LowRankAESettings(), BuildContext(plate, torch.device("cpu")))
    with torch.no_grad():
        model.images += 0.05 * torch.randn(model.images.shape)  # past black and white too
        model.plate_change += 0.02 * torch.randn(model.plate_change.shape)
    return model.eval()


@pytest.mark.parametrize("size", [(48, 64), (53, 67), (30, 40), (80, 120), (120, 40), (131, 240)])
def test_the_mixer_draws_what_the_network_says(size: tuple[int, int]) -> None:
    model = _model(*size)
    pictures = np.random.default_rng(5).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = to_pictures(model.estimate_background(make_batch(pictures, {})))
    drawn = FastLinearDecoder(model.linear_decoder()).backgrounds(pictures)
    assert drawn.shape == pictures.shape
    assert expected.min() == 0  # values past the range were there to be held
    assert expected.max() == 255
    apart = np.abs(drawn.astype(int) - expected)
    assert apart.max() <= 1  # a value half-way between two grey levels
    assert np.count_nonzero(apart) <= 1e-4 * apart.size


def test_frames_are_drawn_each_for_itself() -> None:
    model = _model(40, 56)
    pictures = np.random.default_rng(6).integers(0, 256, (4, 40, 56, 3), dtype=np.uint8)
    decoder = FastLinearDecoder(model.linear_decoder())
    one_by_one = np.concatenate([decoder.backgrounds(picture[None]) for picture in pictures])
    apart = np.abs(decoder.backgrounds(pictures).astype(int) - one_by_one)
    assert apart.max() <= 1
    assert np.count_nonzero(apart) <= 1e-4 * apart.size


def test_the_number_of_threads_stays_as_it_was() -> None:
    before = torch.get_num_threads()
    FastLinearDecoder(_model(40, 56).linear_decoder()).backgrounds(
        np.zeros((1, 40, 56, 3), np.uint8)
    )
    assert torch.get_num_threads() == before
