"""A lake: rolling waves and glints, a canoe or a boat that passes, birds that swim."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Camera, Points, Viewpoint
from cleanplate.datasets.painted.scene import PaintedScene
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import (
    SHIFT,
    Bounds,
    Colour,
    Solid,
    Sprite,
    lay,
    paint_projected,
    reduce_canvas,
)
from cleanplate.datasets.painted.staging import Staging, Thing
from cleanplate.datasets.painted.street.ground import HAZE, places_of
from cleanplate.datasets.painted.street.plants import LEAVES
from cleanplate.datasets.painted.swimmers import Boat, bird_place, bird_solid, boat_solid
from cleanplate.frames import FloatMap, Picture

WAVES = 13
SHORE = 75.0
"""Distance of the far bank, metres."""
MIRROR_DARKNESS = np.array([0.5, 0.46, 0.42], np.float32)
WATERS: tuple[Colour, ...] = ((52, 74, 66), (44, 66, 84), (62, 72, 72), (58, 66, 48))


class Water(PaintedScene):
    """Waves are background, and so are reflections; boats and birds are not."""

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        random = np.random.default_rng([settings.seed, 171])
        pitch = float(random.uniform(9.5, 13.5))
        view = Viewpoint(
            0.0, 0.0, float(random.uniform(3.2, 4.6)), pitch, 0.0, float(random.uniform(1.1, 1.4))
        )
        self._camera = Camera.at(view, self.size)
        self._places = places_of(self._camera)
        self._tint = np.array(WATERS[int(random.integers(len(WATERS)))], np.float32)
        self._bank, self._open = self._paint_bank(random)
        self._waves = self._make_waves(random)
        self._birds = [random.random(8) for _ in range(int(random.integers(4, 8)))]
        self._boats = self._schedule(random)

    def _empty(self, index: int) -> Picture:
        return self._lake(self.time(index))[0]

    def _show(self, index: int) -> Staging:
        time = self.time(index)
        plate, slope = self._lake(time)
        staging = Staging(plate)
        solids = sorted(self._afloat(time), key=lambda one: -one[1])
        shade = np.zeros(self.size, np.float32)
        things = []
        for thing, _, solid, place in solids:
            sprite = self._paint(solid, place)
            if sprite is not None:
                things.append(thing._replace(sprite=sprite))
                self._mirror(shade, solid, place, slope)
        staging.darken(shade * self._open, MIRROR_DARKNESS)
        for thing in things:
            staging.lay(thing)
        return staging

    def _make_waves(self, random: np.random.Generator) -> list[NDArray[np.float32]]:
        """For each wave its phase and the two parts of its slope, `(3, H, W)`, and its pace."""
        wind = float(random.uniform(0, math.pi))
        lengths = np.geomspace(0.5, 5.5, WAVES) * random.uniform(0.85, 1.15, WAVES)
        self._paces = np.sqrt(9.81 * 2 * math.pi / lengths)
        steep = float(random.uniform(0.035, 0.06)) * self.settings.strength
        waves = []
        for length in lengths:
            turn = wind + float(random.normal(0, 0.5))
            number = 2 * math.pi / length
            phase = number * (self._places.x * math.cos(turn) + self._places.y * math.sin(turn))
            # a wave that is shorter than what a pixel sees is not seen
            slope = steep / (1 + (2.2 * self._places.footprint / length) ** 2)
            start = float(random.uniform(0, 2 * math.pi))
            waves.append(
                np.stack([phase + start, slope * math.cos(turn), slope * math.sin(turn)]).astype(
                    np.float32
                )
            )
        return waves

    def _lake(self, time: float) -> tuple[Picture, FloatMap]:
        """The empty lake, and the slope of the water from left to right."""
        across = np.zeros(self.size, np.float32)
        deep = np.zeros(self.size, np.float32)
        for (phase, one, other), pace in zip(self._waves, self._paces, strict=True):
            height = np.cos(phase - np.float32(pace * time))
            across += one * height
            deep += other * height
        distance = np.hypot(self._places.x, self._places.y).astype(np.float32)
        graze = self._camera.position[2] / np.maximum(distance, 1)
        # a wave's back shows the sky, its front the deep water
        mirror = np.clip(0.62 * np.exp(-2.4 * (graze + 1.4 * deep)) + 0.06, 0, 1)[..., None]
        rise = np.clip(2 * (graze + 2 * deep), 0, 1)[..., None]
        sky = HAZE * (1 - rise) + np.array([138, 164, 190], np.float32) * rise
        bank = np.clip((self._tree_line - 16 * np.abs(deep) - graze) / 0.03, 0, 1)[..., None]
        sky = sky * (1 - 0.75 * bank) + np.array([58, 74, 56], np.float32) * 0.75 * bank
        colour = self._tint * (1 - mirror) + sky * mirror
        glint = np.exp(-(((across - 0.03) / 0.022) ** 2 + ((deep - 0.055) / 0.022) ** 2))
        colour += (170 * self.settings.strength * glint)[..., None]
        picture = self._bank * (1 - self._open[..., None]) + colour * self._open[..., None]
        whole = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(whole, self.light(time, 110.0))), across

    def _paint_bank(self, random: np.random.Generator) -> tuple[FloatMap, FloatMap]:
        """Sky, the trees of the far bank, and how much of a pixel is water."""
        height, width = self.size
        foot = float(self._camera.project(np.array([[0.0, SHORE, 0.0]]))[0, 1])
        top = float(self._camera.project(np.array([[0.0, SHORE, 8.0]]))[0, 1])
        self._tree_line = float(random.uniform(0.10, 0.16))
        rows = np.arange(height, dtype=np.float32)[:, None]
        share = np.clip(rows / max(foot, 1), 0, 1)[..., None]
        bank = np.repeat(
            np.array([150, 178, 208]) * (1 - share) + HAZE * share, width, axis=1
        ).astype(np.uint8)
        larger = 3
        canvas = np.zeros((height * larger, width * larger, 4), np.uint8)
        unit = larger * (1 << SHIFT)
        size = (foot - top) / 3
        waves = random.uniform(0, 2 * math.pi, 3)
        for tone in (1, 0, 2, 1, 3, 2, 4):
            for _ in range(round(5 * width / max(size, 1))):
                column = float(random.uniform(-0.02, 1.02))
                crest = np.sin(column * np.array([7.0, 17.0, 41.0]) + waves) @ (0.16, 0.1, 0.06)
                lift = float(random.beta(1.0, 1.2)) * (0.72 + float(crest))
                shade = float(random.uniform(0.75, 1.0))
                haze = zip(LEAVES[tone], HAZE, strict=True)
                colour = [0.75 * part * shade + 0.2 * float(fog) for part, fog in haze]
                radius = size * float(random.uniform(0.12, 0.42)) * (1 - 0.11 * tone)
                spot = (round(column * width * unit), round((foot - lift * (foot - top)) * unit))
                reach = max(1, round(radius * unit))
                cv2.circle(canvas, spot, reach, (*colour, 255.0), -1, cv2.LINE_8, SHIFT)
        lay(reduce_canvas(canvas, Bounds(0, 0, width, height)), bank)
        grass = np.array([112, 122, 82], np.float32) + random.normal(0, 7, (height, width, 1))
        strip = np.clip(rows - (foot - 0.16 * size - 1), 0, 1)[..., None]
        painted = bank * (1 - strip) + grass * strip
        edge = (
            foot
            + 0.8 * np.sin(np.arange(width) / width * 31 + 2)
            + 0.5 * np.sin(np.arange(width) / width * 83)
        )
        return painted.astype(np.float32), np.clip(rows - edge[None, :], 0, 1).astype(np.float32)

    def _schedule(self, random: np.random.Generator) -> list[Boat]:
        boats: list[Boat] = []
        time = -float(random.uniform(0, 10))
        while time < self.settings.seconds:
            boat = Boat(
                time,
                1 if random.random() < 0.5 else -1,
                float(random.uniform(9, 26)),
                float(random.uniform(1.3, 2.4)),
                float(random.uniform(2, 9)) if random.random() < 0.4 else 0.0,
                int(random.integers(1_000_000)),
            )
            boats.append(boat)
            time = boat.end + float(random.uniform(-3, 8))
        return boats

    def _afloat(self, time: float) -> list[tuple[Thing, float, Solid, Points]]:
        """What swims, with its depth, its shape and where it is."""
        nothing = Sprite(0, 0, np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), np.float32))
        afloat = []
        for number, boat in enumerate(self._boats):
            if boat.start <= time < boat.end:
                x = boat.along(time)
                still = boat.rest > 0 and boat.along(time - 0.2) == x
                begun = boat.start + boat.reach / boat.speed
                kind = ("canoe", "boat")[boat.style % 2]
                solid = boat_solid(boat.style, boat.forward, 0.0 if still else time)
                rock = 0.03 * self.settings.strength * math.sin(1.7 * time + number)
                thing = Thing(1 + number, kind, time - begun if still else 0.0, nothing)
                afloat.append((thing, boat.y, solid, np.array([x, boat.y, rock])))
        for number, bird in enumerate(self._birds):
            x, y = bird_place(bird, time)
            forward = 1 if bird_place(bird, time + 0.5)[0] >= x else -1
            rock = 0.02 * self.settings.strength * math.sin(2.9 * time + 6 * bird[0])
            style = int(bird[7] * 1000)
            thing = Thing(1_000_000 + number, "bird", 0.0, nothing)
            afloat.append((thing, y, bird_solid(style, forward), np.array([x, y, rock])))
        return afloat

    def _paint(self, solid: Solid, place: Points) -> Sprite | None:
        world = solid.vertices + place
        # what is under water is not seen
        world[:, 2] = np.maximum(world[:, 2], 0)
        return paint_projected(solid, world, self._camera.project(world), self._camera)

    def _mirror(self, shade: FloatMap, solid: Solid, place: Points, slope: FloatMap) -> None:
        """The dark reflection below a thing, broken by the waves, added to `shade`."""
        world = solid.vertices + place
        world[:, 2] = -0.8 * np.maximum(world[:, 2], 0)
        sprite = paint_projected(solid, world, self._camera.project(world), self._camera)
        if sprite is None:
            return
        rows, columns = sprite.window
        scale = self._camera.focal / max(float(place[1]), 1.0)
        grid_rows, grid_columns = np.indices(sprite.alpha.shape, dtype=np.float32)
        moved = cv2.remap(
            sprite.alpha,
            grid_columns + 3 * scale * slope[rows, columns],
            grid_rows,
            cv2.INTER_LINEAR,
        )
        region = shade[rows, columns]
        np.maximum(region, 0.7 * moved, out=region)


SCENE = Water
