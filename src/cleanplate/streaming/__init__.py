"""The frames of a recording, one after the other, with their foreground."""

from cleanplate.streaming.result import Result
from cleanplate.streaming.stream import (
    DEFAULT_BATCH,
    Corrections,
    Stream,
    StreamOptions,
    StreamStatistics,
)

__all__ = [
    "DEFAULT_BATCH",
    "Corrections",
    "Result",
    "Stream",
    "StreamOptions",
    "StreamStatistics",
]
