"""What is light and what is an object is told on tensors as without them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cleanplate.segmentation import SegmentationSettings
from plans import segmenter_of, tensor_segmenter_of
from relit import CALM, CHANGES, OBJECTS, Seen

SEEN = {**OBJECTS, **CHANGES}
CPU = torch.device("cpu")


def planes(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


@pytest.mark.parametrize("settings", [{}, {"low_noise_factor": 3.0}, {"median_size": 0}], ids=str)
def test_what_is_light_is_told_as_without_tensors(settings: dict[str, float]) -> None:
    chosen = SegmentationSettings.parse(settings)
    frames: list[Seen] = list(SEEN.values())
    segmenter = segmenter_of(CALM, chosen)
    expected = np.stack([segmenter.segment(each.picture, each.background) for each in frames])
    tensors = tensor_segmenter_of([CALM], chosen, shadows=[None], device=CPU)
    found = tensors.segment(
        planes([each.picture for each in frames]), planes([each.background for each in frames])
    )
    assert (found.numpy() != expected).mean() <= 1e-4
