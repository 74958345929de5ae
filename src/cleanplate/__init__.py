"""Learns the empty scene of a fixed camera and segments everything else.

Example:
    >>> import cleanplate
    >>> scene = cleanplate.learn("junction.mp4")  # doctest: +SKIP
    >>> for result in scene.segment("junction.mp4"):  # doctest: +SKIP
    ...     print(result.time, result.mask.mean())
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cleanplate._version import __version__

if TYPE_CHECKING:
    from cleanplate.errors import (
        CleanplateError,
        FetchError,
        FrameSizeError,
        GroundTruthError,
        ModalityError,
        OutputError,
        RunLockedError,
        SceneFileError,
        SegmentationError,
        SettingsError,
        SourceError,
        TrainingError,
        UnknownNameError,
        UsageError,
    )
    from cleanplate.frames import Frame
    from cleanplate.learning import LearnOptions, learn
    from cleanplate.scene import Scene, load
    from cleanplate.segmentation import SegmentationSettings
    from cleanplate.segmentation.layers import StationaryObject
    from cleanplate.segmentation.worker_process import WorkerProcess
    from cleanplate.streaming import Result, Stream
    from cleanplate.video import open_source

__all__ = [
    "CleanplateError",
    "FetchError",
    "Frame",
    "FrameSizeError",
    "GroundTruthError",
    "LearnOptions",
    "ModalityError",
    "OutputError",
    "Result",
    "RunLockedError",
    "Scene",
    "SceneFileError",
    "SegmentationError",
    "SegmentationSettings",
    "SettingsError",
    "SourceError",
    "StationaryObject",
    "Stream",
    "TrainingError",
    "UnknownNameError",
    "UsageError",
    "WorkerProcess",
    "__version__",
    "learn",
    "load",
    "open_source",
]

_MODULES = {
    "Frame": "cleanplate.frames",
    "LearnOptions": "cleanplate.learning",
    "Result": "cleanplate.streaming",
    "Scene": "cleanplate.scene",
    "SegmentationSettings": "cleanplate.segmentation",
    "StationaryObject": "cleanplate.segmentation.layers",
    "Stream": "cleanplate.streaming",
    "WorkerProcess": "cleanplate.segmentation.worker_process",
    "learn": "cleanplate.learning",
    "load": "cleanplate.scene",
    "open_source": "cleanplate.video",
}
"""Where a public name lives; what is not here is an error."""


def __getattr__(name: str) -> Any:
    """Public names, imported when first used: `import cleanplate` costs next to nothing."""
    if name in __all__:
        module = importlib.import_module(_MODULES.get(name, "cleanplate.errors"))
        return getattr(module, name)
    raise AttributeError(f"module 'cleanplate' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
