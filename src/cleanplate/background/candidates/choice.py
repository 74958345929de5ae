"""The choice of one state for each pixel: frames propose regions, outlines decide."""

from __future__ import annotations

import functools
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleanplate.background.candidates.regions import (
    ConnectedPixels,
    connect,
    in_large_pieces,
    outline_of,
)
from cleanplate.background.candidates.states import STATES, THREADS, States, distance
from cleanplate.background.candidates.visits import count_visits

_ROUNDS = 3
"""Times that all frames propose in the last step: what one region uncovers decides about the next.

Before it once is enough: a second and third time change 0.1 % of the pixels, which the last step
asks about again.
"""
_LEAST_SEEN_SHARE = 0.03
"""Share of the samples that a state needs to be proposed; less is a passer-by, or noise."""
_LEAST_COUNT = 2
"""Samples that a state needs to be proposed, however few there are."""
_OUTLINE_POWER = 3.0
"""How much more the outline counts than the time: half the gradient weighs eight times the time.

Equal weight keeps what stands for three quarters of the time; much more trusts the outline of
a few pixels, and wipes out white lines that vehicles cover most of the time.
"""
_VISITS_POWER = 3.0
"""How much more the number of visits counts than the time: as much as the outline.

The scene comes back whenever a visitor has left, while the next visitor looks different. Without
it, a grey vehicle over which the road seems to go on takes the white line under it away.
"""
_GRADIENT_FLOOR = 10.0
"""Gradient, summed over RGB, that is added to both sides: below it there is no outline to see."""
_MARGIN = 0.2
"""Lead that a proposal needs, so that equals are not exchanged for ever."""
_LEAST_OUTLINE = 0.85
"""Share of the outline beyond which the frame must show the plate.

Where it shows something else, such as the rest of the same vehicle, it says nothing about what is
in front; with less, bright lines under the rim of waiting vehicles are lost.
"""
_CLEAR_LEAD, _LEAST_CLEAR_OUTLINE = 0.5, 0.45
"""Lead, times the share of the outline that is seen, with which less of it is enough, once nothing
else is left to change.

In a full queue the road is never seen without the next vehicle beside it.
"""
_LEAST_PIECE = 0.0025
"""Share of the picture that a piece of the plate needs for its border to count, in that last step.

Between the vehicles of a queue, a dark window is not the dark vehicle that the plate still has.
"""
_ENOUGH_PIXELS = 100
"""Of a larger region, so many evenly spread pixels tell when it is seen."""
_LEAST_WHOLE, _OF_PIXELS = 12, 320 * 240
"""Pixels of the smallest region in the last step, and of a picture for which so many are meant (in
smaller ones noise is of pixels too); fewer come and go with noise."""
_HOPELESS = -4.0
"""Lead of outline and time below which the visits are not asked for of the whole, to save time."""
_COMPARABLE = 2
"""A state that comes back more often than so many times another's visits is the scene itself."""

_DIFFERS, _KNOWN = 1, 2
"""Of a state at a pixel: it is another one than the plate's; it may be proposed."""

_Value = TypeVar("_Value", bound=np.generic)


def choose_states(states: States) -> NDArray[np.intp]:
    """The state of each pixel that shows the empty scene, `(H, W)`.

    Begins with the longest states, and goes on with what the sampled frames propose: connected
    pixels at which a frame shows another known state than the plate. A proposal is taken if

        3 mean log(plate's gradient / gradient) + 3 mean log(visits / plate's)
            + mean log(time / plate's)

    is above a small margin. The gradient is the colour difference between the region's inside, as
    the plate or as the frame has it, and the plate outside; its mean goes over the outline, the
    others over the pixels of the region. They are means of logarithms, since a white line that runs
    along a third of the outline would else weigh as much as all of a vehicle's. Nearly all of the
    outline has to be beside what the frame has in common with the plate. In the end half of it is
    enough where the lead is clear, and the visits are those of the region as a whole.
    """
    time = _time_of_equals(states)
    # Of states that look the same, and so last equally long, the one with most samples.
    longest = time == time.max(axis=0)
    chosen = np.where(longest, states.counts, -1).argmax(axis=0)
    least = max(_LEAST_COUNT, _LEAST_SEEN_SHARE * len(states.seen))
    choice = _Choice(states, chosen, time=time, least=least)
    choice.improve(1)
    choice.takes_clear_ones = True
    choice.improve(_ROUNDS)
    return choice.chosen


