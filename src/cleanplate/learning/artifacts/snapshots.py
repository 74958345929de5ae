"""The same few frames seen by the network at several moments of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from cleanplate.background import spread_positions
from cleanplate.frames import FrameSize, Picture
from cleanplate.learning.artifacts.tiles import tile, title_strip
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.model import BackgroundModel
from cleanplate.scene_file import png
from cleanplate.segmentation import Segmenter
from cleanplate.segmentation.difference import residual
from cleanplate.tensor_tools.batch import make_batch, to_pictures
from cleanplate.training.checkpoint import Position
from cleanplate.writing import make_own_folder, write_whole

_MOMENTS = (0.0, 0.1, 0.3, 1.0)
"""Shares of the budget at which the network is looked at."""
_FRAMES = 3
_COLUMNS = 4


@dataclass(frozen=True, eq=False)
class Moment:
    """What the network made of the frames after some steps.

    Attributes:
        steps: Steps done by then.
        backgrounds: `(N, h, w, 3)`, uint8, RGB.
    """

    steps: int
    backgrounds: Picture


class MomentWatcher:
    """Looks at a model in training; changes neither it nor its random numbers.

    Moments are kept in a folder too, so that a resumed run has those before the break.

    Attributes:
        pictures: The frames that are looked at, `(N, h, w, 3)`, uint8, RGB.
    """

    def __init__(
        self, inputs: LearningFrames, device: torch.device, *, folder: Path | None
    ) -> None:
        self.pictures, extras = inputs.read(spread_positions(len(inputs), _FRAMES))
        self._batch = make_batch(self.pictures, extras, device)
        self._folder = folder
        self._moments = {moment.steps: moment for moment in self._saved()}
        self._next = len(self._moments)

    @property
    def moments(self) -> Sequence[Moment]:
        """What was seen so far, in order."""
        return [self._moments[steps] for steps in sorted(self._moments)]

    def look(self, model: BackgroundModel, position: Position, progress: float) -> None:
        """Called before the first step and after every one."""
        if self._next >= len(_MOMENTS) or progress < _MOMENTS[self._next]:
            return
        while self._next < len(_MOMENTS) and progress >= _MOMENTS[self._next]:
            self._next += 1
        was_training = model.training
        model.eval()
        with torch.no_grad(), torch.random.fork_rng(devices=_cuda(self._batch.rgb.device)):
            backgrounds = to_pictures(model.estimate_background(self._batch))
        model.train(was_training)
        self._moments[position.steps] = Moment(position.steps, backgrounds)
        if self._folder is not None:
            make_own_folder(self._folder)
            stack = backgrounds.reshape(-1, *backgrounds.shape[2:])
            write_whole(self._folder / f"{position.steps:08d}.png", png(stack[..., ::-1]))

    def _saved(self) -> list[Moment]:
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.glob("*.png")):
            stack = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
            if stack is not None and stack.size == self.pictures.size:
                found.append(Moment(int(path.stem), stack.reshape(self.pictures.shape)))
        return found


def draw_moments(pictures: Picture, moments: Sequence[Moment], segmenter: Segmenter) -> Picture:
    """Grid of input | background | residual | mask, a row for each frame at each moment."""
    rows = []
    size = FrameSize(*pictures.shape[1:3])
    for moment in moments:
        title = f"after {moment.steps} steps: input, background, residual, mask"
        rows.append(title_strip(title, _COLUMNS))
        for picture, background in zip(pictures, moment.backgrounds, strict=True):
            mask = segmenter.segment(picture, background)
            heat = cv2.applyColorMap(residual(picture, background), cv2.COLORMAP_INFERNO)
            tiles = (picture, background, heat[..., ::-1], np.repeat(mask[..., None], 3, axis=2))
            rows.append(np.concatenate([tile(each, size) for each in tiles], axis=1))
    return np.concatenate(rows)


def _cuda(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []
