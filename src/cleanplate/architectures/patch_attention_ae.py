"""Patch auto-encoder with shortcuts, which pass only what a learned gate takes for background."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, BuildContext
from cleanplate.architectures.patch_ae import PatchAESettings
from cleanplate.model import BackgroundModel
from cleanplate.nn.attention import BackgroundGate, narrow_gate
from cleanplate.nn.patches import PatchDecoder, PatchEncoder, PatchGrid
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.attention import GatedEstimate, GatedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_GREY = 0.5


class PatchAttentionAESettings(PatchAESettings):
    """Settings of `patch_attention_ae`."""

    # It draws each frame twice; with half the overlap that costs as much as drawing once.
    overlap: float = Field(
        0.25, ge=0, le=0.5, description="share of a patch that it has in common with the next one"
    )
    gate_width: int = Field(8, ge=1, description="channels of the gate")


class PatchAttentionAE(BackgroundModel):
    """Draws the frame from its code, gates what the code did not explain, and draws again.

    With the gate closed the second picture is the first one.
    """

    def __init__(self, settings: PatchAttentionAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        side = settings.patch_side(self.view.size)
        self.grid = PatchGrid(self.view.size, side=side, overlap=settings.overlap)
        width, codes, latent_dim = settings.width, settings.codes, settings.latent_dim
        self.encoder = PatchEncoder(self.grid, width=width, codes=codes, latent_dim=latent_dim)
        self.decoder = PatchDecoder(self.grid, width=width, codes=codes, latent_dim=latent_dim)
        self.shortcuts = nn.ModuleList(_shortcut(stage, self.grid) for stage in self._skipped())
        self.gate = BackgroundGate(width=settings.gate_width)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.gated_estimate(batch).background

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`, or those of its patches one after the other."""
        features = self.encoder.features(self.grid.cut(self.view.reduce(batch.rgb)))
        return self.encoder.to_codes(features[-1]).flatten(1)

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """The gate, and the background without shortcuts."""
        gate = self.background_probability(batch)
        return {
            "gate: white passes": gate.expand(-1, 3, -1, -1),
            "without shortcuts": self.gated_estimate(batch).code_background,
        }

    def background_probability(self, batch: FrameBatch) -> Tensor:
        """The gate in the working size, `(B, 1, h, w)`: 1 passes, 0 holds back."""
        return torch.sigmoid(self.gated_estimate(batch).gate_logits)

    def gated_estimate(self, batch: FrameBatch) -> GatedEstimate:
        """Both backgrounds, the gate and what it has read."""
        seen, size = self.view.reduce(batch.rgb), batch.rgb.shape[-2:]
        features = self.encoder.features(self.grid.cut(seen))
        codes = self.encoder.to_codes(features[-1])
        by_code = self.grid.blend(self.decoder(codes))
        drawn = by_code.detach()
        drawn = drawn if self.view.is_residual else torch.sigmoid(drawn) - _GREY
        logits = self.gate(seen - drawn, drawn)
        # Only the gate's own loss may move it: redrawing the frame would pay for opening it.
        maps = self.draw(codes, features, torch.sigmoid(logits.detach()))
        return GatedEstimate(
            background=self.view.background(maps, size),
            code_background=self.view.background(by_code, size),
            residual=seen - drawn,
            gate_logits=logits,
        )

    def draw(self, codes: Tensor, features: list[Tensor], gate: Tensor) -> Tensor:
        """Unbounded maps `(B, 3, h, w)` from codes and as much of the features as may pass.

        Args:
            codes: As the encoder gives them.
            features: Maps of the encoder's stages, the largest first.
            gate: `(B, 1, h, w)`, in [0, 1].
        """
        gates, skips = self.grid.cut(gate), []
        for shortcut, maps in zip(self.shortcuts, features[:-1], strict=True):
            gates = narrow_gate(gates)
            channels = maps.shape[1] // self.grid.count
            skips.append(shortcut(maps) * gates.repeat_interleave(channels, dim=1))
        return self.grid.blend(self.decoder(codes, skips[::-1]))

    def _skipped(self) -> list[nn.Conv2d]:
        """Stages of the encoder that have a shortcut: all but the last, whose maps are the code."""
        return [stage for stage in self.encoder.stages if isinstance(stage, nn.Conv2d)][:-1]


def _shortcut(stage: nn.Conv2d, grid: PatchGrid) -> nn.Conv2d:
    shortcut = nn.Conv2d(stage.out_channels, stage.out_channels, 1, groups=grid.count)
    start_from_zero(shortcut)  # the first background is that of the code alone
    return shortcut


ARCHITECTURE = Architecture(
    source=(
        "gate: Oktay et al. 2018, arXiv:1804.03999, turned round; patches: Garcia-Gonzalez et al. "
        "2019 (shifted tilings of stacked denoising auto-encoders)"
    ),
    settings=PatchAttentionAESettings,
    objective=GatedReconstruction,
    build=PatchAttentionAE,
    steps=300,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {"model.form": "plain", "objective.loss": "mse"},
    },
)
