"""Initial plates: the empty scene from sampled frames, without a gradient."""

from cleanplate.background.plates import PLATES, spread_positions, still_plate
from cleanplate.background.statistics import PlateStatistic

__all__ = ["PLATES", "PlateStatistic", "spread_positions", "still_plate"]
