"""The network redraws the frame and says how far off it expects to be, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from pydantic import Field
from torch import Tensor

from cleanplate.losses import bootstrapped_error, huber
from cleanplate.objectives.base import Phase, RampedObjective
from cleanplate.tensor_tools.batch import FrameBatch


class Estimate(NamedTuple):
    """Two answers of one network for each frame.

    Attributes:
        background: `(B, 3, H, W)`, float in [0, 1].
        noise: Mean absolute error over RGB that is expected, `(B, 1, H, W)`, float in [0, 1].
    """

    background: Tensor
    noise: Tensor


class NoiseModel(Protocol):
    """What this objective needs of a network."""

    def estimate(self, batch: FrameBatch) -> Estimate:
        """Background and expected error of each frame."""
        ...


class NoiseEstimation(RampedObjective):
    """One phase: the bootstrapped error, and how well it was foreseen, under the same weight.

    The weight carries no gradient, and neither does the error that the noise is compared with: the
    noise learns from the background and not the other way round, and only where the scene is
    believed to be seen. Sauvalle & de La Fortelle 2023, arXiv:2112.08001, section 3.
    """

    learning_rate: float = Field(2e-3, gt=0, description="highest rate of Adam")

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="noise", loss=self._terms, learning_rate=self.learning_rate),)

    def _terms(self, model: NoiseModel, batch: FrameBatch, progress: float) -> Mapping[str, Tensor]:
        background, noise = model.estimate(batch)
        error, weight = bootstrapped_error(
            background, batch.target, batch.expected, strength=self.strength_at(progress)
        )
        foreseen = huber(noise, error.detach().mean(1, keepdim=True))
        return {
            "bootstrapped": (error.sum(1, keepdim=True) * weight).mean(),
            "expected_error": (foreseen * weight).mean(),
        }
