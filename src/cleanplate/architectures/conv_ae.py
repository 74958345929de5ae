"""Convolutional auto-encoder: a narrow code in the middle is too small to hold what moves."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from cleanplate.architectures.base import AS_PUBLISHED, ROBUST, Architecture, Start
from cleanplate.batch import FrameBatch, to_tensor
from cleanplate.frames import FrameSize
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.parameters import Parameters, WorkingPixels

_CPU_PIXELS = 160 * 120
_CUDA_PIXELS = 1280 * 720
_GREY = 0.5


class ConvAESettings(Parameters):
    """Settings of `conv_ae`."""

    form: Literal["residual", "plain"] = Field(
        "residual", description="output added to the initial plate, or the whole picture"
    )
    width: int = Field(16, ge=4, description="channels of the first stage")
    # More numbers suffice to draw what moves: with 8 and more some runs never unlearned it.
    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")
    working_pixels: Literal["auto"] | WorkingPixels = Field(
        "auto", description="most pixels that the network works on; auto looks at the device"
    )


class ConvAE(BackgroundModel):
    """Encoder, code, decoder at a working resolution; depth follows the size."""

    plate: Tensor

    def __init__(self, settings: ConvAESettings, start: Start) -> None:
        super().__init__()
        size = working_size(start, settings.working_pixels)
        self._working_size = size
        self.encoder = ConvEncoder(size, width=settings.width, latent_dim=settings.latent_dim)
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=settings.latent_dim)
        self._is_residual = settings.form == "residual"
        if self._is_residual:
            self.register_buffer("plate", to_tensor(start.plate[None]))
            # The first background is the plate itself: nothing has to be unlearned.
            for parameter in self.decoder.to_image.parameters():
                nn.init.zeros_(parameter)

    def codes(self, frames: Tensor) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        return self.encoder(self._reduced(frames))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        frame_size = batch.rgb.shape[-2:]
        if not self._is_residual:
            images = torch.sigmoid(self.decoder(self.codes(batch.rgb)))
            return _resized(images, frame_size)
        residual = self.decoder(self.codes(batch.rgb))
        return self.plate + _resized(residual, frame_size)

    def _reduced(self, frames: Tensor) -> Tensor:
        # What the plate, or a middle grey, explains already would drown what the code has to carry.
        frames = frames - (self.plate if self._is_residual else _GREY)
        if tuple(frames.shape[-2:]) == self._working_size:
            return frames
        return functional.interpolate(frames, self._working_size, mode="area")


def working_size(start: Start, pixels: Literal["auto"] | int) -> FrameSize:
    """Size with the frame's shape and at most so many pixels, never above the frame's."""
    if pixels == "auto":
        pixels = _CUDA_PIXELS if start.device.type == "cuda" else _CPU_PIXELS
    scale = min(1.0, math.sqrt(pixels / start.size.pixels))
    height, width = (max(8, round(side * scale)) for side in start.size)
    return FrameSize(height, width)


def _resized(images: Tensor, size: torch.Size) -> Tensor:
    if images.shape[-2:] == size:
        return images
    return functional.interpolate(images, size, mode="bilinear", align_corners=False)


ARCHITECTURE = Architecture(
    source=(
        "layers: Radford et al. 2015, arXiv:1511.06434; survey of such networks: Bouwmans et al. "
        "2018, arXiv:1811.05255"
    ),
    settings=ConvAESettings,
    objective=Reconstruction,
    build=ConvAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {"model.form": "plain", "objective.loss": "mse"},
    },
)
