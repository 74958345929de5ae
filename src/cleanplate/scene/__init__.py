"""The one place that joins source, cache, start, training, noise and segmenter."""

from cleanplate.scene.learning import LearnOptions, learn
from cleanplate.scene.loading import load
from cleanplate.scene.result import Result
from cleanplate.scene.scene import Scene
from cleanplate.segmentation.beside import SecondProcess

__all__ = ["LearnOptions", "Result", "Scene", "SecondProcess", "learn", "load"]
