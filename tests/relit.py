"""Small frames in which something is lit otherwise, or only looks as if it were."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.frames import FloatMap, FrameSize, Mask, Picture

SIZE = FrameSize(120, 160)
CALM = np.full(SIZE, 3, np.uint8)
FLOOR = (128.0, 120.0, 108.0)
PATCH = np.s_[40:80, 50:110]
"""Where the light changes, or something stands."""
CASTER = np.s_[40:80, 20:50]
"""What stands beside it."""


class Seen(NamedTuple):
    """A frame, its background and what is foreground in it, `(H, W)`, 255 or 0."""

    picture: Picture
    background: Picture
    truth: Mask


def floor(*, texture: float, grey: bool = False, seed: int = 0) -> FloatMap:
    """A floor with so many grey levels of texture, `(H, W, 3)`."""
    random = np.random.default_rng(seed)
    pattern = cv2.GaussianBlur(random.normal(0, 1, SIZE).astype(np.float32), (0, 0), 1.0)
    pattern *= texture / pattern.std()
    levels = (120.0, 120.0, 120.0) if grey else FLOOR
    return np.asarray(np.float32(levels) + pattern[:, :, None], np.float32)


def seen(painted: FloatMap, background: FloatMap, truth: Mask, *, grey: bool = False) -> Seen:
    """Both with a sensor's noise, rounded; that of a grey camera is alike in all channels."""
    random = np.random.default_rng(7)
    shape = (*SIZE, 1) if grey else (*SIZE, 3)
    noisy = painted + random.normal(0, 1.5, shape).astype(np.float32)
    rounded = (np.clip(np.rint(each), 0, 255).astype(np.uint8) for each in (noisy, background))
    return Seen(*rounded, truth)


def relit(
    gain: float | FloatMap | tuple[float, float, float],
    *,
    texture: float,
    grey: bool = False,
    is_cast: bool = False,
) -> Seen:
    """The patch in another light; if it is cast, something stands beside it."""
    plate = floor(texture=texture, grey=grey)
    painted, truth = plate.copy(), np.zeros(SIZE, np.uint8)
    painted[PATCH] *= np.asarray(gain, np.float32)
    if is_cast:
        painted[CASTER] = (215, 215, 215) if grey else (200, 40, 60)
        truth[CASTER] = 255
    return seen(painted, plate, truth, grey=grey)


def hidden(
    colour: float | tuple[float, float, float],
    *,
    texture: float,
    grey: bool = False,
    is_beside: bool = False,
) -> Seen:
    """Something even stands in the patch; if it is beside, it is a part of what stands there."""
    plate = floor(texture=texture, grey=grey)
    painted, truth = plate.copy(), np.zeros(SIZE, np.uint8)
    painted[PATCH] = colour
    truth[PATCH] = 255
    if is_beside:
        painted[CASTER] = (215, 215, 215) if grey else (200, 40, 60)
        truth[CASTER] = 255
    return seen(painted, plate, truth, grey=grey)


def enclosed(share: float, *, texture: float) -> Seen:
    """Something with a part in its middle that is as a shadow would be."""
    plate = floor(texture=texture)
    painted, truth = plate.copy(), np.zeros(SIZE, np.uint8)
    painted[30:90, 40:120], truth[30:90, 40:120] = (200, 40, 60), 255
    painted[45:75, 60:100] = plate[45:75, 60:100] * share
    return seen(painted, plate, truth)


def half_drawn(gain: float, *, texture: float, drawn: float) -> Seen:
    """The patch in another light, before a background whose network drew something of its own."""
    lit = relit(gain, texture=texture)
    blotches = floor(texture=drawn, seed=1) - np.float32(FLOOR)
    background = lit.background.astype(np.float32)
    background[PATCH] += blotches[PATCH]
    return Seen(lit.picture, np.clip(np.rint(background), 0, 255).astype(np.uint8), lit.truth)


def lamp(*, texture: float) -> Seen:
    """A pool of light that fades outwards, on a dark floor."""
    plate = floor(texture=texture) * 0.4
    rows, columns = np.indices(SIZE)
    away = np.hypot(rows - 60, columns - 80) / 40
    gain = 1 + 2.5 * np.clip(1 - away, 0, 1)
    painted = plate * gain[:, :, None].astype(np.float32)
    return seen(painted, plate, np.zeros(SIZE, np.uint8))


def half_white(*, texture: float, is_usual: bool) -> Seen:
    """Sun so hard that half of the patch is all white, in the frame or in the background."""
    plate = floor(texture=texture)
    gain = np.ones((*SIZE, 1), np.float32)
    gain[PATCH] = np.linspace(1.4, 3.2, 60, dtype=np.float32)[None, :, None]
    pair = (plate, plate * gain) if is_usual else (plate * gain, plate)
    return seen(*pair, np.zeros(SIZE, np.uint8))


def agreement(mask: Mask, truth: Mask) -> float:
    """F of a mask; 1 where both are empty."""
    both = int(((mask > 0) & (truth > 0)).sum())
    total = int((mask > 0).sum() + (truth > 0).sum())
    return 2 * both / total if total else 1.0


OBJECTS = {
    "dark on a grey camera": hidden(45, texture=0.5, grey=True),
    "dark and rough floor": hidden(60, texture=6, grey=True),
    "dark on a floor without colours": hidden((60, 57, 52), texture=0.5),
    "dark part, grey": hidden(60, texture=0.5, grey=True, is_beside=True),
    "dark part that hides a pattern": hidden((64, 60, 54), texture=8, is_beside=True),
    "a dark window in a vehicle": enclosed(0.6, texture=0.5),
    "bright": hidden((220, 215, 210), texture=6),
    "white": hidden((255, 255, 255), texture=6),
}
CHANGES = {
    "shadow": relit(0.6, texture=6),
    "shadow, grey": relit(0.6, texture=6, grey=True),
    "shadow, even floor": relit(0.6, texture=0.5, is_cast=True),
    "hard shadow": relit((0.17, 0.2, 0.26), texture=10, is_cast=True),
    "sun": relit(1.7, texture=6),
    "sun that clips": relit((2.0, 2.0, 2.0), texture=6),
    "sun that is half white": half_white(texture=14, is_usual=False),
    "shade where half is white in the sun": half_white(texture=14, is_usual=True),
    "sun, half drawn": half_drawn(1.7, texture=6, drawn=6.1),
    "lamp": lamp(texture=6),
    "lamp of another colour": relit((1.8, 1.4, 0.95), texture=6),
}
