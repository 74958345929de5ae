"""Between pictures and tensors nothing is lost, turned or brightened."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cleanplate.errors import CleanplateError, ModalityError
from cleanplate.frames import Modality, Picture
from cleanplate.tensor_tools.batch import FrameBatch, to_pictures, to_tensor


def every_grey_level() -> Picture:
    """Pictures `(2, 16, 16, 3)` in which each channel holds each of the 256 levels."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    red, green, blue = levels, levels.T, levels[::-1]
    picture = np.stack([red, green, blue], axis=2)
    return np.stack([picture, picture[:, ::-1]])


def test_pictures_come_back_from_tensors_bit_for_bit() -> None:
    pictures = every_grey_level()
    assert np.array_equal(to_pictures(to_tensor(pictures)), pictures)


def test_a_tensor_has_channels_first_and_values_from_0_to_1() -> None:
    pictures = every_grey_level()[:, :, :8]
    tensor = to_tensor(pictures)
    assert tensor.shape == (2, 3, 16, 8)
    assert tensor.dtype == torch.float32
    assert float(tensor.min()) == 0
    assert float(tensor.max()) == 1
    assert torch.equal(tensor[1, 2], torch.from_numpy(pictures[1, :, :, 2] / np.float32(255)))


def test_making_a_tensor_leaves_the_pictures_alone() -> None:
    pictures = every_grey_level()
    before = pictures.copy()
    to_tensor(pictures).zero_()
    assert np.array_equal(pictures, before)


def test_pictures_that_cannot_be_written_to_are_read_without_a_warning() -> None:
    pictures = every_grey_level()
    pictures.setflags(write=False)
    assert torch.equal(to_tensor(pictures), to_tensor(pictures.copy()))


def test_pictures_turned_in_memory_are_read_as_they_look() -> None:
    mirrored = every_grey_level()[:, :, ::-1]
    assert torch.equal(to_tensor(mirrored), to_tensor(mirrored.copy()))


def test_estimates_are_rounded_and_held_between_black_and_white() -> None:
    values = torch.tensor([-0.5, 0.4 / 255, 0.6 / 255, 254.4 / 255, 3.0])
    images = values.view(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert to_pictures(images)[0, 0, :, 1].tolist() == [0, 0, 1, 254, 255]


def test_pictures_can_be_made_of_an_estimate_that_carries_a_gradient() -> None:
    estimate = torch.full((1, 3, 2, 2), 0.5, requires_grad=True)
    assert to_pictures(estimate).max() == 128
    assert float(estimate.detach().max()) == 0.5


def test_a_batch_gives_each_modality_that_it_holds() -> None:
    rgb, flow = torch.zeros(2, 3, 4, 4), torch.ones(2, 2, 4, 4)
    batch = FrameBatch(rgb, {Modality.FLOW: flow})
    assert batch.read(Modality.RGB) is rgb
    assert batch.read(Modality.FLOW) is flow


def test_a_missing_modality_is_refused_in_a_sentence() -> None:
    batch = FrameBatch(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ModalityError) as raised:
        batch.read(Modality.FLOW)
    sentence = "the model reads 'flow', which this batch does not hold; "
    assert str(raised.value) == sentence + "give a source that provides it"
    assert isinstance(raised.value, CleanplateError)
