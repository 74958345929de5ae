"""The primitives of the segmentation on numpy and OpenCV, for one frame at a time."""

from cleanplate.segmentation.opencv.ops import ArrayOps

__all__ = ["ArrayOps"]
