"""What stands on the ground and never moves: houses, poles, and the lamps that change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cleanplate.datasets.painted.camera import Camera, Points
from cleanplate.datasets.painted.sprites import Colour, Face, Solid, Sprite, lit, paint
from cleanplate.datasets.painted.street.ground import HAZE
from cleanplate.datasets.painted.street.layout import (
    BUILDINGS,
    PLANTS,
    ROAD_END,
    SIGNAL_HEADS,
    STREET_LAMPS,
    Building,
    SignalHead,
)
from cleanplate.datasets.painted.street.signals import SignalLight

STOREY = 3.1
METAL: Colour = (112, 116, 118)
HOUSING: Colour = (34, 36, 36)
LIT: dict[SignalLight, Colour] = {
    SignalLight.RED: (255, 62, 48),
    SignalLight.AMBER: (255, 190, 60),
    SignalLight.GREEN: (72, 240, 150),
}
HEAD_FOOT = 2.7
HEAD_HEIGHT = 1.5
HEAD_HALF = 0.3


class Standing(NamedTuple):
    """Something that can hide what is behind it: its picture and its distance in metres."""

    sprite: Sprite
    depth: float


def paint_houses(camera: Camera, seed: int) -> list[Sprite]:
    """The houses, far to near."""
    sprites = [
        paint(solid, camera, larger=_scale(camera))
        for solid in _build_houses(seed, tuple(camera.position[:2].tolist()))
    ]
    return [sprite for sprite in sprites if sprite is not None]


@lru_cache(maxsize=4)
def _build_houses(seed: int, eye: tuple[float, float]) -> tuple[Solid, ...]:
    random = np.random.default_rng([seed, 31])
    return tuple(
        Solid.of([_hazy(face, house, eye) for face in _house_faces(house, random)])
        for house in BUILDINGS
    )


def paint_poles(camera: Camera) -> list[Standing]:
    """Street lamps, traffic lights, trunks and the line of trees that ends the road."""
    things = [(_horizon_trees(), (0.0, ROAD_END + 4))]
    things += [(_street_lamp(x, y), (x, y)) for x, y in STREET_LAMPS]
    things += [(_mast(head), (head.x, head.y)) for head in SIGNAL_HEADS]
    things += [
        (_trunk(plant.x, plant.y, plant.middle), (plant.x, plant.y))
        for plant in PLANTS
        if plant.middle > 1.5
    ]
    standing = []
    for faces, place in things:
        sprite = paint(Solid.of(faces), camera, larger=_scale(camera))
        if sprite is not None:
            standing.append(Standing(sprite, camera.depth(*place)))
    return sorted(standing, key=lambda one: -one.depth)


def paint_lamps(camera: Camera) -> list[tuple[bool, dict[SignalLight, Sprite]]]:
    """For each visible traffic light: whether it is the main road's, and its lit lamps."""
    lamps = []
    for head in SIGNAL_HEADS:
        lit_lamps = {}
        for light in SignalLight:
            glow: Colour = LIT[light]
            core: Colour = (glow[0], (glow[1] + 255) / 2, (glow[2] + 255) / 2)
            faces = [
                Face(_lamp(head, light, 0.225), glow),
                Face(_lamp(head, light, 0.1), core),
            ]
            sprite = paint(Solid.of(faces), camera, larger=_scale(camera))
            if sprite is not None:
                lit_lamps[light] = sprite
        if len(lit_lamps) == len(SignalLight):
            lamps.append((head.main, lit_lamps))
    return lamps


def _scale(camera: Camera) -> int:
    return 4 if camera.size.height <= 360 else 3 if camera.size.height <= 540 else 2


