"""The light cycle of the crossing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AMBER = 1.5
CLEARANCE = 1.2
CLEAR_OUT = 3.5
SHORTEST_GREEN = 1.0
"""Where less is left, the crossing road has red all the time."""


class SignalLight(StrEnum):
    """What a traffic light shows."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


@dataclass(frozen=True)
class Signals:
    """The two lights of the crossing; the main road's red begins at time 0 and every cycle.

    Attributes:
        cycle: Seconds of a full cycle.
        red_share: Share of the cycle in which the main road has red.
    """

    cycle: float
    red_share: float

    @property
    def red(self) -> float:
        """Seconds for which the main road has red."""
        return self.cycle * self.red_share

    def show(self, time: float, *, main: bool) -> SignalLight:
        """The light of the main or of the crossing road at a time."""
        phase = time % self.cycle
        opens, closes = self._green_phases(main=main)
        if not opens <= phase < closes:
            return SignalLight.RED
        return (
            SignalLight.AMBER
            if phase >= closes - min(AMBER, (closes - opens) / 4)
            else SignalLight.GREEN
        )

    def red_phases(self, *, main: bool) -> tuple[float, float]:
        """When a road's red begins and when it ends, in seconds from the main road's red."""
        opens, closes = self._green_phases(main=main)
        return closes - self.cycle, opens

    def _green_phases(self, *, main: bool) -> tuple[float, float]:
        if main:
            return self.red, self.cycle
        # the last to start needs some seconds to leave the crossing before the main road's green
        opens, closes = min(CLEARANCE, 0.12 * self.red), self.red - CLEAR_OUT
        return opens, closes if closes >= opens + SHORTEST_GREEN else opens

    def walking_window(self, need: float, *, main: bool) -> tuple[float, float] | None:
        """Phases of the cycle in which people may step on a zebra that takes `need` seconds.

        Returns:
            The first and the last phase, or None where the red of that road is too short.
        """
        begin = 0.0 if main else self.red
        last = (self.red if main else self.cycle) - need
        # the last vehicles need a moment to leave the far zebra
        first = min(begin + 4.0, last - 0.5)
        return (first, last) if first >= begin + 1.5 + main else None
