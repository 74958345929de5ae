"""The light cycle of the crossing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AMBER = 1.5
CLEARANCE = 1.2


class Light(StrEnum):
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

    def show(self, time: float, *, main: bool) -> Light:
        """The light of the main or of the crossing road at a time."""
        phase = time % self.cycle
        if main:
            opens, closes = self.red, self.cycle
        else:
            clearance = min(CLEARANCE, 0.12 * self.red)
            opens, closes = clearance, self.red - clearance
        if not opens <= phase < closes:
            return Light.RED
        return Light.AMBER if phase >= closes - min(AMBER, (closes - opens) / 4) else Light.GREEN

    def walking_window(self, need: float, *, main: bool) -> tuple[float, float] | None:
        """Phases of the cycle in which people may step on a zebra that takes `need` seconds.

        Returns:
            The first and the last phase, or None where the red of that road is too short.
        """
        first = 2.0 if main else self.red + 1.5
        last = (self.red if main else self.cycle) - need
        return (first, last) if last >= first + 0.5 else None
