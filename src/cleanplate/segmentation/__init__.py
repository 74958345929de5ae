"""From a frame and its background to a mask; knows no method, needs no torch."""

from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.segmenter import Cut, Segmenter
from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.segmentation.shadow_model import ShadowModel

__all__ = ["Cut", "SegmentationPlan", "SegmentationSettings", "Segmenter", "ShadowModel"]
