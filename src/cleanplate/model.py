"""The one method that every network of this package has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from cleanplate.batch import FrameBatch
from cleanplate.frames import Modality


class BackgroundModel(nn.Module, ABC):
    """A network whose output is the empty scene.

    `forward` may return whatever its objective trains on (a tensor or a NamedTuple of tensors),
    never a loss.

    Attributes:
        modalities: What the model reads of a frame.
    """

    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.RGB})

    @abstractmethod
    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
