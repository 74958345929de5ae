"""The frame is redrawn twice, from the code alone and with gated shortcuts, and the gate learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cleanplate.losses import bootstrap_weight, huber, reconstruction_terms
from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_FOREGROUND_BELOW = 0.5
"""Bootstrap weight under which a pixel is foreground in the eyes of the gate."""


class GatedEstimate(NamedTuple):
    """What a network with gated shortcuts gives for training.

    Attributes:
        background: With what the shortcuts add, `(B, 3, H, W)`.
        code_background: From the code alone, `(B, 3, H, W)`.
        residual: What the code does not explain, in the working size, `(B, 3, h, w)`, without
            gradient.
        gate_logits: Of the gate, `(B, 1, h, w)`; they depend on the gate's own parameters alone.
    """

    background: Tensor
    code_background: Tensor
    residual: Tensor
    gate_logits: Tensor


class GatedModel(Protocol):
    """What this objective needs of a network."""

    def gated_estimate(self, batch: FrameBatch) -> GatedEstimate:
        """Both backgrounds, the gate and what it has read."""
        ...


class GatedReconstruction(Reconstruction):
    """One phase: both backgrounds against the frame, and the gate against the residual.

    The reconstruction does not reach the gate: it would be paid for opening it.
    """

    code_weight: float = Field(
        1.0, gt=0, description="weight of the loss of the background that the code alone draws"
    )
    # Both differences that the segmenter never counts (below 45) and clouds may pass the gate.
    gate_strength: float = Field(
        3.0,
        gt=0,
        description=(
            "of the bootstrapped weight that the gate learns from; 3: a pixel that is off by 20 "
            "grey levels, summed over RGB, is held back, 6: by 12"
        ),
    )
    sparsity: float = Field(
        0.05, ge=0, description="price of holding back, beside agreement with the residual"
    )

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="attention", loss=self._gated_terms, learning_rate=self.learning_rate),)

    def gate_target(self, residual: Tensor) -> Tensor:
        """What the gate should be, `(B, 1, h, w)`: 0 where the residual `(B, 3, h, w)` is large."""
        error = huber(residual, torch.zeros_like(residual))
        weight = bootstrap_weight(error, strength=self.gate_strength)
        return (weight >= _FOREGROUND_BELOW).to(residual.dtype)

    def _gated_terms(
        self, model: GatedModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        estimate, strength = model.gated_estimate(batch), self.strength_at(progress)
        terms, by_code = (
            reconstruction_terms(
                self.loss, drawn, batch.target, strength=strength, reference=batch.expected
            )
            for drawn in (estimate.background, estimate.code_background)
        )
        terms |= {f"code_{name}": self.code_weight * term for name, term in by_code.items()}
        logits = estimate.gate_logits.float()
        agreement = functional.binary_cross_entropy_with_logits(
            logits, self.gate_target(estimate.residual.float())
        )
        held_back = torch.sigmoid(-logits).mean()
        return terms | {
            "gate": agreement,
            "held_back": self.sparsity * held_back,
        }
