"""Robust PCA: frames as a matrix of low rank, the scene, plus one that is mostly zero.

Principal component pursuit (Candes et al., 2011, arXiv:0912.3599), solved by the inexact
augmented Lagrangian (Lin, Chen and Ma, 2010, arXiv:1009.5055, algorithm 5), on grey frames reduced
to 160x120 pixels' worth. Later frames are taken apart in the subspace that was found.
"""

from __future__ import annotations

import math
from copy import copy
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background import spread_positions
from cleanplate.baselines.base import PeerKind, Sweep
from cleanplate.frames import FrameSize, FrameStack, Mask, Picture

FloatMatrix = NDArray[np.float32]

MOST_FRAMES = 200
_MOST_PIXELS = 160 * 120
_TOLERANCE = 1e-5
_MOST_STEPS = 200
_STRENGTH_GROWTH = 1.5
_LEAST_SINGULAR_VALUE = 1e-3
"""Directions of the subspace have at least this share of the largest singular value."""
_SPLIT_STEPS = 20


class Parts(NamedTuple):
    """What a matrix is taken apart into; their sum is the matrix.

    Attributes:
        low_rank: The same shape, few independent columns.
        sparse: The same shape, mostly zero.
    """

    low_rank: FloatMatrix
    sparse: FloatMatrix


def take_apart(matrix: FloatMatrix) -> Parts:
    """Low-rank and sparse part of a matrix, `(M, N)`, N being small.

    The weight of the sparse part is 1 / sqrt(max(M, N)), which needs no tuning.
    """
    weight = 1.0 / math.sqrt(max(matrix.shape))
    norm = float(np.linalg.norm(matrix))
    if norm == 0.0:
        return Parts(matrix.copy(), np.zeros_like(matrix))
    largest = _largest_singular_value(matrix)
    multipliers = matrix / max(largest, float(np.abs(matrix).max()) / weight)
    strength = 1.25 / largest
    sparse = np.zeros_like(matrix)
    low_rank = matrix
    for _ in range(_MOST_STEPS):
        low_rank = _shrink_singular_values(matrix - sparse + multipliers / strength, 1 / strength)
        sparse = _shrink(matrix - low_rank + multipliers / strength, weight / strength)
        rest = matrix - low_rank - sparse
        multipliers = multipliers + strength * rest
        strength *= _STRENGTH_GROWTH
        if float(np.linalg.norm(rest)) < _TOLERANCE * norm:
            break
    return Parts(low_rank, sparse)


class RobustPCA:
    """Masks of the frames by robust PCA.

    A pixel is foreground where its sparse part is larger than `spreads` standard deviations of all
    that was sparse while learning, as in LRSLibrary (Sobral, Bouwmans and Zahzah, 2016).
    """

    def __init__(self, spreads: float = 1.0) -> None:
        self.spreads = spreads
        self._size = FrameSize(0, 0)
        self._directions: FloatMatrix = np.empty((0, 0), np.float32)
        self._spread = 0.0
        self._plate: Picture | None = None

    def learn(self, frames: FrameStack) -> None:
        """Finds the subspace of the scene in at most 200 frames."""
        scale = min(1.0, math.sqrt(_MOST_PIXELS / frames.size.pixels))
        self._size = FrameSize(*(max(1, round(side * scale)) for side in frames.size))
        columns = [
            self._column(frames.read([position])[0])
            for position in spread_positions(len(frames), MOST_FRAMES)
        ]
        parts = take_apart(np.stack(columns, axis=1))
        self._directions = _directions(parts.low_rank)
        self._spread = float(parts.sparse.std())
        grey = np.median(parts.low_rank, axis=1).reshape(self._size)
        self._plate = _enlarged_plate(grey, frames.size)

    def apply(self, picture: Picture) -> Mask:
        """Foreground of a frame, `(H, W)`, uint8, 0 or 255."""
        assert self._plate is not None, "learn comes first"
        column = self._column(picture)
        limit = self.spreads * self._spread
        sparse = np.zeros_like(column)
        rest = column
        for _ in range(_SPLIT_STEPS):
            rest = column - self._directions @ (self._directions.T @ (column - sparse))
            previous, sparse = sparse, _shrink(rest, limit)
            if float(np.abs(sparse - previous).max()) < 1.0:
                break
        mask = (np.abs(rest) > limit).reshape(self._size).astype(np.uint8) * np.uint8(255)
        full = cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.compare(full, 127, cv2.CMP_GT), np.uint8)

    def background(self) -> Picture | None:
        """The median of its low-rank frames, `(H, W, 3)`, grey."""
        return self._plate

    def at(self, threshold: float) -> RobustPCA:
        """The same subspace at another number of spreads."""
        other = copy(self)
        other.spreads = threshold
        return other

    def _column(self, picture: Picture) -> FloatMatrix:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        reduced = cv2.resize(grey, self._size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(reduced, np.float32).ravel()


def _shrink(values: FloatMatrix, limit: float) -> FloatMatrix:
    return np.asarray(np.sign(values) * np.maximum(np.abs(values) - limit, 0), np.float32)


def _shrink_singular_values(matrix: FloatMatrix, limit: float) -> FloatMatrix:
    # The squares of the singular values are those of the small matrix of inner products.
    values, vectors = np.linalg.eigh((matrix.T @ matrix).astype(np.float64))
    singular = np.sqrt(np.maximum(values, 0))
    kept = singular > limit
    scaled = vectors[:, kept] * (1 - limit / singular[kept])
    return matrix @ (scaled @ vectors[:, kept].T).astype(np.float32)


def _directions(low_rank: FloatMatrix) -> FloatMatrix:
    """Orthonormal directions of the columns, `(M, R)`."""
    left, singular, _ = np.linalg.svd(low_rank, full_matrices=False)
    return np.ascontiguousarray(left[:, singular > _LEAST_SINGULAR_VALUE * singular[0]])


def _largest_singular_value(matrix: FloatMatrix) -> float:
    return math.sqrt(float(np.linalg.eigvalsh((matrix.T @ matrix).astype(np.float64))[-1]))


def _enlarged_plate(grey: NDArray[np.floating], size: FrameSize) -> Picture:
    rounded = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    full = cv2.resize(rounded, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_GRAY2RGB), np.uint8)


ROBUST_PCA = PeerKind(
    "Robust PCA by principal component pursuit, on reduced grey frames (Candes et al., 2011).",
    RobustPCA,
    Sweep("spreads", 1.0, (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)),
    learns=True,
)
