"""The plate that learning begins at, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import RegionEvidence, find_rivals
from cleanplate.frames import FloatMap, Picture


@dataclass(frozen=True, eq=False)
class StartPlate:
    """Where learning begins.

    Attributes:
        picture: `(h, w, 3)`, uint8, RGB.
        seen_share: `(h, w)`, 0 to 1, the share of the frames that show it; None: not known.
        evidence: What speaks for it; None: not known.
    """

    picture: Picture
    seen_share: FloatMap | None = None
    evidence: RegionEvidence | None = None

    @property
    def contested(self) -> NDArray[np.bool_] | None:
        """Where something else stood as long as the plate was seen, `(h, w)`; None: not known."""
        return None if self.evidence is None else find_rivals(self.evidence)
