"""Changes of the light on painted frames, and what an infrared camera would have seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Picture
from scenes import as_bytes


def jumped(pictures: Picture, levels: float) -> Picture:
    """Frames `(..., H, W, 3)` that are lighter by so many grey levels, held in 0 to 255."""
    return as_bytes(pictures.astype(np.float32) + levels)


def exposed(pictures: Picture, gain: float | NDArray[np.floating]) -> Picture:
    """Frames of another exposure, or tint where each colour has a gain of its own."""
    return as_bytes(pictures.astype(np.float32) * gain)


def cloudy(pictures: Picture, gain: float, *, softness: float = 0.1) -> Picture:
    """Frames whose right half is lit otherwise, with a soft border.

    Args:
        pictures: `(..., H, W, 3)`.
        gain: Of the right half.
        softness: Width of the border as a share of the frame's width.
    """
    width = pictures.shape[-2]
    place = (np.arange(width) - width / 2) / (softness * width / 4)
    return exposed(pictures, 1 + (gain - 1) / (1 + np.exp(-place))[:, None])


def drifted(pictures: Picture, levels: float) -> Picture:
    """Frames `(N, H, W, 3)` that become lighter by so many grey levels from first to last."""
    light = np.linspace(0, levels, len(pictures))[:, None, None, None]
    return as_bytes(pictures.astype(np.float32) + light)


def infrared(pictures: Picture) -> Picture:
    """Frames as in the dark under an infrared lamp: grey, other contrasts, bright in the middle.

    Leaves and cloth reflect infrared in another way than what is seen, so that no gain and no
    offset makes one picture from the other.
    """
    red, green, blue = np.moveaxis(pictures.astype(np.float32), -1, 0)
    height, width = red.shape[-2:]
    down, across = (np.linspace(-1, 1, side) ** 2 for side in (height, width))
    lamp = 1.1 - 0.35 * (down[:, None] + across[None])
    grey = np.clip(190 - 0.9 * green + 0.8 * (red - blue), 15, 225) * lamp
    return as_bytes(np.repeat(grey[..., None], 3, axis=-1))


def light_slope(backgrounds: Picture, frames: Picture, plate: Picture) -> float:
    """Change of the backgrounds for each grey level of change of the frames' light.

    1 follows the light, 0 stands still. The light is the median difference to the plate, which less
    than half of a picture in foreground does not touch.
    """
    drawn, shown = (
        np.median(stack.mean(axis=-1) - plate.mean(axis=-1), axis=(1, 2))
        for stack in (backgrounds, frames)
    )
    return float(np.polyfit(shown, drawn, 1)[0])


def rolling(pictures: Picture, period: float, *, swing: float = 0.18) -> Picture:
    """Frames `(N, H, W, 3)` under lamps that flicker: dark bands, in each frame elsewhere.

    Args:
        pictures: In even light.
        period: Rows from one band to the next.
        swing: Of the light, as a share of it.
    """
    rows = np.arange(pictures.shape[1]) / period
    phases = 0.137 * np.arange(len(pictures))
    wave = np.sin(2 * np.pi * (rows - phases[:, None]))
    return exposed(pictures, 1 + swing * wave[..., None, None])
