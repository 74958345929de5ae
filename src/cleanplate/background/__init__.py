"""Initial plates: the empty scene as a statistic of sampled frames, without a gradient."""

from cleanplate.background.statistics import PLATES, PlateStatistic, spread_positions, still_plate

__all__ = ["PLATES", "PlateStatistic", "spread_positions", "still_plate"]
