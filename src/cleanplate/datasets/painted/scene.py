"""The painted intersection: a traffic camera whose empty scene is known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted import pedestrians
from cleanplate.datasets.painted.camera import Camera
from cleanplate.datasets.painted.ground import paint_ground
from cleanplate.datasets.painted.layout import LANES
from cleanplate.datasets.painted.movers import Mover, Painter
from cleanplate.datasets.painted.plants import grow_crowns
from cleanplate.datasets.painted.scenery import (
    Standing,
    paint_houses,
    paint_lamps,
    paint_poles,
)
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.signals import SignalLight, Signals
from cleanplate.datasets.painted.sprites import Sprite, lay, veil_of
from cleanplate.datasets.painted.traffic import Pose, simulate
from cleanplate.frames import FloatMap, FrameSize, Mask, Picture

STATIC, SHADOW, UNKNOWN, MOVING = 0, 50, 170, 255
DARKNESS = np.array([0.47, 0.45, 0.40], np.float32)
"""Share of the red, green and blue light that a cast shadow takes away."""
WARMTH = np.array([1.12, 1.0, 0.88])
FIRST_WALKER = 1_000_000
PLATE_SAMPLES = 81
FAINTEST = 0.02
NOISE_LEVELS = 4096


@dataclass(frozen=True)
class PaintedObject:
    """One moving thing as it is seen in a frame.

    Attributes:
        id: Its number; the same in every frame.
        kind: `car`, `van`, `bus` or `pedestrian`.
        box: Left, top, width and height of its visible pixels.
        waiting_seconds: How long it has stood still; 0 when it moves.
        pixels: Number of its visible pixels.
    """

    id: int
    kind: str
    box: tuple[int, int, int, int]
    waiting_seconds: float
    pixels: int


@dataclass(frozen=True, eq=False)
class PaintedFrame:
    """One frame with its truth.

    Attributes:
        index: Position in the clip, from 0.
        time: Seconds from the first frame.
        picture: `(H, W, 3)`, uint8, RGB, with sensor noise.
        plate: `(H, W, 3)`, uint8, RGB: the same moment of the empty scene, without noise.
        labels: `(H, W)`, uint8, CDnet's: 0 static, 50 shadow, 170 unknown edge, 255 moving.
        objects: What moves or waits and is seen, behind to front.
    """

    index: int
    time: float
    picture: Picture
    plate: Picture
    labels: Mask
    objects: tuple[PaintedObject, ...]


@dataclass(frozen=True, eq=False)
class _Backdrop:
    """The empty scene of one moment, before the light: its picture and what can hide movers."""

    picture: Picture
    standing: list[Standing]
    windows: NDArray[np.float64]
    ground: FloatMap

    def nearer(self, mover: Mover) -> list[Sprite]:
        """What stands before a mover and may hide some of it."""
        rows, columns = mover.sprite.window
        boxes = self.windows
        hits = (boxes[:, 0] < mover.depth) & (boxes[:, 1] < columns.stop)
        hits &= (boxes[:, 2] > columns.start) & (boxes[:, 3] < rows.stop)
        hits &= boxes[:, 4] > rows.start
        return [self.standing[i].sprite for i in np.nonzero(hits)[0]]


class PaintedIntersection:
    """A signalised crossroads seen by a fixed camera, with exact truth.

    Frames can be read in any order; a frame depends on the settings and its index only.

    Example:
        >>> scene = PaintedIntersection(PaintedSettings(size=(48, 64), seconds=2))
        >>> len(scene), scene.frame(3).labels.shape
        (20, (48, 64))
    """

    def __init__(self, settings: PaintedSettings | None = None) -> None:
        self.settings = settings or PaintedSettings()
        self.size = FrameSize(*self.settings.size)
        self.signals = Signals(self.settings.cycle, self.settings.red_share)
        self._camera = Camera.over_crossing(self.size)
        self._crowd = pedestrians.Crowd(self.settings, self.signals)
        self._painter = Painter(self._camera, shadows=self.settings.shadows)
        self._crowns = grow_crowns(self._camera, self.settings.seed, self.settings.sway)
        self._lamps = paint_lamps(self._camera)
        self._poles = paint_poles(self._camera)
        self._base, self._ground = self._paint_base()

    def __len__(self) -> int:
        return self.settings.frames

    def frame(self, index: int) -> PaintedFrame:
        """One frame with its truth.

        Raises:
            IndexError: The clip has no such frame.
        """
        time = self._time(index)
        backdrop = self._backdrop(time)
        movers = self._painter.paint(self._poses(index))
        picture = backdrop.picture.copy()
        shade = self._cast_shadows(picture, movers, backdrop)
        cover = np.zeros(self.size, np.float32)
        owners = np.zeros(self.size, np.int32)
        for number, mover in enumerate(movers, 1):
            veil = veil_of(mover.sprite, backdrop.nearer(mover))
            lay(mover.sprite, picture, veil)
            alpha = mover.sprite.alpha if veil is None else mover.sprite.alpha * veil
            region = cover[mover.sprite.window]
            region += (1 - region) * alpha
            owners[mover.sprite.window][alpha >= 0.5] = number
        light = self._light(time)
        return PaintedFrame(
            index,
            time,
            self._add_noise(cv2.LUT(picture, light), index),
            cv2.LUT(backdrop.picture, light),
            _label(cover, shade),
            _list_objects(movers, owners),
        )

    def plate(self, index: int) -> Picture:
        """The exact empty scene of one frame, `(H, W, 3)`, uint8, RGB.

        Raises:
            IndexError: The clip has no such frame.
        """
        time = self._time(index)
        return np.asarray(cv2.LUT(self._backdrop(time).picture, self._light(time)))

    @cached_property
    def still_plate(self) -> Picture:
        """One plate for scoring: the median of exact plates spread evenly over the clip."""
        count = min(len(self), PLATE_SAMPLES)
        chosen = np.unique(np.linspace(0, len(self) - 1, count).round().astype(int))
        stack = np.stack([self.plate(int(index)) for index in chosen])
        middle = (len(chosen) - 1) // 2
        rows = [
            np.partition(stack[:, row], middle, axis=0)[middle] for row in range(self.size.height)
        ]
        return np.stack(rows)

    def light_of(self, index: int, *, main: bool = True) -> SignalLight:
        """What the traffic light of a road shows in a frame."""
        return self.signals.show(self._time(index), main=main)

    def stop_line_pixel(self, lane: int = 1) -> tuple[int, int]:
        """Row and column of the road surface where the first vehicle of a lane waits.

        Args:
            lane: 0 inner and 1 outer lane away from the viewer, 2 and 3 towards, 4 and 5 the
                crossing road from the left and from the right.
        """
        x, y = LANES[lane].place(LANES[lane].stop - 2.0)
        column, row, _ = self._camera.project(np.array([[x, y, 0.0]]))[0]
        height, width = self.size
        return int(np.clip(row, 0, height - 1)), int(np.clip(column, 0, width - 1))

    @cached_property
    def _vehicles(self) -> list[tuple[Pose, ...]]:
        return simulate(self.settings, self.signals, self._crowd)

    def _time(self, index: int) -> float:
        if not 0 <= index < len(self):
            raise IndexError(f"frame index {index} is outside the clip; give 0 to {len(self) - 1}")
        return index / self.settings.frame_rate

    def _poses(self, index: int) -> list[Pose]:
        time = self._time(index)
        people = []
        for walker in self._crowd.present(time):
            x, y = pedestrians.place(walker, time)
            heading = (walker.forward, 0) if walker.main else (0, walker.forward)
            waiting = time - walker.reach if walker.stands(time) else 0.0
            stride = pedestrians.stride(walker, time)
            identity = FIRST_WALKER + walker.id
            people.append(
                Pose(
                    identity,
                    "pedestrian",
                    walker.style,
                    x,
                    y,
                    heading,
                    braking=False,
                    waiting=waiting,
                    stride=stride,
                )
            )
        return [*self._vehicles[index], *people]

    def _paint_base(self) -> tuple[Picture, FloatMap]:
        """Everything that never changes, and how much of the ground it leaves visible."""
        base = paint_ground(self._camera, self.settings.seed)
        ground = np.ones(self.size, np.float32)
        horizon, *poles = self._poles
        houses = paint_houses(self._camera, self.settings.seed)
        for sprite in [horizon.sprite, *houses, *(pole.sprite for pole in poles)]:
            lay(sprite, base)
            ground[sprite.window] *= 1 - sprite.alpha
        return base, ground

    def _backdrop(self, time: float) -> _Backdrop:
        picture, ground = self._base.copy(), self._ground.copy()
        leaves = [Standing(crown.at(time), crown.depth) for crown in self._crowns]
        for one in leaves:
            nearer = [pole.sprite for pole in self._poles if pole.depth < one.depth]
            veil = veil_of(one.sprite, nearer)
            lay(one.sprite, picture, veil)
            ground[one.sprite.window] *= 1 - one.sprite.alpha
        for main, lamps in self._lamps:
            lay(lamps[self.signals.show(time, main=main)], picture)
        standing = [*self._poles, *leaves]
        return _Backdrop(picture, standing, _windows(standing), ground)

    def _cast_shadows(
        self, picture: Picture, movers: Sequence[Mover], backdrop: _Backdrop
    ) -> FloatMap:
        shade = np.zeros(self.size, np.float32)
        for mover in movers:
            if mover.shade is not None:
                region = shade[mover.shade.window]
                np.maximum(region, mover.shade.strength, out=region)
        shade *= backdrop.ground
        # the faint end of a soft edge would be neither seen nor static
        touched = shade > FAINTEST
        shade[~touched] = 0
        darker = picture[touched] * (1 - shade[touched][:, None] * DARKNESS)
        picture[touched] = (darker + np.float32(0.5)).astype(np.uint8)
        return shade

    def _light(self, time: float) -> NDArray[np.uint8]:
        """What the light of a moment makes of every grey level, `(1, 256, 3)`."""
        share = time / max(self._time(len(self) - 1), 1e-9)
        drift = -0.5 * np.cos(2 * np.pi * share) * self.settings.light_drift
        gain = 1 + drift / self._brightness * WARMTH / WARMTH.mean()
        table = np.arange(256)[:, None] * gain[None, :]
        return np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]

    @cached_property
    def _brightness(self) -> float:
        return float(self._base.mean())

    def _add_noise(self, picture: Picture, index: int) -> Picture:
        if self.settings.noise == 0:
            return picture
        random = np.random.Generator(
            np.random.SFC64(np.random.SeedSequence([self.settings.seed, 61, index]))
        )
        draws = np.frombuffer(random.bytes(2 * picture.size), np.uint16) & (NOISE_LEVELS - 1)
        noise = self._noise_table[draws].reshape(picture.shape)
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U))

    @cached_property
    def _noise_table(self) -> FloatMap:
        """Equally likely values of the noise; to look one up is four times as fast as a draw."""
        normal = NormalDist(0, self.settings.noise)
        shares = (np.arange(NOISE_LEVELS) + 0.5) / NOISE_LEVELS
        return np.array([normal.inv_cdf(float(share)) for share in shares], np.float32)


def _windows(standing: Sequence[Standing]) -> NDArray[np.float64]:
    """For each thing its depth, left, right, top and bottom."""
    rows = []
    for one in standing:
        down, across = one.sprite.window
        rows.append((one.depth, across.start, across.stop, down.start, down.stop))
    return np.array(rows, float)


def _label(cover: FloatMap, shade: FloatMap) -> Mask:
    labels = np.zeros(cover.shape, np.uint8)
    labels[shade > 0] = UNKNOWN
    labels[shade >= 0.5] = SHADOW
    labels[cover > 0] = UNKNOWN
    labels[cover >= 0.5] = MOVING
    return labels


def _list_objects(movers: Sequence[Mover], owners: NDArray[np.int32]) -> tuple[PaintedObject, ...]:
    objects = []
    for number, mover in enumerate(movers, 1):
        rows, columns = mover.sprite.window
        own = owners[rows, columns] == number
        pixels = int(np.count_nonzero(own))
        if pixels == 0:
            continue
        down = np.nonzero(own.any(axis=1))[0]
        across = np.nonzero(own.any(axis=0))[0]
        box = (
            int(across[0]) + columns.start,
            int(down[0]) + rows.start,
            int(across[-1] - across[0]) + 1,
            int(down[-1] - down[0]) + 1,
        )
        pose = mover.pose
        objects.append(PaintedObject(pose.id, pose.kind, box, round(pose.waiting, 6), pixels))
    return tuple(objects)
