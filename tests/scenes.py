"""Small painted scenes of a fixed camera, with the exact background and mask of every frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, FrameSize, Mask, Modality, Picture
from cleanplate.modalities import ModalitySettings, open_reader

_LIGHT_CYCLES = 1.5
_DARKEST, _BRIGHTEST = 45, 210
"""Range of the plate: light may drift by up to 90 grey levels before anything is cut off."""


@dataclass(frozen=True, eq=False)
class PaintedScene:
    """A recording of which everything is known; a stack of frames like a cache.

    Attributes:
        frames: What the camera saw, `(N, H, W, 3)`, uint8, RGB.
        backgrounds: What it would have seen without squares and noise, the same shape.
        masks: Where the squares are, `(N, H, W)`, uint8, 0 or 255.
    """

    frames: Picture
    backgrounds: Picture
    masks: Mask

    @property
    def size(self) -> FrameSize:
        return FrameSize(self.frames.shape[1], self.frames.shape[2])

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, positions: Sequence[int]) -> Picture:
        return self.frames[np.asarray(positions)]

    def read_rows(self, positions: Sequence[int], top: int, bottom: int) -> Picture:
        return self.frames[np.asarray(positions), top:bottom]

    def extras(
        self, modalities: Iterable[Modality], settings: ModalitySettings | None = None
    ) -> dict[Modality, FloatMap]:
        """What the readers give of every frame, for all modalities but RGB."""
        plate, settings = self.start_plate(), settings or ModalitySettings()
        extras = {}
        for modality in sorted(set(modalities) - {Modality.RGB}):
            reader = open_reader(modality, settings, plate)
            maps = [reader.read(frame, index) for index, frame in enumerate(self.frames)]
            extras[modality] = np.stack(maps)
        return extras

    def start_plate(self) -> Picture:
        """The plate that learning starts from: the median of the frames."""
        return middle(self.frames)

    def best_still_plate(self) -> Picture:
        """The best of all pictures that are the same in every frame."""
        return middle(self.backgrounds)

    def age(self, estimates: NDArray[np.generic]) -> float:
        """Mean absolute error of one background for each frame, in grey levels."""
        truth = self.backgrounds.astype(np.float32)
        return float(np.abs(np.asarray(estimates, np.float32) - truth).mean())


def paint_scene(
    height: int = 32,
    width: int = 48,
    count: int = 24,
    *,
    drift: float = 0.0,
    noise: float = 2.0,
    squares: int = 2,
    seed: int = 0,
) -> PaintedScene:
    """A static textured plate, squares that cross it, light that drifts, and sensor noise.

    Args:
        height: Of a frame, in pixels.
        width: Of a frame, in pixels.
        count: Number of frames.
        drift: Grey levels, peak to peak, by which all pixels follow the light.
        noise: Standard deviation of the sensor's noise, in grey levels.
        squares: How many squares move; each has a third of the frame's height.
        seed: Of plate, squares and noise.
    """
    random = np.random.default_rng(seed)
    plate = paint_plate(height, width, seed=seed)
    light = drift / 2 * np.sin(2 * np.pi * _LIGHT_CYCLES * np.arange(count) / count)
    clean = plate.astype(np.float32) + light.astype(np.float32)[:, None, None, None]
    seen = clean.copy()
    masks = np.zeros((count, height, width), np.uint8)
    side = height // 3
    for _ in range(squares):
        colour = random.choice([10, 245], size=3).astype(np.float32)
        top, left = random.integers(0, [height - side, width])
        speed = random.uniform(0.6, 1.4) * (width + side) / 20 * random.choice([-1, 1])
        for index in range(count):
            start = round(left + speed * index) % (width + side) - side
            place = (index, slice(top, top + side), slice(max(0, start), max(0, start + side)))
            seen[place] = colour
            masks[place] = 255
    seen += random.normal(0, noise, seen.shape).astype(np.float32)
    return PaintedScene(as_bytes(seen), as_bytes(clean), masks)


def paint_plate(height: int, width: int, *, seed: int = 0) -> Picture:
    """Ramps under blotches and grain, `(H, W, 3)`, from 45 to 210 grey levels."""
    random = np.random.default_rng((seed, 1))
    ramps = np.linspace(90, 150, width)[None, :, None] + np.linspace(-20, 20, height)[:, None, None]
    blotches = cv2.GaussianBlur(random.normal(0, 180, (height, width, 3)), (0, 0), 3.0)
    plate = ramps + blotches + random.normal(0, 2, (height, width, 1))
    return as_bytes(np.clip(plate, _DARKEST, _BRIGHTEST))


def write_image_folder(folder: Path, pictures: Picture) -> Path:
    """Writes RGB pictures as `in000001.png`, … and gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures, start=1):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        assert cv2.imwrite(str(folder / f"in{number:06d}.png"), bgr)
    return folder


def middle(pictures: Picture) -> Picture:
    """Median over time of each pixel and channel, `(H, W, 3)`, uint8."""
    return as_bytes(np.median(pictures, axis=0))


def as_bytes(values: NDArray[np.floating]) -> Picture:
    """Grey levels rounded and held in 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
