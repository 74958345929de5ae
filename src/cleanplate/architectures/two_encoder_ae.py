"""Two encoders, of colour and of optical flow, whose codes are joined for one decoder."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

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

_FLOW_CHANNELS = 2


class TwoEncoderAESettings(NetworkSettings):
    """Settings of `two_encoder_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the joined code of a frame")
    flow_dim: int = Field(2, ge=1, description="numbers in the code of its flow")
    flow_scale: float = Field(
        0.02, gt=0, le=1, description="motion that reads as 0.76, as a share of the frame's width"
    )
    flow_dropout: float = Field(
        0.3, ge=0, lt=1, description="share of the frames learned from as if they had no flow"
    )


class TwoEncoderAE(BackgroundModel):
    """Late fusion: code of the colours and code of the flow, joined by one linear layer.

    It also answers for frames without flow: a learned code stands in for that of the flow.
    """

    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.RGB, Modality.FLOW})

    def __init__(self, settings: TwoEncoderAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self.flow_scale, self.flow_dropout = settings.flow_scale, settings.flow_dropout
        size, width, latent_dim = self.view.size, settings.width, settings.latent_dim
        self.rgb_encoder = ConvEncoder(size, width=width, latent_dim=latent_dim)
        self.flow_encoder = ConvEncoder(
            size, width=width, latent_dim=settings.flow_dim, channels=_FLOW_CHANNELS
        )
        self.no_flow = nn.Parameter(torch.zeros(settings.flow_dim))
        self.join = nn.Linear(latent_dim + settings.flow_dim, latent_dim)
        self.decoder = ConvDecoder(size, width=width, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Joined codes of each frame, `(B, latent_dim)`."""
        colours = self.rgb_encoder(self.view.reduce_maps(self.view.unexplained(batch.rgb)))
        return self.join(torch.cat((colours, self._flow_codes(batch)), dim=1))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.view.background(self.decoder(self.codes(batch)), batch.rgb.shape[-2:])

    def _flow_codes(self, batch: FrameBatch) -> Tensor:
        """Codes of the flow, `(B, flow_dim)`."""
        count = len(batch.rgb)
        if Modality.FLOW not in batch.extras:
            return self.no_flow.expand(count, -1)
        flow = batch.read(Modality.FLOW)
        codes = self.flow_encoder(self.view.reduce_maps(scaled_flow(flow, self.flow_scale)))
        if not self.training:
            return codes
        is_dropped = torch.rand(count, 1, device=codes.device) < self.flow_dropout
        # Chosen by `where`, both sides get a gradient in every step, if only zero.
        return torch.where(is_dropped, self.no_flow.to(codes.dtype), codes)


ARCHITECTURE = Architecture(
    source=(
        "late fusion of colour and motion: Simonyan & Zisserman 2014, arXiv:1406.2199; leaving a "
        "modality out: Neverova et al. 2015, arXiv:1501.00102 (ModDrop); flow in the loss: "
        "Sauvalle & de La Fortelle, J. Imaging 2022, doi:10.3390/jimaging8010009"
    ),
    settings=TwoEncoderAESettings,
    objective=FlowWeightedReconstruction,
    build=TwoEncoderAE,
    steps=400,
    modalities=TwoEncoderAE.modalities,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.flow_dropout": 0.0,
            "objective.loss": "charbonnier",
            "objective.flow_strength": 0.0,
        },
    },
)
