"""What a scene says about one frame, and the sizes of pictures and masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from cleanplate.errors import FrameSizeError
from cleanplate.frames import Frame, FrameSize, Mask, Picture
from cleanplate.scene.alignment import agreeing, background_in_frame
from cleanplate.segmentation.layers import WaitingObject
from cleanplate.video.registration import Motion


@dataclass(frozen=True, eq=False)
class Result:
    """What a scene says about one frame.

    Attributes:
        frame: The frame itself.
        mask: Its foreground, `(H, W)`, uint8, 0 or 255, in the frame's size.
        plate_background: Its background over the plate, in the size in which the scene was
            learned.
        working_labels: Layer of each pixel in that size, values of `Label`; None: not followed.
        objects: Who stands still, boxes and sizes in pixels of the frame.
        motion: Of the camera; None: it is known to stand still.
        state: State of the scene that was picked, `day` for example; None: it has only one.
    """

    frame: Frame
    mask: Mask
    plate_background: Picture
    working_labels: Mask | None = None
    objects: tuple[WaitingObject, ...] = ()
    motion: Motion | None = None
    state: str | None = None

    @property
    def number(self) -> int:
        """The user's number of the frame."""
        return self.frame.number

    @property
    def time(self) -> float:
        """Seconds from the first frame."""
        return self.frame.time

    @property
    def picture(self) -> Picture:
        """The frame's picture, `(H, W, 3)`, uint8, RGB."""
        return self.frame.picture

    @cached_property
    def working_background(self) -> Picture:
        """Its background as the frame's camera sees it, in the size of the learned scene."""
        if self.motion is None:
            return self.plate_background
        return background_in_frame(self.plate_background, self.motion)

    @cached_property
    def background(self) -> Picture:
        """The empty scene in this frame's light, `(H, W, 3)`, uint8, RGB."""
        return resized(self.working_background, self.frame.size)

    @cached_property
    def labels(self) -> Mask | None:
        """Layer of each pixel, `(H, W)`, uint8, values of `Label`; None: not followed."""
        if self.working_labels is None or self.working_labels.shape == self.frame.size:
            return self.working_labels
        labels = cv2.resize(
            self.working_labels, self.frame.size[::-1], interpolation=cv2.INTER_NEAREST
        )
        return agreeing(np.asarray(labels, np.uint8), self.mask)


def resized(picture: Picture, size: FrameSize) -> Picture:
    """Picture in another size: by area when it shrinks, linearly when it grows."""
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    shrinks = height * width > size.pixels
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)


def enlarged_mask(mask: Mask, size: FrameSize) -> Mask:
    """Mask in the frame's size, with smooth outlines, 0 or 255."""
    if mask.shape == size:
        return mask
    smooth = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.compare(smooth, 127, cv2.CMP_GT), np.uint8)


def require_size(got: FrameSize, expected: FrameSize, name: str) -> None:
    """Refuses frames that are not of the scene's size.

    Raises:
        FrameSizeError: They are not.
    """
    if got != expected:
        raise FrameSizeError(
            f"{name} is {got}, but the scene was learned from {expected}; "
            "learn a scene for this camera and size"
        )
