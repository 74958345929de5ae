"""What every painted scene has: frames with exact truth, one plate for scoring, sensor noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.staging import PaintedObject, Staging
from cleanplate.frames import FloatMap, FrameSize, Mask, Picture

WARMTH = np.array([1.12, 1.0, 0.88])
PLATE_SAMPLES = 81
NOISE_LEVELS = 4096


@dataclass(frozen=True, eq=False)
class PaintedFrame:
    """One frame with its truth.

    Attributes:
        index: Position in the clip, from 0.
        time: Seconds from the first frame.
        picture: `(H, W, 3)`, uint8, RGB, with sensor noise.
        plate: `(H, W, 3)`, uint8, RGB: the same moment of the empty scene, without noise.
        labels: `(H, W)`, uint8, CDnet's: 0 static, 50 shadow, 170 unknown edge, 255 moving.
        objects: What moves or waits and is seen, behind to front.
    """

    index: int
    time: float
    picture: Picture
    plate: Picture
    labels: Mask
    objects: tuple[PaintedObject, ...]


class PaintedScene(ABC):
    """A clip of one fixed camera with exact truth; a kind of scene says what a moment shows.

    Frames can be read in any order; a frame depends on the settings and its index only.

    Attributes:
        settings: What is painted.
        size: Size of a frame.
        is_grey: Whether red, green and blue are the same.
    """

    is_grey: ClassVar[bool] = False

    def __init__(self, settings: PaintedSettings) -> None:
        self.settings = settings
        self.size = FrameSize(*settings.size)

    def __len__(self) -> int:
        return self.settings.frames

    def frame(self, index: int) -> PaintedFrame:
        """One frame with its truth.

        Raises:
            IndexError: The clip has no such frame.
        """
        time = self.time(index)
        shown = self._show(index)
        return PaintedFrame(
            index,
            time,
            self._add_noise(shown.picture, index),
            shown.plate,
            shown.labels(),
            shown.objects(),
        )

    def plate(self, index: int) -> Picture:
        """The exact empty scene of one frame, `(H, W, 3)`, uint8, RGB.

        Raises:
            IndexError: The clip has no such frame.
        """
        self.time(index)
        return self._empty(index)

    @cached_property
    def still_plate(self) -> Picture:
        """One plate for scoring: the median of exact plates spread evenly over the clip."""
        count = min(len(self), PLATE_SAMPLES)
        chosen = np.unique(np.linspace(0, len(self) - 1, count).round().astype(int))
        stack = np.stack([self.plate(int(index)) for index in chosen])
        middle = (len(chosen) - 1) // 2
        rows = [
            np.partition(stack[:, row], middle, axis=0)[middle] for row in range(self.size.height)
        ]
        return np.stack(rows)

    def time(self, index: int) -> float:
        """When a frame is, in seconds from the first.

        Raises:
            IndexError: The clip has no such frame.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame index {index} is outside the clip; give 0 to {len(self) - 1}")
        return index / self.settings.frame_rate

    def light(self, time: float, brightness: float) -> NDArray[np.uint8]:
        """What the light of a moment makes of every grey level, `(1, 256, 3)`, for `cv2.LUT`.

        Args:
            time: Seconds from the first frame.
            brightness: Mean of the plate, grey levels.
        """
        share = time / max(self.time(len(self) - 1), 1e-9)
        drift = -0.5 * np.cos(2 * np.pi * share) * self.settings.light_drift
        gain = 1 + drift / brightness * WARMTH / WARMTH.mean()
        table = np.arange(256)[:, None] * gain[None, :]
        return np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]

    @abstractmethod
    def _show(self, index: int) -> Staging:
        """A moment with its truth, before the noise."""

    @abstractmethod
    def _empty(self, index: int) -> Picture:
        """The empty scene of a moment, the plate of what `_show` gives."""

    def _noise_gain(self, _picture: Picture) -> FloatMap | None:
        """The noise of each pixel as a multiple of the setting, `(H, W, 1)`; None is 1."""
        return None

    def _add_noise(self, picture: Picture, index: int) -> Picture:
        if self.settings.noise == 0:
            return picture
        random = np.random.Generator(
            np.random.SFC64(np.random.SeedSequence([self.settings.seed, 61, index]))
        )
        shape = (*self.size, 1 if self.is_grey else 3)
        count = int(np.prod(shape))
        draws = np.frombuffer(random.bytes(2 * count), np.uint16) & (NOISE_LEVELS - 1)
        noise = self._noise_table[draws].reshape(shape)
        if self.is_grey:
            noise = np.repeat(noise, 3, axis=2)
        share = self._noise_gain(picture)
        if share is not None:
            noise = noise * share
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U))

    @cached_property
    def _noise_table(self) -> FloatMap:
        """Equally likely values of the noise; to look one up is four times as fast as a draw."""
        normal = NormalDist(0, self.settings.noise)
        shares: NDArray[np.float64] = (np.arange(NOISE_LEVELS) + 0.5) / NOISE_LEVELS
        return np.array([normal.inv_cdf(float(share)) for share in shares], np.float32)
