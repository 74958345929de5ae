"""Pixel counts of masks against ground truth, by CDnet 2014's rules.

Labels 0 (static) and 50 (shadow) are negative, 255 (moving) is positive; 85 (outside), 170
(unknown) and pixels outside the region of interest are left out (Wang et al., "CDnet 2014: An
Expanded Change Detection Benchmark Dataset", CVPR Workshops 2014).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets import MOVING, SHADOW, STATIC, LabelMap, Region
from cleanplate.datasets.base import LABELS
from cleanplate.errors import GroundTruthError, SourceError
from cleanplate.frames import FrameSize, Mask

FOREGROUND = 255


@dataclass(frozen=True)
class Counts:
    """Scored pixels by what the mask and the truth say of them; `a + b` adds up two counts.

    Attributes:
        true_positives: Foreground in both.
        false_positives: Foreground in the mask only, shadow errors included.
        true_negatives: Background in both.
        false_negatives: Foreground in the truth only.
        shadow_errors: False positives on label 50.
        shadow_pixels: Scored pixels of label 50.
    """

    true_positives: int = 0
    false_positives: int = 0
    true_negatives: int = 0
    false_negatives: int = 0
    shadow_errors: int = 0
    shadow_pixels: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def positives(self) -> int:
        """Scored pixels that are foreground in the truth."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """Scored pixels that are background in the truth."""
        return self.true_negatives + self.false_positives

    @property
    def pixels(self) -> int:
        """All scored pixels."""
        return self.positives + self.negatives


def count_frame(
    mask: Mask, labels: LabelMap, *, region: Region | None = None, name: str = ""
) -> Counts:
    """Counts of one mask against the labels of its frame.

    Args:
        mask: `(H, W)`, 0 or 255.
        labels: `(H, W)`, CDnet's labels.
        region: `(H, W)`, true where pixels are scored; None scores all.
        name: What messages call the mask.

    Raises:
        GroundTruthError: The sizes differ, or the labels hold a value that is no label.
        SourceError: The mask holds a value other than 0 and 255.
    """
    _check_sizes(mask, labels, region=region, name=name)
    _check_values(mask, labels, name=name)
    scored = labels if region is None else labels[region]
    kept = mask if region is None else mask[region]
    present = _histogram(scored)
    detected = _histogram(scored[kept == FOREGROUND])
    false_positives = detected[STATIC] + detected[SHADOW]
    return Counts(
        true_positives=detected[MOVING],
        false_positives=false_positives,
        true_negatives=present[STATIC] + present[SHADOW] - false_positives,
        false_negatives=present[MOVING] - detected[MOVING],
        shadow_errors=detected[SHADOW],
        shadow_pixels=present[SHADOW],
    )


def _check_sizes(mask: Mask, labels: LabelMap, *, region: Region | None, name: str) -> None:
    if mask.ndim != 2:
        raise SourceError(
            f"the mask{_named(name)} has shape {mask.shape}; give one value per pixel, (H, W)"
        )
    size = FrameSize(*labels.shape)
    if mask.shape != size:
        raise GroundTruthError(
            f"the mask{_named(name)} is {FrameSize(*mask.shape)} where the truth is {size}; "
            "give masks of the size of the truth, nothing is resized"
        )
    if region is not None and region.shape != size:
        raise GroundTruthError(
            f"the region of interest is {FrameSize(*region.shape)} where the truth is {size}; "
            "give a region of the size of the truth"
        )


def _check_values(mask: Mask, labels: LabelMap, *, name: str) -> None:
    strange = _first_other(labels, LABELS)
    if strange is not None:
        raise GroundTruthError(
            f"the truth of{_named(name) or ' the frame'} holds the value {strange}, which is no "
            "label; the labels are 0 (static), 50 (shadow), 85 (outside), 170 (unknown) and "
            "255 (moving)"
        )
    strange = _first_other(mask, (0, FOREGROUND))
    if strange is not None:
        raise SourceError(
            f"the mask{_named(name)} holds the value {strange}; a mask is 255 (foreground) or 0 "
            "(background), so write shadow (127) as 0 and keep masks lossless, for example as PNG"
        )


def _first_other(values: NDArray[np.uint8], known: tuple[int, ...]) -> int | None:
    """The smallest value in the array that is not a known one."""
    histogram = np.bincount(values.ravel(), minlength=256)
    histogram[list(known)] = 0
    others = np.flatnonzero(histogram)
    return int(others[0]) if others.size else None


def _histogram(labels: NDArray[np.uint8]) -> list[int]:
    counts: list[int] = np.bincount(labels.ravel(), minlength=256).tolist()
    return counts


def _named(name: str) -> str:
    return f" {name}" if name else ""