def find_left_over(states: States, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where the chosen states have an outline that some frame has not, `(H, W)`.

    The same judgement as in `choose_states`, but without the time, and also for states that were
    seen for two samples only: a vehicle that was away for a moment has an outline in the plate and
    none in the frames of that moment.
    """
    time = np.zeros_like(states.counts)
    choice = _Choice(states, chosen, time=time, least=_LEAST_COUNT)
    found = np.zeros(chosen.shape, np.bool_)
    visits = _pick(states.visits, chosen)
    with ThreadPoolExecutor(THREADS) as pool:
        for better in pool.map(choice.better, range(len(states.seen))):
            # A part of the region that keeps coming back is not what was away for a moment.
            came = states.visits.reshape(-1).take(choice.flat(better.state, better.places))
            found.reshape(-1)[better.places] |= (
                visits.reshape(-1).take(better.places) <= _COMPARABLE * came
            )
    return found


class _Choice:
    """A plate of states that gets better with each frame that is asked.

    Args:
        states: What was seen.
        chosen: `(H, W)`, the states to begin with.
        time: `(STATES, H, W)`, how much time each state has to its credit.
        least: Still samples that a state needs to be proposed.

    Attributes:
        chosen: `(H, W)`, the state of each pixel.
        takes_clear_ones: Whether a clear lead makes up for a part of the outline that is not seen;
            then visits of whole regions count, which takes more time to find out.
    """

    takes_clear_ones = False

    def __init__(
        self,
        states: States,
        chosen: NDArray[np.intp],
        *,
        time: NDArray[np.int32],
        least: float,
    ) -> None:
        self._states = states
        self.chosen = chosen.copy()
        self._colour = _pick(states.colours, self.chosen)
        self._logs = [np.log1p(counts, dtype=np.float32) for counts in (time, states.visits)]
        # One more than there are states: a sample that shows none differs and is not proposed.
        self._flags = np.full((STATES + 1, *self.chosen.shape), _DIFFERS, np.uint8)
        self._flags[:STATES] = np.where(states.counts >= least, _KNOWN, 0)
        self._flags[:STATES] |= distance(states.colours, self._colour) > states.reach

    def flat(self, state: NDArray[np.intp], places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where states at some places of the flat picture are in flat maps of states, `(P,)`."""
        return state * self.chosen.size + places

    def improve(self, rounds: int) -> None:
        """Takes over, frame by frame, what fits better, until no frame has more to propose."""
        unchanged = 0
        for number in itertools.chain(*itertools.repeat(range(len(self._states.seen)), rounds)):
            better = self.better(number)
            self._take(better)
            unchanged = 0 if len(better.places) else unchanged + 1
            if unchanged == len(self._states.seen):
                break

    def better(self, time: int) -> ConnectedPixels:
        """Where one frame shows another state than the plate, and that fits better."""
        seen = np.minimum(self._states.seen[time], STATES)
        flags = _pick(self._flags, seen)
        proposed = flags == _DIFFERS | _KNOWN
        region = connect(proposed, seen)
        if self.takes_clear_ones:
            scale = max(1, self.chosen.size / _OF_PIXELS)
            region = region.only(region.sizes >= round(_LEAST_WHOLE * scale))
        if not len(region.places):
            return region
        shows_plate = flags & _DIFFERS == 0
        return region.only(self._is_better(region, proposed, shows_plate=shows_plate))

    def _is_better(
        self,
        region: ConnectedPixels,
        proposed: NDArray[np.bool_],
        *,
        shows_plate: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which components fit better than the plate, `(numbers,)`."""
        outline = outline_of(region, proposed)
        component = region.component.take(outline.inside)
        length = np.bincount(component, minlength=region.numbers)
        if self.takes_clear_ones:
            counts = in_large_pieces(shows_plate, outline.beyond, _LEAST_PIECE)
        else:
            counts = shows_plate.reshape(-1).take(outline.beyond)
        component, inside = component[counts], outline.inside[counts]
        counted = np.bincount(component, minlength=region.numbers)

        own = self._colour.reshape(-1, 3)
        beyond = own.take(outline.beyond[counts], axis=0)
        proposed_at = self.flat(region.state, region.places)
        chosen_at = self.flat(self.chosen.reshape(-1).take(region.places), region.places)
        plate = own.take(region.places.take(inside), axis=0)
        proposal = self._states.colours.reshape(-1, 3).take(proposed_at.take(inside), axis=0)
        now, then = (
            np.bincount(
                component, np.log(distance(colours, beyond) + _GRADIENT_FLOOR), region.numbers
            )
            / np.maximum(counted, 1)
            for colours in (plate, proposal)
        )
        longer, oftener = (
            region.means(logs.reshape(-1).take(proposed_at) - logs.reshape(-1).take(chosen_at))
            for logs in self._logs
        )
        seen = counted / np.maximum(length, 1)
        lead = _OUTLINE_POWER * (now - then) + longer
        if self.takes_clear_ones:
            asked = (seen >= _LEAST_CLEAR_OUTLINE) & (lead > _HOPELESS)
            oftener[asked] = self._oftener_as_wholes(region, asked)
        lead += _VISITS_POWER * oftener
        is_better: NDArray[np.bool_] = (lead > _MARGIN) & (seen >= _LEAST_OUTLINE)
        if self.takes_clear_ones:
            is_better |= (lead * seen > _CLEAR_LEAD) & (seen >= _LEAST_CLEAR_OUTLINE)
        return is_better & (counted > 0)

    def _oftener_as_wholes(
        self, region: ConnectedPixels, asked: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """How much oftener than the plate the components that are asked for came, as wholes.

        Pixel by pixel, one dark vehicle after the other looks like one that keeps coming back.
        """
        some = region.only(asked).thinned(_ENOUGH_PIXELS)
        seen = self._courses.take(some.places, axis=0)
        proposal, plate = (
            count_visits(some.shares(seen == state[:, None]))
            for state in (some.state, self.chosen.reshape(-1).take(some.places))
        )
        oftener: NDArray[np.float64] = np.log((proposal + 1.0) / (plate + 1.0))
        return oftener

    @functools.cached_property
    def _courses(self) -> NDArray[np.uint8]:
        """What each pixel shows in the course of time, `(H * W, N)`: a pixel's samples together."""
        return np.ascontiguousarray(self._states.seen.reshape(len(self._states.seen), -1).T)

    def _take(self, region: ConnectedPixels) -> None:
        states, places = self._states, region.places
        colours = states.colours.reshape(-1, 3).take(self.flat(region.state, places), axis=0)
        self.chosen.reshape(-1)[places] = region.state
        self._colour.reshape(-1, 3)[places] = colours
        others = states.colours.reshape(STATES, -1, 3).take(places, axis=1)
        differs = distance(others, colours) > states.reach.reshape(-1).take(places)
        flags = self._flags.reshape(STATES + 1, -1)
        flags[:STATES, places] = (flags[:STATES, places] & _KNOWN) | differs


def _time_of_equals(states: States) -> NDArray[np.int32]:
    """Still samples of each state and of all states that look the same, `(STATES, H, W)`.

    Light that changes by more than the reach splits what is one thing into several states.
    """
    time = states.counts.copy()
    for one in range(STATES):
        for other in range(one):
            equal = distance(states.colours[one], states.colours[other]) <= states.reach
            time[one] += np.where(equal, states.counts[other], 0)
            time[other] += np.where(equal, states.counts[one], 0)
    return time


def _pick(maps: NDArray[_Value], index: NDArray[np.integer[Any]]) -> NDArray[_Value]:
    """Of maps `(K, H, W, ...)` at each pixel the one with its index, `(H, W, ...)`."""
    pixels = index.size
    flat = index.reshape(-1) * np.intp(pixels) + np.arange(pixels)
    picked: NDArray[_Value] = maps.reshape(-1, *maps.shape[3:]).take(flat, axis=0)
    return picked.reshape(*index.shape, *maps.shape[3:])
