"""The frames of a recording, each with its background, and what the layers say of it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cleanplate.errors import UsageError
from cleanplate.frames import Extras, FloatMap, Frame, FrameSize, Modality, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.sizes import require_size, resized
from cleanplate.scene_model.states import StatePicker
from cleanplate.segmentation.beside import Following, SecondProcess, ToFollow
from cleanplate.segmentation.layers import LayeredFrame, Layers
from cleanplate.streaming.alignment import filled
from cleanplate.video import VideoSource, in_batches, open_source, read_ahead
from cleanplate.video.given import GivenFrame, ReadFrames, given_frames
from cleanplate.video.registration import Motion, Registrar
from cleanplate.video.value_range import ValueRange

_BATCH = 8
_MOST_PIXELS_BESIDE = 640 * 480
"""Frames that a second process is of use for: larger ones give threads long calls, and those on
their way to it would need too much memory."""


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
    def to_follow(self) -> ToFollow:
        """What layers need to know."""
        return ToFollow(self.frame.time, self.picture, self.background, self.state)


class Backgrounds:
    """Backgrounds of the frames of a scene, each in the state that it shows."""

    def __init__(self, model: SceneModel) -> None:
        self._states = model.states
        self._picker = StatePicker.of(model)

    def estimate(self, pictures: Picture, extras: Extras) -> tuple[list[int], Picture]:
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


def frames_of(
    model: SceneModel,
    source: str | Path | VideoSource | Iterable[GivenFrame],
    value_range: ValueRange | None = None,
) -> Iterable[Frame]:
    """Frames of a recording, decoded ahead, or the frames that were given.

    Args:
        model: Whose frames they are.
        source: See `Scene.segment`.
        value_range: By which their values are read; None: that of the scene.

    Raises:
        SourceError: The recording cannot be read.
        FrameSizeError: Its frames are not of the scene's size.
        UsageError: The source is nothing that has frames.
    """
    if isinstance(source, ReadFrames):
        return source
    if isinstance(source, str | Path | VideoSource):
        recording = opened_for(model, source, value_range)
        require_size(recording.size, model.frame_size, recording.name)
        return recording.frames_ahead()
    if not isinstance(source, Iterable):
        raise UsageError(
            f"a recording cannot be of type {type(source).__name__}; give a path, an open "
            "recording, or frames"
        )
    return given_frames(source, value_range or model.value_range)


def opened_for(
    model: SceneModel, source: str | Path | VideoSource, value_range: ValueRange | None = None
) -> VideoSource:
    """The recording with its values read by a range; None: by its own, or by that of the scene.

    Raises:
        SourceError: It cannot be read, or its values are not of the scene's kind.
    """
    recording = source if isinstance(source, VideoSource) else open_source(source)
    if value_range is None and recording.range_origin == "given":
        return recording
    return recording.in_range(value_range or model.value_range)


def reduced(model: SceneModel, frame: Frame) -> Picture:
    """The frame's picture in the working size.

    Raises:
        FrameSizeError: It is not of the scene's size.
    """
    require_size(frame.size, model.frame_size, f"frame {frame.number}")
    return resized(frame.picture, model.working_size)


def estimated(
    model: SceneModel, frames: Iterable[Frame], skip: frozenset[int]
) -> Iterator[tuple[Estimated, ...]]:
    """Batches of frames with their backgrounds, without those to be left out."""
    backgrounds_of = Backgrounds(model)
    for batch in in_batches(_inputs(model, frames, skip), _BATCH):
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


def followed(
    batches: Iterator[tuple[Estimated, ...]],
    layers: Layers | None,
    second: SecondProcess | None = None,
) -> Generator[tuple[Estimated, LayeredFrame | None]]:
    """Each frame of the batches with what the layers say of it; None without layers."""
    if layers is not None and second is not None:
        first = next(batches, None)
        if first is None:
            return
        batches = itertools.chain([first], batches)
        if first[0].frame.size.pixels <= _MOST_PIXELS_BESIDE:
            size = FrameSize(*first[0].picture.shape[:2])
            with second.open(layers, size, _BATCH) as stream:
                yield from _followed_beside(batches, stream)
            return
    # The next backgrounds are estimated while the masks of these frames are cut out.
    for batch in read_ahead(batches, depth=1):
        for each in batch:
            yield each, None if layers is None else layers.update(*each.to_follow)


def _followed_beside(
    batches: Iterator[tuple[Estimated, ...]], stream: Following
) -> Generator[tuple[Estimated, LayeredFrame]]:
    """The same by another process, which always has some batches to work on."""
    given: deque[tuple[Estimated, ...]] = deque()
    failure: Exception | None = None
    try:
        for batch in batches:
            frames, cuts = [each.to_follow for each in batch], []
            if stream.is_full:
                # What the other process is slower with than this one is done here.
                cuts = stream.cut_while_waiting(frames)
                yield from zip(given.popleft(), stream.take(), strict=True)
            stream.give(frames, cuts)
            given.append(batch)
    except Exception as error:  # noqa: BLE001 - raised after the frames before it
        failure = error
    while given:
        yield from zip(given.popleft(), stream.take(), strict=True)
    if failure is not None:
        raise failure


def _inputs(
    model: SceneModel, frames: Iterable[Frame], skip: frozenset[int]
) -> Iterator[tuple[Frame, Picture, dict[Modality, FloatMap], Motion | None]]:
    """Frames with their picture over the plate, what else the method reads, and the motion."""
    readers, plate = model.main.estimator.readers(), model.main.plate
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
