"""Painted scenes of several kinds: recordings whose empty scene and masks are exact."""

from cleanplate.datasets.painted.kinds import paint_scene
from cleanplate.datasets.painted.kinds.crossroads import PaintedIntersection
from cleanplate.datasets.painted.scene import PaintedFrame, PaintedScene
from cleanplate.datasets.painted.sequence import write_sequence, write_video
from cleanplate.datasets.painted.settings import DEFAULT_KIND, KINDS, PaintedSettings
from cleanplate.datasets.painted.staging import PaintedObject
from cleanplate.datasets.painted.street.signals import SignalLight

__all__ = [
    "DEFAULT_KIND",
    "KINDS",
    "PaintedFrame",
    "PaintedIntersection",
    "PaintedObject",
    "PaintedScene",
    "PaintedSettings",
    "SignalLight",
    "paint_scene",
    "write_sequence",
    "write_video",
]
