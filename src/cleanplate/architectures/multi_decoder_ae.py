"""One encoder and several exits: pictures from coarse to fine, each with a loss of its own.

Two networks share the name (setting `decoders`):

* `multi_exit`: codes are taken at several depths of the encoder, and each has a light decoder. The
  deepest code draws the finest picture, a shallow one a coarse picture, too small for what moves.
  The background is the finest picture where it agrees with the coarser ones, else a coarser one.
* `deep_supervision`: one code, one decoder, and image heads at several of its stages. The
  background is the last head's picture; the others only teach.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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
from cleanplate.frames import FrameSize
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import (
    ConvDecoder,
    ConvEncoder,
    depth_for,
    pad_to,
    padded_size,
    stage_channels,
)
from cleanplate.nn.scales import enlarge_by, reduce_by, size_at
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.multi_exit import MultiExit
from cleanplate.tensor_tools.batch import FrameBatch

_SMALLEST_EXIT = 11
"""Shorter side of the coarsest picture, in pixels: the window of MS-SSIM has to fit."""
_FEWEST_NUMBERS = 2
"""Numbers in the narrowest code: one could not hold how bright it is and where the sun stands."""
_GREY_LEVELS = 255


class MultiDecoderAESettings(NetworkSettings):
    """Settings of `multi_decoder_ae`."""

    decoders: Literal["multi_exit", "deep_supervision"] = Field(
        "multi_exit", description="decoders at several depths of the encoder, or heads of one"
    )
    exits: int = Field(
        3, ge=1, le=6, description="pictures, each half as large; fewer where a frame is small"
    )
    latent_dim: int = Field(
        4, ge=1, description="numbers in the code of the finest exit; each coarser one has half"
    )
    tolerance: float = Field(
        15.0, gt=0, description="grey levels between two exits at which the coarser one is taken"
    )


class DepthExits(nn.Module):
    """A code from each of the deepest stages of one encoder, and a decoder for each code."""

    def __init__(self, size: FrameSize, settings: MultiDecoderAESettings, count: int) -> None:
        super().__init__()
        self._padded = padded_size(size)
        width = settings.width
        self.stages = ConvEncoder(size, width=width, latent_dim=settings.latent_dim).stages
        cells = size_at(size, 2 ** depth_for(size)).pixels
        deepest_first = stage_channels(width, depth_for(size))[::-1]
        # The fewer the numbers, the less a coarse picture can follow what moves.
        fewest = min(settings.latent_dim, _FEWEST_NUMBERS)
        dims = [max(fewest, settings.latent_dim // 2**number) for number in range(count)]
        self.to_codes = nn.ModuleList(
            nn.Linear(channels * cells, latent_dim)
            for channels, latent_dim in zip(deepest_first, dims, strict=False)
        )
        self.decoders = nn.ModuleList(
            ConvDecoder(size_at(size, 2**number), width=width, latent_dim=latent_dim)
            for number, latent_dim in enumerate(dims)
        )

    def image_heads(self) -> list[nn.Module]:
        """Last layer of each exit, finest first."""
        return [decoder.get_submodule("to_image") for decoder in self.decoders]

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Maps of each exit, `(B, 3, h_k, w_k)`, unbounded, finest first."""
        codes = self._codes_by_exit(frames)
        return tuple(decoder(each) for decoder, each in zip(self.decoders, codes, strict=True))

    def codes(self, frames: Tensor) -> Tensor:
        """Codes of each frame, those of the finest exit first, `(B, N)`."""
        return torch.cat(self._codes_by_exit(frames), dim=1)

    def _codes_by_exit(self, frames: Tensor) -> list[Tensor]:
        by_depth = _stage_outputs(self.stages, pad_to(frames, self._padded))[::-1]
        # All are pooled to the size of the deepest: a code's place in depth is all that differs.
        return [
            to_codes(reduce_by(by_depth[number], 2**number).flatten(1))
            for number, to_codes in enumerate(self.to_codes)
        ]


