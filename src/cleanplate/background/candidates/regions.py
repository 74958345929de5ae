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

    def means(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mean over each component, `(numbers,)`; 0 for a number without pixels."""
        sizes = np.bincount(self.component, minlength=self.numbers)
        return np.bincount(self.component, values, self.numbers) / np.maximum(sizes, 1)

    def only(self, taken: NDArray[np.bool_]) -> Region:
        """The pixels of some components."""
        kept = taken[self.component]
        return self._replace(
            rows=self.rows[kept],
            columns=self.columns[kept],
            component=self.component[kept],
            state=self.state[kept],
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
