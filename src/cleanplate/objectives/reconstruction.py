"""The network redraws the frame under a loss that pays little for what is foreground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from torch import Tensor

from cleanplate.batch import FrameBatch
from cleanplate.losses import reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.objectives.base import Objective, Phase

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


class Reconstruction(Objective):
    """One phase: the estimated background against the frame itself."""

    loss: LossName = Field("bootstrapped", description="how a difference to the frame is paid for")
    strength: float = Field(
        6.0, ge=0, description="of the bootstrapped weight exp(-strength * s), s in 0 to 1"
    )
    ramp: float = Field(
        0.3, ge=0, le=1, description="share of the learning over which the strength rises from 0"
    )
    learning_rate: float = Field(1e-3, gt=0, description="highest rate of Adam")

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="reconstruction", loss=self._terms, learning_rate=self.learning_rate),)

    def _terms(
        self, model: BackgroundModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        estimate = model.estimate_background(batch)
        return reconstruction_terms(
            self.loss, estimate, batch.rgb, strength=self.strength_at(progress)
        )

    def strength_at(self, progress: float) -> float:
        """Strength of the bootstrapped weight at a share (0 to 1) of the learning.

        From a random start the full strength would call thin static lines foreground for ever.
        """
        if self.ramp == 0:
            return self.strength
        return self.strength * min(1.0, progress / self.ramp)