class StageExits(nn.Module):
    """One auto-encoder with an image head at each of the last stages of its decoder."""

    def __init__(self, size: FrameSize, settings: MultiDecoderAESettings, count: int) -> None:
        super().__init__()
        self._sizes = [size_at(size, 2**number) for number in range(count)]
        width, latent_dim = settings.width, settings.latent_dim
        self.encoder = ConvEncoder(size, width=width, latent_dim=latent_dim)
        self.decoder = ConvDecoder(size, width=width, latent_dim=latent_dim)
        # A stage of the decoder gives as many channels as the next one of the encoder takes.
        channels = stage_channels(width, depth_for(size))
        self.coarser_heads = nn.ModuleList(
            nn.Conv2d(channels[number - 1], 3, 3, padding=1) for number in range(1, count)
        )

    def image_heads(self) -> list[nn.Module]:
        """Last layer of each exit, finest first."""
        return [self.decoder.to_image, *self.coarser_heads]

    def codes(self, frames: Tensor) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        return self.encoder(frames)

    def forward(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Maps of each exit, `(B, 3, h_k, w_k)`, unbounded, finest first."""
        first = self.decoder.first_map(self.codes(frames))
        last_first = _stage_outputs(self.decoder.stages, first)[::-1]
        exits = zip(self.image_heads(), last_first, self._sizes, strict=False)
        return tuple(head(maps)[..., : size.height, : size.width] for head, maps, size in exits)


class MultiDecoderAE(BackgroundModel):
    """Exits from coarse to fine around one encoder, at a working resolution."""

    def __init__(self, settings: MultiDecoderAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        size = self.view.size
        self._tolerance = settings.tolerance / _GREY_LEVELS
        self.exit_count = _exit_count(size, settings.exits)
        self.is_fused = settings.decoders == "multi_exit"
        build = DepthExits if self.is_fused else StageExits
        self.exits = build(size, settings, self.exit_count)
        if self.view.is_residual:
            for head in self.exits.image_heads():
                start_from_zero(head)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        maps = self._maps(batch)
        chosen = self._fuse(maps) if self.is_fused else maps[0]
        return self.view.background(chosen, batch.rgb.shape[-2:])

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, N)`, those of all exits one after the other."""
        return self.exits.codes(self.view.reduce(batch.rgb))

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """Picture of each exit."""
        pictures = self.exit_pictures(batch)
        sizes = (f"{each.shape[-1]} x {each.shape[-2]}" for each in pictures)
        return {
            f"exit {number}: {size}": each
            for number, (size, each) in enumerate(zip(sizes, pictures, strict=True), start=1)
        }

    def exit_backgrounds(self, batch: FrameBatch) -> tuple[Tensor, ...]:
        """Background that each exit alone would give, each `(B, 3, H, W)`, finest first."""
        size = batch.rgb.shape[-2:]
        return tuple(
            self.view.background(enlarge_by(maps, 2**number, self.view.size), size)
            for number, maps in enumerate(self._maps(batch))
        )

    def exit_pictures(self, batch: FrameBatch) -> tuple[Tensor, ...]:
        """Picture of each exit in its own size, `(B, 3, h_k, w_k)`, finest first."""
        finest, *coarser = self._maps(batch)
        first = self.view.background(finest, batch.rgb.shape[-2:])
        if not self.view.is_residual:
            return (first, *(torch.sigmoid(maps) for maps in coarser))
        plates = self.reductions(self.view.plate)[1:]
        return (first, *(plate + maps for plate, maps in zip(plates, coarser, strict=True)))

    def reductions(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Frames `(B, 3, H, W)` in the size of each exit, by area, finest first.

        The finest exit is looked at in the frames' own size.
        """
        working = self.view.reduce_maps(frames)
        return (frames, *(reduce_by(working, 2**number) for number in range(1, self.exit_count)))

    def _maps(self, batch: FrameBatch) -> tuple[Tensor, ...]:
        return self.exits(self.view.reduce(batch.rgb))

    def _fuse(self, maps: tuple[Tensor, ...]) -> Tensor:
        """Maps `(B, 3, h, w)` that are as fine as they may be without leaving the coarser exits.

        From coarse to fine, a finer exit is taken by exp(-(d / tolerance)^2), where d is the mean
        difference over RGB of both pictures in the coarser one's size.
        """
        fused = maps[-1]
        for finer in maps[-2::-1]:
            difference = self._brightness(reduce_by(finer, 2)) - self._brightness(fused)
            distance = difference.abs().mean(dim=1, keepdim=True) / self._tolerance
            trust = torch.exp(-distance.square())
            coarser, trust = (enlarge_by(each, 2, finer.shape[-2:]) for each in (fused, trust))
            fused = torch.lerp(coarser, finer, trust)
        return fused

    def _brightness(self, maps: Tensor) -> Tensor:
        return maps if self.view.is_residual else torch.sigmoid(maps)


def _exit_count(size: FrameSize, wanted: int) -> int:
    """As many exits as are wanted and leave a picture that is large enough; at least one."""
    count = 1
    while count < wanted and min(size_at(size, 2**count)) >= _SMALLEST_EXIT:
        count += 1
    return count


def _stage_outputs(stages: nn.Sequential, maps: Tensor) -> list[Tensor]:
    """What each stage of an encoder or a decoder gives; a stage ends with its activation."""
    outputs: list[Tensor] = []
    for layer in stages:
        maps = layer(maps)
        if isinstance(layer, nn.LeakyReLU):
            outputs.append(maps)
    return outputs


ARCHITECTURE = Architecture(
    source=(
        "exits at several depths: BranchyNet, Teerapittayanon et al. 2016, arXiv:1709.01686; deep "
        "supervision: Lee et al. 2015, arXiv:1409.5185"
    ),
    settings=MultiDecoderAESettings,
    objective=MultiExit,
    build=MultiDecoderAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.decoders": "deep_supervision",
            "objective.loss": "mse",
            "objective.coarser": 1.0,
        },
    },
)
