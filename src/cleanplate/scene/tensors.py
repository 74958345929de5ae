"""Backgrounds and masks of a scene's frames as tensors, which stay on their device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.batch import FrameBatch, to_grey_levels, to_shares
from cleanplate.errors import FrameSizeError, SettingsError
from cleanplate.frames import FrameSize, Mask
from cleanplate.model import BackgroundModel
from cleanplate.scene.estimators import NetworkEstimator, StillPlate, unmended
from cleanplate.scene.states import StatesEstimator, compared_size, main_of, other_states
from cleanplate.segmentation import SegmentationPlan, ShadowModel
from cleanplate.tensor_segmentation import TensorSegmenter
from cleanplate.tensor_segmentation.resampling import enlarged_masks, reduced

if TYPE_CHECKING:
    from cleanplate.scene.scene import Scene


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

    def __init__(self, scene: Scene, device: torch.device) -> None:
        main, repair = unmended(main_of(scene.estimator))
        if not isinstance(main, NetworkEstimator | StillPlate):
            raise SettingsError(
                "a network that another runtime runs has no tensors; load the scene without it"
            )
        _require_frames_suffice(scene)
        self.model: BackgroundModel | None = None
        self.device = device
        if isinstance(main, NetworkEstimator):
            self.model, self.device = main.model, main.device
        else:
            self._plate = _planes(main.plate, device)
        self._frame_size, self._working_size = scene.frame_size, scene.working_size
        self._repair = None if repair is None else _planes(repair, self.device)
        states = scene.estimator if isinstance(scene.estimator, StatesEstimator) else None
        self._states = states
        self._others = [
            _planes(state.plate, self.device) for state in other_states(scene.estimator)
        ]
        noises, shadows = views_of(scene)
        plan = SegmentationPlan.of(scene.settings.segmentation, scene.working_size)
        self._segmenter = TensorSegmenter(noises, plan, shadows=shadows, device=self.device)

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
        """Background of the main state for each reduced frame, `(B, 3, h, w)`, uint8, unmended."""
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
        if self._repair is not None:
            drawn = (drawn.to(torch.int16) + self._repair).clamp_(0, 255).to(torch.uint8)
        states = self._picked(frames)
        if any(states):
            drawn = drawn.clone()
            for place, state in enumerate(states):
                if state:
                    drawn[place] = self._others[state - 1]
        return drawn, states

    def _picked(self, frames: Tensor) -> list[int]:
        if self._states is None:
            return [0] * len(frames)
        # A state is told by a small copy of the frame, which is all that leaves the device.
        small = reduced(frames, compared_size(self._working_size)).permute(0, 2, 3, 1)
        return self._states.pick(np.asarray(small.contiguous().cpu().numpy(), np.uint8))


def views_of(scene: Scene) -> tuple[list[Mask], list[ShadowModel | None]]:
    """Noise and shadows of each state of a scene, the main one first."""
    others = [state.noise for state in other_states(scene.estimator)]
    return [scene.noise, *others], [scene.shadow, *(None for _ in others)]


def _require_frames_suffice(scene: Scene) -> None:
    reads = ", ".join(scene.estimator.readers())
    if reads:
        raise SettingsError(
            f"'{scene.settings.method}' also reads {reads}, which is computed frame by frame; "
            "segment with Scene.segment instead"
        )
    if scene.shake.motion:
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
