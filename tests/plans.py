"""What segments frames of the size of a noise map, by settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cleanplate.frames import FrameSize, Mask
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings, Segmenter, ShadowModel
from cleanplate.segmentation.cleanup import Cleanup
from cleanplate.segmentation.layers import Layers


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
    return replace(plan, rim_depth=depth, threshold=least)


def cleanup_of(settings: SegmentationSettings, size: FrameSize) -> Cleanup:
    return Cleanup(SegmentationPlan.of(settings, size))


def tensor_segmenter_of(
    noises: Sequence[Mask], settings: SegmentationSettings, **others: Any
) -> Any:
    from cleanplate.tensor_segmentation import TensorSegmenter

    return TensorSegmenter(noises, plan_of(settings, noises[0]), **others)
