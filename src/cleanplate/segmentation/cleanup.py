"""Clean-up of a raw mask: specks out, gaps closed, small regions removed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from cleanplate.frames import Mask
from cleanplate.segmentation.plan import SegmentationPlan

LEAST_CLEAR = 0.5
"""Share of a faint region that has to be clear for the rest to be foreground too."""


class Cleanup:
    """The clean-up of a plan."""

    def __init__(self, plan: SegmentationPlan) -> None:
        self._square, self._gap = plan.majority_side, plan.closing_diameter
        self._min_area = plan.min_area
        self._disc = cv2.getStructuringElement(
            cv2.MORPH_ELLIPSE, (max(1, self._gap), max(1, self._gap))
        )

    def apply(
        self,
        mask: Mask,
        faint: Mask | None = None,
        differs: Mask | None = None,
        decide: Callable[[Mask], Mask] | None = None,
    ) -> Mask:
        """Clean mask, `(H, W)`, 0 or 255, from a raw one.

        Args:
            mask: What is clearly foreground.
            faint: That, and what is foreground only beside it; None: nothing is.
            differs: Where a gap may be closed, since the frame differs at all; None: everywhere.
            decide: What corrects the outlines before small regions are removed; None: nothing.
        """
        # What is empty all around stays so: only the part that holds anything is looked at.
        part = part_with(mask if faint is None else faint, self._square // 2 + self._gap // 2)
        inner = self.majority(mask[part])
        if faint is not None:
            inner = _joined(inner, self.majority(faint[part]))
        if self._gap > 1:
            closed = cv2.morphologyEx(inner, cv2.MORPH_CLOSE, self._disc)
            if differs is not None:
                cv2.bitwise_and(closed, differs[part], dst=closed)
            inner = cv2.bitwise_or(inner, closed)
        cleaned = np.zeros_like(mask)
        cleaned[part] = inner
        if decide is not None:
            cleaned = decide(cleaned)
        return remove_small(cleaned, self._min_area)

    def majority(self, mask: Mask) -> Mask:
        """Each pixel as most of the square around it."""
        if self._square <= 1:
            return mask
        # The mean of a binary square tells its majority, far faster than a median filter.
        square = (self._square, self._square)
        mean = cv2.blur(mask, square, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.compare(mean, 127, cv2.CMP_GT), np.uint8)


def part_with(mask: Mask, reach: int) -> tuple[slice, slice]:
    """The rows and columns that hold all of a mask, and what lies around it up to a reach."""
    left, top, width, height = cv2.boundingRect(mask)
    rim = reach + 1  # beyond what is reached there is at least one empty row
    return np.s_[max(0, top - rim) : top + height + rim, max(0, left - rim) : left + width + rim]


def _joined(mask: Mask, faint: Mask) -> Mask:
    """The mask and those 8-connected regions of the faint one that it covers half of."""
    if not cv2.hasNonZero(mask):
        return mask
    count, labels = cv2.connectedComponents(faint, connectivity=8)
    # Most of the frame is no region: what follows looks only at those.
    places = np.flatnonzero(faint.reshape(-1) > 0)
    own, is_covered = labels.reshape(-1).take(places), mask.reshape(-1).take(places) > 0
    covered = np.bincount(own[is_covered], minlength=count)
    areas = np.bincount(own, minlength=count)
    joins = covered >= np.maximum(LEAST_CLEAR * areas, 1)
    joined = mask.copy()
    joined.reshape(-1)[places[joins.take(own)]] = 255
    return joined


def remove_small(mask: Mask, min_area: int) -> Mask:
    """Mask without the 8-connected regions of fewer pixels."""
    if min_area <= 1:
        return mask
    part = part_with(mask, 0)
    inner = mask[part]
    count, labels = cv2.connectedComponents(inner, connectivity=8)
    is_large = np.bincount(labels[inner > 0], minlength=count) >= min_area
    if is_large[1:].all():
        return mask
    rest = np.zeros_like(mask)
    rest[part] = np.take(is_large.view(np.uint8) * np.uint8(255), labels)
    return rest
