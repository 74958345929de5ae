"""Samples of each pixel over time, read in bands of rows, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import UsageError
from cleanplate.frames import FrameStack, Picture

BUDGET = 64 * 2**20
"""Bytes that the samples of one band and everything computed from them may take."""

RESULT_BYTES = 16
"""Bytes for sums, counts and results of each value of a picture, beside its samples."""


def require_positions(positions: Sequence[int]) -> None:
    """Refuses to go on without a position.

    Raises:
        UsageError: If there is no position.
    """
    if len(positions) == 0:
        raise UsageError("no positions to make a plate from; give at least one")


def rows_per_band(stack: FrameStack, samples: int, bytes_per_sample: int) -> int:
    """Rows of a band that fits in the budget, at least one.

    Args:
        stack: Where the frames are.
        samples: Number of samples of a pixel.
        bytes_per_sample: What each value of each sample takes, with all that is made from it.
    """
    bytes_per_value = samples * bytes_per_sample + RESULT_BYTES
    return max(1, BUDGET // (stack.size.width * 3 * bytes_per_value))


def rows_of_pixels(width: int, bytes_per_pixel: int) -> int:
    """Rows of a band whose pixels, with all that is made from them, fit in the budget."""
    return max(1, BUDGET // (width * bytes_per_pixel))


def least_motion(
    stack: FrameStack, positions: Sequence[int], samples: Picture, *, top: int
) -> NDArray[np.uint16]:
    """How much each sample differs from the frame before or after it, `(N, rows, W)`.

    The difference is summed over RGB, 0 to 765; of both neighbours in the stack the more similar
    one counts. The only frame of a stack has no motion.

    Args:
        stack: Where the frames are.
        positions: The frames that the samples are of.
        samples: Rows from `top` of these frames, `(N, rows, W, 3)`.
        top: First row of the samples.
    """
    bottom = top + samples.shape[1]
    last = len(stack) - 1
    before = [place - 1 if place > 0 else min(1, last) for place in positions]
    after = [place + 1 if place < last else max(last - 1, 0) for place in positions]
    motion = _difference(samples, stack.read_rows(before, top, bottom))
    np.minimum(motion, _difference(samples, stack.read_rows(after, top, bottom)), out=motion)
    return motion


def sorted_in_time(samples: Picture) -> Picture:
    """Samples of each value in ascending order, the same shape."""
    # Stable is the radix sort for bytes: five times faster here than the default.
    return np.sort(samples, axis=0, kind="stable")


def middle(lower: Picture, upper: Picture) -> Picture:
    """Middle of two values, rounded half up."""
    return upper - (upper - lower) // 2


def median_of_chosen(samples: Picture, chosen: NDArray[np.bool_]) -> Picture:
    """Median over time of the chosen samples of each pixel, `(rows, W, 3)`.

    Args:
        samples: `(N, rows, W, 3)`.
        chosen: `(N, rows, W)`, at least one of each pixel.
    """
    # What is not chosen sorts behind everything else.
    ordered = sorted_in_time(np.where(chosen[..., None], samples, np.uint8(255)))
    count = chosen.sum(axis=0)[None, :, :, None]
    lower = np.take_along_axis(ordered, (count - 1) // 2, axis=0)[0]
    upper = np.take_along_axis(ordered, count // 2, axis=0)[0]
    return middle(lower, upper)


def _difference(frames: Picture, neighbours: Picture) -> NDArray[np.uint16]:
    """Absolute difference summed over RGB, `(N, rows, W)`."""
    flat = (-1, frames.shape[2] * 3)
    apart = cv2.absdiff(frames.reshape(flat), neighbours.reshape(flat)).reshape(frames.shape)
    total = apart[..., 0].astype(np.uint16)
    total += apart[..., 1]
    total += apart[..., 2]
    return total
