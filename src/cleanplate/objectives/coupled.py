"""One network redraws the frames, a second one learns them without what the first does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol

import torch
from pydantic import Field
from torch import Tensor

from cleanplate.losses import reconstruction_terms
from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import LossName, Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class Separation(NamedTuple):
    """Frames without what a background does not explain.

    Attributes:
        frames: `(B, 3, H, W)`; the background where a pixel was not accepted.
        accepted: Pixels that the background explains, `(B, 1, H, W)`, bool.
    """

    frames: Tensor
    accepted: Tensor


class CoupledModel(Protocol):
    """What the objective asks of a couple of networks.

    Attributes:
        spread: Usual difference of each pixel to the first background, `(1, 1, H, W)`, summed over
            RGB, in [0, 3].
    """

    spread: Tensor

    def extract(self, frames: Tensor) -> Tensor:
        """The first network's background of each frame, `(B, 3, H, W)`."""
        ...

    def separate(self, frames: Tensor, background: Tensor) -> Separation:
        """Frames in which the background stands where it does not explain a pixel."""
        ...

    def learn(self, cleaned: Tensor) -> Tensor:
        """The second network's background of cleaned frames, `(B, 3, H, W)`."""
        ...


class Coupled(Reconstruction):
    """Two phases: the first network against the frames, the second against cleaned frames."""

    second_loss: LossName = Field(
        "bootstrapped", description="how the second network pays for a difference"
    )
    accepted_only: bool = Field(
        default=False, description="the second network pays only for pixels that were not replaced"
    )

    def phases(self) -> tuple[Phase, ...]:
        """Extraction owns the first network and the spread, learning the second network."""
        return (
            Phase(
                name="extraction",
                loss=self._extraction,
                owns=("first", "spread"),
                learning_rate=self.learning_rate,
            ),
            Phase(
                name="learning",
                loss=self._learning,
                owns=("second",),
                learning_rate=self.learning_rate,
            ),
        )

    def _extraction(
        self, model: CoupledModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        background = model.extract(batch.rgb)
        terms = reconstruction_terms(
            self.loss,
            background,
            batch.target,
            strength=self.strength_at(progress),
            reference=batch.expected,
        )
        residual = (batch.rgb - background.detach()).abs().sum(dim=1, keepdim=True)
        # Smallest where the spread is the median over time: foreground counts, its size does not.
        return {**terms, "spread": (residual - model.spread).abs().mean() / 2}

    def _learning(
        self, model: CoupledModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        with torch.no_grad():
            cleaned, accepted = model.separate(batch.rgb, model.extract(batch.rgb))
        return reconstruction_terms(
            self.second_loss,
            model.learn(cleaned),
            replace(batch, rgb=cleaned).target,
            weight=accepted.to(cleaned) if self.accepted_only else None,
            strength=self.strength_at(progress),
            reference=batch.expected,
        )
