"""A scene as runtimes see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cleanplate.frames import Picture
from cleanplate.scene_file import Sample
from cleanplate.scene_model.model import SceneModel
from cleanplate.settings import LearnSettings


class LearnedScene(Protocol):
    """What runtimes ask of a scene: more than its model only to name it and to compare it."""

    @property
    def settings(self) -> LearnSettings:
        """All settings that it was learned with."""
        ...

    @property
    def model(self) -> SceneModel:
        """What is known of it."""
        ...

    @property
    def plate(self) -> Picture:
        """Still plate in the frames' size, `(H, W, 3)`."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """A few frames with background and mask."""
        ...
