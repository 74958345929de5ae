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
from cleanplate.datasets.registry import (
    dataset,
    find_places,
    find_sequences,
    known_datasets,
    open_place,
    open_sequence,
)
from cleanplate.datasets.sequence import DataSet, TruePlate, VideoSequence

__all__ = [
    "MOVING",
    "OUTSIDE",
    "SHADOW",
    "STATIC",
    "UNKNOWN",
    "DataSet",
    "GroundTruth",
    "LabelMap",
    "Region",
    "TruePlate",
    "VideoSequence",
    "dataset",
    "find_places",
    "find_sequences",
    "known_datasets",
    "open_place",
    "open_sequence",
]
