"""States of each pixel: the colours that were seen there while it was still."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.background.bands import least_motion, rows_per_band
from cleanplate.frames import FloatMap, FrameStack

THREADS = 2
"""numpy lets others work while it sums; each thread holds samples of its own, so two are enough."""
STATES = 8
"""States that are kept of a pixel; among leaves in the wind the true one is in the first six."""

NONE = 255
"""In `States.seen`: a sample that shows none of the states."""

_QUIET_SHARE = 0.1
"""Share of a pixel's samples that are taken to be free of motion; measures the sensor's noise.

Where leaves or people cover a pixel nearly always, a larger share would measure them.
"""
_NOISE_FACTOR = 2.0
"""The larger part of a pixel's still samples moves at most so many times as the quiet ones."""
_LEAST_STILL = 8.0
"""Motion that a still sample may always have, summed over RGB: compressed video jumps by it."""
_LEAST_REACH = 24.0
"""Distance of equal colours that is always allowed, summed over RGB: 8 grey levels of light."""
_LARGEST_REACH = 60.0
"""Distance above which colours are never equal, however noisy: 20 grey levels."""
_NEAR = 0.5
"""A sample within this part of the reach from the pixel's last state has not left it.

Spares the search among all states for nine of ten samples.
"""
FOLLOW = 0.05
"""A state follows the light at least at this rate: a memory of about 20 still samples."""
ABSENCE = 0.02
"""Share of the samples that a state must have been away for its return to be a visit.

A person that sways makes the edges of the clothes come and go, but from one sample to the next.
"""
_SMOOTHING = (3, 3)
"""Motion is averaged over so many pixels, so that the even inside of a slow object moves too."""
_NOWHERE = -1000.0
"""Grey level of a state that is not there: out of reach of all that are."""
_BYTES_PER_SAMPLE = 6
"""Bytes per value of a sample: it and its neighbour, twice their difference, motion, float."""


@dataclass(frozen=True, eq=False)
class States:
    """What was seen at each pixel.

    Attributes:
        colours: `(STATES, H, W, 3)`, float32, grey levels; far from all colours where
            there is no such state.
        counts: `(STATES, H, W)`, int32, number of still samples of each state.
        visits: `(STATES, H, W)`, int32, how often each state came, first or after an absence.
        seen: `(N, H, W)`, uint8, the state that each sample shows, still or not, or `NONE`.
        reach: `(H, W)`, float32, the distance summed over RGB up to which colours are equal here.
    """

    colours: NDArray[np.float32]
    counts: NDArray[np.int32]
    visits: NDArray[np.int32]
    seen: NDArray[np.uint8]
    reach: FloatMap


