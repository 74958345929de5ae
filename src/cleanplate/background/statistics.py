"""Still plates from the statistics of each pixel over time, in bounded memory.

Each statistic takes a stack of frames and the positions to read, and gives one picture. Averages
and middles between two grey levels are rounded half up. Frames are read in bands of rows (the
mean: in groups of frames) that need at most 64 MB at a time, or what one row of all samples (the
mean: one frame and its sum) takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import bands
from cleanplate.background.bands import (
    least_motion,
    median_of_chosen,
    middle,
    require_positions,
    rows_per_band,
    sorted_in_time,
)
from cleanplate.errors import SettingsError
from cleanplate.frames import FrameStack, Picture

PlateStatistic: TypeAlias = Callable[[FrameStack, Sequence[int]], Picture]
"""What gives a plate from a stack and the positions to read."""

_LEVELS = 256
_MODE_REACH = 4
_MODE_CHUNK = 2048
_MODE_BYTES = 13
"""Bytes per sample while a histogram is counted: the bins as 4 and as 8 bytes, and the value."""


def mean(stack: FrameStack, positions: Sequence[int]) -> Picture:
    """Mean of each pixel and channel, `(H, W, 3)`; moving objects leave ghosts.

    Raises:
        UsageError: If there is no position.
    """
    require_positions(positions)
    total = np.zeros((*stack.size, 3), np.uint32)  # enough for 16 million frames
    # A sum of 256 frames fits in 16 bit, which is faster to add up in.
    group = min(256, max(1, bands.BUDGET // total.size - bands.RESULT_BYTES))
    for start in range(0, len(positions), group):
        # Not kept under a name: it would stay in memory while the next group is read.
        total += np.add.reduce(
            stack.read(positions[start : start + group]), axis=0, dtype=np.uint16
        )
    return _rounded_quotient(total, len(positions))


def trimmed_mean(stack: FrameStack, positions: Sequence[int], *, share: float = 0.25) -> Picture:
    """Mean of the middle values of each pixel and channel, `(H, W, 3)`.

    Args:
        stack: Where the frames are.
        positions: The frames that count.
        share: Of the samples, what is left out at each end (rounded down); from 0, the mean, to
            below 0.5, nearly the median.

    Raises:
        UsageError: If there is no position.
        SettingsError: If the share is out of range.
    """
    if not 0 <= share < 0.5:
        raise SettingsError(f"share {share} leaves no samples; give 0 to below 0.5")
    cut = int(share * len(positions))

    def reduce(samples: Picture) -> Picture:
        kept = sorted_in_time(samples)[cut : len(samples) - cut]
        return _rounded_quotient(kept.sum(axis=0, dtype=np.uint32), len(kept))

    return _by_bands(stack, positions, reduce, bytes_per_sample=2)


def median(stack: FrameStack, positions: Sequence[int]) -> Picture:
    """Median of each pixel and channel, `(H, W, 3)`: right where most samples show background.

    Raises:
        UsageError: If there is no position.
    """

    def reduce(samples: Picture) -> Picture:
        ordered = sorted_in_time(samples)
        return middle(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2])

    return _by_bands(stack, positions, reduce, bytes_per_sample=2)


def mode(stack: FrameStack, positions: Sequence[int]) -> Picture:
    """Commonest value of each pixel and channel, `(H, W, 3)`.

    The histogram is smoothed with a triangle that reaches 4 grey levels to each side, so that
    the densest cluster of values wins and not the luckiest single one; of equals the darkest.
    Right where background is the commonest colour, also when it shows in less than half of the
    samples; what stands longer than background shows wins over it.

    Raises:
        UsageError: If there is no position.
    """

    def reduce(samples: Picture) -> Picture:
        result = np.empty(samples.shape[1], np.uint8)
        # Small chunks keep the histograms in the cache, and many samples in the budget.
        step = max(1, min(_MODE_CHUNK, bands.BUDGET // (4 * _MODE_BYTES * len(samples))))
        for start in range(0, len(result), step):
            chunk = samples[:, start : start + step]
            result[start : start + step] = _smoothed_histograms(chunk).argmax(axis=1)
        return result

    return _by_bands(stack, positions, reduce, bytes_per_sample=2)


def low_motion(stack: FrameStack, positions: Sequence[int], *, share: float = 0.25) -> Picture:
    """Median of the samples of each pixel that moved least, `(H, W, 3)`.

    After LaBGen-P (Laugraud, Piérard and Van Droogenbroeck, ICPR 2016), without its sum over
    neighbouring pixels. The motion of a sample is its difference, summed over RGB, to the frame
    before or after it in the stack, whichever is smaller. Samples that moved as little as the
    last chosen one are chosen too, so that the start of a recording has no advantage. Moving
    objects drop out however often they pass; what stands still longer than background shows
    stays, and so does the even inside of a slow object.

    Args:
        stack: Where the frames are.
        positions: The frames that count; their neighbours are read as well.
        share: Of the samples, what is chosen at least (rounded up), above 0 to 1.

    Raises:
        UsageError: If there is no position.
        SettingsError: If the share is out of range.
    """
    if not 0 < share <= 1:
        raise SettingsError(f"share {share} chooses nothing; give more than 0, at most 1")
    require_positions(positions)
    least = math.ceil(share * len(positions))

    def read(top: int, bottom: int) -> Picture:
        samples = stack.read_rows(positions, top, bottom)
        motion = least_motion(stack, positions, samples, top=top)
        limit = np.partition(motion, least - 1, axis=0)[least - 1]
        return median_of_chosen(samples, motion <= limit)

    return _assemble(stack, rows_per_band(stack, len(positions), bytes_per_sample=5), read)


def _by_bands(
    stack: FrameStack,
    positions: Sequence[int],
    reduce: Callable[[Picture], Picture],
    *,
    bytes_per_sample: int,
) -> Picture:
    """Picture whose bands of rows are reduced from samples `(N, values)` to `(values,)`."""
    require_positions(positions)

    def read(top: int, bottom: int) -> Picture:
        samples = stack.read_rows(positions, top, bottom)
        return reduce(samples.reshape(len(samples), -1)).reshape(samples.shape[1:])

    return _assemble(stack, rows_per_band(stack, len(positions), bytes_per_sample), read)


def _assemble(stack: FrameStack, rows: int, read: Callable[[int, int], Picture]) -> Picture:
    result = np.empty((*stack.size, 3), np.uint8)
    for top in range(0, stack.size.height, rows):
        bottom = min(top + rows, stack.size.height)
        result[top:bottom] = read(top, bottom)
    return result


def _rounded_quotient(total: NDArray[np.uint32], count: int) -> Picture:
    """Quotient, rounded half up; the total is used up."""
    total += np.uint32(count // 2)
    total //= np.uint32(count)
    return total.astype(np.uint8)


def _smoothed_histograms(samples: Picture) -> NDArray[np.uint32]:
    """Histogram of each column of samples `(N, values)`, smoothed, `(values, 256)`."""
    values = samples.shape[1]
    width = _LEVELS + 2 * _MODE_REACH
    first_bins = np.arange(_MODE_REACH, values * width, width, dtype=np.uint32)
    counts = np.bincount((samples + first_bins).ravel(), minlength=values * width)
    smoothed = counts.astype(np.uint32).reshape(values, width)
    # A box of 5 twice is a triangle of 9.
    for _ in range(2):
        length = smoothed.shape[1] - _MODE_REACH
        box = smoothed[:, :length].copy()
        for offset in range(1, _MODE_REACH + 1):
            box += smoothed[:, offset : offset + length]
        smoothed = box
    return smoothed
