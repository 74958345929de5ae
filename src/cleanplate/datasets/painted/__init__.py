"""The painted intersection: a traffic camera's view whose empty scene and masks are exact."""

from cleanplate.datasets.painted.scene import PaintedFrame, PaintedIntersection, PaintedObject
from cleanplate.datasets.painted.sequence import write_sequence, write_video
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.signals import SignalLight

__all__ = [
    "PaintedFrame",
    "PaintedIntersection",
    "PaintedObject",
    "PaintedSettings",
    "SignalLight",
    "write_sequence",
    "write_video",
]
