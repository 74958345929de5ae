"""The kinds of painted scenes: one file each, found by file name.

A new file here with a class `SCENE`, a `PaintedScene`, is a new kind; no list is edited. The first
line of its docstring says what it shows.
"""

from __future__ import annotations

import importlib

from cleanplate.datasets.painted.scene import PaintedScene
from cleanplate.datasets.painted.settings import PaintedSettings


def paint_scene(settings: PaintedSettings | None = None) -> PaintedScene:
    """The scene of the kind that the settings name."""
    settings = settings or PaintedSettings()
    module = importlib.import_module(f"{__name__}.{settings.kind}")
    scene: PaintedScene = module.SCENE(settings)
    return scene
