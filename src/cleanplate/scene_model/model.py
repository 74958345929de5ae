"""A scene as one value: what the torch and ONNX runtimes, streams and learning work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import ExtraModalities, FrameSize, Mask, Picture
from cleanplate.scene_model.camera import CameraMotion
from cleanplate.scene_model.estimator import BackgroundEstimator, StillPlate
from cleanplate.segmentation.difference import corrected
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.shadow_model import ShadowModel
from cleanplate.video.value_range import ValueRange


@dataclass(frozen=True, eq=False)
class SceneState:
    """All that is known of a scene in one state, such as day or infrared.

    Attributes:
        name: What people call it.
        plate: Still picture of it, by which it is recognised, `(h, w, 3)`, uint8, RGB.
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB.
        estimator: Its background in each frame, without the correction.
        shadow: What its cast shadows look like; None: hardly any were met.
        correction: What is added to the backgrounds, `(h, w, 3)`, int16, grey levels: they showed
            something that has left; None: nothing.
    """

    name: str
    plate: Picture
    noise: Mask
    estimator: BackgroundEstimator
    shadow: ShadowModel | None = None
    correction: NDArray[np.int16] | None = None

    @classmethod
    def still(cls, name: str, plate: Picture, noise: Mask) -> SceneState:
        """A state whose background is its plate."""
        return cls(name, plate, noise, StillPlate(plate))

    @cached_property
    def outstanding(self) -> NDArray[np.int16] | None:
        """The part of the correction that the estimator does not include; None: nothing."""
        included = self.estimator.included_correction
        if self.correction is None or included is None:
            return self.correction
        rest = self.correction - included
        return rest if rest.any() else None

    def estimate(self, pictures: Picture, extras: ExtraModalities | None = None) -> Picture:
        """Background of each picture, `(B, h, w, 3)`, uint8, RGB, corrected."""
        backgrounds = self.estimator.estimate(pictures, extras)
        rest = self.outstanding
        return backgrounds if rest is None else corrected(backgrounds, rest)

    def corrected(self, change: NDArray[np.int16]) -> SceneState:
        """A copy whose backgrounds have a correction more, `(h, w, 3)`, grey levels."""
        whole = change if self.correction is None else self.correction + change
        return replace(self, plate=corrected(self.plate, change), correction=whole)


@dataclass(frozen=True, eq=False)
class SceneModel:
    """All that is needed to tell the foreground of a scene's frames.

    Attributes:
        frame_size: Size of the camera's frames.
        working_size: Size in which background and difference are computed.
        states: The main one first; there is always one.
        plan: How a difference becomes a mask.
        camera: How the camera shakes; frames are brought over the plate before all else.
        value_range: Values of the recording that became black and white; None: grey levels of 8
            bits as they are. The scene's frames are read by it.
    """

    frame_size: FrameSize
    working_size: FrameSize
    states: tuple[SceneState, ...]
    plan: SegmentationPlan
    camera: CameraMotion = field(default_factory=CameraMotion)
    value_range: ValueRange | None = None

    @property
    def main(self) -> SceneState:
        """The state that the method learned; the others have a still plate."""
        return self.states[0]

    @property
    def names(self) -> list[str]:
        """Names of the states, the main one first."""
        return [state.name for state in self.states]

    @property
    def enlargement(self) -> float:
        """Pixels of a frame for each one of the working size, along a row."""
        return self.frame_size.width / self.working_size.width

    def corrected(self, changes: Mapping[int, NDArray[np.int16]]) -> SceneModel:
        """A copy with the backgrounds of some states corrected, by position of the state."""
        return replace(
            self,
            states=tuple(
                state.corrected(changes[number]) if number in changes else state
                for number, state in enumerate(self.states)
            ),
        )
