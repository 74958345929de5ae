"""Snowfall over a street: flakes of several sizes and speeds, white ground, grey light."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import PaintedIntersection
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import Sprite
from cleanplate.datasets.painted.staging import Staging
from cleanplate.datasets.painted.street.ground import (
    Textures,
    paint_ground,
    places_of,
    road_distance,
)
from cleanplate.datasets.painted.street.layout import LANE, MAIN_HALF
from cleanplate.datasets.painted.street.movers import Mover
from cleanplate.datasets.painted.street.views import view_of
from cleanplate.frames import FloatMap, Picture

FOG = np.array([196, 200, 206], np.float32)
WHITE = np.array([236, 240, 246], np.float32)
SIGHT = 150.0
"""Distance at which the falling snow hides most of a thing, metres."""
SHUTTER = 1 / 30


class _Swarm(NamedTuple):
    """Flakes of one distance, for a picture of 320x240.

    Attributes:
        number: How many are in the picture.
        speed: How fast they fall, pixels a second.
        width: Thickness, pixels.
        strength: How much of what is behind they hide, 0 to 1.
        blur: How far out of focus they are, pixels.
    """

    number: int
    speed: float
    width: float
    strength: float
    blur: float


SWARMS = (
    _Swarm(900, 45, 0.7, 0.45, 0.0),
    _Swarm(260, 95, 1.2, 0.75, 0.0),
    _Swarm(70, 190, 2.2, 0.8, 0.7),
    _Swarm(14, 420, 5.0, 0.6, 1.8),
)


class Snow(PaintedIntersection):
    """The street in winter; flakes belong to the empty scene of their moment."""

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        for crown in self._crowns:
            crown.still[..., :3] *= 0.45
            crown.still[..., :3] += 0.5 * WHITE * (crown.still[..., 3:] / 255)
        random = np.random.default_rng([settings.seed, 101])
        self._wind = float(random.uniform(-0.5, 0.5))
        self._flakes = [random.random((6, swarm.number)) for swarm in SWARMS]

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed)

    def _paint_ground(self) -> Picture:
        """Snow lies everywhere, thin and grey where wheels pass."""
        bare = paint_ground(self._camera, self.settings.seed, sunny=False).astype(np.float32)
        places = places_of(self._camera)
        textures = Textures(self.settings.seed + 1)
        rough = textures.sample(places, 2, 40) + 0.5 * textures.sample(places, 1, 12)
        main = np.abs(places.x) < MAIN_HALF
        across = np.where(main, np.abs(places.x), np.abs(places.y)) % LANE
        tracks = np.exp(-((np.abs(across - LANE / 2) - 0.8) ** 2) / 0.12)
        road = np.clip(-road_distance(places.x, places.y) / 0.8, 0, 1)
        bareness = np.clip(road * (0.42 + 0.5 * tracks + 0.12 * rough), 0, 0.92)
        snow = WHITE + (rough * 4 - 8)[..., None]
        white = snow + (0.8 * bare - snow) * bareness[..., None]
        sky = (self._camera.rays((0.5, 0.5))[2] > -1e-3)[..., None]
        far = (1 - np.exp(-np.hypot(places.x, places.y) / SIGHT))[..., None]
        white = np.where(sky, FOG, white + (FOG - white) * far)
        return np.clip(np.rint(white), 0, 255).astype(np.uint8)

    def _paint_base(self) -> tuple[Picture, FloatMap]:
        base, ground = super()._paint_base()
        veil = (0.4 * (1 - ground))[..., None]
        hazy = base * (1 - veil) + FOG * veil
        return np.rint(hazy).astype(np.uint8), ground

    def _seen_sprite(self, mover: Mover) -> Sprite:
        """Distance takes the colour away."""
        share = np.float32(1 - np.exp(-mover.depth / SIGHT))
        sprite = mover.sprite
        colour = sprite.colour * (1 - share) + sprite.alpha[..., None] * FOG * share
        return sprite._replace(colour=colour)

    def _show(self, index: int) -> Staging:
        staging = super()._show(index)
        fall = self._fall(self.time(index))
        staging.picture, staging.plate = (
            _snowed(staging.picture, fall),
            _snowed(staging.plate, fall),
        )
        return staging

    def _empty(self, index: int) -> Picture:
        return _snowed(super()._empty(index), self._fall(self.time(index)))

    def _fall(self, time: float) -> FloatMap:
        """How much of each pixel the flakes of a moment hide, `(H, W, 1)`, 0 to 1."""
        clear = np.ones(self.size, np.float32)
        for swarm, flakes in zip(SWARMS, self._flakes, strict=True):
            shown = flakes[:, : round(swarm.number * min(self.settings.strength, 1))]
            clear *= 1 - self._paint_swarm(swarm, shown, time)
        return (1 - clear)[..., None]

    def _paint_swarm(self, swarm: _Swarm, flakes: NDArray[np.float64], time: float) -> FloatMap:
        height, width = self.size
        scale = height / 240
        column, row, pace, size, phase, share = flakes
        speed = swarm.speed * (0.7 + 0.6 * pace) * scale
        way = row * (height + 30 * scale) + speed * time
        rounds, down = np.divmod(way, height + 30 * scale)
        # each time that it comes again it falls elsewhere
        gust = self._wind + 0.25 * np.sin(0.7 * time + 6.3 * phase)
        across = (column + rounds * 0.618) % 1 * (width + 60 * scale) - 30 * scale
        across = across + gust * (down - height / 2) + 2 * scale * np.sin(5 * time + 6.3 * phase)
        foot = np.stack([across, down - 15 * scale], axis=1)
        streak = np.stack([gust * speed, speed], axis=1) * SHUTTER
        larger = 4
        canvas = np.zeros((height * larger // 2, width * larger // 2), np.uint8)
        thick = np.maximum(1, np.rint(swarm.width * (0.6 + 0.8 * size) * scale * larger / 2))
        ends = np.rint(np.stack([foot - streak, foot], axis=1) * larger / 2 * 16).astype(int)
        grey = np.rint(255 * swarm.strength * (0.6 + 0.4 * share)).astype(int)
        for (start, end), wide, light in zip(
            ends.tolist(), thick.tolist(), grey.tolist(), strict=True
        ):
            cv2.line(canvas, start, end, light, int(wide), cv2.LINE_8, 4)
        small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
        alpha = small.astype(np.float32) * np.float32(1 / 255)
        return cv2.GaussianBlur(alpha, (0, 0), swarm.blur * scale) if swarm.blur else alpha


SCENE = Snow


def _snowed(picture: Picture, fall: FloatMap) -> Picture:
    return (picture + (WHITE - picture) * fall + np.float32(0.5)).astype(np.uint8)
