"""Connected pixels at which a frame shows another state than the plate, and their outlines."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class ConnectedPixels(NamedTuple):
    """Pixels at which a frame proposes another state, connected ones under one number.

    Attributes:
        numbers: How many numbers there are; 0 is no component.
        places: Of the pixels in the flat picture, `(P,)`.
        component: Number of each pixel's component, from 1, `(P,)`.
        state: The proposed state, `(P,)`.
    """

    numbers: int
    places: NDArray[np.intp]
    component: NDArray[np.int32]
    state: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of pixels of each component, `(numbers,)`."""
        return np.bincount(self.component, minlength=self.numbers)

    def means(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mean over each component, `(numbers,)`; 0 for a number without pixels."""
        return np.bincount(self.component, values, self.numbers) / np.maximum(self.sizes, 1)

    def shares(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Share of the pixels of each component that there is, set in masks `(P, N)`, `(K, N)`.

        The pixels have to come component by component.
        """
        starts = np.nonzero(np.diff(self.component, prepend=0))[0]
        if not len(starts):
            return np.zeros((0, mask.shape[1]))
        sizes = np.diff(starts, append=len(mask))
        # Faster than `np.add.reduceat`, which sums row by row.
        sums = [
            mask[first : first + size].sum(axis=0, dtype=np.int32)
            for first, size in zip(starts, sizes, strict=True)
        ]
        share: NDArray[np.float64] = np.stack(sums) / sizes[:, None]
        return share

    def thinned(self, enough: int) -> ConnectedPixels:
        """At least so many pixels of each component, evenly spread, component by component."""
        order = np.argsort(self.component, kind="stable")
        sizes = self.sizes
        component = self.component[order]
        rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[component]
        step = np.maximum(sizes // enough, 1)
        return self._at(order[rank % step[component] == 0])

    def only(self, taken: NDArray[np.bool_]) -> ConnectedPixels:
        """The pixels of some components."""
        return self._at(np.nonzero(taken[self.component])[0])

    def _at(self, index: NDArray[np.intp]) -> ConnectedPixels:
        return self._replace(
            places=self.places.take(index),
            component=self.component.take(index),
            state=self.state.take(index),
        )


class Outline(NamedTuple):
    """Pairs of neighbours of which one is in a region and the other just beyond.

    Attributes:
        inside: Index of the first among the pixels of the region, `(E,)`.
        beyond: Of the others in the flat picture, `(E,)`.
    """

    inside: NDArray[np.intp]
    beyond: NDArray[np.intp]


def connect(proposed: NDArray[np.bool_], seen: NDArray[np.uint8]) -> ConnectedPixels:
    """The proposed pixels, `(H, W)`, with the states that are seen there, `(H, W)`."""
    numbers, components = cv2.connectedComponents(proposed.view(np.uint8), connectivity=4)
    # Places in flat arrays, and `take`: far faster than an index for each axis.
    places = np.flatnonzero(proposed)
    state = seen.reshape(-1).take(places).astype(np.intp)
    return ConnectedPixels(numbers, places, components.reshape(-1).take(places), state)


def in_large_pieces(
    mask: NDArray[np.bool_], places: NDArray[np.intp], least: float
) -> NDArray[np.bool_]:
    """Which places are in connected pieces of a mask that have at least this share of its pixels.

    Args:
        mask: `(H, W)`.
        places: In the flat mask, `(E,)`.
        least: The share, 0 to 1.
    """
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    large = figures[:, cv2.CC_STAT_AREA] >= least * mask.size
    large[0] = False
    kept: NDArray[np.bool_] = large.take(pieces.reshape(-1).take(places))
    return kept


def outline_of(region: ConnectedPixels, proposed: NDArray[np.bool_]) -> Outline:
    """All pairs of a pixel of the region and one of its four neighbours outside."""
    height, width = proposed.shape
    # A frame of pixels around the picture counts as inside: its border is no outline.
    framed = np.ones((height + 2, width + 2), np.bool_)
    framed[1:-1, 1:-1] = proposed
    at = region.places + 2 * (region.places // width) + width + 3
    sides = []
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        inside = np.flatnonzero(~framed.reshape(-1).take(at + down * (width + 2) + right))
        sides.append((inside, region.places.take(inside) + (down * width + right)))
    return Outline(*(np.concatenate(parts) for parts in zip(*sides, strict=True)))
