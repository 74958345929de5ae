"""How good masks and plates are, by the rules of CDnet, SBMnet and SBI; no torch needed."""

from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import (
    Measures,
    average_over_categories,
    average_over_videos,
    measure,
)
from cleanplate.evaluation.plates import PlateMeasures, measure_plate
from cleanplate.evaluation.scoring import (
    SequenceScore,
    score_masks,
    score_plate,
    score_sequence_plate,
)

__all__ = [
    "Counts",
    "Measures",
    "PlateMeasures",
    "SequenceScore",
    "average_over_categories",
    "average_over_videos",
    "count_frame",
    "measure",
    "measure_plate",
    "score_masks",
    "score_plate",
    "score_sequence_plate",
]
