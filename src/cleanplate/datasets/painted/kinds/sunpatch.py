"""A room into which the sun shines: its patch creeps over the floor while people walk and sit."""

from __future__ import annotations

import math

import numpy as np

from cleanplate.datasets.painted.camera import Camera, Viewpoint
from cleanplate.datasets.painted.scene import PaintedScene
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import (
    Colour,
    Face,
    Solid,
    Sprite,
    lay,
    paint,
    paint_projected,
    veil_of,
)
from cleanplate.datasets.painted.staging import Staging, Thing
from cleanplate.datasets.painted.street.bodies import STRIDE_STEPS, person_solid
from cleanplate.datasets.painted.street.ground import Textures, places_of
from cleanplate.datasets.painted.street.scenery import Standing, box_faces
from cleanplate.datasets.painted.visitors import Visit, seated
from cleanplate.frames import FloatMap, Picture

HALF, FAR, HIGH = 3.3, 7.4, 3.6
"""The room: half its width, its far wall, its height, metres."""
SUN = np.array([0.95, 0.82, 0.55], np.float32)
"""What the sun adds to the light of the room, as a share of it."""
CREEP = 1.5
"""How far the patch moves in the clip, metres."""
STRIDES = 1.35
SEATS = ((-1.45, 6.25), (-0.55, 6.25), (2.35, 4.6))
"""Two places on the sofa, and a chair."""
FLOORS: tuple[Colour, ...] = ((150, 112, 74), (128, 92, 62), (168, 160, 148), (116, 108, 100))
WALLS: tuple[Colour, ...] = ((196, 190, 178), (176, 184, 180), (190, 176, 156), (168, 172, 184))
FABRICS: tuple[Colour, ...] = ((96, 102, 112), (112, 70, 62), (70, 92, 84), (150, 138, 118))


