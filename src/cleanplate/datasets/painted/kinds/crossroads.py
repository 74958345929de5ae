"""A signalised crossroads by day: vehicles queue at red, people cross, tree tops sway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import CROSSING, Camera, Viewpoint
from cleanplate.datasets.painted.scene import PaintedScene
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import Sprite, lay, veil_of
from cleanplate.datasets.painted.staging import Staging, Thing
from cleanplate.datasets.painted.street import pedestrians
from cleanplate.datasets.painted.street.ground import paint_ground
from cleanplate.datasets.painted.street.layout import LANES
from cleanplate.datasets.painted.street.movers import Mover, Painter
from cleanplate.datasets.painted.street.plants import grow_crowns
from cleanplate.datasets.painted.street.scenery import (
    Standing,
    paint_houses,
    paint_lamps,
    paint_poles,
)
from cleanplate.datasets.painted.street.signals import SignalLight, Signals
from cleanplate.datasets.painted.street.traffic import Pose, simulate
from cleanplate.frames import FloatMap, FrameSize, Picture

FIRST_WALKER = 1_000_000


@dataclass(frozen=True, eq=False)
class Backdrop:
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


class PaintedIntersection(PaintedScene):
    """A signalised crossroads seen by a fixed camera, with exact truth.

    Example:
        >>> scene = PaintedIntersection(PaintedSettings(size=(48, 64), seconds=2))
        >>> len(scene), scene.frame(3).labels.shape
        (20, (48, 64))
    """

    def __init__(self, settings: PaintedSettings | None = None) -> None:
        super().__init__(settings or PaintedSettings())
        self.signals = Signals(self.settings.cycle, self.settings.red_share)
        self._camera = Camera.at(self._view(), self._canvas())
        self._crowd = pedestrians.Crowd(self.settings, self.signals)
        self._painter = Painter(self._camera, shadows=self.settings.shadows)
        self._crowns = grow_crowns(self._camera, self.settings.seed, self.settings.sway)
        self._lamps = paint_lamps(self._camera)
        self._poles = paint_poles(self._camera)
        self._base, self._ground = self._paint_base()

    def light_of(self, index: int, *, main: bool = True) -> SignalLight:
        """What the traffic light of a road shows in a frame."""
        return self.signals.show(self.time(index), main=main)

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

    def _view(self) -> Viewpoint:
        return CROSSING

    def _canvas(self) -> FrameSize:
        """Size of what is painted; a camera that shakes needs more than a frame."""
        return self.size

    def _seen_sprite(self, mover: Mover) -> Sprite:
        """The picture of a mover in the air and the light of the scene."""
        return mover.sprite

    def _paint_ground(self) -> Picture:
        return paint_ground(self._camera, self.settings.seed)

    def _show(self, index: int) -> Staging:
        time = self.time(index)
        backdrop = self._backdrop(time)
        movers = self._painter.paint(self._poses(index))
        staging = Staging(backdrop.picture)
        self._cast_shadows(staging, movers, backdrop)
        for mover in movers:
            pose = mover.pose
            thing = Thing(pose.id, pose.kind, pose.waiting, self._seen_sprite(mover))
            staging.lay(thing, veil_of(mover.sprite, backdrop.nearer(mover)))
        light = self._light(time)
        staging.picture = np.asarray(cv2.LUT(staging.picture, light))
        staging.plate = np.asarray(cv2.LUT(staging.plate, light))
        return staging

    def _empty(self, index: int) -> Picture:
        time = self.time(index)
        return np.asarray(cv2.LUT(self._backdrop(time).picture, self._light(time)))

    @cached_property
    def _vehicles(self) -> list[tuple[Pose, ...]]:
        return simulate(self.settings, self.signals, self._crowd)

    def _poses(self, index: int) -> list[Pose]:
        time = self.time(index)
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
        base = self._paint_ground()
        ground = np.ones(base.shape[:2], np.float32)
        horizon, *poles = self._poles
        houses = paint_houses(self._camera, self.settings.seed)
        for sprite in [horizon.sprite, *houses, *(pole.sprite for pole in poles)]:
            lay(sprite, base)
            ground[sprite.window] *= 1 - sprite.alpha
        return base, ground

    def _backdrop(self, time: float) -> Backdrop:
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
        return Backdrop(picture, standing, _windows(standing), ground)

    def _cast_shadows(self, staging: Staging, movers: Sequence[Mover], backdrop: Backdrop) -> None:
        shade = np.zeros_like(backdrop.ground)
        for mover in movers:
            if mover.shade is not None:
                region = shade[mover.shade.window]
                np.maximum(region, mover.shade.strength, out=region)
        staging.darken(shade * backdrop.ground)

    def _light(self, time: float) -> NDArray[np.uint8]:
        return self.light(time, self._brightness)

    @cached_property
    def _brightness(self) -> float:
        return float(self._base.mean())


SCENE = PaintedIntersection


def _windows(standing: Sequence[Standing]) -> NDArray[np.float64]:
    """For each thing its depth, left, right, top and bottom."""
    rows = []
    for one in standing:
        down, across = one.sprite.window
        rows.append((one.depth, across.start, across.stop, down.start, down.stop))
    return np.array(rows, float)
