"""What is known of a scene, as values: nothing here reads frames, cuts masks or learns."""

from cleanplate.scene_model.camera import CameraMotion
from cleanplate.scene_model.estimator import BackgroundEstimator, StillPlate
from cleanplate.scene_model.learned_scene import LearnedScene
from cleanplate.scene_model.model import SceneModel, SceneState

__all__ = [
    "BackgroundEstimator",
    "CameraMotion",
    "LearnedScene",
    "SceneModel",
    "SceneState",
    "StillPlate",
]
