"""Animals in an arena from above: a grey camera, uneven light, and long rests."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.animals import Brush, paint_fly, paint_mouse
from cleanplate.datasets.painted.scene import PaintedScene
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import Bounds, Sprite, reduce_canvas
from cleanplate.datasets.painted.staging import Staging, Thing
from cleanplate.frames import FloatMap, Picture

STEP = 0.1
"""Seconds between two places of a way."""
CONTACT = 0.34
"""Strength of the soft shadow around an animal."""


class _Species(NamedTuple):
    """What lives in the arena; lengths are shares of the height of the picture.

    Attributes:
        kind: Its name in the list of objects.
        number: Least and most animals.
        length: Least and greatest length of a body.
        fur: Darkest and brightest grey.
        floor: The same for the floor.
        speed: Lengths of its body a second while it runs.
        rest: Shortest and longest rest in seconds, at the strength 1.
        is_round: Whether the arena is a dish.
    """

    kind: str
    number: tuple[int, int]
    length: tuple[float, float]
    fur: tuple[float, float]
    floor: tuple[float, float]
    speed: float
    rest: tuple[float, float]
    is_round: bool


SPECIES = (
    _Species("mouse", (2, 4), (0.13, 0.17), (34, 92), (120, 170), 2.6, (5, 22), is_round=False),
    _Species("mouse", (2, 4), (0.12, 0.17), (150, 222), (86, 122), 2.6, (5, 22), is_round=False),
    _Species("fly", (7, 12), (0.034, 0.045), (40, 110), (150, 195), 6.0, (4, 20), is_round=True),
)


class _Way(NamedTuple):
    """Where an animal is every `STEP` seconds: places in pixels, headings, seconds of rest."""

    places: NDArray[np.float64]
    headings: NDArray[np.float64]
    rests: NDArray[np.float64]


class Arena(PaintedScene):
    """A box of mice or a dish of flies."""

    is_grey = True

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        random = np.random.default_rng([settings.seed, 191])
        self._species = SPECIES[(settings.seed + int(random.integers(2))) % len(SPECIES)]
        height, width = self.size
        self._middle = np.array([width / 2, height / 2])
        self._half = np.array([min(0.46 * width, 0.62 * height), 0.44 * height])
        if self._species.is_round:
            self._half[:] = 0.45 * min(height, width)
        self._floor = self._paint_floor(random)
        low, high = self._species.number
        self._bodies = [
            (
                float(random.uniform(*self._species.length)) * height,
                float(random.uniform(*self._species.fur)),
            )
            for _ in range(int(random.integers(low, high + 1)))
        ]
        self._light_map = self._paint_light(random)
        self._ways = [self._walk(length, random) for length, _ in self._bodies]

    def _empty(self, index: int) -> Picture:
        lit = self._lit(self._floor, self.time(index))
        return cv2.merge([lit, lit, lit])

    def _show(self, index: int) -> Staging:
        time = self.time(index)
        floor = self._empty(index)
        staging = Staging(floor)
        shade = np.zeros(self.size, np.float32)
        light = self._light_map * self._gain(time)
        things = []
        for number, ((length, fur), way) in enumerate(zip(self._bodies, self._ways, strict=True)):
            at = min(time / STEP, len(way.places) - 1.001)
            first, share = int(at), at % 1
            place = way.places[first] * (1 - share) + way.places[first + 1] * share
            heading = float(way.headings[first] * (1 - share) + way.headings[first + 1] * share)
            rest = float(way.rests[first])
            pace = 0.0 if rest > 0 else time
            sprite = self._paint_animal(place, heading, length, fur, pace)
            near = light[sprite.window][..., None]
            things.append(
                Thing(
                    1 + number,
                    self._species.kind,
                    rest,
                    sprite._replace(colour=sprite.colour * near),
                )
            )
            soft = cv2.GaussianBlur(sprite.alpha, (0, 0), max(0.03 * length, 0.5))
            np.maximum(shade[sprite.window], CONTACT * soft, out=shade[sprite.window])
        staging.darken(shade, np.full(3, 0.6, np.float32))
        for thing in things:
            staging.lay(thing)
        return staging

    def _lit(self, plane: FloatMap, time: float) -> Picture:
        lit = plane * self._light_map * self._gain(time)
        return np.clip(np.rint(lit), 0, 255).astype(np.uint8)

    def _gain(self, time: float) -> np.float32:
        return np.float32(self.light(time, 130.0)[0, 200, 1] / 200)

    def _paint_light(self, random: np.random.Generator) -> FloatMap:
        """A lamp above one corner and the fall of light towards the rim."""
        rows, columns = np.indices(self.size, dtype=np.float32)
        lamp = self._middle + random.uniform(-0.55, 0.55, 2) * self._half
        away = np.hypot(columns - lamp[0], rows - lamp[1]) / self.size.height
        light = 0.5 + 0.62 * np.exp(-((away / 0.62) ** 2))
        return np.asarray(light**self.settings.strength, np.float32)

    def _paint_floor(self, random: np.random.Generator) -> FloatMap:
        """Floor with bedding and stains, walls, and the table around."""
        rows, columns = np.indices(self.size, dtype=np.float32)
        across, down = (
            (columns - self._middle[0]) / self._half[0],
            (rows - self._middle[1]) / self._half[1],
        )
        out = (
            np.hypot(across, down) if self._species.is_round else np.maximum(abs(across), abs(down))
        )
        grain, patch = (self._field(random, size) for size in (0.7, 9.0))
        scale = self.size.height / 240
        rough = 1.5 if self._species.is_round else 7.0
        floor = float(random.uniform(*self._species.floor)) + rough * grain + 4 * patch
        for _ in range(int(random.integers(4, 10))):
            spot = self._middle + random.uniform(-0.8, 0.8, 2) * self._half
            far = np.hypot(columns - spot[0], rows - spot[1]) / scale
            floor -= float(random.uniform(5, 22)) * np.exp(
                -((far / float(random.uniform(1.5, 8))) ** 2)
            )
        wall = 208 + 3 * grain - 40 * np.clip((out - 1.0) / 0.02, 0, 1)
        table = 64 + 4 * patch + 2 * grain
        edge = self._half[1]
        inside = np.clip((1 - out) * edge + 0.5, 0, 1)
        rim = np.clip((1.07 - out) * edge + 0.5, 0, 1)
        floor -= 34 * np.exp(-((1 - out).clip(0) * edge / (4 * scale)))
        return np.asarray(
            floor * inside + (1 - inside) * (wall * rim + table * (1 - rim)), np.float32
        )

    def _field(self, random: np.random.Generator, grain: float) -> FloatMap:
        rough = random.standard_normal(self.size).astype(np.float32)
        smooth = cv2.GaussianBlur(rough, (0, 0), grain * self.size.height / 240)
        return np.asarray(smooth / smooth.std(), np.float32)

    def _walk(self, length: float, random: np.random.Generator) -> _Way:
        """Runs towards places of its choice, short stops and long rests."""
        steps = math.ceil(self.settings.seconds / STEP) + 2
        places, headings, rests = np.zeros((steps, 2)), np.zeros(steps), np.zeros(steps)
        room = 0.92 - 0.6 * length / float(self._half.min())
        place, heading = self._target(room, random), float(random.uniform(-math.pi, math.pi))
        goal, left, still = self._target(room, random), float(random.uniform(0, 12)), 0.0
        speed = 0.0
        for step in range(steps):
            places[step], headings[step], rests[step] = place, heading, still
            if left > 0:
                left -= STEP
                still += STEP
                continue
            still = 0.0
            way = goal - place
            wish = math.atan2(way[1], way[0])
            turn = (wish - heading + math.pi) % (2 * math.pi) - math.pi
            heading += float(np.clip(turn, -4.0 * STEP, 4.0 * STEP)) + float(random.normal(0, 0.06))
            top = self._species.speed * length * (0.35 + 0.65 * max(math.cos(turn), 0.0))
            speed += (top - speed) * 0.4
            move = np.array([math.cos(heading), math.sin(heading)]) * speed * STEP
            place = self._inside(place + move, room)
            if float(np.hypot(*way)) < 0.8 * length or random.random() < 0.02:
                goal, speed = self._target(room, random), 0.0
                low, high = self._species.rest
                long = random.random() < 0.4
                left = (
                    self.settings.strength * float(random.uniform(low, high))
                    if long
                    else float(random.uniform(0.3, 2))
                )
        return _Way(places, headings, rests)

    def _target(self, room: float, random: np.random.Generator) -> NDArray[np.float64]:
        return self._inside(self._middle + random.uniform(-1, 1, 2) * self._half, room)

    def _inside(self, place: NDArray[np.float64], room: float) -> NDArray[np.float64]:
        off = (place - self._middle) / self._half
        if self._species.is_round:
            off *= min(1.0, room / max(float(np.hypot(*off)), 1e-9))
        return self._middle + np.clip(off, -room, room) * self._half

    def _paint_animal(
        self, place: NDArray[np.float64], heading: float, length: float, fur: float, time: float
    ) -> Sprite:
        reach = math.ceil(1.5 * length) + 2
        left, top = max(int(place[0]) - reach, 0), max(int(place[1]) - reach, 0)
        bounds = Bounds(
            left,
            top,
            min(int(place[0]) + reach, self.size.width) - left,
            min(int(place[1]) + reach, self.size.height) - top,
        )
        larger = 4 if length < 60 else 2
        canvas = np.zeros((bounds.height * larger, bounds.width * larger, 4), np.uint8)
        brush = Brush(canvas, (place - (left, top)) * larger, heading, length * larger)
        (paint_fly if self._species.kind == "fly" else paint_mouse)(brush, fur, time)
        return reduce_canvas(canvas, bounds)


SCENE = Arena
