"""What segments frames of the size of a noise map, by settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings, Segmenter, ShadowModel
from cleanplate.segmentation.cleanup import cleaned, refined, without_small
from cleanplate.segmentation.layers import Layers
from cleanplate.segmentation.opencv import ArrayOps
from cleanplate.segmentation.ops import Seen


def plan_of(settings: SegmentationSettings, noise: Mask) -> SegmentationPlan:
    return SegmentationPlan.of(settings, FrameSize(*noise.shape))


def segmenter_of(
    noise: Mask, settings: SegmentationSettings, shadow: ShadowModel | None = None
) -> Segmenter:
    return Segmenter(noise, plan_of(settings, noise), shadow)


def layers_of(noise: Mask, settings: SegmentationSettings, others: Sequence[Mask] = ()) -> Layers:
    return Layers(noise, plan_of(settings, noise), others)


def rims_plan(depth: int, least: float, size: FrameSize) -> SegmentationPlan:
    """A plan whose outlines are asked as deep as that."""
    plan = SegmentationPlan.of(SegmentationSettings(), size)
    return replace(plan, boundary_depth=depth, threshold=least)


def array_ops(plan: SegmentationPlan, shadow: ShadowModel | None = None) -> ArrayOps:
    """The primitives on numpy, of a scene without noise."""
    return ArrayOps(plan, np.zeros(plan.size, np.uint8), shadow)


def cleanup_of(settings: SegmentationSettings, size: FrameSize) -> Callable[[Mask], Mask]:
    """The clean-up of a mask where all of the frame differs."""
    plan = SegmentationPlan.of(settings, size)
    ops, differs = array_ops(plan), np.full(size, 255, np.uint8)

    def apply(mask: Mask) -> Mask:
        return without_small(ops, cleaned(plan, ops, mask, None, differs), plan.min_area)

    return apply


def refined_by(
    ops: Any, plan: SegmentationPlan, limit: int, masks: tuple[Any, Any], pair: tuple[Any, Any]
) -> Any:
    """A mask and what it was before the clean-up, with the boundary decided again.

    Args:
        ops: The primitives of either library.
        plan: Of the masks.
        limit: Threshold of all pixels.
        masks: After and before the clean-up.
        pair: Frames and backgrounds.
    """
    threshold = ops.threshold * 0 + limit
    seen = Seen(*pair, threshold, threshold, ops.edge, ops.coloured(*pair))
    return refined(plan, ops, seen, *masks, threshold | 255).mask


def refined_of(
    plan: SegmentationPlan,
    limit: int,
    shadow: ShadowModel,
    masks: tuple[Mask, Mask],
    pair: tuple[Picture, Picture],
) -> Mask:
    """The same by OpenCV."""
    return refined_by(array_ops(plan, shadow), plan, limit, masks, pair)


def tensor_segmenter_of(
    noises: Sequence[Mask], settings: SegmentationSettings, **others: Any
) -> Any:
    from cleanplate.tensor_segmentation import TensorSegmenter

    return TensorSegmenter(noises, plan_of(settings, noises[0]), **others)


def tensor_ops(plan: SegmentationPlan, shadows: Sequence[ShadowModel | None] = (None,)) -> Any:
    """The primitives on torch, for a frame of each of some scenes without noise."""
    import torch

    from cleanplate.tensor_segmentation.ops import TensorOps, Views

    noises = [np.zeros(plan.size, np.uint8) for _ in shadows]
    return TensorOps(Views(noises, plan, shadows, torch.device("cpu")), list(range(len(shadows))))
