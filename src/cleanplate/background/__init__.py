"""Initial plates: the empty scene from sampled frames, without a gradient."""

from cleanplate.background.candidates import RegionEvidence, choose_plate, find_evidence
from cleanplate.background.coverage import Coverage, Doubt, DoubtfulRegion, find_rivals, judge
from cleanplate.background.plates import CANDIDATES, PLATES, spread_positions, still_plate
from cleanplate.background.spread import capped_shares, spread_over_time, still_frames
from cleanplate.background.statistics import PlateStatistic

__all__ = [
    "CANDIDATES",
    "PLATES",
    "Coverage",
    "Doubt",
    "DoubtfulRegion",
    "PlateStatistic",
    "RegionEvidence",
    "capped_shares",
    "choose_plate",
    "find_evidence",
    "find_rivals",
    "judge",
    "spread_over_time",
    "spread_positions",
    "still_frames",
    "still_plate",
]
