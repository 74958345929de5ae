"""The network redraws the frame under a loss in which some pixels count less than others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from cleanplate.frames import Modality
from cleanplate.losses import reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.objectives.bootstrapping import motion
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


def flow_weight(flow: Tensor, strength: float) -> Tensor:
    """Weight that takes moving pixels out of the loss, `(B, 1, H, W)`, from exp(-strength) to 1.

    It is exp(-strength * m), m = min(1, |flow| / (W * 255 / 40000)): Sauvalle and de La Fortelle,
    J. Imaging 2022, 8(1), 9 (BB-SGD), in which the strength is 2. It carries no gradient.

    Args:
        flow: `(B, 2, H, W)`, pixels per frame.
        strength: 0 gives a weight of 1 everywhere.
    """
    with torch.no_grad():
        return torch.exp(-strength * motion(flow))


class WeightedReconstruction(Reconstruction):
    """One phase: the estimated background against the frame itself, times a weight of each pixel.

    The weight multiplies that of the `bootstrapped` loss; any other loss takes it as well.
    """

    @abstractmethod
    def pixel_weight(self, batch: FrameBatch) -> Tensor | None:
        """How much each pixel counts, `(B, 1, H, W)`, in [0, 1]; None: all alike."""

    def _terms(
        self, model: BackgroundModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        return reconstruction_terms(
            self.loss,
            model.estimate_background(batch),
            batch.target,
            weight=self.pixel_weight(batch),
            strength=self.strength_at(progress),
            reference=batch.expected,
        )


class FlowWeightedReconstruction(WeightedReconstruction):
    """What moves counts less; a batch that holds no flow counts whole."""

    flow_strength: float = Field(
        2.0, ge=0, description="of the weight exp(-flow_strength * m), m in 0 to 1 by the motion"
    )

    def pixel_weight(self, batch: FrameBatch) -> Tensor | None:
        """Weight by the motion of each pixel."""
        flow = batch.extras.get(Modality.FLOW)
        return None if flow is None else flow_weight(flow, self.flow_strength)


class MaskedReconstruction(WeightedReconstruction):
    """What the simple mask covers counts little, so that the network paints it in."""

    # At 0 a ghost in the initial plate, which is masked in every frame, could never be corrected.
    mask_weight: float = Field(
        0.05, ge=0, le=1, description="how much a pixel under the mask counts; 0: not at all"
    )

    def pixel_weight(self, batch: FrameBatch) -> Tensor | None:
        """1, and the small weight under the mask."""
        return 1 - (1 - self.mask_weight) * batch.read(Modality.MASK)
