"""Frames of a shaken camera over the plate while segmenting, and what is found in them back."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.layers import BACKGROUND, MOVING, SHADOW, StationaryObject
from cleanplate.video.registration import Motion, moved


def filled(picture: Picture, motion: Motion, plate: Picture) -> Picture:
    """An aligned frame with what it did not see taken from a plate."""
    if motion.is_none:
        return picture
    return np.asarray(cv2.copyTo(plate, motion.unseen, picture), np.uint8)


def mask_in_frame(mask: Mask, motion: Motion, size: FrameSize) -> Mask:
    """A mask of the plate's pixels as one of the frame's; what the plate never saw is background.

    Args:
        mask: `(h, w)`, 0 or 255, in the working size.
        motion: Of the frame.
        size: Of the frame.
    """
    if motion.is_none and mask.shape == size:
        return mask
    smooth = motion.to_frame(mask, size=size)
    return np.asarray(cv2.compare(smooth, 127, cv2.CMP_GT), np.uint8)


def background_in_frame(background: Picture, motion: Motion) -> Picture:
    """A background as the frame's camera saw it; beyond the plate its rim is repeated."""
    return motion.to_frame(background, beyond=cv2.BORDER_REPLICATE)


def labels_in_frame(labels: Mask, motion: Motion, mask: Mask) -> Mask:
    """Labels of the plate's pixels as those of the frame's.

    Args:
        labels: `(h, w)`, values of `Label`, in the working size.
        motion: Of the frame.
        mask: Of the frame; one of the working size is agreed with.
    """
    if motion.is_none:
        return labels
    there = motion.to_frame(labels, cv2.INTER_NEAREST)
    return agreeing(there, mask) if there.shape == mask.shape else there


def agreeing(labels: Mask, mask: Mask) -> Mask:
    """Labels whose foreground is that of a mask, whose outline is the smoother one."""
    labels[(mask == 0) & (labels > SHADOW)] = BACKGROUND
    labels[(mask > 0) & (labels <= SHADOW)] = MOVING
    return labels


def objects_in_frame(
    objects: Iterable[StationaryObject], motion: Motion
) -> tuple[StationaryObject, ...]:
    """Objects with the boxes that they have in the frame, in the working size."""
    found = []
    for item in objects:
        left, top, width, height = item.box
        middle = np.array([[left + width / 2, top + height / 2]])
        across, down = (moved(middle, motion.matrix) - middle)[0]
        left = min(max(0, left + round(across)), motion.size.width - width)
        top = min(max(0, top + round(down)), motion.size.height - height)
        found.append(item.at(left, top))
    return tuple(found)
