"""One plate for all frames: what moves, what differs and whole frames that differ count less."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from cleanplate.frames import Modality
from cleanplate.losses import bootstrapped_error
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase, RampedObjective, WeightFrom
from cleanplate.tensor_tools.batch import FrameBatch

_PIXELS_PER_WIDTH = 255 / 40_000
"""Motion at which the weight of the flow is at its end, as a share of the frame's width."""


class Bootstrapping(RampedObjective):
    """Robust reconstruction under three weights, none of which carries a gradient.

    weight = exp(-strength * s) * exp(-flow_strength * m) * exp(-frame_strength * e), where s is the
    smoothed, saturated error of the pixel, m its motion (0 to 1) and e the mean error of the frame
    (sum over RGB, 0 to 3). Sauvalle & de La Fortelle 2022, equations of section 3.
    """

    flow_strength: float = Field(2.0, ge=0, description="of the weight of a pixel's motion")
    frame_strength: float = Field(3.0, ge=0, description="of the weight of a whole frame's error")
    learning_rate: float = Field(0.01, gt=0, description="highest rate of Adam")
    # This scheme finds a plate that may be better than the one it begins at.
    weight_from: WeightFrom = Field(
        "estimate",
        description="whose error gives the bootstrapped weight: the initial plate's in the light "
        "of the frame, or the estimate's own; auto: the plate's if it is that of candidates",
    )

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the plate."""
        return (Phase(name="plate", loss=self._terms, learning_rate=self.learning_rate),)

    def _terms(
        self, model: BackgroundModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        error, weight = bootstrapped_error(
            model.estimate_background(batch),
            batch.target,
            batch.expected,
            strength=self.strength_at(progress),
        )
        weight = weight * self._frame_weight(error)
        if self.flow_strength:
            weight = weight * torch.exp(-self.flow_strength * motion(batch.read(Modality.FLOW)))
        return {"bootstrapped": (error.sum(1, keepdim=True) * weight).mean()}

    def _frame_weight(self, error: Tensor) -> Tensor:
        frame_error = error.detach().sum(1).mean((1, 2))
        return torch.exp(-self.frame_strength * frame_error).view(-1, 1, 1, 1)


def motion(flow: Tensor) -> Tensor:
    """Motion of each pixel, `(B, 1, H, W)`, 0 to 1, from flow `(B, 2, H, W)` in pixels a frame."""
    length = torch.linalg.vector_norm(flow, dim=1, keepdim=True)
    return (length / (_PIXELS_PER_WIDTH * flow.shape[-1])).clamp(max=1)
