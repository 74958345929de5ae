"""Recordings in, masks out: every kind of source, the frame cache, and the writers."""

from cleanplate.video.ahead import in_batches, read_ahead
from cleanplate.video.array_file import ArrayFile
from cleanplate.video.cache import ArrayStack, FrameCache
from cleanplate.video.opening import open_source, silence_decoders
from cleanplate.video.sink import (
    LABELS,
    MASKS,
    MaskWriter,
    OverlayWriter,
    draw_overlay,
    existing_masks,
    mask_name,
)
from cleanplate.video.source import DEFAULT_FRAME_RATE, SourceProblems, VideoSource

__all__ = [
    "DEFAULT_FRAME_RATE",
    "LABELS",
    "MASKS",
    "ArrayFile",
    "ArrayStack",
    "FrameCache",
    "MaskWriter",
    "OverlayWriter",
    "SourceProblems",
    "VideoSource",
    "draw_overlay",
    "existing_masks",
    "in_batches",
    "mask_name",
    "open_source",
    "read_ahead",
    "silence_decoders",
]
