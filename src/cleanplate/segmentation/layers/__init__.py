"""What the foreground does: it moves, it waits, or it has settled; and what is only a ghost."""

from cleanplate.segmentation.layers.labels import (
    BACKGROUND,
    MOVING,
    SETTLED,
    SHADOW,
    WAITING,
    Label,
)
from cleanplate.segmentation.layers.layers import LayeredFrame, Layers
from cleanplate.segmentation.layers.stationary_object import StationaryObject

__all__ = [
    "BACKGROUND",
    "MOVING",
    "SETTLED",
    "SHADOW",
    "WAITING",
    "Label",
    "LayeredFrame",
    "Layers",
    "StationaryObject",
]
