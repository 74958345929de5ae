"""The frames that a network learns from, kept on its device where they fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.frames import Modality
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_device, to_planes, to_shares

ReadBatch: TypeAlias = Callable[[NDArray[np.intp]], FrameBatch]
"""Frames by position, on the device."""
_MOST_OF_FREE = 0.5
"""Share of a GPU's free memory that frames may take; the rest is for learning."""


def open_batches(frames: LearningFrames, device: torch.device) -> ReadBatch:
    """Reads batches for learning, from the disk or, where a GPU has room for all, from there."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if size_in_bytes(frames) <= _MOST_OF_FREE * free:
            return DeviceFrames(frames, device).batch
    return lambda positions: make_batch(*frames.read(positions.tolist()), device)


def size_in_bytes(frames: LearningFrames) -> int:
    """What all frames with their other modalities take as tensors."""
    picture, extras = frames.read([0])
    return len(frames) * (picture.nbytes + sum(maps.nbytes for maps in extras.values()))


class DeviceFrames:
    """Frames that are read from the disk once and are on the device from then on.

    Nothing is read that no batch asks for, so that a short budget is not kept waiting.

    Args:
        frames: All of them.
        device: Where they go; it has to have room for all.
    """

    def __init__(self, frames: LearningFrames, device: torch.device) -> None:
        self._frames = frames
        self._device = device
        count, size = len(frames), frames.frames.size
        self._is_there = np.zeros(count, np.bool_)
        self._rgb = torch.empty((count, 3, *size), dtype=torch.uint8, device=device)
        _, extras = frames.read([0])
        self._extras: dict[Modality, Tensor] = {
            name: torch.empty((count, *maps.shape[1:]), device=device)
            for name, maps in extras.items()
        }

    def batch(self, positions: NDArray[np.intp]) -> FrameBatch:
        """The frames at these positions, as `make_batch` gives them."""
        self._fetch(positions)
        places = to_device(positions, self._device)
        extras = {name: stack[places] for name, stack in self._extras.items()}
        return FrameBatch(to_shares(self._rgb[places]), extras)

    def _fetch(self, positions: NDArray[np.intp]) -> None:
        missing = np.unique(positions[~self._is_there[positions]])
        if not len(missing):
            return
        pictures, extras = self._frames.read(missing.tolist())
        places = to_device(missing, self._device)
        self._rgb[places] = to_planes(pictures, self._device)
        for name, maps in extras.items():
            self._extras[name][places] = to_device(maps, self._device)
        self._is_there[missing] = True
