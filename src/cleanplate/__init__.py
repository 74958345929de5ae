"""Learns what a fixed camera sees when nobody is there, and cuts out everything else.

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
from cleanplate.errors import CleanplateError

if TYPE_CHECKING:
    from cleanplate.scene import LearnOptions, Result, Scene, SecondProcess, learn, load

__all__ = [
    "CleanplateError",
    "LearnOptions",
    "Result",
    "Scene",
    "SecondProcess",
    "__version__",
    "learn",
    "load",
]


def __getattr__(name: str) -> Any:
    """Public names of `cleanplate.scene`, imported when first used."""
    if name in __all__:
        return getattr(importlib.import_module("cleanplate.scene"), name)
    raise AttributeError(f"module 'cleanplate' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
