"""From a frame and its background to a mask; knows no method, needs no torch."""

from cleanplate.segmentation.segmenter import Cut, Segmenter
from cleanplate.segmentation.settings import SegmentationSettings

__all__ = ["Cut", "SegmentationSettings", "Segmenter"]
