"""Which frames stand for a recording: spread over its time, and over every phase of a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cleanplate.background.plates import spread_positions
from cleanplate.frames import FrameStack, durations

_GOLDEN = (np.sqrt(5) - 1) / 2
"""Multiples of it fall evenly between whole numbers, however many there are."""
_SEARCH = 100
"""Halvings of the interval in which the cap of the weights lies, to the last digit."""
_STEP = 4
"""Motion is looked for in every fourth row and column."""
_CHANGE = 30
"""Difference from one frame to the next that is motion, beside the pixel's own; over RGB."""
_NOISE_FACTOR = 3
_MOVING_SHARE = 0.002
"""Share of the pixels that change where something moves: a person far away."""


def still_frames(stack: FrameStack) -> NDArray[np.bool_]:
    """Frames in which nothing moves against the frame before or the one after, `(N,)`.

    A queue at a red light is as still as an empty road. Motion is what exceeds the usual difference
    of a pixel from one frame to the next, so that noise and leaves are none.
    """
    thumbnails = np.stack(
        [stack.read([at])[0, ::_STEP, ::_STEP] for at in range(len(stack))]
    ).astype(np.int16)
    changes = np.stack([np.abs(b - a).sum(axis=2) for a, b in pairwise(thumbnails)])
    usual = np.median(changes, axis=0)
    moves = (changes > _CHANGE + _NOISE_FACTOR * usual).mean(axis=(1, 2)) > _MOVING_SHARE
    return ~(np.concatenate([moves[:1], moves]) | np.concatenate([moves, moves[-1:]]))


def spread_over_time(
    times: Sequence[float], max_frames: int, weights: NDArray[np.float64] | None = None
) -> list[int]:
    """Positions of frames spread over the time of a recording, ascending: all, or `max_frames`.

    Each frame stands for the time around it, up to the middle of the gaps to its neighbours. So a
    burst of many frames in a second counts as a second, and an hour in which few were taken as an
    hour; no frame is taken twice. The parts of equal time are not sampled in their middle but at a
    place that differs from part to part: frames at even distances would see a traffic light whose
    cycle is a multiple of them in the same phase for ever.

    Args:
        times: Of all frames in seconds, ascending.
        max_frames: Most positions.
        weights: How much the time around each frame counts, above 0; None: all alike.

    Raises:
        SettingsError: If `max_frames` is below 1.
    """
    everything = spread_positions(len(times), max_frames)
    if len(everything) == len(times):
        return everything
    share = _shares(times, max_frames, weights)
    places = np.arange(max_frames) + np.modf(0.5 + _GOLDEN * np.arange(max_frames))[0]
    return _distinct(np.searchsorted(np.cumsum(share), places, side="right"), len(times))


def _shares(
    times: Sequence[float], count: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """How much of a position falls to each frame, at most 1, `count` in all."""
    around = np.asarray(durations(times), np.float64)
    if not around.any():
        around = np.ones(len(times))
    return capped_shares(around if weights is None else around * weights, count)


def capped_shares(around: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """How much of `count` draws falls to each frame by the time around it, at most 1 to each.

    Args:
        around: Time that each frame stands for, at least 0 and not 0 everywhere.
        count: How many draws, at most as many as there are frames.
    """
    # Frames that were taken at one moment still count a little, so that there are enough of them.
    around = np.maximum(around, around.max() * 1e-9)
    low, high = 0.0, float(around.max()) * len(around)
    for _ in range(_SEARCH):
        unit = (low + high) / 2
        if np.minimum(around / max(unit, 1e-300), 1).sum() > count:
            low = unit
        else:
            high = unit
    share: NDArray[np.float64] = np.minimum(around / high, 1)
    return share * (count / share.sum())


def _distinct(found: NDArray[np.intp], length: int) -> list[int]:
    """The same positions, ascending; one that was found twice gives way to its neighbour."""
    positions: list[int] = []
    for place, position in enumerate(found):
        after = positions[-1] + 1 if positions else 0
        most = length - (len(found) - place)
        positions.append(int(min(max(position, after), most)))
    return positions
