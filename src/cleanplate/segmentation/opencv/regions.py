"""Pixels and connected regions of masks, on numpy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture


class ArrayPixels:
    """The pixels of a mask `(h, w)`."""

    def __init__(self, where: Mask) -> None:
        self._shape = where.shape
        self._places = np.flatnonzero(where.reshape(-1) > 0)

    def at(self, values: Any) -> Any:
        return values.reshape(-1).take(self._places) if values.ndim else values

    def are_in(self, mask: Mask | np.uint8) -> Any:
        return self.at(mask) > 0

    def colours(self, picture: Picture) -> tuple[NDArray[np.float32], ...]:
        return tuple(picture.reshape(-1, 3).take(self._places, axis=0).T.astype(np.float32))

    def mask(self, chosen: NDArray[np.bool_]) -> Mask:
        filled = np.zeros(self._shape, np.uint8)
        filled.reshape(-1)[self._places] = chosen.view(np.uint8) * np.uint8(255)
        return filled


class ArrayRegions(ArrayPixels):
    """The 8-connected regions of a mask, or of its parts in and out of another."""

    def __init__(self, mask: Mask, divided_by: Mask | None = None) -> None:
        super().__init__(mask)
        count, labels = cv2.connectedComponents(mask, connectivity=8)
        self._labels = self.at(labels)
        self._owners, self._most = self._labels, count
        if divided_by is not None:
            self._owners, self._most = 2 * self._labels + self.are_in(divided_by), 2 * count

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self._owners, values, self._most), np.float64)

    def covered(self, chosen: NDArray[np.bool_]) -> Mask:
        return self.mask(chosen.take(self._labels))
