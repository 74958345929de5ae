"""The way from a frame to a mask on tensors of any device; needs torch and no OpenCV."""

from cleanplate.tensor_segmentation.segmenter import TensorSegmenter

__all__ = ["TensorSegmenter"]
