"""The network sees a corrupted frame and is compared with the frame as it was."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from torch import Tensor

from cleanplate.losses import reconstruction_terms
from cleanplate.model import BackgroundModel
from cleanplate.nn import corruption
from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_GREY_LEVELS = 255


class Denoising(Reconstruction):
    """One phase: the background of the corrupted frame against the clean frame."""

    patches: int = Field(
        4, ge=0, le=64, description="most patches of other places pasted into a frame; 0: none"
    )
    patch_size: float = Field(
        0.5, gt=0, le=1, description="tallest patch, as a share of the frame's shorter side"
    )
    softness: float = Field(
        0.3, ge=0, le=1, description="widest fading of a patch's edge, as a share of its radius"
    )
    recolouring: float = Field(
        1.0, ge=0, le=1, description="how far the pasted colours are changed; 0: not at all"
    )
    gaussian: float = Field(
        8.0, ge=0, le=255, description="standard deviation of added noise, in grey levels; 0: none"
    )
    masking: float = Field(0.0, ge=0, lt=1, description="share of the pixels set to black; 0: none")
    salt_and_pepper: float = Field(
        0.0, ge=0, lt=1, description="share of the pixels set to black or white; 0: none"
    )
    grain: int = Field(
        4, ge=1, description="side of the squares that masking, salt and pepper hit, in pixels"
    )

    def phases(self) -> tuple[Phase, ...]:
        """One phase that owns the whole network."""
        return (Phase(name="denoising", loss=self._terms, learning_rate=self.learning_rate),)

    def corrupt(self, frames: Tensor) -> Tensor:
        """Frames `(B, 3, H, W)` with what these settings add, `(B, 3, H, W)`, in [0, 1].

        Patches first: noise of the camera lies over objects too.
        """
        pasted = corruption.paste_patches(
            frames,
            self.patches,
            size=self.patch_size,
            softness=self.softness,
            recolouring=self.recolouring,
        )
        noisy = corruption.add_gaussian_noise(pasted, self.gaussian / _GREY_LEVELS)
        masked = corruption.mask_pixels(noisy, self.masking, grain=self.grain)
        return corruption.add_salt_and_pepper(masked, self.salt_and_pepper, grain=self.grain)

    def _terms(
        self, model: BackgroundModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        corrupted = FrameBatch(self.corrupt(batch.rgb), batch.extras)
        estimate = model.estimate_background(corrupted)
        return reconstruction_terms(
            self.loss,
            estimate,
            batch.target,
            strength=self.strength_at(progress),
            reference=batch.expected,
        )
