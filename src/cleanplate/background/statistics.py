"""Still plates from the statistics of each pixel over time, in bounded memory.

Each statistic takes a stack of frames and the positions to read, and gives one picture. Averages
and middles between two grey levels are rounded half up. Frames are read in bands of rows (the
mean: in groups of frames) that need at most 64 MB at a time, or what one row of all samples (the
mean: one frame and its sum) takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SettingsError, SourceError, UnknownNameError, UsageError
from cleanplate.frames import FrameStack, Picture

PlateStatistic: TypeAlias = Callable[[FrameStack, Sequence[int]], Picture]
"""What gives a plate from a stack and the positions to read."""

_BUDGET = 64 * 2**20
"""Bytes that the samples of one band and everything computed from them may take."""

_RESULT_BYTES = 16
"""Bytes for sums, counts and results of each value of a picture, beside its samples."""

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
    _require_positions(positions)
    total = np.zeros((*stack.size, 3), np.uint32)  # enough for 16 million frames
    # A sum of 256 frames fits in 16 bit, which is faster to add up in.
    group = min(256, max(1, _BUDGET // total.size - _RESULT_BYTES))
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
        kept = _sorted_in_time(samples)[cut : len(samples) - cut]
        return _rounded_quotient(kept.sum(axis=0, dtype=np.uint32), len(kept))

    return _by_bands(stack, positions, reduce, bytes_per_sample=2)


def median(stack: FrameStack, positions: Sequence[int]) -> Picture:
    """Median of each pixel and channel, `(H, W, 3)`: right where most samples show background.

    Raises:
        UsageError: If there is no position.
    """

    def reduce(samples: Picture) -> Picture:
        ordered = _sorted_in_time(samples)
        return _middle(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2])

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
        step = max(1, min(_MODE_CHUNK, _BUDGET // (4 * _MODE_BYTES * len(samples))))
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
    _require_positions(positions)
    last = len(stack) - 1
    before = [place - 1 if place > 0 else min(1, last) for place in positions]
    after = [place + 1 if place < last else max(last - 1, 0) for place in positions]
    least = math.ceil(share * len(positions))

    def read(top: int, bottom: int) -> Picture:
        samples = stack.read_rows(positions, top, bottom)
        motion = _motion(samples, stack.read_rows(before, top, bottom))
        np.minimum(motion, _motion(samples, stack.read_rows(after, top, bottom)), out=motion)
        return _median_of_least(samples, motion, least)

    return _assemble(stack, _rows_per_band(stack, len(positions), bytes_per_sample=5), read)


PLATES: Mapping[str, PlateStatistic] = {
    "mean": mean,
    "median": median,
    "trimmed_mean": trimmed_mean,
    "mode": mode,
    "low_motion": low_motion,
}
"""Statistics by the name that users give."""


def still_plate(how: str, stack: FrameStack, *, max_frames: int = 200) -> Picture:
    """Still plate of a recording from frames spread evenly over it, `(H, W, 3)`.

    Args:
        how: One of `PLATES`.
        stack: The frames of the recording.
        max_frames: Read at most so many frames.

    Raises:
        UnknownNameError: If there is no plate of that name.
        SourceError: If the recording has no frames.
        SettingsError: If not even one frame may be read.
    """
    if how not in PLATES:
        raise UnknownNameError("plate", how, PLATES)
    if len(stack) == 0:
        raise SourceError("the recording has no frames to make a plate from; give at least one")
    return PLATES[how](stack, spread_positions(len(stack), max_frames))


def spread_positions(length: int, max_frames: int) -> list[int]:
    """Positions spread evenly over a recording, ascending: all of them, or `max_frames`.

    Each stands in the middle of its part of the recording.

    Raises:
        SettingsError: If `max_frames` is below 1.
    """
    if max_frames < 1:
        raise SettingsError(f"max_frames {max_frames} is too few; give at least 1")
    count = min(length, max_frames)
    return [(2 * part + 1) * length // (2 * count) for part in range(count)]


def _require_positions(positions: Sequence[int]) -> None:
    if len(positions) == 0:
        raise UsageError("no positions to make a plate from; give at least one")


def _by_bands(
    stack: FrameStack,
    positions: Sequence[int],
    reduce: Callable[[Picture], Picture],
    *,
    bytes_per_sample: int,
) -> Picture:
    """Picture whose bands of rows are reduced from samples `(N, values)` to `(values,)`."""
    _require_positions(positions)

    def read(top: int, bottom: int) -> Picture:
        samples = stack.read_rows(positions, top, bottom)
        return reduce(samples.reshape(len(samples), -1)).reshape(samples.shape[1:])

    return _assemble(stack, _rows_per_band(stack, len(positions), bytes_per_sample), read)


def _assemble(stack: FrameStack, rows: int, read: Callable[[int, int], Picture]) -> Picture:
    result = np.empty((*stack.size, 3), np.uint8)
    for top in range(0, stack.size.height, rows):
        bottom = min(top + rows, stack.size.height)
        result[top:bottom] = read(top, bottom)
    return result


def _rows_per_band(stack: FrameStack, samples: int, bytes_per_sample: int) -> int:
    bytes_per_value = samples * bytes_per_sample + _RESULT_BYTES
    return max(1, _BUDGET // (stack.size.width * 3 * bytes_per_value))


def _sorted_in_time(samples: Picture) -> Picture:
    # Stable is the radix sort for bytes: five times faster here than the default.
    return np.sort(samples, axis=0, kind="stable")


def _middle(lower: Picture, upper: Picture) -> Picture:
    """Middle of two values, rounded half up."""
    return upper - (upper - lower) // 2


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


def _motion(frames: Picture, neighbours: Picture) -> NDArray[np.uint16]:
    """Absolute difference summed over RGB, `(N, rows, W)`."""
    flat = (-1, frames.shape[2] * 3)
    difference = cv2.absdiff(frames.reshape(flat), neighbours.reshape(flat)).reshape(frames.shape)
    motion = difference[..., 0].astype(np.uint16)
    motion += difference[..., 1]
    motion += difference[..., 2]
    return motion


def _median_of_least(samples: Picture, motion: NDArray[np.uint16], least: int) -> Picture:
    """Median over time of the samples with the least motion, at least so many."""
    limit = np.partition(motion, least - 1, axis=0)[least - 1]
    chosen = motion <= limit
    # What is not chosen sorts behind everything else.
    ordered = _sorted_in_time(np.where(chosen[..., None], samples, np.uint8(255)))
    count = chosen.sum(axis=0)[None, :, :, None]
    lower = np.take_along_axis(ordered, (count - 1) // 2, axis=0)[0]
    upper = np.take_along_axis(ordered, count // 2, axis=0)[0]
    return _middle(lower, upper)
