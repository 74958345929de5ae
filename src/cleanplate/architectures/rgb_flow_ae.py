"""Auto-encoder that reads colour and optical flow together; what moves counts less in its loss."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from cleanplate.architectures.base import (
    AS_PUBLISHED,
    ROBUST,
    Architecture,
    BuildContext,
    NetworkSettings,
)
from cleanplate.frames import Modality
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.nn.view import scaled_flow, start_from_zero
from cleanplate.objectives.weighted_reconstruction import FlowWeightedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_RGB_CHANNELS = 3
_FLOW_CHANNELS = 2


class RGBFlowAESettings(NetworkSettings):
    """Settings of `rgb_flow_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")
    flow_scale: float = Field(
        0.02, gt=0, le=1, description="motion that reads as 0.76, as a share of the frame's width"
    )


class RGBFlowAE(BackgroundModel):
    """Encoder of five channels, code, decoder of three; at a working resolution."""

    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.RGB, Modality.FLOW})

    def __init__(self, settings: RGBFlowAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self.flow_scale = settings.flow_scale
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(
            size,
            width=settings.width,
            latent_dim=latent_dim,
            channels=_RGB_CHANNELS + _FLOW_CHANNELS,
        )
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        colours = self.view.reduce_maps(self.view.unexplained(batch.rgb))
        motion = self.view.reduce_maps(scaled_flow(batch.read(Modality.FLOW), self.flow_scale))
        return self.encoder(torch.cat((colours, motion), dim=1))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.view.background(self.decoder(self.codes(batch)), batch.rgb.shape[-2:])


ARCHITECTURE = Architecture(
    source=(
        "flow in the loss: Sauvalle & de La Fortelle, J. Imaging 2022, "
        "doi:10.3390/jimaging8010009; flow: Kroeger et al. 2016, arXiv:1603.03590; layers: "
        "Radford et al. 2015, arXiv:1511.06434"
    ),
    settings=RGBFlowAESettings,
    objective=FlowWeightedReconstruction,
    build=RGBFlowAE,
    steps=400,
    modalities=RGBFlowAE.modalities,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "objective.loss": "charbonnier",
            "objective.flow_strength": 0.0,
        },
    },
)
