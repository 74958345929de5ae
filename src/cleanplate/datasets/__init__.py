"""Recorded scenes with ground truth; numpy and OpenCV only."""

from cleanplate.datasets.base import (
    MOVING,
    OUTSIDE,
    SHADOW,
    STATIC,
    UNKNOWN,
    GroundTruth,
    LabelMap,
    Region,
)
from cleanplate.datasets.cdnet import CDnetSequence, open_sequence

__all__ = [
    "MOVING",
    "OUTSIDE",
    "SHADOW",
    "STATIC",
    "UNKNOWN",
    "CDnetSequence",
    "GroundTruth",
    "LabelMap",
    "Region",
    "open_sequence",
]
