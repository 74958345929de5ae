"""Several scenes of one method in one call: their networks stacked, their frames side by side."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from cleanplate.errors import FrameSizeError, UsageError
from cleanplate.model import BackgroundModel
from cleanplate.runtimes.tensors import TensorScene
from cleanplate.scene_model import LearnedScene
from cleanplate.tensor_segmentation import TensorSegmenter
from cleanplate.tensor_segmentation.resampling import enlarged_masks
from cleanplate.tensor_tools.batch import FrameBatch, to_grey_levels, to_shares


class ScenesTogether:
    """Masks of the frames of several cameras, in one call for all of them.

    Where each network by itself would keep a GPU waiting for its next small operation, one does for
    all. The networks are copied: what is learned later is not seen.

    Args:
        scenes: At least one; of one method with the same settings of network and masks, one frame
            size, one working size, and on one device.
        device: Of the frames, where the scenes are still plates; networks have one of their own.

    Raises:
        UsageError: There are none, or they differ in what has to be the same.
        SettingsError: One of them needs more than the frames themselves.
    """

    def __init__(self, scenes: Sequence[LearnedScene], device: torch.device | str = "cpu") -> None:
        _require_alike(scenes)
        self._frame_size = scenes[0].model.frame_size
        self._scenes = [TensorScene(scene, torch.device(device)) for scene in scenes]
        if len({scene.device for scene in self._scenes}) > 1:
            raise UsageError("the scenes are on several devices; load them on one")
        counts = [len(scene.model.states) for scene in scenes]
        self._first_views = [sum(counts[:at]) for at in range(len(counts))]
        states = [state for scene in scenes for state in scene.model.states]
        self._segmenter = TensorSegmenter(
            [state.noise for state in states],
            scenes[0].model.plan,
            shadows=[state.shadow for state in states],
            device=self._scenes[0].device,
        )
        models = [scene.model for scene in self._scenes if scene.model is not None]
        self._stack = _Stack(models) if models and models[0].is_one_graph else None

    @property
    def is_stacked(self) -> bool:
        """Whether the networks are one operation; otherwise one draws after the other."""
        return self._stack is not None

    def segment(self, pictures: Tensor) -> Tensor:
        """Foreground of the frames of each scene, `(S, B, H, W)`, uint8, 0 or 255, on their device.

        Each frame is judged by itself, as by `Scene.segment_tensors`.

        Args:
            pictures: `(S, B, 3, H, W)` or `(S, B, H, W, 3)`, uint8, RGB, for S scenes.

        Raises:
            FrameSizeError: They are not of the scenes' size, or of another number of scenes.
        """
        if pictures.ndim != 5 or len(pictures) != len(self._scenes):
            raise FrameSizeError(
                f"frames of shape {tuple(pictures.shape)} for {len(self._scenes)} scenes; "
                "give (scenes, frames, 3, height, width)"
            )
        count = pictures.shape[1]
        frames = self._scenes[0].reduced(pictures.flatten(0, 1))
        drawn = self.draw(frames.unflatten(0, (-1, count)))
        backgrounds, views = [], []
        for at, (scene, first) in enumerate(zip(self._scenes, self._first_views, strict=True)):
            own = frames[at * count : (at + 1) * count]
            background, states = scene.finished(drawn[at], own)
            backgrounds.append(background)
            views += [first + state for state in states]
        masks = self._segmenter.segment(frames, torch.cat(backgrounds), views)
        return enlarged_masks(masks, self._frame_size).unflatten(0, (-1, count))

    def draw(self, frames: Tensor) -> Tensor:
        """What the method draws for reduced frames, `(S, B, 3, h, w)`, uint8, not corrected."""
        if self._stack is None:
            pairs = zip(self._scenes, frames, strict=True)
            return torch.stack([scene.drawn(own) for scene, own in pairs])
        with torch.no_grad():
            return to_grey_levels(self._stack.estimate(to_shares(frames)))


class _Estimate(nn.Module):
    """A network as a function of colours alone."""

    def __init__(self, model: BackgroundModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, rgb: Tensor) -> Tensor:
        return self.model.estimate_background(FrameBatch(rgb))


class _Stack:
    """Networks of one form as one function of all their frames.

    Args:
        models: In evaluation mode.
    """

    def __init__(self, models: Sequence[BackgroundModel]) -> None:
        estimates = [_Estimate(model) for model in models]
        self._numbers = stack_module_state(list(estimates))
        # It has the form alone: a number that was not stacked would not go unnoticed.
        self._form = copy.deepcopy(estimates[0]).to("meta")

    def estimate(self, rgb: Tensor) -> Tensor:
        """Backgrounds `(S, B, 3, h, w)` of frames of that shape, float in [0, 1]."""
        return torch.vmap(self._one)(self._numbers, rgb)

    def _one(self, numbers: tuple[dict[str, Tensor], dict[str, Tensor]], rgb: Tensor) -> Tensor:
        return functional_call(self._form, numbers, (rgb,))


def _require_alike(scenes: Sequence[LearnedScene]) -> None:
    if not scenes:
        raise UsageError("no scenes are given; give at least one")
    facts: dict[str, list[Any]] = {
        "method": [scene.settings.method for scene in scenes],
        "frame size": [scene.model.frame_size for scene in scenes],
        "working size": [scene.model.working_size for scene in scenes],
        "settings of the network": [scene.settings.model for scene in scenes],
        "settings of the masks": [scene.settings.segmentation for scene in scenes],
    }
    for name, values in facts.items():
        for value in values[1:]:
            if value != values[0]:
                raise UsageError(
                    f"scenes that are segmented together have one {name}, not {values[0]} and "
                    f"{value}; segment them apart"
                )
