"""Anti-aliased pictures of flat-sided things, and how they are laid over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import SUN_SHADOW, Camera, Points
from cleanplate.frames import FloatMap, Picture

Colour = tuple[float, float, float]

SHIFT = 4
SUN = np.array([-SUN_SHADOW[0], -SUN_SHADOW[1], 1.0])
NEAR = 1.0
FINE_AREA = 96 * 96
"""Sprites with fewer pixels are painted four times as large and reduced, others twice."""
COARSE_SCALE = 5.0
"""Below so many pixels for a metre, details are left out."""


class Face(NamedTuple):
    """One flat side.

    Attributes:
        corners: `(N, 3)`, in metres.
        colour: As seen, light and shade included.
        detail: Whether it is left out far away.
        outward: The direction it faces, or None when it is seen from both sides.
    """

    corners: Points
    colour: Colour
    detail: bool = False
    outward: Points | None = None


@dataclass(frozen=True, eq=False)
class Solid:
    """Faces in the order in which they are painted, made ready for quick projection.

    Attributes:
        vertices: Corners of all faces, `(V, 3)`.
        ends: For each face, where its corners end.
        colours: For each face, red, green, blue and opacity.
        outward: For each face, its direction; zeros for faces seen from both sides.
        flat: For each face, whether it is seen from both sides.
        coarse: The same without the details that are left out far away.
    """

    vertices: Points
    ends: tuple[int, ...]
    colours: tuple[tuple[float, float, float, float], ...]
    outward: Points
    flat: NDArray[np.bool_]
    coarse: Solid | None

    @classmethod
    def of(cls, faces: Sequence[Face]) -> Solid:
        """The solid with these faces."""
        plain = [face for face in faces if not face.detail]
        return cls(
            np.concatenate([face.corners for face in faces]),
            tuple(int(end) for end in np.cumsum([len(face.corners) for face in faces])),
            tuple((*face.colour, 255.0) for face in faces),
            np.array([np.zeros(3) if f.outward is None else f.outward for f in faces]),
            np.array([face.outward is None for face in faces]),
            cls.of(plain) if len(plain) < len(faces) else None,
        )

    def seen_from(self, distance: float, camera: Camera) -> Solid:
        """Itself, or without details where they would be too small to see."""
        far = camera.focal / distance < COARSE_SCALE
        return self.coarse if far and self.coarse is not None else self


class Sprite(NamedTuple):
    """A picture with soft edges at a place of the frame.

    Attributes:
        left: Column of its first pixel.
        top: Row of its first pixel.
        colour: `(h, w, 3)`, float, multiplied by the opacity.
        alpha: `(h, w)`, opacity, 0 to 1.
    """

    left: int
    top: int
    colour: FloatMap
    alpha: FloatMap

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns of the frame."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


class Bounds(NamedTuple):
    """A rectangle of whole pixels inside the frame."""

    left: int
    top: int
    width: int
    height: int


def frame_bounds(corners: Points, camera: Camera, margin: int = 1) -> Bounds | None:
    """The part of the frame that holds these picture positions, or None when there is none."""
    columns, rows = corners[:, 0], corners[:, 1]
    left = max(math.floor(columns.min()) - margin, 0)
    top = max(math.floor(rows.min()) - margin, 0)
    right = min(math.ceil(columns.max()) + margin, camera.size.width)
    bottom = min(math.ceil(rows.max()) + margin, camera.size.height)
    if left >= right or top >= bottom:
        return None
    return Bounds(left, top, right - left, bottom - top)


def paint(solid: Solid, camera: Camera, *, larger: int | None = None) -> Sprite | None:
    """The picture of a solid whose corners are in the world, or None when it is out of sight.

    Args:
        solid: What is painted.
        camera: The camera.
        larger: How many times as large it is painted before it is reduced; None is by its size.
    """
    world = solid.vertices
    return paint_projected(solid, world, camera.project(world), camera, larger=larger)


def paint_projected(
    solid: Solid, world: Points, seen: Points, camera: Camera, *, larger: int | None = None
) -> Sprite | None:
    """The picture of a solid whose corners have been placed in the world and projected.

    Faces that look away from the camera are left out; later faces cover earlier ones.
    """
    if seen[:, 2].min() < NEAR:
        return None
    bounds = frame_bounds(seen, camera)
    if bounds is None:
        return None
    starts = (0, *solid.ends[:-1])
    views = camera.position - world[list(starts)]
    shown = (np.einsum("ij,ij->i", solid.outward, views) > 0) | solid.flat
    if larger is None:
        larger = 4 if bounds.width * bounds.height < FINE_AREA else 2
    canvas = np.zeros((bounds.height * larger, bounds.width * larger, 4), np.uint8)
    corners = fixed_point(seen, bounds, larger)
    for i in np.nonzero(shown)[0].tolist():
        cv2.fillPoly(
            canvas, [corners[starts[i] : solid.ends[i]]], solid.colours[i], cv2.LINE_8, SHIFT
        )
    return reduce_canvas(canvas, bounds)


def fixed_point(corners: Points, bounds: Bounds, larger: int) -> NDArray[np.int32]:
    """Picture positions as OpenCV paints them on an enlarged canvas of these bounds."""
    inside = (corners[:, :2] - (bounds.left, bounds.top)) * larger - 0.5
    return np.rint(inside * (1 << SHIFT)).astype(np.int32)


def reduce_canvas(canvas: NDArray[np.uint8], bounds: Bounds) -> Sprite:
    """The sprite of an enlarged canvas (red, green, blue, opacity)."""
    small = cv2.resize(canvas, (bounds.width, bounds.height), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )
    return Sprite(
        bounds.left,
        bounds.top,
        np.ascontiguousarray(small[..., :3]),
        np.ascontiguousarray(small[..., 3]) * np.float32(1 / 255),
    )


def lay(sprite: Sprite, canvas: Picture, veil: FloatMap | None = None) -> None:
    """Lay a sprite over a picture, in place.

    Args:
        sprite: What is laid over it.
        canvas: The picture.
        veil: `(h, w)`, what nearer things leave visible of the sprite, 0 to 1; None is all.
    """
    region = canvas[sprite.window]
    colour, alpha = sprite.colour, sprite.alpha
    if veil is not None:
        colour, alpha = colour * veil[..., None], alpha * veil
    mixed = region * (1 - alpha[..., None]) + colour
    canvas[sprite.window] = (mixed + np.float32(0.5)).astype(np.uint8)


def overlap(one: Sprite, other: Sprite) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """The common pixels as windows into either sprite, or None."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom = min(one.top + one.alpha.shape[0], other.top + other.alpha.shape[0])
    right = min(one.left + one.alpha.shape[1], other.left + other.alpha.shape[1])
    if top >= bottom or left >= right:
        return None
    return (
        (slice(top - one.top, bottom - one.top), slice(left - one.left, right - one.left)),
        (slice(top - other.top, bottom - other.top), slice(left - other.left, right - other.left)),
    )


def veil_of(sprite: Sprite, nearer: Sequence[Sprite]) -> FloatMap | None:
    """What nearer sprites leave visible of a sprite, or None when it is all."""
    veil: FloatMap | None = None
    for other in nearer:
        common = overlap(sprite, other)
        if common is not None:
            if veil is None:
                veil = np.ones_like(sprite.alpha)
            veil[common[0]] *= 1 - other.alpha[common[1]]
    return veil


def lit(colour: Sequence[float], outward: Points) -> Colour:
    """A colour in the sun and the light of the sky, for a side that faces a direction."""
    sun = SUN / np.linalg.norm(SUN)
    light = 0.58 + 0.10 * outward[2] + 0.44 * max(0.0, float(outward @ sun))
    red, green, blue = (min(255.0, max(0.0, part * light)) for part in colour)
    return red, green, blue
