"""Backgrounds and masks of a scene's frames as tensors, which stay on their device."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.errors import FrameSizeError, SettingsError
from cleanplate.frames import FrameSize
from cleanplate.model import BackgroundModel
from cleanplate.scene_model import LearnedScene
from cleanplate.scene_model.states import StatePicker, compared_size
from cleanplate.tensor_segmentation import TensorSegmenter
from cleanplate.tensor_segmentation.resampling import enlarged_masks, reduced
from cleanplate.tensor_tools.batch import FrameBatch, to_grey_levels, to_shares


class TensorScene:
    """A scene on one device: its background for each frame, and the frames' masks.

    Args:
        scene: A learned scene.
        device: Where the frames are; a network has a device of its own, which is taken instead.

    Attributes:
        device: Where everything is.
        model: The network; None: the main state is a still plate.

    Raises:
        SettingsError: The scene needs more than the frames themselves.
    """

    def __init__(self, scene: LearnedScene, device: torch.device) -> None:
        model = scene.model
        main = model.main.estimator
        self.model: BackgroundModel | None = None
        self.device = device
        if main.network is not None:
            self.model, self.device = main.network
        elif main.still_plate is not None:
            self._plate = _planes(main.still_plate, device)
        else:
            raise SettingsError(
                "a network that another runtime runs has no tensors; load the scene without it"
            )
        _require_frames_suffice(scene)
        self._frame_size, self._working_size = model.frame_size, model.working_size
        correction = model.main.outstanding
        self._correction = None if correction is None else _planes(correction, self.device)
        self._picker = StatePicker.of(model)
        self._has_states = len(model.states) > 1
        self._others = [_planes(state.plate, self.device) for state in model.states[1:]]
        self._segmenter = TensorSegmenter(
            [state.noise for state in model.states],
            model.plan,
            shadows=[state.shadow for state in model.states],
            device=self.device,
        )

    def segment(self, pictures: Tensor) -> Tensor:
        """Foreground of frames, `(B, H, W)`, uint8, 0 or 255; see `Scene.segment_tensors`."""
        frames = self.reduced(pictures)
        backgrounds, states = self.finished(self.drawn(frames), frames)
        masks = self._segmenter.segment(frames, backgrounds, states)
        return enlarged_masks(masks, self._frame_size)

    def reduced(self, pictures: Tensor) -> Tensor:
        """Frames as `(B, 3, h, w)`, uint8, in the working size, on this device.

        Raises:
            FrameSizeError: They are not of the scene's size, or no frames at all.
        """
        frames = _channels_first(pictures, self._frame_size)
        return reduced(frames.to(self.device, non_blocking=True), self._working_size)

    def drawn(self, frames: Tensor) -> Tensor:
        """Background of the main state, uncorrected, for each reduced frame, `(B, 3, h, w)`."""
        if self.model is None:
            return self._plate.expand_as(frames)
        with torch.no_grad():
            return to_grey_levels(self.model.estimate_background(FrameBatch(to_shares(frames))))

    def finished(self, drawn: Tensor, frames: Tensor) -> tuple[Tensor, list[int]]:
        """Background and state of each frame, from what the method has drawn.

        Args:
            drawn: `(B, 3, h, w)`, uint8.
            frames: The reduced frames.
        """
        if self._correction is not None:
            drawn = (drawn.to(torch.int16) + self._correction).clamp_(0, 255).to(torch.uint8)
        states = self._picked(frames)
        if any(states):
            drawn = drawn.clone()
            for place, state in enumerate(states):
                if state:
                    drawn[place] = self._others[state - 1]
        return drawn, states

    def _picked(self, frames: Tensor) -> list[int]:
        if not self._has_states:
            return [0] * len(frames)
        # A state is told by a small copy of the frame, which is all that leaves the device.
        small = reduced(frames, compared_size(self._working_size)).permute(0, 2, 3, 1)
        return self._picker.pick(np.asarray(small.contiguous().cpu().numpy(), np.uint8))


def _require_frames_suffice(scene: LearnedScene) -> None:
    reads = ", ".join(scene.model.main.estimator.feature_extractors())
    if reads:
        raise SettingsError(
            f"'{scene.settings.method}' also reads {reads}, which is computed frame by frame; "
            "segment with Scene.segment instead"
        )
    if scene.model.camera.motion:
        raise SettingsError(
            "the camera of this scene shakes, and its frames are registered one by one; "
            "segment with Scene.segment instead"
        )


def _channels_first(pictures: Tensor, size: FrameSize) -> Tensor:
    """Frames as `(B, 3, H, W)`."""
    if pictures.dtype == torch.uint8:
        if tuple(pictures.shape[1:]) == (3, *size):
            return pictures
        if tuple(pictures.shape[1:]) == (*size, 3):
            return pictures.permute(0, 3, 1, 2)
    height, width = size
    raise FrameSizeError(
        f"frames of shape {tuple(pictures.shape)} and type {pictures.dtype} for a scene of {size}; "
        f"give uint8, (B, 3, {height}, {width}) or (B, {height}, {width}, 3)"
    )


def _planes(picture: NDArray[np.generic], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).to(device)
