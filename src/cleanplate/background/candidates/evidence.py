"""What the samples say for a plate and against it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.background.candidates.choice import find_left_over
from cleanplate.background.candidates.states import STATES, States, distance
from cleanplate.frames import FloatMap


class Evidence(NamedTuple):
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


def weigh(states: States, chosen: NDArray[np.intp], seen: FloatMap) -> Evidence:
    """The evidence for chosen states.

    Args:
        states: What was seen.
        chosen: `(H, W)`, the state that the plate shows; `STATES` where it shows none of them.
        seen: `(H, W)`, share of the samples that show the plate.
    """
    known = chosen < STATES
    index = np.where(known, chosen, 0)[None]
    counts, visits = (
        np.where(known, np.take_along_axis(values, index, axis=0)[0], 0)
        for values in (states.counts, states.visits)
    )
    colour = np.take_along_axis(states.colours, index[..., None], axis=0)[0]
    lead = known.astype(np.float32)
    for rival in range(STATES):
        # Light that changes makes several states of one thing: those are no rivals.
        differs = distance(states.colours[rival], colour) > states.reach
        ahead = np.maximum(_part(counts, states.counts[rival]), _part(visits, states.visits[rival]))
        is_rival = differs & (states.counts[rival] > 0)
        lead = np.where(is_rival, np.minimum(lead, ahead), lead)
    left_over = find_left_over(states, index[0]) & known
    return Evidence(seen, visits.astype(np.int32), lead.astype(np.float32), left_over)


def nearest_state(states: States, colour: FloatMap) -> NDArray[np.intp]:
    """State within reach of a colour `(H, W, 3)`, `(H, W)`; `STATES` where there is none."""
    nearest = np.full(states.reach.shape, STATES, np.intp)
    least = states.reach.copy()
    for state in range(STATES):
        apart = distance(states.colours[state], colour)
        nearest[apart <= least] = state
        least = np.minimum(least, apart)
    return nearest


def _part(one: NDArray[np.int32], other: NDArray[np.int32]) -> FloatMap:
    """What part of both belongs to the first, 0 to 1."""
    part: FloatMap = one.astype(np.float32) / np.maximum(one + other, 1)
    return part
