"""A street at night: lamps, headlights with pools of light and glare, dark bodies, noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import Backdrop, PaintedIntersection
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import Sprite, frame_bounds, lay, veil_of
from cleanplate.datasets.painted.staging import Staging, Thing
from cleanplate.datasets.painted.street.ground import paint_ground, places_of
from cleanplate.datasets.painted.street.layout import STREET_LAMPS
from cleanplate.datasets.painted.street.movers import Mover
from cleanplate.datasets.painted.street.traffic import LENGTHS, WIDTHS, Pose
from cleanplate.datasets.painted.street.views import view_of
from cleanplate.frames import FloatMap, Picture

TOWN = np.array([0.20, 0.185, 0.18], np.float32)
"""Light that is everywhere, as a share of the day's."""
SODIUM = np.array([1.0, 0.78, 0.48], np.float32)
HEADLIGHT = np.array([1.0, 0.97, 0.88], np.float32)
TAILLIGHT = np.array([1.0, 0.16, 0.10], np.float32)
LAMP_HEIGHT, LAMP_ARM = 7.25, 1.7
LAMP_REACH = 8.0
"""Distance from the foot of a street lamp at which its light has fallen to a quarter, metres."""
BEAM = 24.0
"""Length of the pool of light that is followed, metres."""


class Night(PaintedIntersection):
    """The street in the light of lamps; what headlights make bright is background."""

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        self._places = places_of(self._camera)
        self._lit = self._street_light()
        self._halos = self._lamp_halos()

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed)

    def _paint_ground(self) -> Picture:
        return paint_ground(self._camera, self.settings.seed, sunny=False)

    def _empty(self, index: int) -> Picture:
        return self._dark(self._backdrop(self.time(index)), index)[0]

    def _show(self, index: int) -> Staging:
        backdrop = self._backdrop(self.time(index))
        plate, day = self._dark(backdrop, index)
        poses = self._poses(index)
        vehicles = [pose for pose in poses if pose.kind in LENGTHS]
        staging = Staging(plate)
        pools = self._pools(vehicles) * backdrop.ground[..., None]
        staging.picture = _clipped(plate + day * pools)
        for mover in self._painter.paint(poses):
            pose = mover.pose
            sprite = self._in_the_dark(mover, _gap(pose, vehicles, behind=True))
            thing = Thing(pose.id, pose.kind, pose.waiting, sprite)
            staging.lay(thing, veil_of(sprite, backdrop.nearer(mover)))
        staging.picture = _clipped(staging.picture + self._glare(staging, vehicles))
        return staging

    def _dark(self, backdrop: Backdrop, index: int) -> tuple[Picture, FloatMap]:
        """The empty street, and what it would look like by day."""
        time = self.time(index)
        day = backdrop.picture.astype(np.float32)
        plate = _clipped(day * self._lit + self._halos)
        for main, lamps in self._lamps:
            lay(lamps[self.signals.show(time, main=main)], plate)
        return plate, day

    def _street_light(self) -> FloatMap:
        """Light of the lamps and the sky on every pixel, `(H, W, 3)`, as a share of the day's."""
        x, y = self._places.x, self._places.y
        glow = np.zeros(self.size, np.float32)
        for lamp_x, lamp_y in STREET_LAMPS:
            middle = lamp_x - math.copysign(LAMP_ARM, lamp_x)
            away = np.hypot(x - middle, y - lamp_y) / LAMP_REACH
            glow += 0.62 / (1 + away**2) ** 2
        # walls and trees catch what the ground beside them gets, and no lamp lights the sky
        glow *= 0.25 + 0.75 * self._ground
        sky = self._camera.rays((0.5, 0.5))[2] > -1e-3
        glow[sky] = 0
        light = TOWN + np.minimum(glow, 0.8)[..., None] * SODIUM
        light[sky] = 0.14 * TOWN / TOWN.mean()
        return np.asarray(light, np.float32)

    def _lamp_halos(self) -> FloatMap:
        halos = np.zeros((*self.size, 3), np.float32)
        for x, y in STREET_LAMPS:
            place = np.array([[x - math.copysign(LAMP_ARM, x), y, LAMP_HEIGHT]])
            column, row, depth = self._camera.project(place)[0]
            if depth > 2:
                _add_glow(halos, (column, row), 0.28 * self._camera.focal / depth, SODIUM * 300)
        return halos

    def _in_the_dark(self, mover: Mover, gap: float) -> Sprite:
        """A body in the light that falls on it; the next vehicle's headlights light its back."""
        rows, columns = mover.sprite.window
        foot = min(rows.stop, self.size.height) - 1
        light = self._lit[foot, columns].mean(axis=0)
        if mover.pose.heading == (0, 1):
            light = light + 0.5 * self.settings.strength / (1 + (gap / 6) ** 2) * HEADLIGHT
        return mover.sprite._replace(colour=mover.sprite.colour * light.astype(np.float32))

    def _pools(self, vehicles: Sequence[Pose]) -> FloatMap:
        """Light that headlights throw on the ground, `(H, W, 3)`, as a share of the day's."""
        pools = np.zeros(self.size, np.float32)
        corners = np.array([(u, v) for u in (0.3, BEAM / 3, BEAM) for v in (-10.0, 10.0)])
        for pose in vehicles:
            front = LENGTHS[pose.kind] / 2
            heading = np.array(pose.heading, float)
            turn = np.array([heading, (-heading[1], heading[0])])
            world = np.zeros((len(corners), 3))
            world[:, :2] = (corners + np.array([front, 0.0])) @ turn + (pose.x, pose.y)
            bounds = frame_bounds(self._camera.project(world), self._camera)
            if bounds is None:
                continue
            window = (
                slice(bounds.top, bounds.top + bounds.height),
                slice(bounds.left, bounds.left + bounds.width),
            )
            across, deep = self._places.x[window] - pose.x, self._places.y[window] - pose.y
            ahead = across * heading[0] + deep * heading[1] - front
            aside = deep * heading[0] - across * heading[1]
            beam = np.clip((ahead - 0.4) / 1.6, 0, 1) / (1 + (ahead / 9) ** 2)
            beam *= np.clip((BEAM - ahead) / 8, 0, 1) * np.exp(
                -((aside / (1.3 + 0.13 * ahead.clip(0))) ** 2)
            )
            # the next vehicle stands in the light
            beam *= np.clip(1 - (ahead - _gap(pose, vehicles)) / 1.5, 0, 1)
            pools[window] += 0.75 * beam
        return pools[..., None] * HEADLIGHT * self.settings.strength

    def _glare(self, staging: Staging, vehicles: Sequence[Pose]) -> FloatMap:
        """Lamps and the light that they scatter in the lens, where nothing hides them."""
        glare = np.zeros((*self.size, 3), np.float32)
        numbers = {thing.id: number for number, thing in enumerate(staging.things, 1)}
        for pose in vehicles:
            for end in (1, -1):
                for side in (1, -1):
                    self._add_lamp(glare, staging, numbers.get(pose.id, 0), pose, (end, side))
        return glare * self.settings.strength

    def _add_lamp(
        self, glare: FloatMap, staging: Staging, number: int, pose: Pose, lamp: tuple[int, int]
    ) -> None:
        end, side = lamp
        heading = np.array([*pose.heading, 0.0])
        aside = np.array([-heading[1], heading[0], 0.0])
        place = np.array([pose.x, pose.y, 0.68]) + end * LENGTHS[pose.kind] / 2 * heading
        place = place + side * 0.36 * WIDTHS[pose.kind] * aside
        view = self._camera.position - place
        facing = end * float(view @ heading) / float(np.linalg.norm(view))
        column, row, depth = self._camera.project(place[None])[0]
        height, width = self.size
        if facing <= 0.05 or depth < 2 or not (0 <= row < height and 0 <= column < width):
            return
        if number and staging.owners[int(row), int(column)] != number:
            return
        radius = max(0.13 * self._camera.focal / depth, 0.45)
        if end > 0:
            light = HEADLIGHT * (420 * facing**2)
        else:
            light, radius = TAILLIGHT * (300 if pose.braking else 150), 0.75 * radius
        _add_glow(glare, (column, row), radius, light)

    def _noise_gain(self, _picture: Picture) -> FloatMap:
        """The gain that a dark picture needs shows in its dark parts."""
        level = _picture.mean(axis=2, dtype=np.float32)[..., None]
        return np.asarray(0.5 + 1.1 * np.exp(-level / 60), np.float32)


