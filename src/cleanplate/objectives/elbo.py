"""The evidence lower bound: the frame redrawn from codes that must be worth what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field
from torch import Tensor

from cleanplate.losses import gaussian_kl, reconstruction_terms
from cleanplate.objectives.base import Phase, Ramp
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_SUMMED_OVER_COLOURS = frozenset({"bootstrapped"})
"""Losses that are a mean of the pixels; the others are a mean of the pixels and their colours."""


class _Output(Protocol):
    @property
    def background(self) -> Tensor: ...
    @property
    def mean(self) -> Tensor: ...
    @property
    def log_variance(self) -> Tensor: ...


class _VariationalModel(Protocol):
    def __call__(self, batch: FrameBatch) -> _Output: ...


class ELBO(Reconstruction):
    """One phase: the error summed over a frame, plus the divergence of its codes in nats.

    Both sums are divided by the number of values that the error is the mean of, so that rates and
    clipping hold at every size; what a nat costs against a summed error stays the same.
    """

    kl_ramp: Ramp = Field(
        0.3, description="share of the learning over which the KL weight rises from 0"
    )
    kl_weight: float = Field(
        1.0, ge=0, description="cost of a nat, in units of the error summed over the frame"
    )

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="elbo", loss=self._bound, learning_rate=self.learning_rate),)

    def _bound(
        self, model: _VariationalModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        output = model(batch)
        error = reconstruction_terms(
            self.loss,
            output.background,
            batch.target,
            strength=self.strength_at(progress),
            reference=batch.expected,
        )
        nats = gaussian_kl(output.mean, output.log_variance).sum(dim=1).mean()
        weight = self.kl_weight * (min(1.0, progress / self.kl_ramp) if self.kl_ramp else 1.0)
        return {**error, "kl": weight * nats / self._values(batch.rgb)}

    def _values(self, frames: Tensor) -> int:
        """How many values of a frame the error is the mean of."""
        height, width = frames.shape[-2:]
        return height * width * (1 if self.loss in _SUMMED_OVER_COLOURS else frames.shape[1])
