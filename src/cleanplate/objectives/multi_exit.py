"""Several exits of one network redraw the frame, each in its own size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field
from torch import Tensor

from cleanplate.losses import reconstruction_terms
from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class ExitModel(Protocol):
    """What this objective needs of a network."""

    def exit_pictures(self, batch: FrameBatch) -> tuple[Tensor, ...]:
        """Picture of each exit in its own size, `(B, 3, h_k, w_k)`, finest first."""
        ...

    def reductions(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Frames `(B, 3, H, W)` in the size of each exit, finest first."""
        ...


class MultiExit(Reconstruction):
    """One phase: the picture of each exit against the frame in the size of that exit.

    No loss joins the exits: what one of them draws is never corrected by another's error.
    """

    coarser: float = Field(
        0.5, ge=0, le=1, description="weight of an exit's loss, as a share of the next finer exit's"
    )

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="exits", loss=self._exit_terms, learning_rate=self.learning_rate),)

    def _exit_terms(
        self, model: ExitModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        strength = self.strength_at(progress)
        pictures, targets = model.exit_pictures(batch), model.reductions(batch.target)
        references: tuple[Tensor | None, ...] = (None,) * len(targets)
        if batch.expected is not None:
            references = model.reductions(batch.expected)
        terms: dict[str, Tensor] = {}
        exits = zip(pictures, targets, references, strict=True)
        for number, (picture, target, reference) in enumerate(exits):
            losses = reconstruction_terms(
                self.loss, picture, target, strength=strength, reference=reference
            )
            weight = self.coarser**number
            terms |= {f"{name}_{number}": weight * term for name, term in losses.items()}
        return terms