def _hazy(face: Face, house: Building, eye: tuple[float, float]) -> Face:
    distance = float(np.hypot(house.left - eye[0], house.near - eye[1]))
    haze = 1 - math.exp(-max(distance - 30, 0) / 420)
    red, green, blue = (
        part + (float(fog) - part) * haze for part, fog in zip(face.colour, HAZE, strict=True)
    )
    return face._replace(colour=(red, green, blue))


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Iterator[Points]:
    """The near, left, right and top sides of a box; those that a camera above can see."""
    (x, y, z), (far_x, far_y, top) = low, high
    yield np.array([(x, y, z), (far_x, y, z), (far_x, y, top), (x, y, top)])
    yield np.array([(x, far_y, z), (x, y, z), (x, y, top), (x, far_y, top)])
    yield np.array([(far_x, y, z), (far_x, far_y, z), (far_x, far_y, top), (far_x, y, top)])
    yield np.array([(x, y, top), (far_x, y, top), (far_x, far_y, top), (x, far_y, top)])


def outward_of(corners: Points) -> Points:
    """The direction that a side looks to, its corners counter-clockwise."""
    outward = np.cross(corners[1] - corners[0], corners[2] - corners[1])
    return np.asarray(outward / np.linalg.norm(outward))


def box_faces(
    low: tuple[float, float, float], high: tuple[float, float, float], colour: Colour
) -> list[Face]:
    """A shaded box."""
    return [
        Face(side, lit(colour, outward_of(side)), outward=outward_of(side))
        for side in box(low, high)
    ]


def _house_faces(house: Building, random: np.random.Generator) -> list[Face]:
    low, high = (house.left, house.near, 0.0), (house.right, house.far, house.height)
    faces: list[Face] = []
    *walls, roof = box(low, high)
    for wall in walls:
        faces += _wall_faces(wall, house, random)
    faces.append(Face(roof, lit((150, 148, 144), outward_of(roof)), outward=outward_of(roof)))
    rim = (house.wall[0] * 0.86, house.wall[1] * 0.86, house.wall[2] * 0.86)
    outer = (house.left - 0.3, house.near - 0.3, house.height - 0.5)
    faces += box_faces(outer, (house.right + 0.3, house.far + 0.3, house.height), rim)
    gravel = box((house.left + 0.3, house.near + 0.3, 0.0), (house.right - 0.3, house.far - 0.3, 1))
    *_, top = gravel
    top = top * (1, 1, 0) + (0, 0, house.height)
    faces.append(Face(top, lit((132, 130, 126), outward_of(top)), outward=outward_of(top)))
    middle = (house.left + house.right) / 2
    for shift in (-7.0, 5.0):
        foot = (middle + shift, house.near + 4, house.height)
        head = (middle + shift + 3, house.near + 7, house.height + 1.4)
        faces += box_faces(foot, head, (168, 168, 166))
    return faces


