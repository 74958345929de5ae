"""Reads the scene of a stranger, within limits; `scene_file` writes scenes."""

from cleanplate.scene_reading.files import holds_pickle
from cleanplate.scene_reading.scene import (
    SceneHead,
    read_config,
    read_head,
    read_plate,
    read_scene,
)
from cleanplate.scene_reading.tensors import TensorKind
from cleanplate.scene_reading.texts import read_coverage, read_provenance

__all__ = [
    "SceneHead",
    "TensorKind",
    "holds_pickle",
    "read_config",
    "read_coverage",
    "read_head",
    "read_plate",
    "read_provenance",
    "read_scene",
]
