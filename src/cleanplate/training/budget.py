"""How long to learn: in steps or in seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cleanplate.errors import SettingsError, shortened

_UNITS = {
    "steps": "steps",
    "step": "steps",
    "s": "seconds",
    "sec": "seconds",
    "seconds": "seconds",
    "m": "minutes",
    "min": "minutes",
    "h": "hours",
}
_MOST = 1e12
_MOST_SHOWN = 80
_SECONDS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}


@dataclass(frozen=True)
class Budget:
    """Length of the learning; exactly one of the two is given.

    Attributes:
        steps: Number of steps.
        seconds: Seconds spent in steps, breaks between resumed runs not counted.
    """

    steps: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        if self.steps is not None:
            return f"{self.steps}steps"
        assert self.seconds is not None
        # All digits and no exponent: what is written has to be read back as the same.
        return f"{np.format_float_positional(self.seconds, trim='-')}s"

    def progress(self, steps: int, seconds: float) -> float:
        """Share that is used up after so many steps and seconds, 0 to 1."""
        if self.steps is not None:
            return min(1.0, steps / self.steps)
        assert self.seconds is not None
        return min(1.0, seconds / self.seconds)

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Budget from `600steps`, `90s`, `2min` or `1h`.

        Raises:
            SettingsError: It is none of these, or nothing at all.
        """
        match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", text.lower())
        name = shortened(text, _MOST_SHOWN)
        unit = _UNITS.get(match[2]) if match else None
        if match is None or unit is None:
            raise SettingsError(f"budget '{name}' is not understood; give 600steps, 90s or 5min")
        amount = float(match[1])
        countable = 0 < amount <= _MOST
        if not countable or (unit == "steps" and amount != int(amount)):
            raise SettingsError(f"budget '{name}' makes no sense; give at least 1step or some time")
        if unit == "steps":
            return cls(steps=int(amount))
        return cls(seconds=amount * _SECONDS[unit])