def find_pixel_states(stack: FrameStack, positions: Sequence[int]) -> States:
    """States of all pixels from the samples at these positions, in the order of time.

    A sample is still if it moves little against the frame before or after it, measured by the
    noise of the pixel. It joins the nearest state within reach, or founds one in the place of the
    state with the fewest samples. Samples that are not still only note which state they show.
    """
    height, width = stack.size
    states = States(
        colours=np.empty((STATES, height, width, 3), np.float32),
        counts=np.empty((STATES, height, width), np.int32),
        visits=np.empty((STATES, height, width), np.int32),
        seen=np.empty((len(positions), height, width), np.uint8),
        reach=np.empty((height, width), np.float32),
    )
    rows = max(1, rows_per_band(stack, len(positions), _BYTES_PER_SAMPLE) // THREADS)

    def fill(top: int) -> None:
        band = slice(top, min(top + rows, height))
        motion = _smooth_motion(stack, positions, band)
        noise = _quantile(motion, _QUIET_SHARE)
        still = motion <= _NOISE_FACTOR * noise + _LEAST_STILL
        reach = np.minimum(_NOISE_FACTOR * noise + _LEAST_REACH, _LARGEST_REACH)
        samples = stack.read_rows(positions, band.start, band.stop)
        found = _BandStates(len(positions), reach.ravel())
        for time in range(len(positions)):
            found.observe(time, samples[time].reshape(-1, 3), still[time].ravel())
        states.colours[:, band] = found.colours.reshape(STATES, *reach.shape, 3)
        states.counts[:, band] = found.counts.reshape(STATES, *reach.shape)
        states.visits[:, band] = found.visits.reshape(STATES, *reach.shape)
        states.seen[:, band] = found.seen.reshape(len(positions), *reach.shape)
        states.reach[band] = reach

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(fill, range(0, height, rows)):
            pass  # a failure is raised here
    return states


def distance(colours: NDArray[np.float32], others: NDArray[np.float32]) -> FloatMap:
    """Absolute difference of colours `(..., 3)`, summed over RGB."""
    apart = np.abs(colours - others)
    # Twice as fast as a sum over an axis of three.
    total: FloatMap = apart[..., 0] + apart[..., 1] + apart[..., 2]
    return total


class _BandStates:
    """States of the pixels of a band, while its samples pass in the order of time.

    Attributes:
        colours: `(STATES, P, 3)`, float32.
        counts: `(STATES, P)`, int32.
        visits: `(STATES, P)`, int32.
        seen: `(N, P)`, uint8.
    """

    def __init__(self, samples: int, reach: FloatMap) -> None:
        self._reach = reach
        self._pixels = np.arange(len(reach))
        self._last = np.zeros(len(reach), np.intp)
        self.colours = np.full((STATES, len(reach), 3), _NOWHERE, np.float32)
        self.counts = np.zeros((STATES, len(reach)), np.int32)
        self._absence = max(1.0, ABSENCE * samples)
        self._never = -samples - 1
        self._left = np.full((STATES, len(reach)), self._never, np.int32)
        self.visits = np.zeros((STATES, len(reach)), np.int32)
        self.seen = np.full((samples, len(reach)), NONE, np.uint8)

    def observe(self, time: int, colours: NDArray[np.uint8], still: NDArray[np.bool_]) -> None:
        """Takes in one sample of each pixel, `(P, 3)`."""
        values = colours.astype(np.float32)
        # Indices into flat arrays, and `take`: far faster than an index for each axis.
        shown = self._last * len(self._pixels) + self._pixels
        near = distance(values, self.colours.reshape(-1, 3).take(shown, axis=0))
        moved_on = np.nonzero(near > _NEAR * self._reach)[0]
        known = np.ones(len(values), np.bool_)
        state, apart = self._nearest(values[moved_on], moved_on)
        unknown = apart > self._reach[moved_on]
        founding = unknown & still[moved_on]
        state[founding] = self._found(time, moved_on[founding])
        known[moved_on] = ~unknown | founding
        self._last[moved_on] = np.where(known[moved_on], state, self._last[moved_on])
        self.seen[time] = np.where(known, self._last, NONE)
        self._update(time, values, np.nonzero(still)[0])

    def _nearest(
        self, values: NDArray[np.float32], pixels: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], FloatMap]:
        """The nearest state of some pixels, and how far it is."""
        state = np.zeros(len(pixels), np.intp)
        apart = np.full(len(pixels), np.inf, np.float32)
        for other in range(STATES):
            further = distance(values, self.colours[other].take(pixels, axis=0))
            nearer = further < apart
            state[nearer] = other
            apart[nearer] = further[nearer]
        return state, apart

    def _found(self, time: int, pixels: NDArray[np.intp]) -> NDArray[np.intp]:
        """Places for new states of some pixels; the states that stood there are forgotten."""
        state = self.counts[:, pixels].argmin(axis=0)
        lost = self.counts[state, pixels] > 0
        past = self.seen[:time, pixels[lost]]
        self.seen[:time, pixels[lost]] = np.where(past == state[lost], NONE, past)
        self.counts[state, pixels] = 0
        self.visits[state, pixels] = 0
        self._left[state, pixels] = self._never
        return state

    def _update(self, time: int, values: NDArray[np.float32], pixels: NDArray[np.intp]) -> None:
        """Counts the still samples, and moves the colours of their states towards them."""
        place = self._last.take(pixels) * len(self._pixels) + pixels
        visits, left = self.visits.reshape(-1), self._left.reshape(-1)
        counts, colours = self.counts.reshape(-1), self.colours.reshape(-1, 3)
        visits[place] += time - left.take(place) > self._absence
        left[place] = time
        count = counts.take(place) + 1
        counts[place] = count
        rate = np.maximum(1 / count.astype(np.float32), FOLLOW)[:, None]
        before = colours.take(place, axis=0)
        colours[place] = before + rate * (values.take(pixels, axis=0) - before)


def _smooth_motion(stack: FrameStack, positions: Sequence[int], band: slice) -> NDArray[np.uint16]:
    """Motion of each sample of a band, averaged over neighbouring pixels, `(N, rows, W)`."""
    # One row more on either side, so that bands do not show.
    top, bottom = max(band.start - 1, 0), min(band.stop + 1, stack.size.height)
    samples = stack.read_rows(positions, top, bottom)
    motion = least_motion(stack, positions, samples, top=top)
    for frame in motion:
        cv2.blur(frame, _SMOOTHING, dst=frame)
    return motion[:, band.start - top : band.stop - top]


def _quantile(motion: NDArray[np.uint16], share: float) -> FloatMap:
    """The value that this share of the samples of each pixel does not exceed, `(rows, W)`."""
    rank = int(share * (len(motion) - 1))
    return np.partition(motion, rank, axis=0)[rank].astype(np.float32)
