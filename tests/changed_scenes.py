"""Scenes of which a part is another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from cleanplate.scene import Scene
from cleanplate.scene_model import SceneState


def with_model(scene: Scene, **changes: Any) -> Scene:
    return replace(scene, model=replace(scene.model, **changes))


def with_main(scene: Scene, **changes: Any) -> Scene:
    """The same with another main state."""
    main, *others = scene.model.states
    return with_model(scene, states=(replace(main, **changes), *others))


def with_states(scene: Scene, *others: tuple[Picture, Mask]) -> Scene:
    """The same with other states, of which plate and noise are given."""
    still = (
        SceneState.still(f"state {number}", plate, noise)
        for number, (plate, noise) in enumerate(others, start=2)
    )
    return with_model(scene, states=(scene.model.main, *still))


def with_correction(scene: Scene, correction: NDArray[np.int16]) -> Scene:
    return replace(scene, model=scene.model.corrected({0: correction}))
