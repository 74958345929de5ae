"""Auto-encoder with a linear decoder at full resolution: the reference method.

background(x) = plate + sum over k of z_k(x) * image_k. The codes z come from a small convolutional
encoder that sees a thumbnail of the frame; plate and images are the parameters of the decoder. It
costs `rank` multiply-adds a pixel and channel, so that it learns at full resolution on a CPU.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, BuildContext
from cleanplate.model import BackgroundModel, LinearDecoder
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.parameters import Parameters
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor

_GREY = 0.5
_IMAGE_SCALE = 1e-4
"""Standard deviation of the images at the start: the first background is the plate itself."""


class LowRankAESettings(Parameters):
    """Settings of `lowrank_ae`."""

    form: Literal["residual", "plain"] = Field(
        "residual", description="begin at the initial plate, or at a grey picture"
    )
    rank: int = Field(8, ge=1, le=64, description="number of images that are mixed")
    width: int = Field(16, ge=4, description="channels of the encoder's first stage")
    thumbnail: int = Field(
        40, ge=16, le=256, description="longer side of what the encoder sees, in pixels"
    )
    plate_speed: float = Field(
        3.0, gt=0, description="how much faster than the rest the plate itself learns"
    )


class LowRankAE(BackgroundModel):
    """A plate plus a learned linear_decoder of a few learned images."""

    start_plate: Tensor
    start_thumbnail: Tensor

    def __init__(self, settings: LowRankAESettings, start: BuildContext) -> None:
        super().__init__()
        plate = to_tensor(start.plate[None])[0]
        if settings.form == "plain":
            plate = torch.full_like(plate, _GREY)
        height, width = start.size
        self.plate_speed = settings.plate_speed
        self.thumbnail_size = _thumbnail_size(height, width, settings.thumbnail)
        self.register_buffer("start_plate", plate)
        self.register_buffer("start_thumbnail", self._thumbnail(plate[None])[0])
        # Adam moves every parameter equally fast, so the factor makes the plate the faster one.
        self.plate_change = nn.Parameter(torch.zeros_like(plate))
        self.images = nn.Parameter(torch.randn(settings.rank, 3, height, width) * _IMAGE_SCALE)
        self.encoder = _encoder(settings, self.thumbnail_size)

    def plate(self) -> Tensor:
        """The part of the background that is the same in all frames, `(3, H, W)`."""
        return self.start_plate + self.plate_speed * self.plate_change

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, rank)`."""
        return self._codes_of(self._thumbnail(batch.rgb))

    def linear_decoder(self) -> LinearDecoder:
        """The plate and the images."""
        return LinearDecoder(self.plate(), self.images, self.thumbnail_size, self._codes_of)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float, held near [0, 1] by the loss alone."""
        codes = self.codes(batch).float()
        # With fewer digits the plate would have steps of a grey level.
        with torch.autocast(codes.device.type, enabled=False):
            # Added in place: addmm would first copy the plate once for each frame.
            background = torch.mm(codes, self.images.flatten(1)).add_(self.plate().flatten())
        return background.view(batch.rgb.shape)

    def _codes_of(self, thumbnails: Tensor) -> Tensor:
        return self.encoder(thumbnails - self.start_thumbnail)

    def _thumbnail(self, frames: Tensor) -> Tensor:
        return functional.interpolate(frames, self.thumbnail_size, mode="area")


def _thumbnail_size(height: int, width: int, longer_side: int) -> tuple[int, int]:
    scale = min(1.0, longer_side / max(height, width))
    return max(8, round(height * scale)), max(8, round(width * scale))


def _encoder(settings: LowRankAESettings, size: tuple[int, int]) -> nn.Module:
    height, width = ((side + 3) // 4 for side in size)  # two stages of stride 2
    channels = settings.width
    return nn.Sequential(
        nn.Conv2d(3, channels, 5, stride=2, padding=2),
        nn.CELU(),
        nn.Conv2d(channels, 2 * channels, 5, stride=2, padding=2),
        nn.CELU(),
        nn.Flatten(),
        nn.Linear(2 * channels * height * width, settings.rank),
    )


ARCHITECTURE = Architecture(
    source=(
        "linear decoder: this project; loss: Sauvalle & de La Fortelle, J. Imaging 2022, "
        "doi:10.3390/jimaging8010009, and WACV 2023, arXiv:2112.08001"
    ),
    settings=LowRankAESettings,
    objective=Reconstruction,
    build=LowRankAE,
    steps=300,
    recipes={
        ROBUST: {},
        AS_PUBLISHED: {"model.form": "plain", "objective.loss": "mse"},
    },
)
