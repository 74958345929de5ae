"""One moment of a painted scene: what moves is laid over the empty scene, and the truth is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.sprites import Sprite, lay
from cleanplate.frames import FloatMap, Mask, Picture

STATIC, SHADOW, UNKNOWN, MOVING = 0, 50, 170, 255
DARKNESS = np.array([0.47, 0.45, 0.40], np.float32)
"""Share of the red, green and blue light that a cast shadow takes away."""
FAINTEST = 0.02


@dataclass(frozen=True)
class PaintedObject:
    """One moving thing as it is seen in a frame.

    Attributes:
        id: Its number; the same in every frame.
        kind: What it is: `car`, `van`, `bus`, `pedestrian`, and what other kinds of scene have.
        box: Left, top, width and height of its visible pixels.
        waiting_seconds: How long it has stood still; 0 when it moves.
        pixels: Number of its visible pixels.
    """

    id: int
    kind: str
    box: tuple[int, int, int, int]
    waiting_seconds: float
    pixels: int


class Thing(NamedTuple):
    """Something that moves or waits, with its picture.

    Attributes:
        id: Its number.
        kind: What it is.
        waiting: Seconds for which it has stood still.
        sprite: Its picture.
    """

    id: int
    kind: str
    waiting: float
    sprite: Sprite


class Staging:
    """A picture that is being painted, and its truth.

    Attributes:
        plate: `(H, W, 3)`, uint8, the empty scene.
        picture: The same with what moves.
        cover: `(H, W)`, how much of a pixel things cover, 0 to 1.
        shade: `(H, W)`, strength of the shadows that things cast, 0 to 1.
        owners: `(H, W)`, int32, which thing is seen: its place in `things` and 1; 0 is none.
        things: What was laid, behind to front.
    """

    def __init__(self, plate: Picture) -> None:
        self.plate = plate
        self.picture = plate.copy()
        self.cover = np.zeros(plate.shape[:2], np.float32)
        self.shade = np.zeros(plate.shape[:2], np.float32)
        self.owners: NDArray[np.int32] = np.zeros(plate.shape[:2], np.int32)
        self.things: list[Thing] = []

    def darken(self, shade: FloatMap, darkness: NDArray[np.float32] = DARKNESS) -> None:
        """Cast shadows, `(H, W)`, 0 to 1, on the picture as it is so far."""
        # the faint end of a soft edge would be neither seen nor static
        touched = shade > FAINTEST
        self.shade = np.where(touched, shade, np.float32(0))
        darker = self.picture[touched] * (1 - shade[touched][:, None] * darkness)
        self.picture[touched] = (darker + np.float32(0.5)).astype(np.uint8)

    def lay(self, thing: Thing, veil: FloatMap | None = None) -> None:
        """Lay a thing over the picture; `veil` is what nearer things leave visible of it."""
        sprite = thing.sprite
        self.things.append(thing)
        lay(sprite, self.picture, veil)
        alpha = sprite.alpha if veil is None else sprite.alpha * veil
        region = self.cover[sprite.window]
        region += (1 - region) * alpha
        self.owners[sprite.window][alpha >= 0.5] = len(self.things)

    def labels(self) -> Mask:
        """CDnet's labels, `(H, W)`, uint8."""
        labels = np.zeros(self.cover.shape, np.uint8)
        labels[self.shade > 0] = UNKNOWN
        labels[self.shade >= 0.5] = SHADOW
        labels[self.cover > 0] = UNKNOWN
        labels[self.cover >= 0.5] = MOVING
        return labels

    def objects(self) -> tuple[PaintedObject, ...]:
        """The things that are seen, behind to front."""
        objects = []
        for number, thing in enumerate(self.things, 1):
            own = self.owners == number
            pixels = int(np.count_nonzero(own))
            if pixels == 0:
                continue
            down = np.nonzero(own.any(axis=1))[0]
            across = np.nonzero(own.any(axis=0))[0]
            box = (
                int(across[0]),
                int(down[0]),
                int(across[-1] - across[0]) + 1,
                int(down[-1] - down[0]) + 1,
            )
            objects.append(
                PaintedObject(thing.id, thing.kind, box, round(thing.waiting, 6), pixels)
            )
        return tuple(objects)