SCENE = Night


def _gap(pose: Pose, others: Sequence[Pose], *, behind: bool = False) -> float:
    """Metres to the next vehicle of the lane in front, or behind; infinite where there is none."""
    if pose.kind not in LENGTHS:
        return math.inf
    sign = -1 if behind else 1
    nearest = math.inf
    for other in others:
        if other.heading != pose.heading or other.id == pose.id:
            continue
        across, deep = other.x - pose.x, other.y - pose.y
        ahead = sign * (across * pose.heading[0] + deep * pose.heading[1])
        aside = abs(deep * pose.heading[0] - across * pose.heading[1])
        gap = ahead - (LENGTHS[pose.kind] + LENGTHS[other.kind]) / 2
        if aside < 1.0 and ahead > 0:
            nearest = min(nearest, max(gap, 0.0))
    return nearest


def _add_glow(
    canvas: FloatMap, middle: tuple[float, float], radius: float, light: NDArray[np.float32]
) -> None:
    """A bright core and the halo around it, in place."""
    reach = math.ceil(14 * radius + 3)
    height, width = canvas.shape[:2]
    left, top = max(int(middle[0]) - reach, 0), max(int(middle[1]) - reach, 0)
    right, bottom = min(int(middle[0]) + reach, width), min(int(middle[1]) + reach, height)
    if left >= right or top >= bottom:
        return
    rows = (np.arange(top, bottom) + 0.5 - middle[1])[:, None]
    columns = (np.arange(left, right) + 0.5 - middle[0])[None, :]
    away = np.hypot(rows, columns) / radius
    glow = np.exp(-(away**2)) + 0.16 * np.exp(-away / 2.2) + 0.05 * np.exp(-away / 5)
    glow *= np.clip((14 - away) / 4, 0, 1)
    canvas[top:bottom, left:right] += glow[..., None].astype(np.float32) * light


def _clipped(picture: FloatMap | Picture) -> Picture:
    return np.asarray(cv2.add(picture, 0.0, dtype=cv2.CV_8U))
