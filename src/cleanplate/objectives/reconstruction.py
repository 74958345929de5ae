"""The network redraws the frame under a loss that pays little for what is foreground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from torch import Tensor

from cleanplate.losses import reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Phase, RampedObjective
from cleanplate.tensor_tools.batch import FrameBatch

LossName = Literal[
    "bootstrapped",
    "mse",
    "l1",
    "huber",
    "charbonnier",
    "log_cosh",
    "bce",
    "ssim_mix",
    "ms_ssim_l1",
    "photometric",
]


class Reconstruction(RampedObjective):
    """One phase: the estimated background against the frame itself."""

    loss: LossName = Field("bootstrapped", description="how a difference to the frame is paid for")
    learning_rate: float = Field(1e-3, gt=0, description="highest rate of Adam")

    def weighs_by_plate(self, *, is_chosen: bool) -> bool:
        """Only the bootstrapped loss has a weight."""
        return self.loss == "bootstrapped" and super().weighs_by_plate(is_chosen=is_chosen)

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="reconstruction", loss=self._terms, learning_rate=self.learning_rate),)

    def _terms(
        self, model: BackgroundModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        estimate = model.estimate_background(batch)
        return reconstruction_terms(
            self.loss,
            estimate,
            batch.target,
            strength=self.strength_at(progress),
            reference=batch.expected,
        )