class SunPatch(PaintedScene):
    """Where the sun has come or gone is background; people are not."""

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        random = np.random.default_rng([settings.seed, 211])
        view = Viewpoint(
            float(random.uniform(-0.6, 0.6)), 0.1, 2.65, float(random.uniform(21, 25)), 0.0, 0.78
        )
        view = view._replace(yaw=math.degrees(math.atan2(-view.x * 0.8, 4.5)))
        self._camera = Camera.at(view, self.size)
        self._places = places_of(self._camera)
        self._textures = Textures(settings.seed)
        fabric = FABRICS[int(random.integers(len(FABRICS)))]
        self._furniture = self._furnish(fabric)
        self._base, self._floor = self._paint_room(random)
        self._sun = random.uniform(0, 1, 8)
        self._visits = self._schedule(random)

    def _empty(self, index: int) -> Picture:
        return self._lit(self._base.astype(np.float32), self._patch(self.time(index)) * self._floor)

    def _show(self, index: int) -> Staging:
        time = self.time(index)
        patch = self._patch(time)
        staging = Staging(self._lit(self._base.astype(np.float32), patch * self._floor))
        shade = np.zeros(self.size, np.float32)
        shown = []
        for number, visit in enumerate(self._visits):
            if not visit.times[0] <= time < visit.times[-1]:
                continue
            x, y, walked, rest = visit.at(time)
            sprite = self._paint_person(visit, (x, y, walked), rest, patch)
            if sprite is not None:
                shown.append((self._camera.depth(x, y), Thing(1 + number, "person", rest, sprite)))
                far = np.hypot(self._places.x - x, 1.4 * (self._places.y - y))
                np.maximum(shade, 0.62 * np.exp(-((far / 0.22) ** 2)) * self._floor, out=shade)
        staging.darken(shade)
        for depth, thing in sorted(shown, key=lambda one: -one[0]):
            nearer = [one.sprite for one in self._furniture if one.depth < depth - 0.2]
            staging.lay(thing, veil_of(thing.sprite, nearer))
        return staging

    def _lit(self, room: FloatMap, sun: FloatMap) -> Picture:
        lit = room * (1 + sun[..., None] * SUN)
        return np.clip(np.rint(lit), 0, 255).astype(np.uint8)

    def _patch(self, time: float) -> FloatMap:
        """Strength of the sun on every place of the floor, 0 to 1, soft at its edges."""
        share = time / max(self.time(len(self) - 1), 1e-9)
        side, begin, lean, deep, wide, cloud, haste, _ = (float(part) for part in self._sun)
        direction = 1 if side < 0.5 else -1
        middle_x = (
            direction * (CREEP * (share - 0.5) * self.settings.strength) + (begin - 0.5) * 1.6
        )
        middle_y = 3.9 + 0.9 * deep + 0.25 * (share - 0.5)
        v = self._places.y - middle_y
        u = self._places.x - middle_x - (lean - 0.5) * 0.9 * v
        soft = 0.06
        half_u, half_v = 0.75 + 0.35 * wide, 0.95
        inside = np.clip((half_u - np.abs(u)) / soft, 0, 1) * np.clip(
            (half_v - np.abs(v)) / soft, 0, 1
        )
        # the bars of the window
        inside *= np.clip((np.abs(u) - 0.035) / soft, 0, 1) * np.clip(
            (np.abs(v) - 0.03) / soft, 0, 1
        )
        clouds = 0.5 + 0.5 * math.sin(2 * math.pi * time / (23 + 16 * haste) + 6.3 * cloud)
        return np.asarray(
            inside * min(self.settings.strength, 1) * (0.72 + 0.28 * clouds), np.float32
        )

    def _paint_room(self, random: np.random.Generator) -> tuple[Picture, FloatMap]:
        """The empty room, and how much of the floor is seen."""
        x, y = self._places.x, self._places.y
        wood = np.array(FLOORS[int(random.integers(len(FLOORS)))], np.float32)
        plank = np.floor(x / 0.19)
        tone = np.sin(plank * 12.9898) * 9
        joint = np.clip((0.007 - np.abs(x - 0.19 * np.round(x / 0.19))) / 0.006, 0, 1)
        grain = self._textures.sample(self._places._replace(x=x * 9, y=y), 1, 60) * 4
        floor = wood + (tone + grain - 26 * joint)[..., None]
        floor *= (0.72 + 0.28 * np.exp(-((y - 3.4) ** 2) / 9))[..., None]
        rug = (np.abs(x + 0.6) < 1.5) & (np.abs(y - 4.1) < 0.85)
        rim = rug & ~((np.abs(x + 0.6) < 1.38) & (np.abs(y - 4.1) < 0.75))
        cloth = np.array(FABRICS[int(random.integers(len(FABRICS)))], np.float32)
        floor[rug] = 0.8 * cloth + 30 + 3 * grain[rug][:, None]
        floor[rim] = 0.55 * cloth + 20
        base = np.clip(np.rint(floor), 0, 255).astype(np.uint8)
        seen = np.ones(self.size, np.float32)
        wall = WALLS[int(random.integers(len(WALLS)))]
        for sprite in [*self._paint_walls(wall, random), *(one.sprite for one in self._furniture)]:
            lay(sprite, base)
            seen[sprite.window] *= 1 - sprite.alpha
        return base, seen

    def _paint_walls(self, wall: Colour, random: np.random.Generator) -> list[Sprite]:
        def dim(share: float) -> Colour:
            return wall[0] * share, wall[1] * share, wall[2] * share

        def panel(x: tuple[float, float], z: tuple[float, float], colour: Colour) -> Face:
            corners = [(x[0], FAR, z[0]), (x[1], FAR, z[0]), (x[1], FAR, z[1]), (x[0], FAR, z[1])]
            return Face(np.array(corners), colour)

        faces = []
        for side, share in ((-HALF, 0.62), (HALF, 0.74)):
            near = 1.8
            corners = [(side, near, 0), (side, FAR, 0), (side, FAR, HIGH), (side, near, HIGH)]
            faces.append(Face(np.array(corners, float), dim(share)))
            low = [(side, near, 0), (side, FAR, 0), (side, FAR, 0.1), (side, near, 0.1)]
            faces.append(Face(np.array(low, float), dim(share * 1.15)))
        faces += [
            panel((-HALF, HALF), (0, HIGH), dim(0.86)),
            panel((-HALF, HALF), (0, 0.1), dim(1.0)),
        ]
        for middle in (-1.3, 0.4):
            frame = (middle - 0.45, middle + 0.45), (1.35, 2.0)
            faces.append(panel(*frame, (66, 54, 44)))
            tones = 100 + random.uniform(-40, 50) + random.uniform(-22, 22, 3)
            inner = (middle - 0.4, middle + 0.4), (1.4, 1.95)
            faces.append(panel(*inner, (float(tones[0]), float(tones[1]), float(tones[2]))))
        faces.append(panel((1.7, 2.6), (0, 2.05), (120, 92, 66)))
        faces.append(panel((1.78, 2.52), (0, 1.97), (142, 112, 82)))
        # each wall by itself: a sprite reaches no farther than the camera's near plane
        sprites = [paint(Solid.of([face]), self._camera) for face in faces]
        return [sprite for sprite in sprites if sprite is not None]

    def _furnish(self, fabric: Colour) -> list[Standing]:
        dark: Colour = (fabric[0] * 0.75, fabric[1] * 0.75, fabric[2] * 0.75)
        wood: Colour = (126, 94, 66)
        sofa = box_faces((-2.1, 6.75, 0), (0.1, 7.1, 0.85), fabric)
        sofa += box_faces((-2.1, 6.1, 0), (0.1, 6.75, 0.42), dark)
        for left in (-2.3, 0.1):
            sofa += box_faces((left, 6.1, 0), (left + 0.2, 7.1, 0.6), fabric)
        shelf = box_faces((0.75, 6.9, 0), (1.55, 7.3, 1.15), (150, 130, 104))
        chair = box_faces((2.1, 4.85, 0.45), (2.6, 4.92, 0.95), wood)
        chair += box_faces((2.1, 4.4, 0.38), (2.6, 4.9, 0.45), wood)
        for x, y in ((2.1, 4.85), (2.55, 4.85), (2.1, 4.4), (2.55, 4.4)):
            chair = box_faces((x, y, 0), (x + 0.05, y + 0.05, 0.4), dark) + chair
        table = []
        for x, y in ((-1.5, 5.0), (-0.2, 5.0), (-1.5, 4.5), (-0.2, 4.5)):
            table += box_faces((x, y, 0), (x + 0.06, y + 0.06, 0.4), (90, 66, 46))
        table += box_faces((-1.55, 4.45, 0.38), (-0.1, 5.1, 0.44), wood)
        standing = []
        for faces, y in ((shelf, 7.0), (sofa, 7.0), (table, 4.7), (chair, 4.9)):
            sprite = paint(Solid.of(faces), self._camera)
            if sprite is not None:
                standing.append(Standing(sprite, self._camera.depth(0.0, y)))
        return standing

    def _schedule(self, random: np.random.Generator) -> list[Visit]:
        """People come one after the other, sometimes two at a time; seats are taken in turn."""
        visits: list[Visit] = []
        free = [0.0] * len(SEATS)
        time = float(random.uniform(-6, 3))
        while time < self.settings.seconds:
            style, pace = int(random.integers(1_000_000)), float(random.uniform(0.8, 1.25))
            sits, stays = bool(random.random() < 0.55), float(random.uniform(4, 14))
            seat = int(random.integers(len(SEATS)))
            # doors are at both sides of the camera; the table is in the way from the left one
            come, go = (-1 if random.random() < 0.5 else 1 for _ in range(2))
            turn = np.array([float(random.uniform(-2.2, 1.8)), float(random.uniform(2.9, 3.9))])
            sits = sits and free[seat] <= time + 3
            spot = (
                np.array(SEATS[seat])
                if sits
                else np.array([float(random.uniform(-2.4, 2.2)), float(random.uniform(2.7, 4.0))])
            )
            if sits:
                turn = np.array([0.5 if seat < 2 else 1.8, 5.5 if seat < 2 else 4.1])
                come = go = 1
            door, leave = np.array([3.5 * come, 2.7]), np.array([3.5 * go, 3.0])
            way = np.stack([door, turn, spot, spot, turn, leave])
            steps = np.hypot(*np.diff(way, axis=0).T) / pace
            steps[2] = stays
            times = time + np.concatenate([[0.0], np.cumsum(steps)])
            if sits:
                free[seat] = float(times[4])
            visits.append(Visit(style, way, times, sits))
            time += float(random.uniform(0.35, 1.0)) * float(times[-1] - times[0])
        return visits

    def _paint_person(
        self, visit: Visit, place: tuple[float, float, float], rest: float, patch: FloatMap
    ) -> Sprite | None:
        x, y, walked = place
        axes = self._camera.axes
        aside = (float(axes[0, 0]), float(axes[0, 1]))
        if visit.is_seated and rest > 0:
            solid = seated(visit.style, aside)
        else:
            step = round(walked * STRIDES / 2 * STRIDE_STEPS) % STRIDE_STEPS
            solid = person_solid(visit.style % 576, step, aside, walking=rest == 0)
        world = solid.vertices + np.array([x, y, 0.0])
        sprite = paint_projected(solid, world, self._camera.project(world), self._camera, larger=4)
        if sprite is None:
            return None
        column, row, _ = self._camera.project(np.array([[x, y, 0.0]]))[0]
        height, width = self.size
        sun = 0.0
        if 0 <= row < height and 0 <= column < width:
            sun = float(patch[int(row), int(column)])
        light = (0.8 + 0.6 * sun * SUN).astype(np.float32)
        return sprite._replace(
            colour=np.minimum(sprite.colour * light, 255 * sprite.alpha[..., None])
        )


SCENE = SunPatch
