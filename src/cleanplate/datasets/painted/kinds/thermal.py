"""A thermal camera over a street: hot and cold things, halos, drifting gain, little contrast."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import PaintedIntersection
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import Sprite
from cleanplate.datasets.painted.staging import Staging
from cleanplate.datasets.painted.street.ground import paint_ground
from cleanplate.datasets.painted.street.movers import Mover
from cleanplate.datasets.painted.street.views import view_of
from cleanplate.frames import FloatMap, Picture

GREY = np.array([0.35, 0.4, 0.25], np.float32)
CONTRAST = 0.28
"""What is left of the contrast of the picture by light."""
MEAN = 104.0
OPTICS = 0.7
"""Blur of the lens, pixels at 320x240."""
HALO = (0.35, 6.0)
"""Strength of the edge enhancement of the camera, and its radius in pixels at 320x240."""
GAIN = 0.09
OFFSET = 7.0


class Thermal(PaintedIntersection):
    """The street by its warmth; the halo around a thing is background."""

    is_grey = True

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        self._lamps = []
        for crown in self._crowns:
            leaves, alpha = crown.still[..., :3] @ GREY, crown.still[..., 3] / 255
            crown.still[..., :3] = (MEAN * alpha + CONTRAST * (leaves - 100 * alpha))[..., None]
        random = np.random.default_rng([settings.seed, 131])
        self._phases = random.uniform(0, 2 * np.pi, 4)
        self._columns = random.standard_normal(self.size.width).astype(np.float32) * 0.8

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed)

    def _paint_ground(self) -> Picture:
        return paint_ground(self._camera, self.settings.seed, sunny=False)

    def _paint_base(self) -> tuple[Picture, FloatMap]:
        base, ground = super()._paint_base()
        return _warmth(base), ground

    def _seen_sprite(self, mover: Mover) -> Sprite:
        """A body by its warmth: people are warm, vehicles are what they did before."""
        pose, sprite = mover.pose, mover.sprite
        random = np.random.default_rng([self.settings.seed, 137, pose.id])
        if pose.kind == "pedestrian":
            warm = float(random.choice([-16, 26, 38, 52], p=[0.1, 0.25, 0.35, 0.3]))
        else:
            warm = float(random.choice([-24, 18, 30, 46], p=[0.3, 0.25, 0.25, 0.2]))
        alpha = sprite.alpha[..., None]
        grey = (sprite.colour @ GREY)[..., None]
        height = np.linspace(-1, 1, sprite.alpha.shape[0], dtype=np.float32)[:, None, None]
        # feet and bonnets: people are warmest at the head, vehicles below
        lean = -6 * height if pose.kind == "pedestrian" else 9 * height
        colour = (MEAN + warm + lean) * alpha + CONTRAST * 0.6 * (grey - 110 * alpha)
        return sprite._replace(colour=np.repeat(np.maximum(colour, 0), 3, axis=2))

    def _show(self, index: int) -> Staging:
        staging = super()._show(index)
        staging.plate = self._develop(staging.plate, index)
        staging.picture = self._develop(staging.picture, index)
        return staging

    def _empty(self, index: int) -> Picture:
        return self._develop(super()._empty(index), index)

    def _develop(self, warmth: Picture, index: int) -> Picture:
        """What lens, edge enhancement and gain make of the warmth."""
        time, scale = self.time(index), self.size.height / 240
        plane = warmth[..., 1].astype(np.float32)
        plane = cv2.GaussianBlur(plane, (0, 0), OPTICS * scale)
        strength, radius = HALO
        # the enhancement is the camera's, and its radius is large: a quarter of the size will do
        small = cv2.resize(plane, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), radius * scale / 4)
        wide = cv2.resize(small, (plane.shape[1], plane.shape[0]), interpolation=cv2.INTER_LINEAR)
        plane += self.settings.strength * strength * (plane - wide)
        waves = np.sin(2 * np.pi * time / np.array([31.0, 13.0, 47.0, 19.0]) + self._phases)
        gain = 1 + self.settings.strength * GAIN * (0.7 * waves[0] + 0.3 * waves[1])
        offset = self.settings.strength * OFFSET * (0.7 * waves[2] + 0.3 * waves[3])
        plane = (plane - MEAN) * gain + MEAN + offset + self._columns
        grey = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        return cv2.merge([grey, grey, grey])


SCENE = Thermal


def _warmth(picture: Picture) -> Picture:
    """How warm the empty scene is, as grey levels: bright walls are warm, the sky is cold."""
    grey = picture.astype(np.float32) @ GREY
    cold = np.clip(picture[..., 2].astype(np.float32) - picture[..., 0] - 12, 0, 60)
    plane = MEAN + CONTRAST * (grey - 118) - 0.8 * cold
    return np.repeat(np.clip(np.rint(plane), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
