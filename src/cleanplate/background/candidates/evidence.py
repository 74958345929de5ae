"""What the samples say for a plate and against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.background.bands import rows_of_pixels
from cleanplate.background.candidates.choice import find_left_over
from cleanplate.background.candidates.states import ABSENCE, FOLLOW, STATES, States, distance
from cleanplate.frames import FloatMap, FrameStack, Picture

WIDER = 1.5
"""Up to so many reaches from the plate's state a colour is the plate's: the ends of its noise and
some change of light."""
FEW_VISITS = 3
"""So many visits are enough, however short: other things look different every time."""
_STAY = 3
"""Still samples of a state that has stood, and not only passed."""
_STEP = 4
"""The light of a sample is measured on every fourth row and column."""
_FLOOR = 8.0
"""Grey levels added before a ratio is taken, so that noise in the dark does not matter."""
_BYTES_OF_SAMPLE = 8
_BYTES_OF_STATE = 200
"""What a sample and a state of a pixel take while a band of rows is weighed."""


class RegionEvidence(NamedTuple):
    """How well the samples support a plate, each map `(H, W)`.

    Attributes:
        seen: float32, 0 to 1, share of the samples that show the plate.
        visits: int32, how often the plate came into sight, first or after an absence.
        lead: float32, 0 to 1, how far the plate is ahead of everything else that stood still here:
            its part of the time, or of the visits, that it shares with its strongest rival,
            whichever part is larger. At 0.5 the two are even, and outlines alone decided.
        left_over: bool, where the plate has an outline that some of the samples have not: it shows
            something that was away for a moment.
    """

    seen: FloatMap
    visits: NDArray[np.int32]
    lead: FloatMap
    left_over: NDArray[np.bool_]


def weigh(
    states: States, chosen: NDArray[np.intp], seen: FloatMap, light: NDArray[np.float32]
) -> RegionEvidence:
    """The evidence for chosen states.

    What looks alike in the light of its samples is one thing, of however many states: exposure and
    clouds split an empty road into several, and compression jumps between two.

    Args:
        states: What was seen.
        chosen: `(H, W)`, the state that the plate shows; `STATES` where it shows none of them.
        seen: `(H, W)`, share of the samples that show the plate.
        light: `(N, 3)`, that of each sample; see `light_of`.
    """
    height, width = chosen.shape
    seen = seen.copy()
    visits = np.empty((height, width), np.int32)
    lead = np.empty((height, width), np.float32)
    needed = _BYTES_OF_SAMPLE * len(states.seen) + _BYTES_OF_STATE * STATES
    rows = rows_of_pixels(width, needed)
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height))
        size = (band.stop - top, width)
        things = _Things(states, chosen[band].ravel(), band, light)
        visits[band] = things.visits().reshape(size)
        lead[band] = things.lead().reshape(size)
        seen[band] = np.maximum(seen[band], things.seen().reshape(size))
    known = chosen < STATES
    left_over = find_left_over(states, np.where(known, chosen, 0)) & known
    return RegionEvidence(seen, visits, lead, left_over)


def light_of(stack: FrameStack, positions: Sequence[int], picture: Picture) -> NDArray[np.float32]:
    """Logarithm of the gain from a plate to each sample, for R, G and B, `(N, 3)`.

    The median over the picture: what stands there does not matter, up to half of it.
    """
    plate = np.log(picture[::_STEP, ::_STEP] + _FLOOR)
    gains = [
        np.median(np.log(stack.read([at])[0, ::_STEP, ::_STEP] + _FLOOR) - plate, axis=(0, 1))
        for at in positions
    ]
    return np.asarray(gains, np.float32)


class _Things:
    """What was to be seen at the pixels of a band: states that look alike in their light are one.

    Args:
        states: What was seen.
        chosen: `(P,)`, the plate's state; `STATES` where there is none.
        band: Rows of these pixels.
        light: `(N, 3)`, of each sample.
    """

    def __init__(
        self, states: States, chosen: NDArray[np.intp], band: slice, light: NDArray[np.float32]
    ) -> None:
        self._counts = states.counts[:, band].reshape(STATES, -1)
        self._came = states.visits[:, band].reshape(STATES, -1)
        self._seen = states.seen[:, band].reshape(len(light), -1)
        self._reach = states.reach[band].ravel()
        self._colours = states.colours[:, band].reshape(STATES, -1, 3)
        self._known = chosen < STATES
        self._pixels = np.arange(len(chosen))
        self._light = self._light_of_states(light)
        self._plate = np.where(self._known, chosen, 0)
        self._shows_plate = self._like(self._plate, WIDER) & self._known

    def seen(self) -> FloatMap:
        """Share of the samples that show the plate in their light, `(P,)`."""
        shown = np.zeros(len(self._pixels), np.int32)
        for seen in self._seen:
            shown += self._shown(self._shows_plate, seen)
        return shown.astype(np.float32) / np.float32(len(self._seen))

    def visits(self) -> NDArray[np.int32]:
        """How often the plate came into sight, `(P,)`."""
        return self._visits(self._shows_plate)

    def lead(self) -> FloatMap:
        """How far the plate is ahead of its strongest rival, `(P,)`."""
        visits = self.visits()
        lead = self._known.astype(np.float32)
        for rival in range(STATES):
            alike = self._like(np.full(len(self._pixels), rival), 1.0) & ~self._shows_plate
            came = np.where(alike, self._came, 0).max(axis=0)
            ahead = np.maximum(self._part_of_time(alike), _part(visits, came))
            is_rival = ~self._shows_plate[rival] & (self._counts[rival] > 0)
            lead = np.where(is_rival, np.minimum(lead, ahead), lead)
        # A crowd looks different all the time: of a plate that came but once or twice, everything
        # else together is the rival.
        others = ~self._shows_plate & (self._counts > 0)
        ahead = np.maximum(self._part_of_time(others), _part(visits, self._visits(others)))
        return np.where(visits < FEW_VISITS, np.minimum(lead, ahead), lead)

    def _part_of_time(self, others: NDArray[np.bool_]) -> FloatMap:
        """Of the time of the plate and of other states, the plate's part."""
        time, stood = (
            np.where(which, self._counts, 0).sum(axis=0) for which in (self._shows_plate, others)
        )
        return _part(time, stood)

    def _visits(self, which: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How often some states came, taken as one thing; passing before them is no leave."""
        samples = len(self._seen)
        absence = max(1.0, ABSENCE * samples)
        found = np.zeros(len(self._pixels), np.int32)
        left = np.full(len(self._pixels), -samples - 1, np.int32)
        others = ~which & (self._counts >= _STAY)
        other_since = np.ones(len(self._pixels), np.bool_)
        for time, seen in enumerate(self._seen):
            now = self._shown(which, seen)
            other_since |= self._shown(others, seen)
            found += now & (time - left > absence) & other_since
            left[now] = time
            other_since &= ~now
        # What only passed in their colours has not come.
        return np.minimum(found, np.where(which, self._came, 0).sum(axis=0))

    def _shown(self, which: NDArray[np.bool_], seen: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether a sample shows one of some states, `(P,)`."""
        known = np.minimum(seen, STATES - 1)
        shown: NDArray[np.bool_] = which[known, self._pixels] & (seen < STATES)
        return shown

    def _light_of_states(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        """The light that the colours of the states stand for, `(STATES, P, 3)`.

        It follows that of the samples as the colours do.
        """
        found = np.zeros((STATES + 1, len(self._pixels), 3), np.float32)
        counts = np.zeros((STATES + 1, len(self._pixels)), np.int32)
        for seen, gain in zip(self._seen, light, strict=True):
            shown = np.minimum(seen, STATES).astype(np.intp) * len(self._pixels) + self._pixels
            count = counts.reshape(-1).take(shown) + 1
            counts.reshape(-1)[shown] = count
            before = found.reshape(-1, 3).take(shown, axis=0)
            rate = np.maximum(1 / count.astype(np.float32), FOLLOW)[:, None]
            found.reshape(-1, 3)[shown] = before + rate * (gain - before)
        return found[:STATES]

    def _like(self, which: NDArray[np.intp], reaches: float) -> NDArray[np.bool_]:
        """Which states look like one of them, as it is or in their light, `(STATES, P)`."""
        colour = self._colours[which, self._pixels]
        lit = self._light[which, self._pixels]
        alike = np.empty((STATES, len(self._pixels)), np.bool_)
        limit = reaches * self._reach
        for state, (colours, light) in enumerate(zip(self._colours, self._light, strict=True)):
            expected = np.clip((colour + _FLOOR) * np.exp(light - lit) - _FLOOR, 0, 255)
            alike[state] = distance(colours, expected) <= limit
            alike[state] |= distance(colours, colour) <= limit
        return alike & (self._counts > 0)


def nearest_state(states: States, colour: FloatMap) -> NDArray[np.intp]:
    """State within reach of a colour `(H, W, 3)`, `(H, W)`; `STATES` where there is none."""
    nearest = np.full(states.reach.shape, STATES, np.intp)
    least = states.reach.copy()
    for state in range(STATES):
        apart = distance(states.colours[state], colour)
        nearest[apart <= least] = state
        least = np.minimum(least, apart)
    return nearest


def _part(one: NDArray[np.integer], other: NDArray[np.integer]) -> FloatMap:
    """What part of both belongs to the first, 0 to 1."""
    return np.asarray(one / np.maximum(one + other, 1), np.float32)
