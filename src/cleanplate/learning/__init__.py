"""From a recording to a scene: frames, initial plate, training, calibration, artifacts."""

from cleanplate.learning.learning import LearnOptions, learn

__all__ = ["LearnOptions", "learn"]