def _wall_faces(wall: Points, house: Building, random: np.random.Generator) -> list[Face]:
    """A wall with a shop floor and rows of windows."""
    outward = outward_of(wall)
    faces = [Face(wall, lit(house.wall, outward), outward=outward)]
    origin, along = wall[0], wall[1] - wall[0]
    length = float(np.linalg.norm(along))
    along = along / length

    def panel(left: float, right: float, low: float, high: float, colour: Colour) -> None:
        corners = [
            origin + along * across + np.array([0, 0, up])
            for across, up in ((left, low), (right, low), (right, high), (left, high))
        ]
        faces.append(Face(np.array(corners), lit(colour, outward), outward=outward))

    base = tuple(part * 0.72 for part in house.wall)
    panel(0, length, 0, 0.5, (base[0], base[1], base[2]))
    panel(0, length, 3.25, 3.5, (min(255, house.wall[0] + 26),) * 3)
    bays = max(1, int(length / 2.9))
    pitch = length / bays
    for bay in range(bays):
        left = bay * pitch
        panel(left + 0.35, left + pitch - 0.35, 0.5, 2.7, (74, 84, 92))
        if bay % 3 == 1:
            awning = ((138, 58, 50), (62, 92, 84), (172, 150, 104))[bay // 3 % 3]
            panel(left + 0.1, left + pitch - 0.1, 2.45, 3.1, awning)
        for storey in range(int((house.height - 4.4) / STOREY) + 1):
            foot = 4.25 + storey * STOREY
            if foot + 1.6 > house.height - 0.7:
                continue
            frame = min(255, house.wall[0] + 34)
            panel(left + 0.72, left + pitch - 0.72, foot - 0.14, foot + 1.72, (frame, frame, frame))
            chance = float(random.random())
            glass: Colour = (70, 84, 98) if chance < 0.7 else (126, 146, 162)
            panel(left + 0.85, left + pitch - 0.85, foot, foot + 1.6, glass)
            if chance > 0.88:
                panel(left + 0.85, left + pitch / 2, foot + 0.1, foot + 1.6, (196, 186, 164))
    return faces


def _mast(head: SignalHead) -> list[Face]:
    """A traffic light with its lamps off."""
    x, y = head.x, head.y
    faces = box_faces((x - 0.09, y - 0.09, 0), (x + 0.09, y + 0.09, HEAD_FOOT + 0.3), METAL)
    low = (x - HEAD_HALF, y - HEAD_HALF, HEAD_FOOT)
    faces += box_faces(low, (x + HEAD_HALF, y + HEAD_HALF, HEAD_FOOT + HEAD_HEIGHT), HOUSING)
    faces += [Face(_lamp(head, light, 0.2), (16, 17, 17)) for light in SignalLight]
    return faces


def _lamp(head: SignalHead, light: SignalLight, radius: float) -> Points:
    """The disc of one lamp, on the front of its housing."""
    row = (SignalLight.RED, SignalLight.AMBER, SignalLight.GREEN).index(light)
    middle = HEAD_FOOT + HEAD_HEIGHT - 0.27 - row * 0.48
    turns = np.linspace(0, 2 * math.pi, 16, endpoint=False)
    forward = np.array([*head.facing, 0.0])
    aside = np.array([-head.facing[1], head.facing[0], 0.0])
    centre = np.array([head.x, head.y, middle]) + forward * (HEAD_HALF + 0.02)
    across, up = np.cos(turns) * radius, np.sin(turns) * radius
    return np.asarray(centre + across[:, None] * aside + up[:, None] * np.array([0, 0, 1.0]))


def _street_lamp(x: float, y: float) -> list[Face]:
    faces = box_faces((x - 0.08, y - 0.08, 0), (x + 0.08, y + 0.08, 7.4), METAL)
    reach = -math.copysign(1.7, x)
    low, high = min(x, x + reach), max(x, x + reach)
    faces += box_faces((low, y - 0.06, 7.3), (high, y + 0.06, 7.42), METAL)
    end = x + reach
    faces += box_faces((end - 0.4, y - 0.15, 7.2), (end + 0.4, y + 0.15, 7.36), (188, 190, 188))
    return faces


def _trunk(x: float, y: float, middle: float) -> list[Face]:
    return box_faces((x - 0.16, y - 0.16, 0), (x + 0.16, y + 0.16, middle - 0.6), (92, 76, 60))


def _horizon_trees() -> list[Face]:
    """Far trees across the whole picture, in two layers."""
    random = np.random.default_rng(7)
    faces = []
    for y, height, colour in (
        (ROAD_END + 40, 13.0, (150, 166, 158)),
        (ROAD_END + 4, 8.0, (116, 136, 112)),
    ):
        across = np.arange(-420.0, 660.0, 2.2)
        rough = random.standard_normal(len(across) + 12)
        tops = height + np.convolve(rough, np.hanning(13), "valid") * 1.1 + rough[12:] * 0.35
        top = np.stack([across, np.full_like(across, y), tops], axis=1)
        foot = np.array([(across[-1], y, -0.5), (across[0], y, -0.5)])
        faces.append(Face(np.concatenate([top, foot]), colour))
    return faces
