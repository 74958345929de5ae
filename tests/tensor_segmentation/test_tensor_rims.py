"""Rims decided on tensors and by OpenCV within the box of a mask are the same to the last pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from cleanplate.frames import FrameSize, Mask
from cleanplate.segmentation import ShadowModel
from plans import refined_by, refined_of, rims_plan, tensor_ops

SIZE = FrameSize(48, 64)
LEAST, THRESHOLD = 45.0, 54
MODEL = ShadowModel((-0.5, -0.02, 0.02), ((0.01, 0.0, 0.0), (0.0, 4e-4, 0.0), (0.0, 0.0, 4e-4)))


def blotch(random: np.random.Generator) -> Mask:
    """A mask in a box of its own, with a ragged outline; often at the edge of the frame."""
    mask = np.zeros(SIZE, np.uint8)
    top, left = random.integers(0, 34), random.integers(0, 46)
    noise = cv2.GaussianBlur(random.normal(0, 1, (14, 18)).astype(np.float32), (0, 0), 1.5)
    mask[top : top + 14, left : left + 18] = np.where(noise > -0.1, 255, 0)
    return mask


@pytest.mark.parametrize("depth", [1, 3, 5])
@pytest.mark.parametrize("seed", range(12))
def test_rims_are_those_of_opencv(seed: int, depth: int) -> None:
    random = np.random.default_rng(seed)
    mask, raw = blotch(random), np.where(random.random(SIZE) < 0.8, 255, 0).astype(np.uint8)
    background = random.integers(60, 200, (*SIZE, 3), dtype=np.uint8)
    strength = random.choice([-40, -8, 8, 40], (*SIZE, 1))
    picture = np.clip(background + strength, 0, 255).astype(np.uint8)
    plan = rims_plan(depth, LEAST, SIZE)
    expected = refined_of(plan, THRESHOLD, MODEL, (mask, raw), (picture, background))
    assert (expected != mask).any()
    seen = [torch.from_numpy(each).permute(2, 0, 1)[None] for each in (picture, background)]
    masks = [torch.from_numpy(each > 0)[None] for each in (mask, raw)]
    ops = tensor_ops(plan, [MODEL])
    found = refined_by(ops, plan, THRESHOLD, (masks[0], masks[1]), (seen[0], seen[1]))
    assert np.array_equal(found[0].numpy(), expected > 0)
