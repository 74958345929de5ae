"""A learned scene, and its way to disk and back."""

from cleanplate.scene.loading import load
from cleanplate.scene.scene import Scene

__all__ = ["Scene", "load"]
