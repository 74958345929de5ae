"""The ground and the sky, painted by following a ray through every pixel."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import SUN_SHADOW, Camera
from cleanplate.datasets.painted.street.layout import (
    BUILDINGS,
    CORNER,
    CROSS_HALF,
    CROSS_STOP,
    CROSS_ZEBRA,
    LANE,
    MAIN_HALF,
    MAIN_STOP,
    MAIN_ZEBRA,
    PAVEMENT,
    PLANTS,
    STOP_LINE,
)
from cleanplate.frames import FloatMap, Picture

HAZE = np.array([201, 209, 217], np.float32)
ZENITH = np.array([118, 160, 204], np.float32)
PAINT = np.array([224, 224, 217], np.float32)
TEXTURE = 512
Where = NDArray[np.bool_]


class Places(NamedTuple):
    """Where the rays of one pass meet the ground: x, y, and the size of a pixel in metres."""

    x: FloatMap
    y: FloatMap
    footprint: FloatMap


class Textures:
    """Tileable random fields that are sampled in ground coordinates."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng([seed, 5])
        self._fields = []
        for blur in (1.0, 3.0, 12.0):
            field = random.standard_normal((TEXTURE, TEXTURE)).astype(np.float32)
            spread = np.pad(field, 64, mode="wrap")
            field = cv2.GaussianBlur(spread, (0, 0), blur)[64:-64, 64:-64]
            self._fields.append(np.ascontiguousarray(field / field.std()))

    def sample(self, places: Places, octave: int, period: float) -> FloatMap:
        """A field of mean 0 and deviation 1 that repeats every `period` metres.

        It fades out where a pixel covers more than the grain of the field.
        """
        scale = TEXTURE / period
        columns, rows = (((v * scale) % TEXTURE).astype(np.float32) for v in places[:2])
        values = cv2.remap(
            self._fields[octave], columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        grain = period * (2.0, 6.0, 24.0)[octave] / TEXTURE
        return np.asarray(values / (1 + (places.footprint / grain) ** 2), np.float32)


def paint_ground(camera: Camera, seed: int, *, sunny: bool = True) -> Picture:
    """Ground and sky without anything that stands on it.

    Args:
        camera: The camera.
        seed: Of the textures.
        sunny: Whether houses and trees cast shadows.
    """
    passes = 4 if camera.size.height <= 360 else 3 if camera.size.height <= 540 else 2
    textures = Textures(seed)
    total = np.zeros((*camera.size, 3), np.float32)
    for row in range(passes):
        for column in range(passes):
            shift = ((row + 0.5) / passes, (column + 0.5) / passes)
            total += _paint_pass(camera, textures, shift, sunny=sunny)
    return np.clip(np.rint(total / passes**2), 0, 255).astype(np.uint8)


def places_of(camera: Camera, shift: tuple[float, float] = (0.5, 0.5)) -> Places:
    """Where the rays through a place inside every pixel meet the ground."""
    ray_x, ray_y, ray_z = camera.rays(shift)
    length = np.sqrt(ray_x**2 + ray_y**2 + ray_z**2)
    down = np.minimum(ray_z, -1e-3)
    travel = (-camera.position[2] / down).astype(np.float32)
    footprint = travel / camera.focal * np.sqrt(np.maximum(length / -down, 1.0))
    return Places(
        np.asarray(camera.position[0] + travel * ray_x, np.float32),
        np.asarray(camera.position[1] + travel * ray_y, np.float32),
        np.asarray(footprint, dtype=np.float32),
    )


def _paint_pass(
    camera: Camera, textures: Textures, shift: tuple[float, float], *, sunny: bool
) -> FloatMap:
    ray_x, ray_y, ray_z = camera.rays(shift)
    length = np.sqrt(ray_x**2 + ray_y**2 + ray_z**2)
    distance = np.minimum(
        (-camera.position[2] / np.minimum(ray_z, -1e-3)).astype(np.float32) * length, 4000.0
    )
    places = places_of(camera, shift)
    colour = _paint_land(places, textures)
    _paint_road(colour, places, textures)
    _paint_markings(colour, places, textures)
    if sunny:
        _paint_shadows(colour, places, textures)
    haze = (1 - np.exp(-np.maximum(distance - 30, 0) / 420))[..., None]
    colour += (HAZE - colour) * haze
    return np.where((ray_z < -1e-3)[..., None], colour, _sky(ray_x, ray_y, ray_z, textures))


def _sky(x: FloatMap, y: FloatMap, z: FloatMap, textures: Textures) -> FloatMap:
    rise = np.clip(z / np.hypot(x, y), 0, 1)
    colour = HAZE + (ZENITH - HAZE) * (np.sqrt(rise) * 1.1).clip(0, 1)[..., None]
    lift = 260 / np.maximum(rise + 0.08, 0.05)
    still = np.zeros(rise.shape, np.float32)
    places = Places((x * lift).astype(np.float32), (y * lift).astype(np.float32), still)
    cloud = textures.sample(places, 2, 9000) + 0.5 * textures.sample(places, 1, 9000)
    cover = np.clip(cloud * 0.7, 0, 1)[..., None] * 0.75
    return np.asarray(colour + (np.array([240, 242, 244]) - colour) * cover, np.float32)


def road_distance(x: FloatMap, y: FloatMap) -> FloatMap:
    """Metres from the kerb, negative on the road; corners are round."""
    beside, beyond = np.abs(x) - MAIN_HALF, np.abs(y) - CROSS_HALF
    nearest = np.minimum(beside, beyond)
    corner = (beside > 0) & (beyond > 0) & (beside < CORNER) & (beyond < CORNER)
    rounded = CORNER - np.hypot(CORNER - beside, CORNER - beyond)
    return np.where(corner, np.minimum(rounded, nearest), nearest)


def _paint_land(places: Places, textures: Textures) -> FloatMap:
    """Grass, paving and kerbs everywhere."""
    x, y = places.x, places.y
    colour = np.empty((*x.shape, 3), np.float32)
    patchy = textures.sample(places, 2, 90)
    blades = textures.sample(places, 0, 14) * 7 + textures.sample(places, 1, 22) * 5
    colour[:] = (96, 112, 66)
    colour += (blades + patchy * 5)[..., None]
    colour[..., 0] += patchy * 4
    away = road_distance(x, y)
    paved = away < PAVEMENT
    slab = _line(x, 0.75, 0.05, places.footprint) + _line(y, 0.75, 0.05, places.footprint)
    tile = textures.sample(places, 1, 30) * 4 + textures.sample(places, 2, 60) * 4
    stone = 166 + tile - 26 * np.minimum(slab, 1)
    stone = np.stack([stone + 3, stone - 1, stone - 8], axis=-1)
    colour[paved] = stone[paved]
    border = (away >= PAVEMENT) & (away < PAVEMENT + 0.22)
    colour[border] = (138, 136, 128)
    kerb = (away >= 0) & (away < 0.3)
    colour[kerb] = (194, 192, 184)
    return colour


def _line(values: FloatMap, period: float, width: float, footprint: FloatMap) -> FloatMap:
    """How much of a pixel regular thin lines cover."""
    near = np.abs((values / period) % 1 - 0.5) * period > (period - width) / 2
    return np.asarray(near / (1 + (footprint / 0.12) ** 2), np.float32)


def _paint_road(colour: FloatMap, places: Places, textures: Textures) -> None:
    """Asphalt with wheel tracks, oil, mended patches, cracks and manholes."""
    x, y = places.x, places.y
    road = road_distance(x, y) < 0
    grain = textures.sample(places, 0, 9) * 5 + textures.sample(places, 1, 26) * 3
    tone = 118 + grain + textures.sample(places, 2, 70) * 4
    main = np.abs(x) < MAIN_HALF
    across = np.where(main, np.abs(x), np.abs(y)) % LANE
    tracks = np.exp(-((np.abs(across - LANE / 2) - 0.8) ** 2) / 0.09)
    oil = np.exp(-((across - LANE / 2) ** 2) / 0.08)
    queue = np.clip((30 - np.abs(y)) / 20, 0, 1) * (np.abs(y) > MAIN_ZEBRA[1])
    stains = np.clip(textures.sample(places, 1, 40) + 0.2, 0, 2)
    tone -= tracks * 5 + oil * queue * stains * 9
    for left, near, right, far, change in (
        (3.6, -21, 6.2, -14.5, -13),
        (-6.0, -19, -3.9, -12.2, 9),
        (-2.6, -2.8, 1.2, 0.4, -12),
        (12, -3.3, 19, -1.2, -11),
        (-22, 0.4, -15, 2.8, 9),
        (-6.2, 14, -3.6, 26, -12),
        (1.0, 17, 3.0, 22, 8),
    ):
        inside = (x > left) & (x < right) & (y > near) & (y < far)
        rim = inside & ~((x > left + 0.1) & (x < right - 0.1) & (y > near + 0.1) & (y < far - 0.1))
        tone += np.where(inside, change, 0) - np.where(rim, 14, 0)
    crack = np.abs(textures.sample(places, 2, 44)) < 0.02 + 0.02 * (np.abs(x) < MAIN_HALF)
    tone -= np.where(crack & (textures.sample(places, 2, 130) > 0.3), 22, 0)
    for x_hole, y_hole in ((3.2, -12.6), (-3.4, 3.0), (1.7, 29.0), (-14.5, -1.6), (5.2, 1.2)):
        radius = np.hypot(x - x_hole, y - y_hole)
        tone -= np.where(radius < 0.42, 22, 0) - np.where(radius < 0.3, 8, 0)
    tone -= 9 * np.exp(road_distance(x, y).clip(-9, 0) / 0.25)
    asphalt = np.stack([tone, tone + 1, tone + 3], axis=-1)
    colour[road] = asphalt[road]


def _paint_markings(colour: FloatMap, places: Places, textures: Textures) -> None:
    x, y = places.x, places.y
    painted = _main_markings(x, y) | _cross_markings(x, y)
    wear = np.clip(0.9 + 0.12 * textures.sample(places, 1, 12), 0.45, 1.0)[..., None]
    wear = wear * np.where(textures.sample(places, 0, 11) > 1.9, 0.55, 1.0)[..., None]
    strength = np.where(painted[..., None], wear, 0)
    colour += (PAINT - colour) * strength


def _main_markings(x: FloatMap, y: FloatMap) -> Where:
    side, far = np.abs(x), np.abs(y)
    open_road = far > MAIN_STOP
    middle = (np.abs(side - 0.17) < 0.075) & open_road
    dashes = (far < MAIN_STOP + 16) | (far % 9 < 4)
    lanes = (np.abs(side - LANE) < 0.085) & open_road & dashes
    edges = (np.abs(side - 6.3) < 0.075) & (far > MAIN_ZEBRA[1] + 0.8)
    approaching = np.where(y < 0, x, -x)
    stop = (far > MAIN_STOP) & (far < MAIN_STOP + STOP_LINE)
    stop &= (approaching > 0.25) & (approaching < 6.25)
    zebra = (far > MAIN_ZEBRA[0]) & (far < MAIN_ZEBRA[1]) & (side < 6.4)
    zebra &= (x + 0.28) % 1.12 < 0.56
    arrows = np.zeros_like(middle)
    for lane in (1.65, 4.95):
        for tip in (15.5, 33.0):
            along, across = far - tip, np.abs(approaching - lane)
            shaft = (along > 1.2) & (along < 3.6) & (across < 0.1)
            head = (along > 0) & (along <= 1.2) & (across < along * 0.34)
            arrows |= shaft | head
    return middle | lanes | edges | stop | zebra | arrows


def _cross_markings(x: FloatMap, y: FloatMap) -> Where:
    side, far = np.abs(y), np.abs(x)
    dashes = (far < CROSS_STOP + 12) | (far % 6 < 3)
    middle = (side < 0.085) & (far > CROSS_STOP) & dashes
    approaching = np.where(x < 0, -y, y)
    stop = (far > CROSS_STOP) & (far < CROSS_STOP + STOP_LINE)
    stop &= (approaching > 0.2) & (approaching < 3.35)
    zebra = (far > CROSS_ZEBRA[0]) & (far < CROSS_ZEBRA[1]) & (side < 3.45)
    zebra &= (y + 0.28) % 1.12 < 0.56
    return middle | stop | zebra


def _paint_shadows(colour: FloatMap, places: Places, textures: Textures) -> None:
    """Shadows of houses and trees, which never move."""
    x, y = places.x, places.y
    shade = np.zeros_like(x)
    for house in BUILDINGS:
        reach = SUN_SHADOW * house.height
        outline = np.array(
            [
                (px + k * reach[0], py + k * reach[1])
                for px in (house.left, house.right)
                for py in (house.near, house.far)
                for k in (0, 1)
            ],
            np.float32,
        )
        hull = cv2.convexHull(outline)[:, 0]
        inside = np.ones_like(x, bool)
        winding = _winding(hull)
        for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
            turn = (end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0])
            inside &= turn * winding >= 0
        shade = np.maximum(shade, inside)
    ragged = textures.sample(places, 1, 16) * 0.14
    for plant in PLANTS:
        middle_x = plant.x + float(SUN_SHADOW[0]) * plant.middle
        middle_y = plant.y + float(SUN_SHADOW[1]) * plant.middle
        gone = np.sqrt((x - middle_x) ** 2 + (1.2 * (y - middle_y) ** 2)) / plant.radius + ragged
        shade = np.maximum(shade, np.clip((1.05 - gone) * 6, 0, 1) * 0.9)
    colour *= 1 - shade[..., None] * np.array([0.42, 0.40, 0.35], np.float32)


def _winding(hull: NDArray[np.float32]) -> float:
    following = np.roll(hull, -1, axis=0)
    area = float(np.sum(hull[:, 0] * following[:, 1] - hull[:, 1] * following[:, 0]))
    return 1.0 if area > 0 else -1.0
