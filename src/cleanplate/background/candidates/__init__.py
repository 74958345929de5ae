"""A plate chosen from what was seen at each pixel, jointly over space and time.

The middle of a pixel's samples shows what stands there for most of the time. Here each pixel
first gets its *states*, the colours that were seen there while it was still (`states`). The
longest of them make a first plate. Then every sampled frame proposes what it shows instead
(`choice`): where it differs from the plate, connected pixels form a region, and the outline of the
region tells which is foreground. An object brings an outline of its own; the true background has
none there. The colour of a chosen state is the median of its samples (`plate`).

Related: Cohen, "Background estimation as a labeling problem" (ICCV 2005), which chooses a source
frame for each pixel; LaBGen-P (Laugraud et al., ICPR 2016), which trusts samples that do not move.
The outline of a region as judge is used for abandoned objects, for example by Tian et al.
("Robust detection of abandoned and removed objects in complex surveillance videos", 2011).
"""

from cleanplate.background.candidates.evidence import FEW_VISITS, RegionEvidence
from cleanplate.background.candidates.plate import (
    ChosenPlate,
    candidate_plate,
    choose_plate,
    find_evidence,
)

__all__ = [
    "FEW_VISITS",
    "ChosenPlate",
    "RegionEvidence",
    "candidate_plate",
    "choose_plate",
    "find_evidence",
]
