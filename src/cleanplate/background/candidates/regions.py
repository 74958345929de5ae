"""Connected pixels at which a frame shows another state than the plate, and their outlines."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Region(NamedTuple):
    """Pixels at which a frame proposes another state, connected ones under one number.

    Attributes:
        numbers: How many numbers there are; 0 is no component.
        rows: Of the pixels, `(P,)`.
        columns: Of the pixels, `(P,)`.
        component: Number of each pixel's component, from 1, `(P,)`.
        state: The proposed state, `(P,)`.
    """

    numbers: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    component: NDArray[np.int32]
    state: NDArray[np.intp]

    @property
    def place(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Index of the pixels in a map."""
        return self.rows, self.columns

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
        share: NDArray[np.float64] = (
            np.add.reduceat(mask, starts, axis=0, dtype=np.int32) / sizes[:, None]
        )
        return share

    def thinned(self, enough: int) -> Region:
        """At least so many pixels of each component, evenly spread, component by component."""
        order = np.argsort(self.component, kind="stable")
        sizes = self.sizes
        component = self.component[order]
        rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[component]
        step = np.maximum(sizes // enough, 1)
        return self._at(order[rank % step[component] == 0])

    def only(self, taken: NDArray[np.bool_]) -> Region:
        """The pixels of some components."""
        return self._at(np.nonzero(taken[self.component])[0])

    def _at(self, index: NDArray[np.intp]) -> Region:
        return self._replace(
            rows=self.rows[index],
            columns=self.columns[index],
            component=self.component[index],
            state=self.state[index],
        )


class Outline(NamedTuple):
    """Pairs of neighbours of which one is in a region and the other just beyond.

    Attributes:
        inside: Index of the first among the pixels of the region, `(E,)`.
        rows: Of the others, `(E,)`.
        columns: Of the others, `(E,)`.
    """

    inside: NDArray[np.intp]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def connect(proposed: NDArray[np.bool_], seen: NDArray[np.uint8]) -> Region:
    """The proposed pixels, `(H, W)`, with the states that are seen there, `(H, W)`."""
    numbers, components = cv2.connectedComponents(proposed.astype(np.uint8), connectivity=4)
    rows, columns = np.nonzero(proposed)
    state = seen[rows, columns].astype(np.intp)
    return Region(numbers, rows, columns, components[rows, columns], state)


def large_pieces(mask: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """The connected pieces of a mask `(H, W)` that have at least this share of its pixels."""
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    large = figures[:, cv2.CC_STAT_AREA] >= least * mask.size
    large[0] = False
    kept: NDArray[np.bool_] = large[pieces]
    return kept


def outline_of(region: Region, proposed: NDArray[np.bool_]) -> Outline:
    """All pairs of a pixel of the region and one of its four neighbours outside."""
    # A frame of pixels around the picture counts as inside: its border is no outline.
    framed = np.pad(proposed, 1, constant_values=True)
    sides = []
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        rows, columns = region.rows + down, region.columns + right
        inside = np.nonzero(~framed[rows + 1, columns + 1])[0]
        sides.append((inside, rows[inside], columns[inside]))
    return Outline(*(np.concatenate(parts) for parts in zip(*sides, strict=True)))
