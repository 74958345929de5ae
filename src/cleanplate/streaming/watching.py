"""The watch over the camera of a scene."""

from __future__ import annotations

from cleanplate.scene_model import SceneModel
from cleanplate.video.camera_watch import CameraWatch


def open_watch(model: SceneModel) -> CameraWatch:
    """A fresh watch over the camera, for one stream."""
    main, *others = model.states
    return CameraWatch(
        main.plate,
        reach=model.camera.reach,
        enlargement=model.enlargement,
        others=[state.plate for state in others],
    )
