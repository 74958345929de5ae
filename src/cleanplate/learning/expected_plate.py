"""What the empty scene is expected to look like in each frame: training weighs frames by it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.frames import FloatMap, FrameSize, Mask, Picture
from cleanplate.learning.device_frames import ReadBatch
from cleanplate.nn.view import enlarge
from cleanplate.segmentation.shown_through import ShownThrough
from cleanplate.tensor_tools.batch import (
    FrameBatch,
    to_device,
    to_grey_levels,
    to_shares,
    to_tensor,
)

_CERTAIN_FROM, _CERTAIN = 0.6, 0.85
"""Shares of a frame's texture that are the plate's: evidence of the scene, and certainty."""
_GAIN_STEP = 8
"""Pixels of a frame for each row and column of a map of gains."""
_REACHES = ((0.25, 1.0), (0.5, 0.1), (1.0, 0.01))
"""Sides of the windows whose certain places tell the light, as a share of the width, and the weight
of each: the wider ones count where the narrower ones hold next to no such place."""
_LEAST_CERTAIN = 0.02
"""Share of the picture without which nothing is known of the light but its median."""
_MOST_CONTRAST = 4.0
"""Largest gain, and the inverse of the least."""
_DARK = 4.0
"""Grey levels added before a ratio is taken, so that noise in the dark does not matter."""
_WHITE = 255


class ExpectedPlate:
    """Adds the initial plate, brought into the light of each frame, to batches of frames.

    Where the texture of the plate shows through a frame, whatever the light, the frame itself is
    expected. Elsewhere the plate is, in the light of the nearest such places. A network's own
    background cannot serve here: what it has begun to draw would count more and more.

    Args:
        plate: Initial plate in the size of the frames, `(H, W, 3)`.
        contested: `(H, W)`, places where only soft light may be learned; None: none.
        device: Of the batches.
    """

    def __init__(
        self, plate: Picture, contested: NDArray[np.bool_] | None, device: torch.device
    ) -> None:
        self._device = device
        self._plate = to_tensor(plate[None], device)
        self._texture = ShownThrough(plate)
        self._light = _NearestLight(plate)
        self._known: dict[int, _Known] = {}
        self._contested: Tensor | None = None
        if contested is not None and contested.any():
            self._contested = to_device(np.ascontiguousarray(contested), device)[None, None]

    def added_to(self, read: ReadBatch) -> ReadBatch:
        """A reader of batches that hold the expected plates too."""

        def read_with_plates(positions: NDArray[np.intp]) -> FrameBatch:
            batch = read(positions)
            expected = self._expected(positions.tolist(), batch.rgb)
            return replace(batch, expected=expected, contested=self._contested)

        return read_with_plates

    def _expected(self, positions: list[int], frames: Tensor) -> Tensor:
        known = [self._look_at(*pair) for pair in zip(positions, frames, strict=True)]
        size = tuple(frames.shape[-2:])
        shown = to_device(np.stack([each.shown for each in known])[:, None], self._device)
        gains = to_device(np.stack([each.gains for each in known]), self._device)
        lit = (self._plate * enlarge(gains, size)).clamp_(max=1)
        certain = enlarge(to_shares(shown), size)
        if self._contested is not None:
            # What waits there for long must not come through by a likeness of textures.
            certain = certain.masked_fill(self._contested, 0)
        return torch.lerp(lit, frames, certain)

    def _look_at(self, position: int, frame: Tensor) -> _Known:
        """What is known of a frame `(3, H, W)`; found out when it is first met."""
        if position not in self._known:
            picture = to_grey_levels(frame).permute(1, 2, 0).cpu().contiguous().numpy()
            share = self._texture.share(picture)
            certain = np.clip((share - _CERTAIN_FROM) / (_CERTAIN - _CERTAIN_FROM), 0, 1)
            shown = np.rint(_WHITE * certain).astype(np.uint8)
            self._known[position] = _Known(shown, self._light.gains(picture, certain))
        return self._known[position]


class _Known(NamedTuple):
    """Texture and light of a frame.

    Attributes:
        shown: How surely the plate shows through, `(H // 2, W // 2)`, uint8, 255 is certain.
        gains: Light in comparison with the plate, `(3, h, w)`.
    """

    shown: Mask
    gains: FloatMap


class _NearestLight:
    """The light of frames by that of the places where a plate surely shows through.

    Args:
        plate: `(H, W, 3)`, uint8, RGB.
    """

    def __init__(self, plate: Picture) -> None:
        height, width, _ = plate.shape
        self._size = FrameSize(max(1, height // _GAIN_STEP), max(1, width // _GAIN_STEP))
        self._plate = self._reduced(plate)

    def gains(self, picture: Picture, certain: FloatMap) -> FloatMap:
        """Gains `(3, h, w)`, soft, of a picture `(H, W, 3)` against the plate.

        Args:
            picture: uint8, RGB.
            certain: How surely the plate shows through, in any size, 0 to 1.
        """
        shown = self._reduced(picture)
        if float(certain.mean()) < _LEAST_CERTAIN:
            whole = np.median((shown + _DARK) / (self._plate + _DARK), axis=(0, 1))
            gains = np.broadcast_to(whole, shown.shape)
        else:
            # Cubed, since rims of objects are half certain.
            weight = self._reduced(certain)[..., None] ** 3 + np.float32(1e-6)
            lit, plain = (self._gathered(weight * (each + _DARK)) for each in (shown, self._plate))
            gains = lit / plain
        limited = np.clip(gains, 1 / _MOST_CONTRAST, _MOST_CONTRAST).astype(np.float32)
        return np.ascontiguousarray(limited.transpose(2, 0, 1))

    def _gathered(self, values: FloatMap) -> FloatMap:
        """Weighted means over the windows around each place."""
        total = np.zeros_like(values)
        for reach, weight in _REACHES:
            side = 2 * round(reach * self._size.width / 2) + 1
            total += weight * cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
        return total

    def _reduced(self, values: Picture | FloatMap) -> FloatMap:
        small = cv2.resize(values, self._size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32)
