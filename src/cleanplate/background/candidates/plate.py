"""The plate of the chosen states: medians of what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.background.bands import median_of_chosen, require_positions, rows_per_band
from cleanplate.background.candidates.choice import choose_states
from cleanplate.background.candidates.evidence import (
    WIDER,
    RegionEvidence,
    light_of,
    nearest_state,
    weigh,
)
from cleanplate.background.candidates.states import States, distance, find_pixel_states
from cleanplate.frames import FloatMap, FrameStack, Picture

_BYTES_PER_SAMPLE = 12
"""Bytes per value of a sample: it as byte, as float, its distance, and its sorted copies."""


class ChosenPlate(NamedTuple):
    """A plate and how much of it was seen.

    Attributes:
        picture: `(H, W, 3)`, uint8, RGB.
        confidence: `(H, W)`, float32, 0 to 1: the share of the samples that show the plate.
        evidence: What speaks for the plate and what against it.
    """

    picture: Picture
    confidence: FloatMap
    evidence: RegionEvidence


def candidate_plate(stack: FrameStack, positions: Sequence[int]) -> Picture:
    """Jointly chosen states of all pixels, `(H, W, 3)`: right also where an object mostly stands.

    What stands still is left out if it was away at some time, and its surroundings were seen then.
    What never leaves stays. Needs, beside a band of samples, two bytes for each pixel and sample,
    and about 400 bytes for each pixel.

    Raises:
        UsageError: If there is no position.
    """
    return choose_plate(stack, positions).picture


def choose_plate(stack: FrameStack, positions: Sequence[int]) -> ChosenPlate:
    """The same plate, with how much of it was seen.

    Raises:
        UsageError: If there is no position.
    """
    require_positions(positions)
    states = find_pixel_states(stack, positions)
    chosen = choose_states(states)
    colour = np.take_along_axis(states.colours, chosen[None, ..., None], axis=0)[0]
    picture = np.empty((*stack.size, 3), np.uint8)
    confidence = np.empty(stack.size, np.float32)
    rows = rows_per_band(stack, len(positions), _BYTES_PER_SAMPLE)
    for top in range(0, stack.size.height, rows):
        band = slice(top, min(top + rows, stack.size.height))
        samples = stack.read_rows(positions, band.start, band.stop)
        shows = _shows_plate(samples, states, chosen, colour, band)
        picture[band] = median_of_chosen(samples, shows)
        confidence[band] = shows.mean(axis=0)
    light = light_of(stack, positions, picture)
    return ChosenPlate(picture, confidence, weigh(states, chosen, confidence, light))


def find_evidence(stack: FrameStack, positions: Sequence[int], picture: Picture) -> RegionEvidence:
    """What the samples say for and against a plate that was made in another way.

    Needs as much time and memory as the search for the candidates.

    Raises:
        UsageError: If there is no position.
    """
    require_positions(positions)
    states = find_pixel_states(stack, positions)
    colour = picture.astype(np.float32)
    chosen = nearest_state(states, colour)
    seen = np.empty(stack.size, np.float32)
    rows = rows_per_band(stack, len(positions), _BYTES_PER_SAMPLE)
    for top in range(0, stack.size.height, rows):
        band = slice(top, min(top + rows, stack.size.height))
        samples = stack.read_rows(positions, band.start, band.stop)
        seen[band] = _shows_plate(samples, states, chosen, colour, band).mean(axis=0)
    return weigh(states, chosen, seen, light_of(stack, positions, picture))


def _shows_plate(
    samples: Picture,
    states: States,
    chosen: NDArray[np.intp],
    colour: NDArray[np.float32],
    band: slice,
) -> NDArray[np.bool_]:
    """Whether each sample of a band shows the chosen state, `(N, rows, W)`."""
    shows = states.seen[:, band] == chosen[band]
    # A state has moved with the light: its own samples count however far they are.
    for time, sample in enumerate(samples):
        apart = distance(sample.astype(np.float32), colour[band])
        shows[time] |= apart <= WIDER * states.reach[band]
    return shows
