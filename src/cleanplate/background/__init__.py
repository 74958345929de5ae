"""Initial plates: the empty scene from sampled frames, without a gradient."""

from cleanplate.background.candidates import choose_plate
from cleanplate.background.plates import CANDIDATES, PLATES, spread_positions, still_plate
from cleanplate.background.statistics import PlateStatistic

__all__ = [
    "CANDIDATES",
    "PLATES",
    "PlateStatistic",
    "choose_plate",
    "spread_positions",
    "still_plate",
]
