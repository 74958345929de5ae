"""What a scene says about one frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from cleanplate.frames import Frame, Mask, Picture
from cleanplate.scene_model import SceneModel
from cleanplate.scene_model.sizes import enlarged_mask, resized
from cleanplate.segmentation import Cut
from cleanplate.segmentation.layers import LayeredFrame, StationaryObject
from cleanplate.streaming.alignment import (
    agreeing,
    background_in_frame,
    labels_in_frame,
    mask_in_frame,
    objects_in_frame,
)
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
    objects: tuple[StationaryObject, ...] = ()
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


def result_of(
    model: SceneModel,
    frame: Frame,
    cut: Cut | LayeredFrame,
    motion: Motion | None,
    state: str | None = None,
) -> Result:
    """The result of a frame, in its size and geometry, without layers.

    Args:
        model: Of the scene.
        frame: The frame.
        cut: What it was cut into, in the working size, over the plate.
        motion: Of the camera; None: it is known to stand still.
        state: That was picked; None: the scene has only one.
    """
    if motion is None or motion.is_none:
        mask = enlarged_mask(cut.mask, model.frame_size)
        return Result(frame, mask, cut.background, state=state)
    mask = mask_in_frame(cut.mask, motion, model.frame_size)
    return Result(frame, mask, cut.background, motion=motion, state=state)


def layered_result_of(
    model: SceneModel,
    frame: Frame,
    found: LayeredFrame,
    motion: Motion | None,
    state: str | None = None,
) -> Result:
    """The same with the layers that were found, and the objects that stand still."""
    result = result_of(model, frame, found, motion, state)
    labels, objects = found.labels, found.objects
    if motion is not None:
        labels = labels_in_frame(labels, motion, result.mask)
        objects = objects_in_frame(objects, motion)
    ratio = model.enlargement, model.frame_size.height / model.working_size.height
    enlarged = tuple(item.enlarged(*ratio) for item in objects)
    return replace(result, working_labels=labels, objects=enlarged)
