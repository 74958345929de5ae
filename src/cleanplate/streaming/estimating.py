"""The frames of a recording, each with its background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from cleanplate.frames import ExtraModalities, FloatMap, Frame, Modality, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.states import StatePicker
from cleanplate.segmentation.worker_process import StreamFrame
from cleanplate.streaming.alignment import filled
from cleanplate.streaming.reading import reduced
from cleanplate.video import in_batches
from cleanplate.video.registration import Motion, Registrar


class Estimated(NamedTuple):
    """A frame, its picture over the plate and its background, both in the working size.

    Attributes:
        motion: Of the camera; None: it is known to stand still.
        state: Of the scene; 0: the main one.
    """

    frame: Frame
    picture: Picture
    background: Picture
    motion: Motion | None
    state: int

    @property
    def to_follow(self) -> StreamFrame:
        """What layers need to know."""
        return StreamFrame(self.frame.time, self.picture, self.background, self.state)


class Backgrounds:
    """Backgrounds of the frames of a scene, each in the state that it shows."""

    def __init__(self, model: SceneModel) -> None:
        self._states = model.states
        self._picker = StatePicker.of(model)

    def estimate(self, pictures: Picture, extras: ExtraModalities) -> tuple[list[int], Picture]:
        """State of each picture, and background, `(B, h, w, 3)`, uint8, RGB.

        Args:
            pictures: `(B, h, w, 3)`, uint8, RGB, in the working size.
            extras: What else the method reads of them.
        """
        picked = self._picker.pick(pictures)
        backgrounds = self._states[0].estimate(pictures, extras)
        if any(picked):
            backgrounds = np.array(backgrounds)
            for place, state in enumerate(picked):
                if state:
                    backgrounds[place] = self._states[state].estimate(pictures[place, None])[0]
        return picked, backgrounds


def estimated(
    model: SceneModel, frames: Iterable[Frame], skip: frozenset[int], batch_size: int
) -> Iterator[tuple[Estimated, ...]]:
    """Batches of so many frames with their backgrounds, without those to be left out."""
    backgrounds_of = Backgrounds(model)
    for batch in in_batches(_inputs(model, frames, skip), batch_size):
        pictures = np.stack([picture for _, picture, _, _ in batch])
        extras = {name: np.stack([e[name] for _, _, e, _ in batch]) for name in batch[0][2]}
        picked, backgrounds = backgrounds_of.estimate(pictures, extras)
        yield tuple(
            Estimated(
                frame,
                picture if motion is None else filled(picture, motion, background),
                background,
                motion,
                state,
            )
            for (frame, _, _, motion), picture, background, state in zip(
                batch, pictures, backgrounds, picked, strict=True
            )
        )


def _inputs(
    model: SceneModel, frames: Iterable[Frame], skip: frozenset[int]
) -> Iterator[tuple[Frame, Picture, dict[Modality, FloatMap], Motion | None]]:
    """Frames with their picture over the plate, what else the method reads, and the motion."""
    readers, plate = model.main.estimator.feature_extractors(), model.main.plate
    registrar = Registrar(plate, model.camera.motion) if model.camera.motion else None
    for frame in frames:
        if frame.number in skip and not readers:
            continue
        picture, motion = reduced(model, frame), None
        if registrar is not None:
            motion = registrar.locate(picture)
            picture = filled(motion.to_plate(picture), motion, plate)
        # Readers see every frame, also those left out: they may remember.
        extras = {name: reader.read(picture, frame.index) for name, reader in readers.items()}
        if frame.number not in skip:
            yield frame, picture, extras, motion
