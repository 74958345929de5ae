"""What every reader of a modality offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from cleanplate.frames import FloatMap, Picture


class FeatureExtractor(ABC):
    """Computes one modality of the frames of one stream, in their order.

    It may remember frames; a fresh one starts from nothing, so that the same stream gives the same
    values in every call.

    Attributes:
        channels: Number of channels of what it gives.
        frames_before: How many frames just before a frame it has to see; None: all of them.
    """

    channels: ClassVar[int]

    @property
    @abstractmethod
    def frames_before(self) -> int | None:
        """See the class."""

    @abstractmethod
    def read(self, picture: Picture, index: int) -> FloatMap:
        """The modality of the next frame of the stream, `(channels, h, w)`, float32.

        Args:
            picture: The frame.
            index: Its position in the stream; one is left out where a frame is damaged.
        """
